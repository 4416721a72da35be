"""Questions to somebody who walks through a space and has seen so many pictures so far: where am I, what did I see, where is it?

The stills of a view are the pictures up to now, in groups of `per_turn`; what is asked rests on them and on nothing later, which
holds by construction: a view shows no sighting and no camera of another time. "Where I stand in a turn" is the camera of its
last picture. The kinds are the fifteen of OST-Bench; about things in `online_things.py`, about what was seen in `online_seen.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_AXIS
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.directions import angle_deg
from ...schemas.geometry.numbers import round_half_up
from ...schemas.space import Sighting, SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Number, Pick, Solved, Wrong
from .view import View, ordinal

STEEP = 0.5
"""Least length on the ground of a unit vector along which a camera looks, for its heading to be spoken of."""


class OnlineRule(BaseModel):
    """When questions of a walk have one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_turn: int = Field(4, ge=1, description="New pictures in a turn (OST-Bench: about 4).")
    move_m: float = Field(0.5, gt=0, description="Least way along the axis that a movement is named after, metres.")
    least_m: float = Field(
        0.2, ge=0, description="Shortest way whose length is asked for, metres; 0 also asks whether one has come back."
    )
    dominance: float = Field(1.5, ge=1, description="That way is at least so many times the way across.")
    turn_deg: tuple[float, float] = Field(
        (20.0, 160.0), description="Least and greatest turn that has a side, degrees."
    )
    change_m: float = Field(0.3, gt=0, description="Least difference of two distances that are compared, metres.")
    change_share: float = Field(0.15, ge=0, description="And of which of two is nearer, as a share of the greater one.")
    sector_deg: float = Field(10.0, ge=0, description="Least distance of a direction to the next sector, degrees.")
    ahead_deg: float = Field(
        20.0, gt=0, description="Lead of the turn in which something was most nearly ahead, degrees."
    )
    aside_m: float = Field(
        0.3, gt=0, description="Least distance on the ground of something whose direction is asked, metres."
    )


@dataclass(frozen=True)
class Walk:
    """The pictures so far, in turns."""

    view: View
    rule: OnlineRule

    @property
    def now(self) -> int:
        """Number of the present turn, from 1. Raises `Withheld` when the pictures do not fill it."""
        turns, rest = divmod(len(self.view.stills), self.rule.per_turn)
        if rest or not turns or list(self.view.stills) != sorted(set(self.view.stills)):
            raise Withheld("the pictures do not fill their turns")
        return turns

    def pictures(self, turn: int) -> tuple[float, ...]:
        """Times of the pictures of a turn."""
        return self.view.stills[(turn - 1) * self.rule.per_turn : turn * self.rule.per_turn]

    def stand(self, turn: int) -> Camera:
        """Where one stands in a turn: the camera of its last picture."""
        return self.view.camera(self.pictures(turn)[-1])

    def stands(self) -> list[Camera]:
        """The stands of all turns so far."""
        return [self.stand(turn) for turn in range(1, self.now + 1)]

    def turn_of(self, t_s: float) -> int:
        """The turn whose last picture has this time. Raises `Withheld`."""
        for turn in range(1, self.now + 1):
            if abs(self.pictures(turn)[-1] - t_s) < 1e-6:
                return turn
        raise Withheld("a turn that is asked about is not shown")

    def earlier(self, about: About) -> tuple[int, Camera, Camera]:
        """An earlier turn that is compared with now, and the stands of both. Raises `Withheld`."""
        if len(about.times) != 2:
            raise Withheld("two turns are compared")
        before, now = (self.turn_of(t) for t in about.times)
        if not before < now == self.now:
            raise Withheld("an earlier turn is compared with the present one")
        return before, self.stand(before), self.stand(now)

    def pairs(self) -> Iterable[tuple[float, float]]:
        """Ends of every earlier turn and of the present one."""
        end = self.pictures(self.now)[-1]
        return ((self.pictures(turn)[-1], end) for turn in range(1, self.now))

    def require_observed(self) -> tuple[float, ...]:
        """Times of all pictures so far. Raises `Withheld` unless everything that is seen in them is known."""
        if not all(self.view.camera(t).observed for t in self.view.stills):
            raise Withheld("not everything that is in the pictures is known")
        return self.view.stills


