"""Functional programs over a scene of sounds: scene, filter, unique, relate, and at the end count, exist, compare or query.

A program is a list of steps, each with arguments and the numbers of the steps that it takes (as in CLEVR and CLEAR); running
it gives the answer, so the executor is the verifier. With a slack, every comparison of times that boundaries shifted by as
much could turn raises `Unclear`: what then still has an answer has it for all such shifts. Pure functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
    "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth",
)  # fmt: skip
THIRDS = ("beginning", "middle", "end")
LEAST_LEAD_S = 0.1
"""By how much the longest (or shortest) sound must lead."""


class Impossible(ValueError):
    """The program has no answer in this scene: nothing there, not unique, a tie."""


class Unclear(Impossible):
    """The answer hangs on a difference of times that is smaller than the slack."""


class Sound(BaseModel):
    """One sound of a scene. What is not known of it is an empty text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_s: float
    end_s: float
    instrument: str = Field(description="What sounds: an instrument, or the label of a detected sound.")
    note: str = ""
    loudness: str = ""
    brightness: str = ""

    @property
    def length_s(self) -> float:
        """How long it sounds."""
        return self.end_s - self.start_s


class Scene(BaseModel):
    """Sounds in the order in which they begin, and the length of the medium."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sounds: tuple[Sound, ...]
    duration_s: float


class Node(BaseModel):
    """One step: an operation, its arguments, and the steps whose results it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    args: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()


Program = tuple[Node, ...]


def read_program(values: Iterable[Mapping[str, Any]]) -> Program:
    """A program from its JSON values. Raises ValueError for malformed steps or steps that use later ones."""
    program = tuple(Node.model_validate(v) for v in values)
    for number, node in enumerate(program):
        if any(not 0 <= i < number for i in node.inputs):
            raise ValueError(f"step {number} takes a step that does not come before it")
    if not program:
        raise ValueError("a program without steps")
    return program


def run(program: Program, scene: Scene, slack_s: float = 0.0) -> str:
    """The answer in words. Raises `Impossible` where there is none, `Unclear` where it hangs on less than the slack."""
    return str(_run(program, scene, slack_s, without=None))


def degenerate(program: Program, scene: Scene) -> bool:
    """Whether any relation could be replaced by the whole scene without changing the answer."""
    truth = run(program, scene)
    for number, node in enumerate(program):
        if node.op != "relate":
            continue
        try:
            if str(_run(program, scene, 0.0, without=number)) == truth:
                return True
        except Impossible:
            continue
    return False


def _run(program: Program, scene: Scene, slack_s: float, without: int | None) -> Any:
    results: list[Any] = []
    for number, node in enumerate(program):
        if number == without:
            results.append(scene.sounds)
            continue
        try:
            results.append(_step(node, [results[i] for i in node.inputs], scene, slack_s))
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise Impossible(f"step {number}, {node.op}: {error}") from None
    return results[-1]


def _step(node: Node, given: Sequence[Any], scene: Scene, slack_s: float) -> Any:
    match node.op:
        case "scene":
            return scene.sounds
        case "filter":
            name, value = node.args
            return tuple(s for s in given[0] if _value(s, name, scene, slack_s) == value)
        case "nth":
            return (_nth(given[0], node.args[0], slack_s),)
        case "extreme":
            return (_extreme(given[0], node.args[0], slack_s),)
        case "unique":
            if len(given[0]) != 1:
                raise Impossible(f"{len(given[0])} sounds instead of one")
            return given[0][0]
        case "relate":
            return _related(given[0], node.args[0], scene, slack_s)
        case "count":
            return len(given[0])
        case "exist":
            return "yes" if given[0] else "no"
        case "more" | "fewer" | "equal":
            a, b = given
            return "yes" if {"more": a > b, "fewer": a < b, "equal": a == b}[node.op] else "no"
        case "query":
            return _query(given[0], node.args[0], scene, slack_s)
    raise Impossible(f"unknown operation {node.op!r}")


