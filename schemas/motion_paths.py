"""What the path of a thing amounts to: which way it goes, whether it turns, spins, comes back, or stays where it is.

A `Curve` is a path in the picture as a camera that stands still would see it: the camera's own motion is taken out, by its pose
(the thing is projected into the first camera) or by what the background does (`compensated`). A `Track3` is the path over the
ground with the thing's own orientation. Whatever is weak or mixed has no label but a reason. Thresholds are VLM4D's project rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .motion import Motion

Way = Literal["left", "right", "toward", "away", "still", "left then right", "right then left"]
WAYS: tuple[Way, ...] = ("left", "right", "toward", "away", "still", "left then right", "right then left")
MIRRORED: dict[str, str] = {
    "left": "right", "right": "left", "left then right": "right then left", "right then left": "left then right",
    "clockwise": "anticlockwise", "anticlockwise": "clockwise",
}  # fmt: skip
"""What a label is in the mirror; others stay."""


class PathRule(BaseModel):
    """When a path has a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: float = Field(0.15, gt=0, description="Least way to one side, share of the picture's width.")
    side_ratio: float = Field(
        2.0, ge=1, description="And at least so many times the way up or down, share of its height."
    )
    growth: float = Field(
        1.3, gt=1, description="Least growth of the area of what comes nearer; its inverse going away."
    )
    aside: float = Field(0.1, gt=0, description="Greatest way to a side of what comes nearer or goes away.")
    still: float = Field(0.02, gt=0, description="Greatest path of what does not move, in diagonals of the picture.")
    still_growth: float = Field(1.1, gt=1, description="And greatest growth or shrinking of its area.")
    leg: float = Field(0.1, gt=0, description="Least length of each leg of a way there and back, share of the width.")
    forth: float = Field(
        0.9, gt=0.5, le=1, description="Least net way to a side as a share of the whole: no turning back."
    )
    turn_deg: tuple[float, float] = Field(
        (30.0, 150.0), description="Least and greatest change of heading that is a turn."
    )
    straight_deg: float = Field(10.0, gt=0, description="Greatest change of heading of what goes straight on.")
    travel_m: float = Field(
        0.5, gt=0, description="Least way over the ground of what turns or goes straight on, metres."
    )
    step_m: float = Field(0.03, gt=0, description="Least step over the ground that has a heading, metres.")
    spin_deg: float = Field(270.0, gt=0, description="Least turn of what spins, degrees.")
    spin_m: float = Field(0.2, gt=0, description="Greatest way over the ground of what spins in place, metres.")
    rest_deg: float = Field(10.0, gt=0, description="Greatest turn of what does not spin, degrees.")


@dataclass(frozen=True)
class Curve:
    """A path in the picture, the camera's motion taken out: `x` and `y` are shares of width and height, `a` is the logarithm of
    the area, `aspect` width / height.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    a: tuple[float, ...]
    aspect: float

    def mirrored(self) -> Curve:
        """With left and right exchanged."""
        return Curve(tuple(1.0 - v for v in self.x), self.y, self.a, self.aspect)


@dataclass(frozen=True)
class Track3:
    """A path over the ground, [n, 2] metres, with the thing's yaw, radians anticlockwise seen from above."""

    ground: tuple[tuple[float, float], ...]
    yaws: tuple[float, ...]

    def mirrored(self) -> Track3:
        """With left and right exchanged."""
        return Track3(tuple((-x, y) for x, y in self.ground), tuple(-v for v in self.yaws))


@dataclass(frozen=True)
class Told:
    """A label with its distance to the nearest threshold, or None with the reason."""

    label: str | None
    reason: str = ""
    margin: float = 0.0
    value: float = 0.0
    """What was measured: a way as share of the width, a logarithm of growth, or degrees."""


def way_of(curve: Curve, rule: PathRule) -> Told:
    """Which way a thing goes as a camera at rest sees it."""
    if len(curve.x) < 2:
        return Told(None, "its place is known too seldom")
    dx, dy, da = curve.x[-1] - curve.x[0], curve.y[-1] - curve.y[0], curve.a[-1] - curve.a[0]
    diagonal = math.hypot(curve.aspect, 1.0)
    path = sum(
        math.hypot((b[0] - a[0]) * curve.aspect, b[1] - a[1]) for a, b in pairwise(zip(curve.x, curve.y, strict=True))
    )
    grown, big = math.log(rule.still_growth), math.log(rule.growth)
    if path / diagonal < rule.still and max(curve.a) - min(curve.a) <= grown:
        return Told("still", margin=rule.still - path / diagonal, value=path / diagonal)
    legs = _legs(curve.x, rule.leg / 4)
    if len(legs) == 2 and min(map(abs, legs)) >= rule.leg:
        across = max(curve.y) - min(curve.y)
        if min(map(abs, legs)) < rule.side_ratio * across:
            return Told(None, "it goes up or down as well")
        name = "left then right" if legs[0] < 0 else "right then left"
        return Told(name, margin=min(map(abs, legs)) - rule.leg, value=min(map(abs, legs)))
    sideways = sum(abs(b - a) for a, b in pairwise(curve.x))
    if abs(dx) >= rule.side and abs(dx) >= rule.side_ratio * abs(dy):
        if abs(da) >= big:
            return Told(None, "it goes to a side and in depth")
        if abs(dx) < rule.forth * sideways:
            return Told(None, "it does not go one way")
        return Told("left" if dx < 0 else "right", margin=abs(dx) - rule.side, value=dx)
    if abs(da) >= big and sideways < rule.aside:
        whole = sum(abs(b - a) for a, b in pairwise(curve.a))
        if abs(da) < rule.forth * whole:
            return Told(None, "it does not go one way")
        return Told("toward" if da > 0 else "away", margin=abs(da) - big, value=da)
    return Told(None, "no way is clear")