def heading(camera: Camera) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Where a camera looks on the ground, [2]. Raises `Withheld` for one that looks too steeply up or down."""
    ahead = np.asarray(camera.forward[:2], np.float64)
    if float(np.linalg.norm(ahead)) < STEEP:
        raise Withheld("the camera looks up or down")
    return ahead


def bearing_deg(camera: Camera, thing: SpaceObject, least_m: float) -> float:
    """Where the centre of a still thing lies on the ground as the camera faces: degrees anticlockwise from ahead, [0, 360).
    Raises `Withheld` when it is nearer than `least_m` on the ground.
    """
    towards = np.asarray(thing.box.centre, np.float64)[:2] - camera.centre[:2]
    if float(np.linalg.norm(towards)) < least_m:
        raise Withheld("too near for a direction")
    return float(angle_deg(heading(camera), towards))


def off_ahead(angle: float) -> float:
    """How far an angle of [0, 360) is from ahead, degrees of [0, 180]."""
    return min(angle, 360.0 - angle)


def turned_deg(before: Camera, now: Camera) -> float:
    """By how much the heading changed on the ground, degrees of (-180, 180], to the left positive."""
    angle = float(angle_deg(heading(before), heading(now)))
    return angle if angle <= 180.0 else angle - 360.0


def moved(before: Camera, now: Camera) -> tuple[float, float]:
    """To the right and forward as the earlier camera stood: x and z of R^T (C' - C), in the scene's units."""
    x, _, z = (now.centre - before.centre) @ before.rotation
    return float(x), float(z)


class OnlineKind(Kind):
    """A kind of question of a walk."""

    medium = "stills"

    def __init__(self, rule: OnlineRule) -> None:
        self.rule = rule

    def walk(self, view: View) -> Walk:
        """What was seen so far."""
        return Walk(view, self.rule)

    def known(self, view: View, about: About, count: int) -> tuple[tuple[SpaceObject, ...], tuple[Sighting, ...]]:
        """The things of a question, and where each was seen best so far. Raises `Withheld`."""
        asked = view.asked(about, count)
        view.require_named(*asked)
        view.require_still(*asked)
        return asked, tuple(view.clearest(o) for o in asked)


class SinceTurn(OnlineKind):
    """A question that compares now with an earlier turn."""

    def candidates(self, view: View) -> Iterable[About]:
        """Every earlier turn."""
        return (About(times=pair) for pair in self.walk(view).pairs())


class PositionJudgement(SinceTurn):
    """Which way from where I stood in an earlier turn am I now: forward, backward, left or right, as I faced then?

    The greater of x (right) and z (forward) of `R^T (C_now - C_then)`, at least `move_m` and `dominance` times the other.
    """

    name = "position_judgement"

    def solve(self, view: View, about: About) -> Solved:
        """One of four ways."""
        turn, before, now = self.walk(view).earlier(about)
        x, z = moved(before, now)
        along, across = (z, x) if abs(z) >= abs(x) else (x, z)
        if abs(along) < view.least(self.rule.move_m):
            raise Withheld("moved too little")
        if abs(along) < self.rule.dominance * abs(across):
            raise Withheld("moved both along and across")
        ways = {"forward": z, "backward": -z, "right": x, "left": -x}
        right = max(ways, key=lambda w: ways[w])
        opposite = {"forward": "backward", "backward": "forward", "left": "right", "right": "left"}[right]
        wrong = tuple(
            Wrong(w, OPPOSITE if w == opposite else OTHER_AXIS, round(abs(along) - ways[w], 6))
            for w in ("forward", "backward", "left", "right")
            if w != right
        )
        return Solved(
            Pick(right, wrong), {"turn": ordinal(turn)}, says=f"{x:.4f} right, {z:.4f} forward",
            margin=round(abs(along) - abs(across), 6),
            rationale=(
                f"I compare where I stand now with where I stood in the {ordinal(turn)} set of pictures, along the axes of my view then.",
                f"The change is greatest towards {right}.",
            ),
            source="cameras", difficulty={"turns_back": float(self.walk(view).now - turn)}, needs=("vision", "3d"),
        )  # fmt: skip


class PositionEstimation(SinceTurn):
    """How far am I, in a straight line, from where I stood in an earlier turn: `|C_now - C_then|`, to 0.1 m."""

    name = "position_estimation"
    scale = True

    def solve(self, view: View, about: About) -> Solved:
        """Metres."""
        turn, before, now = self.walk(view).earlier(about)
        way = float(np.linalg.norm(now.centre - before.centre))
        if way < self.rule.least_m:
            raise Withheld("moved too little")
        number = Number(round_half_up(way, 1), "m", 1)
        return Solved(
            number, {"turn": ordinal(turn)}, says=f"{way:.6f}",
            rationale=(f"Between the {ordinal(turn)} set of pictures and now my place changed by {number.text} m in a straight line.",),
            source="cameras", difficulty={"turns_back": float(self.walk(view).now - turn)},
        )  # fmt: skip


class OrientationJudgement(SinceTurn):
    """To which side have I turned since an earlier turn: the sign of the change of heading on the ground."""

    name = "orientation_judgement"
    gravity = True

    def solve(self, view: View, about: About) -> Solved:
        """Left or right."""
        turn, before, now = self.walk(view).earlier(about)
        change = self._turned(before, now)
        right, other = ("left", "right") if change > 0 else ("right", "left")
        low, high = self.rule.turn_deg
        return Solved(
            Pick(right, (Wrong(other, OPPOSITE, round(2 * min(abs(change), 180 - abs(change)), 6)),)),
            {"turn": ordinal(turn)}, says=f"{change:.4f}", margin=round(min(abs(change) - low, high - abs(change)), 6),
            margin_unit="deg",
            rationale=(f"Seen from above, I now face further to the {right} than in the {ordinal(turn)} set of pictures.",),
            source="cameras", difficulty={"turns_back": float(self.walk(view).now - turn)},
        )  # fmt: skip

    def _turned(self, before: Camera, now: Camera) -> float:
        change, (low, high) = turned_deg(before, now), self.rule.turn_deg
        if not low <= abs(change) <= high:
            raise Withheld("turned too little, or nearly all the way round")
        return change


class OrientationEstimation(OrientationJudgement):
    """By how many degrees does my heading differ from that of an earlier turn, the shorter way round: whole degrees."""

    name = "orientation_estimation"

    def solve(self, view: View, about: About) -> Solved:
        """Degrees."""
        turn, before, now = self.walk(view).earlier(about)
        change = abs(self._turned(before, now))
        number = Number(round_half_up(change), "deg")
        return Solved(
            number, {"turn": ordinal(turn)}, says=f"{change:.6f}", margin_unit="deg",
            rationale=(f"Since the {ordinal(turn)} set of pictures my heading has changed by {number.text} degrees.",),
            source="cameras", difficulty={"turns_back": float(self.walk(view).now - turn)},
        )  # fmt: skip


def ordered_pairs(labels: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Pairs of labels, each once, in alphabetical order."""
    return combinations(sorted(labels), 2)