def _value(sound: Sound, name: str, scene: Scene, slack_s: float) -> str:
    if name == "third":
        return _third(sound, scene, slack_s)
    return str(getattr(sound, name))


def _third(sound: Sound, scene: Scene, slack_s: float) -> str:
    """The third of the scene in which the middle of a sound lies."""
    middle, third = (sound.start_s + sound.end_s) / 2, scene.duration_s / 3
    if min(abs(middle - third), abs(middle - 2 * third)) <= slack_s + 0.02 * scene.duration_s:
        raise Unclear("the sound lies between two thirds of the scene")
    return THIRDS[int(middle >= third) + int(middle >= 2 * third)]


def _nth(sounds: Sequence[Sound], ordinal: str, slack_s: float) -> Sound:
    place = -1 if ordinal == "last" else ORDINALS.index(ordinal) if ordinal in ORDINALS else None
    if place is None:
        raise Impossible(f"unknown ordinal {ordinal!r}")
    if len(sounds) < 2 or place >= len(sounds):
        raise Impossible(f"no {ordinal} among {len(sounds)} sounds")
    chosen = sounds[place]
    _apart(chosen, sounds, slack_s)
    return chosen


def _extreme(sounds: Sequence[Sound], which: str, slack_s: float) -> Sound:
    """The longest or shortest, by a lead that no shift of boundaries takes away."""
    ordered = sorted(sounds, key=lambda s: -s.length_s if which == "longest" else s.length_s)
    if len(ordered) < 2:
        raise Impossible(f"no {which} among {len(ordered)} sounds")
    lead = abs(ordered[0].length_s - ordered[1].length_s)
    if lead < LEAST_LEAD_S:
        raise Impossible(f"the {which} sound leads by {lead:.2f} s only")
    if lead < 4 * slack_s + LEAST_LEAD_S:
        raise Unclear(f"the {which} sound leads by {lead:.2f} s only")
    return ordered[0]


def _related(anchor: Sound, how: str, scene: Scene, slack_s: float) -> tuple[Sound, ...]:
    _apart(anchor, scene.sounds, slack_s)
    if how == "before":
        return tuple(s for s in scene.sounds if s.start_s < anchor.start_s)
    if how == "after":
        return tuple(s for s in scene.sounds if s.start_s > anchor.start_s)
    raise Impossible(f"unknown relation {how!r}")


def _query(sound: Sound, name: str, scene: Scene, slack_s: float) -> str:
    if name == "position":
        _apart(sound, scene.sounds, slack_s)
        return ORDINALS[scene.sounds.index(sound)]
    if name == "position_of_kind":
        alike = [s for s in scene.sounds if s.instrument == sound.instrument]
        _apart(sound, alike, slack_s)
        if len(alike) < 2:
            raise Impossible("the only one of its kind")
        return ORDINALS[alike.index(sound)]
    value = _value(sound, name, scene, slack_s)
    if not value:
        raise Impossible(f"its {name} is not known")
    return value


def _apart(sound: Sound, others: Sequence[Sound], slack_s: float) -> None:
    """Whether no shift of boundaries changes its place among the others."""
    if any(o != sound and abs(o.start_s - sound.start_s) <= 2 * slack_s for o in others):
        raise Unclear("another sound begins at nearly the same time")


def scene_of(rows: Iterable[Mapping[str, Any]], duration_s: float) -> Scene:
    """The scene that rows of table `sounds` tell. Raises ValueError for malformed attributes."""
    sounds = []
    for row in sorted(rows, key=lambda r: (r["start_s"], r["end_s"], r["label"])):
        told = json.loads(row["attributes_json"] or "{}")
        known = {name: str(told.get(name, "")) for name in ("note", "loudness", "brightness")}
        sounds.append(Sound(start_s=row["start_s"], end_s=row["end_s"], instrument=row["label"], **known))
    return Scene(sounds=tuple(sounds), duration_s=duration_s)
