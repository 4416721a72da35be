"""Numbers about a room: how many there are, how long a thing is, how large the floor, how far two things are apart.

Things are those that their label names alone. Sizes and distances are of oriented boxes, and made again from surface points
where these are stored. The size of a thing is its longest side, whichever way it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...engine.distractors.vocabulary import OTHER_NUMBER
from ...schemas.chain_building import Trail
from ...schemas.chain_space import BOX_COLUMNS
from ...schemas.geometry.area import floor_area, polygon_area
from ...schemas.geometry.distances import box_box, cloud_cloud
from ...schemas.geometry.numbers import round_half_up
from ...schemas.ids import seeded_fraction
from ...schemas.space import SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Number, Pick, Second, Solved, Wrong
from .certainty import agree, with_points
from .numbers import ChoiceRule
from .room_rule import RoomRule
from .view import View

UNIT = "instances"
"""Unit of counts: scored by relative accuracy, as VSI-Bench does, not exactly."""


class RoomKind(Kind):
    """A kind about a room."""

    def __init__(self, rule: RoomRule) -> None:
        self.rule = rule

    @staticmethod
    def still_labels(view: View) -> list[str]:
        """Labels whose things do not move, and of which one at least is clearly seen; alphabetical."""
        groups = view.space.by_label.items()
        return [n for n, things in groups if not any(o.moving for o in things) and any(view.sees(o) for o in things)]


class ObjectCount(RoomKind):
    """How many things of a label the room has; every one of them is seen in what is shown."""

    name = "object_count"
    counts = True

    def candidates(self, view: View) -> Iterable[About]:
        """Labels with several objects."""
        for _, things in view.space.by_label.items():
            if len(things) >= self.rule.counted[0]:
                yield About(objects=(things[0].object_id,))

    def solve(self, view: View, about: About) -> Solved:
        """The number of objects of the label of the one that is named."""
        (one,) = view.asked(about, 1)
        things = view.space.by_label[one.label]
        least, most = self.rule.counted
        if not least <= len(things) <= most:
            raise Withheld("too few or too many to count")
        seen = [max(view.sightings(o), key=lambda s: (s.area or 0.0, -s.t_s), default=None) for o in things]
        shown = [s for s in seen if s is not None and view.seen.holds(s)]
        if len(shown) < len(things):
            raise Withheld("one that counts is not seen")
        return Solved(
            Number(float(len(things)), UNIT), {"label": one.label}, says=str(len(things)),
            rationale=(f"I look for every {one.label} and count each of them once, however often it is seen.",
                       f"There are {len(things)} in all."),
            labels=(one.label,), sightings=tuple(shown), chain=lambda trail: _count(trail, things, one.label),
        )  # fmt: skip

    def choice(self, number: Number, rule: ChoiceRule, *seed: Any) -> Pick:
        """Consecutive counts from 1 on; the right one takes every rank that it can equally often."""
        right = int(number.value)
        below = int(seeded_fraction(*seed, "rank") * min(rule.options, right))
        start = right - below
        wrong = [k for k in range(start, start + rule.options) if k != right]
        return Pick(number.text, tuple(Wrong(str(k), OTHER_NUMBER, round(abs(k - right) / right, 6)) for k in wrong))


class ObjectSize(RoomKind):
    """The longest side of a thing, whole centimetres."""

    name = "object_size"
    scale = True

    def candidates(self, view: View) -> Iterable[About]:
        """Every named thing."""
        return (About(objects=(o.object_id,)) for o in view.named_still())

    def solve(self, view: View, about: About) -> Solved:
        """Longest side of the box; of its points along the same axes."""
        (thing,) = view.asked(about, 1)
        view.require_named(thing)
        view.require_still(thing)
        longest = 100 * max(thing.box.size)
        number = Number(round_half_up(longest), "cm")
        second = None
        if thing.points is not None:
            found = 100 * float(np.ptp(thing.box.to_local(thing.points), axis=0).max())
            second = Second(
                "points", f"{found:.3f}", agree(longest, found, 100 * self.rule.tolerance_m, self.rule.tolerance)
            )
        return Solved(
            number, {"thing": thing.label}, says=f"{longest:.6f}",
            rationale=(f"I compare length, width and height of the {thing.label}.",
                       f"The longest of them measures about {number.text} cm."),
            labels=(thing.label,), sightings=(view.clearest(thing),), points=with_points(thing), second=second,
            chain=lambda trail: _size(trail, thing),
        )  # fmt: skip

    def choice(self, number: Number, rule: ChoiceRule, *seed: Any) -> Pick:
        """Wrong sizes lie between 0.4 and 1.8 of the right one."""
        narrow = rule.model_copy(update={"low": max(rule.low, 0.4), "high": max(rule.high, 1.8)})
        return super().choice(number, narrow, *seed)


class RoomSize(RoomKind):
    """The area of the floor, to a tenth of a square metre."""

    name = "room_size"
    scale = True
    gravity = True
    area = True

    def candidates(self, view: View) -> Iterable[About]:
        """The one room."""
        return (About(),)

    def solve(self, view: View, about: About) -> Solved:
        """Area of the stated floor polygon, or as the source states it; of the points' outline seen from above."""
        scene = view.space.scene
        if (scene["rooms"] or 1) != 1:
            raise Withheld("several rooms")
        polygon, stated = scene["polygon"], scene["room_area_m2"]
        area = polygon_area(polygon) if polygon else stated
        found = None if view.space.rest_points is None else _outline_area(view.space.rest_points)
        area = found if area is None else area
        if area is None:
            raise Withheld("no floor is known")
        number = Number(round_half_up(area, 1), "m2", 1)
        second = None
        if found is not None and (polygon or stated):
            second = Second("points", f"{found:.4f}", agree(area, found, 0.5, self.rule.tolerance))
        return Solved(
            number, {}, says=f"{area:.6f}",
            rationale=("I follow the walls around and estimate length and width of the floor.",
                       f"Together that makes about {number.text} square metres."),
            points=("",) if found is not None else (), second=second, source="scenes" if polygon or stated else "points",
            chain=(lambda trail: _area(trail, scene)) if polygon else None,
        )  # fmt: skip


