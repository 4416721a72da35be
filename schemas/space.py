"""A scene as tasks see it: its objects with their boxes, the cameras over time, and who was seen when.

A `Space` is built from stored rows (`space_of`) and nothing else, so that a task that writes a sample and the verifier that
recomputes it from the cited rows look at the same thing. Every part keeps the row that it comes from, to be cited.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .box import Box, box_or_none
from .geometry.box3d import Box3D, box3d_of
from .geometry.camera import Camera, camera_of
from .objects import object_of
from .span import to_us

RowDict = Mapping[str, Any]
ScaleStatus = Literal["sensor", "anchored", "predicted", "unit"]


@dataclass(frozen=True)
class SpaceObject:
    """An object of a scene."""

    object_id: str
    label: str
    phrase: str
    """How a sentence calls it, without an article."""
    boxes: tuple[Box3D, ...]
    """One for an object that stays still, else one for each of `times`."""
    times: tuple[float, ...]
    """When the boxes hold, seconds, ascending; (0.0,) for an object that stays still."""
    moving: bool
    score: float
    rows: tuple[RowDict, ...]
    """Rows of `boxes3d`, in the order of `times`."""
    points_rows: tuple[RowDict, ...] = ()

    @property
    def box(self) -> Box3D:
        """The box of an object that stays still; the first one of an object that moves."""
        return self.boxes[0]

    def at(self, t_s: float) -> Box3D | None:
        """The box at a time: the stored one of that microsecond; None where a moving object has none."""
        if not self.moving:
            return self.boxes[0]
        stamps = [to_us(t) for t in self.times]
        i = bisect_left(stamps, to_us(t_s))
        return self.boxes[i] if i < len(stamps) and stamps[i] == to_us(t_s) else None

    @cached_property
    def points(self) -> NDArray[np.float64] | None:
        """Surface points, world metres [n, 3]; None where none are stored."""
        return _points_of(self.points_rows)


@dataclass(frozen=True)
class Sighting:
    """An object in the picture at a time."""

    object_id: str
    t_s: float
    box: Box
    visibility: float | None
    area: float | None
    """Share of the picture's pixels that show it."""
    depth_m: float | None
    truncated: int | None
    row: RowDict
    """Row of `boxes`."""

    def clear(self, least_area: float = 0.003, least_visibility: float = 0.10, most_cut: int = 4) -> bool:
        """Whether it counts as visible (defaults), or clearly so (0.01, 0.25, 2); unknown numbers do not."""
        if self.area is None or self.visibility is None:
            return False
        return self.area >= least_area and self.visibility >= least_visibility and (self.truncated or 0) <= most_cut


