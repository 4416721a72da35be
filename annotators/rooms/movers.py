"""Things that move: carts, toy cars, robots and balls that roll straight, turn a corner, go there and back, or spin in place.

A mover gets a way over free floor before the camera's path is planned; when it sets off is decided by the camera, which then
stands still and watches. Before and after it rests, so that its truth is a pose per frame and nothing else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ...schemas.geometry.box3d import Box3D
from ...schemas.span import from_us, to_us
from .draw import BRIGHT, METAL, Draw
from .layout import Floor
from .meshes import ball, box, in_its_box, prism
from .room_space import clearance
from .scene import Event, Floats, Part, Thing

Way = Literal["straight", "corner", "back", "spin", "drop", "roll"]
WAYS: tuple[Way, ...] = ("straight", "back", "corner", "spin", "straight")
_TRIES = 400
LABELS = ("cart", "toy car", "robot", "ball")


@dataclass(frozen=True, eq=False)
class Mover:
    """A thing with its way over the floor."""

    thing: Thing
    way: Way
    stops: Floats
    """Where its centre goes, in order [n, 2]; one point for spinning."""
    spin_rad: float = 0.0
    """How far it turns in place, anticlockwise seen from above."""
    rolls_m: float = 0.0
    """Radius, if it rolls as a ball does."""
    along: bool = False
    """Whether it is to be watched from ahead or behind, not from the side."""
    lasts_s: float = 3.0
    windows: tuple[tuple[int, int], ...] = field(default=())
    """Frames during which it moves; set when the camera's path is planned."""

    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How fast it is let go, metres per second; of what is dropped or rolled."""

    @property
    def radius_m(self) -> float:
        return math.hypot(*self.thing.box.size[:2]) / 2

    def ground(self) -> Floats:
        """Points of its way, 10 cm apart at most [n, 2]."""
        parts = [self.stops[:1]]
        for a, b in zip(self.stops, self.stops[1:], strict=False):
            steps = max(1, math.ceil(float(np.hypot(*(b - a))) / 0.1))
            parts.append(a + (b - a) * (np.arange(1, steps + 1)[:, None] / steps))
        return np.concatenate(parts)

    def sight(self) -> Floats:
        """Points that a camera must see to see it move [n, 3]."""
        ground, z = self.ground(), self.thing.box.centre[2]
        if self.way == "drop":
            return np.column_stack([np.repeat(ground, 3, axis=0), np.tile([0.1, z / 2, z], len(ground))])
        if self.way == "roll":
            ground = np.concatenate([ground, ground + 0.4 * np.asarray(self.velocity[:2])])
        return np.column_stack([ground, np.full(len(ground), z)])


def draw_movers(floor: Floor, things: Sequence[Thing], draw: Draw, wanted: int) -> list[Mover]:
    """Up to `wanted` movers whose ways keep clear of all things and of each other."""
    found: list[Mover] = []
    labels = draw.shuffled(LABELS)
    ways = draw.shuffled(WAYS)
    for number in range(wanted):
        label, way = labels[number % len(labels)], ways[number % len(ways)]
        alike = {t.phrase for t in (*things, *(m.thing for m in found))}
        colour = draw.pick([c for c in BRIGHT if f"{c} {label}" not in alike] or BRIGHT)
        parts, size = in_its_box(_built(label, draw, colour))
        radius = math.hypot(size[0], size[1]) / 2
        for attempt in range(_TRIES):
            if attempt == _TRIES * 3 // 4:
                way = "spin"  # where no way is free, a place may be
            stops = _stops(way, floor, draw)
            heading = draw.between(0, 2 * math.pi) if way == "spin" else math.atan2(*(stops[1] - stops[0])[::-1])
            thing = Thing(label, colour, parts, Box3D.upright((*stops[0], size[2] / 2), size, heading - math.pi / 2))
            mover = Mover(
                thing, way, stops, _spin(way, stops, draw), size[2] / 2 if label == "ball" and way != "spin" else 0.0,
                draw.chance(0.4), {"straight": 2.6, "back": 3.6, "corner": 3.6, "spin": 3.0}[way],
            )  # fmt: skip
            ground = mover.ground()
            if clearance(floor.polygon, things, ground).min() < radius + 0.05:
                continue
            if any(_near(ground, other.ground()) < radius + other.radius_m + 0.1 for other in found):
                continue
            found.append(mover)
            break
    return found


def draw_physical(floor: Floor, things: Sequence[Thing], draw: Draw, wanted: int) -> list[Mover]:
    """Up to `wanted` balls and boxes over free floor that are dropped or rolled; `physics.simulate` says what they do."""
    found: list[Mover] = []
    for _number in range(wanted):
        label = draw.pick(("ball", "ball", "box"))
        way: Way = "drop" if label == "box" or draw.chance(0.5) else "roll"
        alike = {t.phrase for t in (*things, *(m.thing for m in found))}
        colour = draw.pick([c for c in BRIGHT if f"{c} {label}" not in alike] or BRIGHT)
        parts, size = in_its_box(_built(label, draw, colour))
        for _ in range(_TRIES):
            stops = _stops("spin", floor, draw)
            if clearance(floor.polygon, things, stops).min() < max(size) / 2 + 0.15:
                continue
            if any(_near(stops, m.ground()) < 0.6 for m in found):
                continue
            heading = draw.between(0, 2 * math.pi)
            speed = draw.between(0.1, 0.5) if way == "drop" else draw.between(1.2, 2.0)
            z = draw.between(1.1, 1.7) if way == "drop" else size[2] / 2
            box = Box3D.upright((*stops[0], z), size, heading)
            velocity = speed * math.cos(heading), speed * math.sin(heading), 0.0
            mover = Mover(Thing(label, colour, parts, box), way, stops, lasts_s=3.0, velocity=velocity)
            found.append(mover)
            break
    return found


def _near(a: Floats, b: Floats) -> float:
    return float(np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=-1)).min())


def _spin(way: Way, stops: Floats, draw: Draw) -> float:
    if way == "spin":
        return draw.pick((1, -1)) * draw.between(1.8 * math.pi, 3 * math.pi)
    if way == "corner":
        first, second = stops[1] - stops[0], stops[2] - stops[1]
        return math.atan2(first[0] * second[1] - first[1] * second[0], float(first @ second))
    return 0.0


def _stops(way: Way, floor: Floor, draw: Draw) -> Floats:
    low, high = floor.polygon.min(axis=0), floor.polygon.max(axis=0)
    start = np.array([draw.between(low[0], high[0]), draw.between(low[1], high[1])])
    if way == "spin":
        return start[None]
    heading, length = draw.between(0, 2 * math.pi), draw.between(1.0, 2.2)
    end = start + length * np.array([math.cos(heading), math.sin(heading)])
    if way == "straight":
        return np.stack([start, end])
    if way == "back":
        return np.stack([start, end, start])
    heading += draw.pick((1, -1)) * draw.between(math.radians(60), math.radians(110))
    return np.stack([start, end, end + draw.between(0.8, 1.4) * np.array([math.cos(heading), math.sin(heading)])])


def moved(mover: Mover, frames: int, fps: float) -> Thing:
    """The thing with a pose per frame: at rest, under way during its windows, at rest again. A second window leads back.

    One that the film has no time for is a thing that stays where it is.
    """
    if not mover.windows:
        return mover.thing
    at = np.zeros((frames, 3))
    axes = np.zeros((frames, 3, 3))
    progress = np.zeros(frames)
    state = 0.0
    for number, (start, end) in enumerate(mover.windows):
        to = 0.0 if number % 2 else 1.0
        for frame in range(start, frames):
            part = min(1.0, (frame - start) / max(1, end - start))
            progress[frame] = state + (to - state) * part * part * (3 - 2 * part)
        state = to
    z = mover.thing.box.centre[2]
    for frame in range(frames):
        (x, y), yaw, rolled = _along(mover, float(progress[frame]))
        at[frame] = x, y, z
        axes[frame] = _turned(mover.thing.box.matrix, yaw, rolled / mover.rolls_m if mover.rolls_m else 0.0)
    told = {"way": mover.way, "windows_s": [[a / fps, b / fps] for a, b in mover.windows]}
    first = Box3D(tuple(at[0]), tuple(axes[0].ravel()), mover.thing.box.size)
    return replace(mover.thing, box=first, centres=at, axes=axes, told=told)


_SAID: dict[Way, str] = {
    "straight": "moves across the floor", "corner": "moves and turns a corner", "back": "moves there and back", "spin": "spins in place",
}  # fmt: skip


def motions(things: Sequence[Thing], movers: Sequence[Mover], fps: float) -> tuple[Event, ...]:
    """What movers do, for those that only one phrase calls."""
    calls = Counter(t.phrase for t in (*things, *(m.thing for m in movers)))
    return tuple(
        Event(from_us(to_us(a / fps)), from_us(to_us(b / fps)), f"the {m.thing.phrase} {_SAID[m.way]}", len(things) + k)
        for k, m in enumerate(movers)
        for a, b in m.windows
        if calls[m.thing.phrase] == 1 and b - a >= m.lasts_s * fps - 1
    )


def _along(mover: Mover, progress: float) -> tuple[Floats, float, float]:
    """Where it is, how far it has turned, and how far it has rolled, at a share of its way."""
    stops = mover.stops
    if mover.way == "spin":
        return stops[0], mover.spin_rad * progress, 0.0
    if mover.way == "straight":
        gone = progress * float(np.hypot(*(stops[1] - stops[0])))
        return stops[0] + (stops[1] - stops[0]) * progress, 0.0, gone
    if mover.way == "back":
        share = 1 - abs(2 * progress - 1)
        return stops[0] + (stops[1] - stops[0]) * share, 0.0, share * float(np.hypot(*(stops[1] - stops[0])))
    legs = [float(np.hypot(*(stops[k + 1] - stops[k]))) for k in (0, 1)]
    pause = 0.2
    first = (1 - pause) * legs[0] / sum(legs)
    if progress <= first:
        part = progress / first
        return stops[0] + (stops[1] - stops[0]) * part, 0.0, legs[0] * part
    if progress <= first + pause:
        return stops[1], mover.spin_rad * (progress - first) / pause, legs[0]
    part = (progress - first - pause) / (1 - first - pause)
    return stops[1] + (stops[2] - stops[1]) * part, mover.spin_rad, legs[0] + legs[1] * part


def _turned(rest: Floats, yaw: float, roll: float) -> Floats:
    """Axes as rows after turning about z, and about the thing's own x axis as a ball rolls forwards."""
    c, s = math.cos(-roll), math.sin(-roll)
    own = np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) @ rest
    c, s = math.cos(yaw), math.sin(yaw)
    return np.asarray(own @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]), np.float64)


