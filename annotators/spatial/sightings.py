"""Who is in the picture when, for scenes without masks: boxes in 3D looked up in the depth map of each camera.

A ray that meets a box before the depth map's surface does sees through it, one that meets it behind finds it hidden, and one that
ends inside sees it. Visibility is the share of the object's own surface points that depth confirms, where there are such points,
else seen rays over seen and hidden ones, times what lies in the picture. These are estimates: neighbours that touch share pixels,
and `cameras.observed` stays as it was, so nothing is concluded from an object that was not found. Grade model, not exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.depth_maps import depth_of, pixel_grid
from ...engine.kept import one_producer
from ...schemas.box import Box
from ...schemas.geometry.box3d import Box3D
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.visibility import cut_sides, outline, picture_box, seen_points
from ...schemas.ids import derive_id
from ...schemas.space import SpaceObject, space_of
from ...schemas.span import to_us

Floats = NDArray[np.float64]
_DENSE = 0.3


class SightingsParams(Params):
    """Parameters of `sightings`."""

    tolerance: float = Field(0.03, gt=0, lt=1, description="depth may be off by this share of itself")
    point_tolerance: float = Field(
        0.20, gt=0, lt=1, description="the same for surface points of an object (VLM-3R's 20 %)"
    )
    bottom: float = Field(
        0.03, ge=0, lt=0.5, description="share of a box's height at its bottom that counts as floor, not as the object"
    )
    least_area: float = Field(0.0005, gt=0, lt=1, description="share of the picture that must be seen of an object")
    least_pixels: int = Field(6, ge=1, description="pixels of the depth map that must be seen of an object")
    least_points: int = Field(50, ge=1, description="surface points that an object must have for visibility by points")


class Sightings(UnitAnnotator[SightingsParams]):
    """Writes `tracks` (one per object) and `boxes` at the times of cameras with dense depth of their own producer."""

    name: ClassVar[str] = "sightings"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SightingsParams
    reads: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "boxes3d", "depths", "points")
    optional_reads: ClassVar[tuple[str, ...]] = ("points",)
    writes: ClassVar[tuple[str, ...]] = ("tracks", "boxes")
    grade: ClassVar[Grade] = "model"
    quick_units: ClassVar[int] = 4

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Sightings of one medium. Skips scenes without boxes, and without dense depth in the unit of their cameras."""
        scenes, cameras = one_producer(rows["scenes"]), one_producer(rows["cameras"])
        if not scenes or not rows["boxes3d"]:
            raise SkipUnit("no scene with boxes in 3D")
        space = space_of(scenes[0], one_producer(rows["boxes3d"]), cameras, points=one_producer(rows["points"]))
        maps = _dense([r for r in rows["depths"] if cameras and r["producer"] == cameras[0]["producer"]])
        if not maps:
            raise SkipUnit("no dense depth of the producer of the cameras")
        found: dict[str, list[dict[str, Any]]] = {}
        for camera in space.cameras:
            depth = maps.get(to_us(camera.t_s))
            if depth is None:
                continue
            for thing in space.objects:
                place = thing.at(camera.t_s)
                values = None if place is None else self._seen(thing, place, camera, depth)
                if values is not None:
                    found.setdefault(thing.object_id, []).append({"t_s": camera.t_s, **values})
        for thing in space.objects:
            seen = found.get(thing.object_id)
            if not seen:
                continue
            track_id = derive_id("sightings", unit.unit, thing.object_id)
            row = thing.rows[0]
            yield "tracks", {
                "track_id": track_id, "start_s": seen[0]["t_s"], "end_s": max(seen[-1]["t_s"], seen[0]["t_s"] + 1e-3),
                "label": thing.label, "phrase": row.get("phrase"), "attributes_json": row.get("attributes_json"),
                "score": thing.score, "object_id": thing.object_id,
            }  # fmt: skip
            for values in seen:
                yield "boxes", {"track_id": track_id, **values}

    def _seen(self, thing: SpaceObject, place: Box3D, camera: Camera, depth: Floats) -> dict[str, Any] | None:
        """Columns of a row of `boxes`; None where it is not seen."""
        p = self.params
        window = picture_box(place, camera)
        if window is None:
            return None
        h, w = depth.shape
        rows = slice(int(window.y1 * h), int(np.ceil(window.y2 * h)))
        columns = slice(int(window.x1 * w), int(np.ceil(window.x2 * w)))
        pixels, z = pixel_grid(depth, camera.width, camera.height)[rows, columns], depth[rows, columns]
        enter, leave = through(place, camera, pixels)
        met = leave > enter
        with np.errstate(invalid="ignore"):
            seen = met & (z >= enter * (1 - p.tolerance)) & (z <= leave * (1 + p.tolerance))
            hidden = met & (z < enter * (1 - p.tolerance))
        local = place.to_local(camera.back_project(pixels, z))
        with np.errstate(invalid="ignore"):
            seen &= ~(local[..., 2] < place.size[2] * (p.bottom - 0.5))
        count = int(seen.sum())
        if count < p.least_pixels or count < p.least_area * h * w:
            return None
        y, x = np.nonzero(seen)
        box = Box(
            float((columns.start + x.min()) / w), float((rows.start + y.min()) / h),
            float((columns.start + x.max() + 1) / w), float((rows.start + y.max() + 1) / h),
        )  # fmt: skip
        points = None if thing.moving else thing.points
        if points is not None and len(points) >= p.least_points:
            visibility = seen_points(points, camera, np.nan_to_num(depth), p.point_tolerance).share
        else:
            visibility = in_picture_share(place, camera) * count / (count + int(hidden.sum()))
        return {
            "x1": box.x1, "y1": box.y1, "x2": box.x2, "y2": box.y2, "mask": None, "visibility": float(visibility),
            "area": count / (h * w), "depth_m": float(np.median(z[seen])), "truncated": cut_sides(place, camera),
        }  # fmt: skip


def through(place: Box3D, camera: Camera, pixels: Floats) -> tuple[Floats, Floats]:
    """Depths [...] at which rays through pixels [..., 2] enter and leave a box; leave <= enter where they miss it.

    Depth is along the camera's z axis, as in depth maps, and never negative.
    """
    origin = place.to_local(camera.centre)
    ahead = place.to_local(camera.back_project(pixels, np.ones(pixels.shape[:-1]))) - origin
    ahead = np.where(np.abs(ahead) < 1e-12, 1e-12, ahead)
    half = np.asarray(place.size) / 2
    first, second = (-half - origin) / ahead, (half - origin) / ahead
    return np.maximum(np.minimum(first, second).max(axis=-1), 0.0), np.maximum(first, second).min(axis=-1)


def in_picture_share(place: Box3D, camera: Camera) -> float:
    """Share of the area of a box's outline that lies in the picture."""
    import cv2

    around = outline(place, camera)
    if len(around) < 3:
        return 0.0
    hull = cv2.convexHull(around.astype(np.float32))
    frame = np.array([[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]], np.float32)
    whole = float(cv2.contourArea(hull))
    inside, _ = cv2.intersectConvexConvex(hull, frame)
    return float(min(1.0, inside / whole)) if whole > 0 else 0.0


def _dense(depths: Sequence[Mapping[str, Any]]) -> dict[int, Floats]:
    """Maps of the first model by time in microseconds, of which enough is known to look things up."""
    first = min((str(r["model"]) for r in depths), default="")
    maps = {to_us(float(r["t_s"])): depth_of(r) for r in depths if r["model"] == first}
    return {t: m for t, m in maps.items() if np.isfinite(m).mean() >= _DENSE}


ANNOTATOR = Sightings