class ObjectDistance(RoomKind):
    """How far the nearest points of two things are apart, to a tenth of a metre."""

    name = "obj_abs_dist"
    scale = True

    def candidates(self, view: View) -> Iterable[About]:
        """Pairs of named things; which one is named first is drawn by their labels."""
        for a, b in combinations(view.named_still(), 2):
            turned = seeded_fraction("pair", a.label, b.label) < 0.5
            yield About(objects=(b.object_id, a.object_id) if turned else (a.object_id, b.object_id))

    def solve(self, view: View, about: About) -> Solved:
        """Distance of the boxes; of the two clouds of points."""
        a, b = view.asked(about, 2)
        view.require_named(a, b)
        view.require_still(a, b)
        apart = box_box(a.box, b.box)
        if apart < self.rule.distance_m:
            raise Withheld("too close to each other")
        number = Number(round_half_up(apart, 1), "m", 1)
        second = None
        if a.points is not None and b.points is not None:
            found = cloud_cloud(a.points, b.points)
            second = Second("points", f"{found:.6f}", agree(apart, found, self.rule.tolerance_m, self.rule.tolerance))
        return Solved(
            number, {"first": a.label, "second": b.label}, says=f"{apart:.6f}",
            rationale=(f"I look for the place where the {a.label} and the {b.label} come nearest to each other.",
                       f"Between these two points lie about {number.text} m."),
            labels=(a.label, b.label), sightings=(view.clearest(a), view.clearest(b)), points=with_points(a, b),
            second=second, chain=lambda trail: _distance(trail, a, b),
        )  # fmt: skip


def _outline_area(points: np.ndarray[Any, Any]) -> float | None:
    try:
        found = floor_area(points)
    except ValueError:
        return None
    return found.area_m2 if found.dense() else None


def read_box(trail: Trail, thing: SpaceObject, note: str = "") -> str:
    """Steps that look a thing up: it is called what the question calls it, and here is its box."""
    label = trail.read("boxes3d", thing.rows[:1], "label")
    trail.require(label, "says", thing.label)
    return trail.read("boxes3d", thing.rows[:1], *BOX_COLUMNS, pooled=True, note=note)


def _count(trail: Trail, things: Sequence[SpaceObject], label: str) -> str:
    labels = trail.read("boxes3d", [o.rows[0] for o in things], "label", note="What is seen of them: {@.text}.")
    return trail.compute("how_many", labels, label=label)


def _size(trail: Trail, thing: SpaceObject) -> str:
    box = read_box(trail, thing)
    return trail.compute("longest", box, unit=0.01, decimals=0)


def _area(trail: Trail, scene: Any) -> str:
    floor = trail.read("scenes", [scene], "polygon")
    return trail.compute("floor_area", floor, decimals=1)


def _distance(trail: Trail, a: SpaceObject, b: SpaceObject) -> str:
    apart = trail.compute("box_distance", read_box(trail, a), read_box(trail, b))
    return trail.compute("rounded", apart, decimals=1)
