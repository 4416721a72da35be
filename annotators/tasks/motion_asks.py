"""Questions about motion, as VLM4D asks them: which way, turning, spinning, how many move, nearer to what; and of what is absent.

Every question has four options (of the nearer thing: two): two opposites, no motion, and that there is no such thing. A
direction across, which VLM4D offers as well, would tell that the right one is among the opposites. Questions about an absent
thing are the same questions about a label that the scene does not have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from ...engine.distractors.vocabulary import MOVING_FOR_STILL, OPPOSITE, OTHER_LABEL, OTHER_MOTION, STILL_FOR_MOVING
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.motion_paths import PathRule, Told, spin_of, turn_of, way_of
from ...schemas.sample import Option
from .common import Withheld
from .motion_scene import MotionScene, Moved

Kind = Literal["direction", "turn", "spin", "nearer", "count"]
KINDS: tuple[Kind, ...] = ("direction", "turn", "spin", "nearer", "count")
ABSENT = "absent"

TEXTS: Mapping[str, Mapping[str, str]] = {
    "direction": {
        "left": "to the left", "right": "to the right", "toward": "towards the camera", "away": "away from the camera",
        "still": "nowhere, it does not move", "left then right": "first to the left, then to the right",
        "right then left": "first to the right, then to the left",
    },
    "turn": {"left": "it turns left", "right": "it turns right", "straight": "it goes straight on", "none": "it does not move"},
    "spin": {"clockwise": "clockwise", "anticlockwise": "anticlockwise", "none": "it does not spin"},
    "nearer": {"nearer": "nearer to it", "farther": "farther from it"},
}  # fmt: skip
OPPOSITES = {
    "left": "right", "right": "left", "toward": "away", "away": "toward", "left then right": "right then left",
    "right then left": "left then right", "clockwise": "anticlockwise", "anticlockwise": "clockwise", "nearer": "farther",
    "farther": "nearer",
}  # fmt: skip
PLAIN = ("still", "none", "straight", ABSENT)
"""Answers without a side: they are had anywhere, so they are not asked for more often than one side."""
NEARER_M = 0.4
"""Least change of a distance over the ground that is asked about, metres."""


@dataclass(frozen=True)
class MotionAnswer:
    """What a question comes to."""

    options: tuple[Option, ...]
    index: int
    count: int | None
    slots: Mapping[str, str]
    rationale: tuple[str, ...]
    things: tuple[Moved, ...]
    """Those whose rows are cited; all where something is denied."""
    says: str
    margin: float | None
    margin_unit: str
    label: str
    difficulty: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer as it is balanced."""
        return str(self.count) if self.count is not None else self.label


@dataclass(frozen=True)
class MotionQuestion:
    """A kind of question about things by name; `absent` is a label that is asked about though nothing has it."""

    kind: Kind
    names: tuple[str, ...] = ()
    absent: str = ""


def questions(scene: MotionScene, absent: Sequence[str]) -> list[MotionQuestion]:
    """Everything that could be asked about a scene."""
    found: list[MotionQuestion] = []
    named = scene.named()
    for thing in named:
        if thing.track is not None and not thing.moves and thing.label not in absent:
            continue  # that a sofa stands still, everybody knows without looking
        found.append(MotionQuestion("direction", (thing.name,)))
        if thing.track is not None:
            found += [MotionQuestion("turn", (thing.name,)), MotionQuestion("spin", (thing.name,))]
            if thing.moves:
                found += [
                    MotionQuestion("nearer", (thing.name, o.name)) for o in named if o.track is not None and not o.moves
                ]
    if any(t.track is not None for t in scene.things):
        found.append(MotionQuestion("count"))
    if scene.complete:
        kinds: tuple[Kind, ...] = (
            ("direction", "turn", "spin") if any(t.track for t in scene.things) else ("direction",)
        )
        found += [MotionQuestion(k, (), a) for a in absent if a not in scene.labels for k in kinds]
    return found


def answered(scene: MotionScene, asked: MotionQuestion, rule: PathRule) -> MotionAnswer:
    """The answer. Raises `Withheld`."""
    if asked.kind != "direction" and not scene.metric:
        raise Withheld("unit scale")
    if asked.kind != "direction" and not scene.upright:
        raise Withheld("not gravity aligned")
    if asked.absent:
        return _absent(scene, asked)
    if asked.kind == "count":
        return _count(scene)
    things = tuple(scene.thing(n) for n in asked.names)
    if any(t not in scene.named() for t in things):
        raise Withheld("not named alone, or not seen throughout")
    if asked.kind == "nearer":
        return _nearer(scene, things)
    (thing,) = things
    told = _TELLS[asked.kind](thing, rule)
    if told.label is None:
        raise Withheld(told.reason)
    unit = "share" if asked.kind == "direction" else "deg"
    return _choice(scene, asked.kind, thing.phrase, told.label, (thing,), f"{told.value:.6f}", told.margin, unit)


def _way(thing: Moved, rule: PathRule) -> Told:
    if thing.curve is None:
        return Told(None, "its path is not known: too few boxes, or no motion of the camera")
    return way_of(thing.curve, rule)


def _turn(thing: Moved, rule: PathRule) -> Told:
    assert thing.track is not None
    if not thing.moves:
        return Told(None, "it does not move")
    return turn_of(thing.track, rule)


