"""Questions about two things in one picture: left or right, higher, nearer, above, hidden by which?

Left, up and near are full extents along the camera's axes, one wholly beyond the other: the order of centres is not enough. Up in
the picture is not up in the room: both are kinds.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, islice, permutations
from typing import ClassVar

import numpy as np

from ...engine.distractors.vocabulary import OPPOSITE
from ...schemas.box import Box, iou
from ...schemas.chain_building import Trail
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.distances import point_box
from ...schemas.geometry.intervals import camera_interval, gaps, world_interval
from ...schemas.ids import seeded_fraction
from ...schemas.space import SpaceObject
from ..tasks.common import Withheld
from .ask import About, Pick, Second, Solved, Wrong
from .camera_things import MOST, CameraKind, box_at, read_box, read_pose
from .certainty import with_points
from .view import View


class _Along(CameraKind):
    """One of two things lies wholly beyond the other along an axis."""

    axis: ClassVar[int]
    names: ClassVar[tuple[str, str]]
    """What the first one is where it comes first along the axis, and where last."""

    def candidates(self, view: View) -> Iterable[About]:
        """Ordered pairs of things alone in a picture."""
        found = (
            About((a.object_id, b.object_id), (t,))
            for t in view.stills
            for a, b in permutations(view.alone_in_frame(t), 2)
        )
        return islice(found, MOST)

    def ends(self, thing: SpaceObject, camera: Camera) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Least and greatest coordinate of a thing along the axes, [2, 3]."""
        return camera_interval(box_at(thing, camera.t_s), camera)

    def point_ends(
        self, thing: SpaceObject, camera: Camera
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
        """The same of its points; None for a thing without points, or one that moves."""
        if thing.points is None or thing.moving:
            return None
        local = camera.to_camera(thing.points)
        return np.stack([local.min(axis=0), local.max(axis=0)])

    def solve(self, view: View, about: About) -> Solved:
        """Which side, by the gap of full extents."""
        t_s, camera, (a, b) = self.one(view, about, 2)
        ends = [self.ends(o, camera) for o in (a, b)]
        gap, turned = float(gaps(ends[0], ends[1])[self.axis]), float(gaps(ends[1], ends[0])[self.axis])
        margin, least = max(gap, turned), view.least(self.rule.gap_m)
        if margin <= least:
            raise Withheld("neither lies wholly on one side")
        right, wrong = self.names if gap > turned else self.names[::-1]
        first, last = self.point_ends(a, camera), self.point_ends(b, camera)
        second = None
        if first is not None and last is not None:
            forth, back = float(gaps(first, last)[self.axis]), float(gaps(last, first)[self.axis])
            second = Second("points", f"{max(forth, back):.4f}", (forth > back) == (gap > turned))
        return Solved(
            Pick(right, (Wrong(wrong, OPPOSITE, round(margin, 6)),)),
            {"picture": view.picture(t_s), "first": a.label, "second": b.label}, says=f"{margin:.6f}", margin=margin,
            rationale=(f"I look at where the {a.label} ends and the {b.label} begins in {view.picture(t_s)}.",
                       f"Seen from the {b.label}, the {a.label} is {right}."),
            labels=(a.label, b.label), sightings=view.of_labels(t_s, a, b),
            points=with_points(a, b) if second is not None else (), second=second, source="boxes3d and cameras",
            chain=(lambda trail: self.steps(trail, camera, a, b, least)) if not (a.moving or b.moving) else None,
        )  # fmt: skip

    def steps(self, trail: Trail, camera: Camera, a: SpaceObject, b: SpaceObject, least: float) -> str:
        """The gap along the axis of the camera."""
        pose, first, second = read_pose(trail, camera), read_box(trail, a), read_box(trail, b)
        return trail.compute("gap_along", pose, first, second, axis=self.axis, least=least, names=list(self.names))


class LeftRight(_Along):
    """Left or right of another thing in the picture."""

    name, axis, names = "obj_obj_lr", 0, ("left", "right")


class UpDown(_Along):
    """Higher or lower than another thing in the picture, along the camera's own vertical."""

    name, axis, names = "obj_obj_ud", 1, ("higher", "lower")


class NearFar(_Along):
    """Nearer to the camera than another thing, or farther away."""

    name, axis, names = "obj_obj_nf", 2, ("nearer", "farther away")


class AboveBelow(_Along):
    """Above or below another thing's level in the room."""

    name, axis, names = "obj_obj_above", 2, ("below", "above")
    gravity = True

    def ends(self, thing: SpaceObject, camera: Camera) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """In the world."""
        return world_interval(box_at(thing, camera.t_s))

    def point_ends(
        self, thing: SpaceObject, camera: Camera
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
        """In the world."""
        if thing.points is None or thing.moving:
            return None
        return np.stack([thing.points.min(axis=0), thing.points.max(axis=0)])

    def steps(self, trail: Trail, camera: Camera, a: SpaceObject, b: SpaceObject, least: float) -> str:
        """The gap along the vertical."""
        return trail.compute(
            "gap_upwards", read_box(trail, a), read_box(trail, b), least=least, names=["above", "below"]
        )


class Occlusion(CameraKind):
    """Which of two things hides a part of the other in a picture."""

    name = "occlusion"

    def candidates(self, view: View) -> Iterable[About]:
        """Pairs alone in a picture; which one is named first is drawn by their labels."""
        for t in view.stills:
            for a, b in combinations(view.alone_in_frame(t), 2):
                turned = seeded_fraction("pair", a.label, b.label, t) < 0.5
                yield About((b.object_id, a.object_id) if turned else (a.object_id, b.object_id), (t,))

    def solve(self, view: View, about: About) -> Solved:
        """The one in front whose box covers a part of the other's, which is hidden by nothing else."""
        t_s, camera, things = self.one(view, about, 2)
        seen = [view.at(o, t_s) for o in things]
        depths = [s.depth_m for s in seen]
        if depths[0] is None or depths[1] is None:
            raise Withheld("how far away it is seen is unknown")
        front = 0 if depths[0] < depths[1] else 1
        gap = abs(depths[1] - depths[0])
        if gap <= view.least(self.rule.gap_m):
            raise Withheld("about as far away")
        hider, hidden = seen[front], seen[1 - front]
        shared = _shared(hider.box, hidden.box) / hidden.box.area
        if shared < self.rule.hides or (hidden.visibility or 0) > self.rule.hidden or hidden.truncated:
            raise Withheld("nothing is hidden")
        if (hider.visibility or 0) < self.rule.whole:
            raise Withheld("what hides is hidden itself")
        others = [s for s in view.space.seen_at(t_s) if s is not hider and s is not hidden]
        if any(_shared(s.box, hidden.box) > 0 and (s.depth_m or 0) < (hidden.depth_m or 0) for s in others):
            raise Withheld("something else may hide it")
        away = [float(point_box(camera.centre, box_at(o, t_s))) for o in things]
        a, b = things
        right, wrong = things[front].label, things[1 - front].label
        return Solved(
            Pick(right, (Wrong(wrong, OPPOSITE, round(gap, 6)),)),
            {"picture": view.picture(t_s), "first": a.label, "second": b.label}, says=f"{shared:.4f}", margin=gap,
            rationale=(f"In {view.picture(t_s)} the {right} is nearer to the camera than the {wrong}, and they overlap.",
                       f"So the {right} hides a part of the {wrong}."),
            labels=(a.label, b.label), sightings=view.space.seen_at(t_s), source="boxes",
            second=Second("boxes3d", ", ".join(f"{d:.4f}" for d in away), (away[0] < away[1]) == (front == 0)),
        )  # fmt: skip


def _shared(a: Box, b: Box) -> float:
    """Area that two boxes have in common."""
    share = iou(a, b)
    return share * (a.area + b.area) / (1 + share)