def _built(label: str, d: Draw, colour: str) -> list[Part]:
    """Parts with the front towards +y."""
    if label == "ball":
        r = d.between(0.12, 0.17)
        return [ball((0, 0, r), r, d.material(colour, "checks", 0.5, 0.55))]
    if label == "box":
        w, e, h = d.between(0.2, 0.32), d.between(0.2, 0.32), d.between(0.14, 0.24)
        return [box((0, 0, 0), (w, e, h), d.material(colour, d.pick(("stripes", "dots", "checks")), 0.4, 0.5))]
    if label == "robot":
        r = d.between(0.14, 0.18)
        return [
            prism((0, 0, 0.06), r, r, 0.12, d.material(colour, "speckle", 0.5)),
            prism((0, 0, 0.26), r * 0.8, r * 0.55, 0.28, d.material(colour, "stripes", 0.4)),
            box((0, r * 0.62, 0.3), (0.14, 0.06, 0.06), d.material("black")),
        ]
    if label == "toy car":
        w, e = d.between(0.2, 0.26), d.between(0.4, 0.5)
        wheel = d.material("black")
        return [
            box((0, 0, 0.11), (w, e, 0.1), d.material(colour, "stripes", 0.5)),
            box((0, -e * 0.08, 0.2), (w * 0.85, e * 0.5, 0.09), d.material((120, 150, 180), "blotches", 0.4)),
            *[box((sx * w / 2, sy * e * 0.3, 0.05), (0.05, 0.1, 0.1), wheel) for sx in (-1, 1) for sy in (-1, 1)],
            box((0, e / 2 + 0.005, 0.12), (w * 0.7, 0.01, 0.04), d.material("yellow")),
        ]
    w, e, h = d.between(0.3, 0.4), d.between(0.42, 0.55), d.between(0.4, 0.55)
    m, metal = d.material(colour, "panels", 0.7), d.material(METAL)
    return [
        box((0, 0, 0.14 + h * 0.25), (w, e, h * 0.5), m),
        *[box((sx * (w / 2 - 0.015), -e / 2 + 0.015, (h + 0.5) / 2), (0.03, 0.03, h + 0.1), metal) for sx in (-1, 1)],
        box((0, -e / 2 + 0.015, h + 0.3), (w, 0.03, 0.03), metal),
        *[
            box((sx * w * 0.4, sy * e * 0.35, 0.06), (0.04, 0.12, 0.12), d.material("black"))
            for sx in (-1, 1)
            for sy in (-1, 1)
        ],
    ]
