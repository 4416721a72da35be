"""Boxes in 3D of things that were only tracked: masks, depth maps and poses give points, and tracks of one thing become one object.

Tracks that share an `object_id` are one from the start; others of one label are one where their boxes overlap in space by an IoU of
at least `merge_iou`. Times must fit: a view is a box whose time has a camera and, within `tolerance_s`, a depth map. Without a
mask the inner part of the box is used, which is rough. Confidence is the least of detection, track and geometry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.depth_maps import depth_of
from ...engine.kept import one_producer
from ...schemas.evenly import evenly
from ...schemas.geometry.box3d import box3d_values
from ...schemas.geometry.camera import Camera, camera_of
from ...schemas.geometry.overlap import box_iou
from ...schemas.masks import Mask, decode_mask
from ...schemas.objects import object_of
from ...schemas.span import to_us
from .lifting import Lifted, LiftRule, View, lift, view_of
from .things import RowDict, changed, groups, tracks_with_boxes

_INNER = 0.25
"""Share of a box without a mask that is left out on each side."""


class Params(BaseParams):
    """Parameters of lift_boxes."""

    rule: LiftRule = Field(LiftRule(), description="When points make a box.")
    merge_iou: float = Field(0.25, gt=0, le=1, description="IoU in 3D from which two tracks of a label are one object.")
    tolerance_s: float = Field(0.001, ge=0, description="How far a depth map may lie from the time of a box.")
    most_views: int = Field(40, ge=3, description="Views of a track, evenly spread over its time.")
    least_visibility: float = Field(0.1, ge=0, le=1, description="Boxes that are known to be hidden more are left out.")
    whole: bool = Field(
        False, description="Leave out boxes that the picture's edge cuts off; surer boxes, fewer of them."
    )


class LiftBoxes(UnitAnnotator[Params]):
    """Writes `boxes3d` and `points`, and `tracks` with the object that each shows, from tracks (name them with `from:`)."""

    name: ClassVar[str] = "lift_boxes"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "scenes", "cameras", "depths", "tracks", "boxes")
    writes: ClassVar[tuple[str, ...]] = ("boxes3d", "points", "tracks")
    quick_units: ClassVar[int] = 4

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Objects, then tracks. Raises `SkipUnit` without tracks, poses or depth maps."""
        things = tracks_with_boxes(rows)
        cameras = {to_us(c.t_s): c for c in map(camera_of, one_producer(rows["cameras"])) if c is not None}
        depths = {to_us(r["t_s"]): r for r in one_producer(rows["depths"])}
        if not cameras or not depths:
            raise SkipUnit("no poses of the camera, or no depth maps; `cameras_sfm` or an importer writes them")
        views = self._views(things, cameras, depths)
        owners = self._owners([t for t, _ in things], views)
        scene = next(iter(one_producer(rows["scenes"])), None)
        level = scene is not None and scene["world_up"] == "z" and (scene["up_error_deg"] or 0.0) <= 5.0
        for first in sorted(set(owners)):
            members = [k for k, owner in enumerate(owners) if owner == first]
            made = lift([v for k in members for v in views[k]], self.params.rule)
            if isinstance(made, Lifted):
                yield from self._object([things[k][0] for k in members], made, level)
        for (track, _), owner in zip(things, owners, strict=True):
            yield "tracks", changed(track, object_id=object_of(things[owner][0]))

    def _views(self, things: Sequence[Any], cameras: dict[int, Camera], depths: dict[int, RowDict]) -> list[list[View]]:
        """Views of each track; a depth map is decoded once for all tracks that it shows."""
        p = self.params
        wanted: dict[int, list[tuple[int, Camera, RowDict]]] = {}
        times = np.asarray(sorted(depths), np.int64)
        for k, (_, boxes) in enumerate(things):
            fitting = []
            for row in boxes:
                camera = cameras.get(to_us(row["t_s"]))
                near = int(times[np.argmin(np.abs(times - to_us(row["t_s"])))])
                hidden = row["visibility"] is not None and row["visibility"] < p.least_visibility
                cut = p.whole and bool(row["truncated"])
                if (
                    camera is not None
                    and abs(near - to_us(row["t_s"])) <= to_us(p.tolerance_s)
                    and not hidden
                    and not cut
                ):
                    fitting.append((near, camera, row))
            for near, camera, row in evenly(fitting, p.most_views):
                wanted.setdefault(near, []).append((k, camera, row))
        views: list[list[View]] = [[] for _ in things]
        for near, asked in sorted(wanted.items()):
            depth = depth_of(depths[near])
            for k, camera, row in asked:
                view = view_of(camera, depth, _mask(row, camera), p.rule)
                if view is not None:
                    views[k].append(view)
        return views

    def _owners(self, tracks: Sequence[RowDict], views: Sequence[Sequence[View]]) -> list[int]:
        """The first track of each track's object."""
        pairs = [(a, b) for a, b in combinations(range(len(tracks)), 2) if object_of(tracks[a]) == object_of(tracks[b])]
        alone = [
            lift(v, self.params.rule.model_copy(update={"least_views": 1, "least_parallax_deg": 0.0})) for v in views
        ]
        for a, b in combinations(range(len(tracks)), 2):
            one, other = alone[a], alone[b]
            if tracks[a]["label"] != tracks[b]["label"] or isinstance(one, str) or isinstance(other, str):
                continue
            if box_iou(one.box, other.box) >= self.params.merge_iou:
                pairs.append((a, b))
        return groups(len(tracks), pairs)

    def _object(self, tracks: Sequence[RowDict], made: Lifted, level: bool) -> Iterable[Row]:
        first = tracks[0]
        certain = min((t["score"] if t["score"] is not None else 1.0) for t in tracks)
        object_id = object_of(first)
        yield (
            "boxes3d",
            {
                "object_id": object_id, "t_s": 0.0, "moving": False, "label": first["label"], "phrase": first["phrase"],
                "attributes_json": first["attributes_json"], **box3d_values(made.box), "gravity_aligned": level,
                "score": round(min(certain, made.agreement), 6), "points": len(made.points), "views": made.views,
            },
        )  # fmt: skip
        xyz = made.points.astype(np.float32).ravel().tolist()
        yield "points", {"object_id": object_id, "part": 0, "count": len(made.points), "xyz": xyz, "rgb": None}


def _mask(row: RowDict, camera: Camera) -> Mask:
    """The stored mask, or the inner part of the box."""
    if row["mask"] is not None:
        return decode_mask(row["mask"])
    mask = np.zeros((camera.height, camera.width), bool)
    x1, y1, x2, y2 = row["x1"], row["y1"], row["x2"], row["y2"]
    dx, dy = _INNER * (x2 - x1), _INNER * (y2 - y1)
    columns = slice(round((x1 + dx) * camera.width), round((x2 - dx) * camera.width))
    mask[round((y1 + dy) * camera.height) : round((y2 - dy) * camera.height), columns] = True
    return mask


ANNOTATOR = LiftBoxes