def _spin(thing: Moved, rule: PathRule) -> Told:
    assert thing.track is not None
    return spin_of(thing.track, rule)


_TELLS: Mapping[str, Callable[[Moved, PathRule], Told]] = {"direction": _way, "turn": _turn, "spin": _spin}


def _nearer(scene: MotionScene, things: Sequence[Moved]) -> MotionAnswer:
    """In the world, whatever the camera does: the distance of the two centres over the ground, at the end against the start;
    all the way in one direction.
    """
    mover, other = things
    if mover.track is None or other.track is None or other.moves or not mover.moves:
        raise Withheld("one thing moves, the other does not")
    apart = [math.dist(a, b) for a, b in zip(mover.track.ground, other.track.ground, strict=True)]
    change = apart[-1] - apart[0]
    if abs(change) < NEARER_M or sum(abs(b - a) for a, b in pairwise(apart)) > abs(change) + 0.1:
        raise Withheld("the distance hardly changes, or both ways")
    found = _choice(
        scene, "nearer", mover.phrase, "nearer" if change < 0 else "farther", tuple(things), f"{change:.6f}",
        abs(change) - NEARER_M, "m",
    )  # fmt: skip
    return replace(found, slots={"thing": mover.phrase, "other": other.phrase})


def _count(scene: MotionScene) -> MotionAnswer:
    """How many things move: all that do have to be seen throughout, and a place that is not known is no answer."""
    if any(t.track is None for t in scene.things):
        raise Withheld("the path of something is not known")
    moving = [t for t in scene.things if t.moves]
    if any(not t.seen for t in moving):
        raise Withheld("something that moves is not seen throughout")
    count = len(moving)
    reasons = [f"The {t.phrase} moves." for t in sorted(moving, key=lambda t: (t.phrase, t.name))]
    return MotionAnswer(
        (), 0, count, {}, (*reasons, f"Apart from the camera, that makes {count}."), scene.things, str(count), None, "",
        str(count), {"moving": float(count)},
    )  # fmt: skip


def _absent(scene: MotionScene, asked: MotionQuestion) -> MotionAnswer:
    if not scene.complete or asked.absent in scene.labels:
        raise Withheld("it may be there")
    # as the others are called: a bare name would tell
    adjectives = sorted({t.phrase[: -len(t.label) - 1] for t in scene.things if t.phrase.endswith(f" {t.label}")})
    drawn = seeded_fraction("absent", scene.clip["clip_id"], asked.kind, asked.absent)
    phrase = f"{adjectives[int(drawn * len(adjectives))]} {asked.absent}" if adjectives else asked.absent
    return _choice(scene, asked.kind, phrase, ABSENT, scene.things, "absent", None, "")


def _choice(
    scene: MotionScene, kind: Kind, phrase: str, label: str, things: tuple[Moved, ...], says: str, margin: float | None, unit: str
) -> MotionAnswer:  # fmt: skip
    # a window and its twin have the same options, mirrored: the draw must not depend on which of them it is
    seed = (kind, phrase, scene.clip["clip_id"], sorted(t.name for t in things))
    names = chosen(kind, label, *seed)
    texts = {**TEXTS[kind], ABSENT: f"there is no {phrase}"}
    options = [Option(text=texts[n], distractor_kind=None if n == label else _kind_of(n, label)) for n in names]
    options.sort(key=lambda o: (derive_id("option", "vlm4d_motion_qa", o.text), o.text))
    index = next(i for i, o in enumerate(options) if o.text == texts[label])
    reasons = {
        "direction": "With the camera's own motion taken out, its path in the picture goes this way",
        "turn": "Following its way over the ground, I find this",
        "spin": "Seen from above, its own turning is this",
        "nearer": "In the room, whatever the camera does, it comes to be this",
    }
    why = (
        (f"{reasons[kind]}: {texts[label]}.",)
        if label != ABSENT
        else (f"I look for a {phrase} in all pictures: there is none.",)
    )
    return MotionAnswer(tuple(options), index, None, {"thing": phrase}, why, things, says, margin, unit, label)


def chosen(kind: Kind, label: str, *seed: object) -> list[str]:
    """The labels that are offered, the right one first: two opposites, no motion (or none that counts), and absence. Each of the
    four may be the right one under the same options, so that they tell nothing.
    """
    if kind == "nearer":
        return [label, OPPOSITES[label]]
    if kind in ("spin", "turn"):
        sides = ("clockwise", "anticlockwise", "none") if kind == "spin" else ("left", "right", "straight")
        return [label, *(n for n in (*sides, ABSENT) if n != label)]
    pairs = (("left", "right"), ("toward", "away"), ("left then right", "right then left"))
    pair = next((p for p in pairs if label in p), None)
    if pair is None:
        drawn = seeded_fraction(*seed, "pair")
        pair = pairs[0] if drawn < 0.5 else pairs[1] if drawn < 0.8 else pairs[2]
    return [label, *(n for n in (*pair, "still", ABSENT) if n != label)]


def _kind_of(name: str, label: str) -> str:
    if name == ABSENT or label == ABSENT:
        return OTHER_LABEL
    if OPPOSITES.get(name) == label:
        return OPPOSITE
    if name in ("still", "none"):
        return STILL_FOR_MOVING
    return MOVING_FOR_STILL if label in ("still", "none") else OTHER_MOTION