@dataclass(frozen=True)
class Space:
    """A scene as one medium shows it."""

    scene: RowDict
    objects: tuple[SpaceObject, ...]
    cameras: tuple[Camera, ...]
    """Those whose pose is known, in order of time."""
    sightings: tuple[Sighting, ...]
    tracks: tuple[RowDict, ...] = ()
    rest_rows: tuple[RowDict, ...] = ()
    """Rows of `points` that belong to no object."""

    @property
    def scale_status(self) -> ScaleStatus:
        status: ScaleStatus = self.scene["scale_status"]
        return status

    @property
    def scale_sigma(self) -> float | None:
        sigma = self.scene["scale_sigma"]
        return None if sigma is None else float(sigma)

    @cached_property
    def rest_points(self) -> NDArray[np.float64] | None:
        """Surface points of what is no object, world metres [n, 3]; None where none are stored."""
        return _points_of(self.rest_rows)

    @cached_property
    def by_id(self) -> Mapping[str, SpaceObject]:
        return {o.object_id: o for o in self.objects}

    @cached_property
    def by_label(self) -> Mapping[str, tuple[SpaceObject, ...]]:
        """Objects of each label, labels in alphabetical order."""
        labels = sorted({o.label for o in self.objects})
        return {label: tuple(o for o in self.objects if o.label == label) for label in labels}

    @cached_property
    def seen(self) -> Mapping[str, tuple[Sighting, ...]]:
        """Sightings of each object in order of time."""
        found: dict[str, list[Sighting]] = {}
        for sighting in self.sightings:
            found.setdefault(sighting.object_id, []).append(sighting)
        return {k: tuple(sorted(v, key=lambda s: s.t_s)) for k, v in sorted(found.items())}

    @cached_property
    def camera_times(self) -> tuple[int, ...]:
        return tuple(to_us(c.t_s) for c in self.cameras)

    def camera_at(self, t_s: float) -> Camera | None:
        """The camera of exactly that microsecond."""
        i = bisect_left(self.camera_times, to_us(t_s))
        return self.cameras[i] if i < len(self.cameras) and self.camera_times[i] == to_us(t_s) else None

    def seen_at(self, t_s: float) -> tuple[Sighting, ...]:
        """Sightings of exactly that microsecond, in order of object."""
        return tuple(s for s in self._by_time.get(to_us(t_s), ()))

    @cached_property
    def _by_time(self) -> Mapping[int, tuple[Sighting, ...]]:
        found: dict[int, list[Sighting]] = {}
        for sighting in self.sightings:
            found.setdefault(to_us(sighting.t_s), []).append(sighting)
        return {t: tuple(sorted(v, key=lambda s: s.object_id)) for t, v in found.items()}

    @cached_property
    def diagonal_m(self) -> float:
        """Diagonal of the box around all objects and cameras, in the scene's units."""
        corners = [o.box.corners for o in self.objects] + [c.centre[None] for c in self.cameras]
        if not corners:
            return 0.0
        every = np.concatenate(corners)
        return float(np.linalg.norm(every.max(axis=0) - every.min(axis=0)))


def space_of(
    scene: RowDict,
    boxes3d: Iterable[RowDict],
    cameras: Iterable[RowDict] = (),
    tracks: Sequence[RowDict] = (),
    boxes: Iterable[RowDict] = (),
    points: Iterable[RowDict] = (),
) -> Space:
    """The space of stored rows of one medium. Raises ValueError for a row of `boxes3d` that is no box."""
    rows_of: dict[str, list[RowDict]] = {}
    for row in boxes3d:
        rows_of.setdefault(str(row["object_id"]), []).append(row)
    points_of: dict[str, list[RowDict]] = {}
    for row in points:
        points_of.setdefault(str(row["object_id"]), []).append(row)
    objects = []
    for object_id, rows in sorted(rows_of.items()):
        ordered = tuple(sorted(rows, key=lambda r: r["t_s"]))
        first = ordered[0]
        surface = tuple(sorted(points_of.get(object_id, ()), key=lambda r: r["part"]))
        objects.append(
            SpaceObject(
                object_id,
                str(first["label"]),
                str(first["phrase"] or first["label"]),
                tuple(map(box3d_of, ordered)),
                tuple(float(r["t_s"]) for r in ordered),
                bool(first["moving"]),
                min(1.0 if r["score"] is None else float(r["score"]) for r in ordered),
                ordered,
                surface,
            )
        )
    owner = {str(t["track_id"]): object_of(t) for t in tracks}
    posed = sorted((c for c in map(camera_of, cameras) if c is not None), key=lambda c: c.t_s)
    sightings = []
    for row in boxes:
        place = box_or_none(row["x1"], row["y1"], row["x2"], row["y2"])
        if place is not None:
            object_id = owner.get(str(row["track_id"]), str(row["track_id"]))
            sightings.append(
                Sighting(
                    object_id,
                    float(row["t_s"]),
                    place,
                    row["visibility"],
                    row["area"],
                    row["depth_m"],
                    row["truncated"],
                    row,
                )
            )
    sightings.sort(key=lambda s: (s.t_s, s.object_id))
    rest = tuple(sorted(points_of.get("", ()), key=lambda r: r["part"]))
    return Space(scene, tuple(objects), tuple(posed), tuple(sightings), tuple(tracks), rest)


def _points_of(rows: Iterable[RowDict]) -> NDArray[np.float64] | None:
    parts = [np.asarray(r["xyz"], np.float64).reshape(-1, 3) for r in rows if r["xyz"] is not None and len(r["xyz"])]
    return np.concatenate(parts) if parts else None