def turn_of(track: Track3, rule: PathRule) -> Told:
    """Whether it turns left or right on its way, or goes straight on: the integral of its heading over the ground."""
    stands = [track.ground[0]]
    for place in track.ground[1:]:
        if math.dist(place, stands[-1]) >= rule.step_m:
            stands.append(place)
    travel = sum(math.dist(a, b) for a, b in pairwise(stands))
    if travel < rule.travel_m or len(stands) < 3:
        return Told(None, "it hardly moves")
    headings = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(stands)]
    steps = [math.degrees(_wrapped(b - a)) for a, b in pairwise(headings)]
    turned, low, high = sum(steps), *rule.turn_deg
    if max(map(abs, steps)) > high:
        return Told(None, "it turns back")
    if max(abs(v) for v in _running(steps)) <= rule.straight_deg:
        return Told("straight", margin=rule.straight_deg - abs(turned), value=turned)
    if low <= abs(turned) <= high and max(abs(v) for v in _running(steps)) <= abs(turned) + rule.straight_deg:
        return Told("left" if turned > 0 else "right", margin=min(abs(turned) - low, high - abs(turned)), value=turned)
    return Told(None, "neither a turn nor straight on")


def spin_of(track: Track3, rule: PathRule) -> Told:
    """Whether it spins in place, seen from above: the integral of its own yaw."""
    spread = max((math.dist(p, track.ground[0]) for p in track.ground), default=0.0)
    steps = [math.degrees(_wrapped(b - a)) for a, b in pairwise(track.yaws)]
    turned = sum(steps)
    if steps and max(map(abs, steps)) > 120:
        return Told(None, "it turns faster than is seen")
    if all(abs(v) <= rule.rest_deg for v in _running(steps)):
        return Told("none", margin=rule.rest_deg - abs(turned), value=turned)
    if abs(turned) >= rule.spin_deg and spread <= rule.spin_m:
        return Told("anticlockwise" if turned > 0 else "clockwise", margin=abs(turned) - rule.spin_deg, value=turned)
    return Told(None, "it neither spins in place nor keeps still")


def compensated(
    times: Sequence[float],
    x: Sequence[float],
    y: Sequence[float],
    a: Sequence[float],
    aspect: float,
    camera: Sequence[Motion],
) -> Curve | None:
    """A path in the picture with what the background does at its place taken out; `camera` has the measured motions of frames, each
    for the time since the one before, in order of time. A motion that was not measured (the first after a cut) is taken to be
    the next one; None where more than that is missing between the first time and the last.
    """
    if not camera or len(times) < 2:
        return None
    ends = [m.t_s for m in camera]
    steps = sorted(b - a_ for a_, b in pairwise(ends))
    step = steps[len(steps) // 2] if steps else 0.0
    inside = [times[0], *(t for t in ends if times[0] < t < times[-1]), times[-1]]
    if ends[0] > times[0] + 2.5 * step or ends[-1] < times[-1] - 1.5 * step:
        return None
    if any(b - a_ > 2.5 * step + 1e-9 for a_, b in pairwise(inside)):
        return None
    xs, ys, areas = [x[0]], [y[0]], [a[0]]
    for i in range(1, len(times)):
        u, v = (x[i - 1] + x[i]) / 2 - 0.5, ((y[i - 1] + y[i]) / 2 - 0.5) / aspect
        drift = [0.0, 0.0, 0.0]
        for k, m in enumerate(camera):
            since = max(times[i - 1], ends[k - 1]) if k else times[i - 1]
            until = min(times[i], m.t_s) if k + 1 < len(camera) else times[i]
            lasts, roll = max(0.0, until - since), math.radians(m.roll)
            drift[0] += (-m.pan + m.zoom * u - roll * v) * lasts
            drift[1] += (m.tilt + (m.zoom * v + roll * u) * aspect) * lasts
            drift[2] += 2 * m.zoom * lasts
        xs.append(xs[-1] + x[i] - x[i - 1] - drift[0])
        ys.append(ys[-1] + y[i] - y[i - 1] - drift[1])
        areas.append(areas[-1] + a[i] - a[i - 1] - drift[2])
    return Curve(tuple(xs), tuple(ys), tuple(areas), aspect)


def _legs(x: Sequence[float], least: float) -> list[float]:
    """Signed lengths of the stretches of one direction; changes of direction below `least` do not count."""
    turns, low, high = [x[0]], x[0], x[0]
    going = 0
    for v in x[1:]:
        low, high = min(low, v), max(high, v)
        if going >= 0 and high - v >= least and (going > 0 or high - turns[-1] < least):
            turns, going, low = [*turns, high] if going > 0 else turns, -1, v
        elif going <= 0 and v - low >= least and (going < 0 or turns[-1] - low < least):
            turns, going, high = [*turns, low] if going < 0 else turns, 1, v
    ends = [*turns, high if going > 0 else low if going < 0 else x[-1]]
    return [b - a for a, b in pairwise(ends)]


def _running(steps: Sequence[float]) -> list[float]:
    total, found = 0.0, [0.0]
    for step in steps:
        total += step
        found.append(total)
    return found


def _wrapped(angle: float) -> float:
    return math.remainder(angle, 2 * math.pi)
