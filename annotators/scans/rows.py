"""The rows that follow from a scan: scene, cameras, depth maps, points, boxes in space, and what masks show of each object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.depth_maps import depth_values
from ...engine.importing import ImportNote
from ...schemas.evenly import evenly
from ...schemas.geometry.box3d import Box3D, box3d_values
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.intrinsics import resized
from ...schemas.geometry.refit import tilt_deg, upright_box, upright_of
from ...schemas.ids import derive_id
from ...schemas.span import from_us, to_us
from ..rooms.truth import points_rows
from .categories import Categories
from .checks import Check
from .conventions import Floats
from .floor import floor_of
from .masks2d import seen_in
from .sampling import item_points, surface_points
from .scan import Frame, Item, Scan
from .tracked import Seen, tracked

Rows = dict[str, list[dict[str, Any]]]
UPRIGHT_DEG, LEAST_VERTICES = 0.5, 10


@dataclass(frozen=True)
class Amounts:
    """How much of a scan is kept."""

    depth_maps: int = 100
    mask_frames: int = 400
    mask_side_px: int = 320
    object_points: int = 1000
    scene_points: int = 5000


class ScanRows:
    """Rows of one scan; `size` is that of the film's pictures, or None where the scan's own video is the medium."""

    def __init__(
        self,
        scan: Scan,
        checks: Sequence[Check],
        categories: Categories,
        size: tuple[int, int] | None,
        end_s: float,
        amounts: Amounts,
    ) -> None:
        self.scan, self.checks, self.size, self.end_s, self.amounts = scan, checks, size, end_s, amounts
        self.categories = categories
        self.items, self.notes = categories.sorted_out(scan.items)
        self.scene_id = f"{scan.source}:{scan.name}"
        self.stamps = [to_us(f.t_s) for f in scan.frames]
        self.rows: Rows = {}

    def make(self) -> Rows:
        """All rows by table; `notes` is complete afterwards."""
        surfaces = {i.number: item_points(self.scan, i, self.amounts.object_points) for i in self.items}
        masked = evenly([f for f in self.scan.frames if f.mask is not None], self.amounts.mask_frames)
        self.rows["cameras"] = [self._camera(f, {m.name for m in masked}) for f in self.scan.frames]
        self._lost()
        depths: dict[str, Floats] = {}
        self.rows["depths"] = self._depths(depths)
        views = self._sightings(masked, depths, surfaces)
        self.rows["boxes3d"] = [row for i in self.items if (row := self._box(i, surfaces[i.number], views)) is not None]
        self.rows["points"] = self._points(surfaces)
        self.rows["scenes"] = [self._scene()]
        return self.rows

    def object_id(self, item_number: int) -> str:
        """The object of a number of the scan."""
        return derive_id("object", self.scene_id, item_number)

    def _camera_of(self, frame: Frame) -> Camera | None:
        camera = self.scan.camera(frame)
        return camera if camera is None or self.size is None else resized(camera, *self.size)

    def _camera(self, frame: Frame, masked: set[str]) -> dict[str, Any]:
        camera, lens = self._camera_of(frame), self.scan.lens(frame)
        at = lens if self.size is None else resized(lens, *self.size)
        return {
            "scene_id": self.scene_id, "t_s": frame.t_s, "width": at.width, "height": at.height, "fx": at.fx, "fy": at.fy,
            "cx": at.cx, "cy": at.cy, "distortion": [], "pose": None if camera is None else list(camera.pose),
            "confidence": None if camera is None else 1.0, "observed": frame.name in masked and camera is not None,
            "frame_name": frame.name,
        }  # fmt: skip

    def _lost(self) -> None:
        lost = [f.name for f in self.scan.frames if self.scan.camera(f) is None]
        if lost:
            shown = f"{', '.join(lost[:3])}{' ...' if len(lost) > 3 else ''}"
            self.notes.append(
                ImportNote(
                    "poses", "lost_pose", f"no finite pose at {shown}; these frames have none", "noted", len(lost)
                )
            )

    def _depths(self, kept: dict[str, Floats]) -> list[dict[str, Any]]:
        rows, empty = [], []
        status = self.scan.scale_status
        with_depth = [f for f in self.scan.frames if f.depth is not None]
        for frame in evenly(with_depth, self.amounts.depth_maps):
            depth = self.scan.depth(frame)
            assert depth is not None
            if not depth.any():
                empty.append(frame.name)
                continue
            kept[frame.name] = depth
            rows.append(
                {
                    "t_s": frame.t_s, **depth_values(depth), "origin": self.scan.depth_origin, "model": "",
                    "metric": status in ("sensor", "anchored"),
                }
            )  # fmt: skip
        if empty:
            self.notes.append(
                ImportNote("depth", "no_depth", f"no known depth at {', '.join(empty[:3])}", "left_out", len(empty))
            )
        return rows

    def _sightings(
        self, masked: Sequence[Frame], depths: Mapping[str, Floats], surfaces: Mapping[int, Floats]
    ) -> Counter[int]:
        """Fills `tracks` and `boxes`; in how many frames each object was seen."""
        seen: dict[int, list[Seen]] = {}
        for place, frame in enumerate(masked):
            numbers = self.scan.numbers(frame)
            assert numbers is not None
            depth = depths.get(frame.name)
            depth = self.scan.depth(frame) if depth is None else depth
            end_s = self._after(frame.t_s)
            for number, values in seen_in(numbers, self.scan.camera(frame), depth, surfaces, self.amounts.mask_side_px):
                seen.setdefault(number, []).append(Seen(place, frame.t_s, end_s, values))
        labels = {i.number: self.categories.label(i.label_raw) for i in self.items}
        self.rows["tracks"], self.rows["boxes"] = [], []
        for number, every in sorted(seen.items()):
            tracks, boxes = tracked(self.object_id(number), every, {"label": labels[number]})
            self.rows["tracks"] += tracks
            self.rows["boxes"] += boxes
        return Counter({number: len(every) for number, every in seen.items()})

    def _after(self, t_s: float) -> float:
        """When the frame at a time ends."""
        place = self.stamps.index(to_us(t_s)) + 1
        return from_us(self.stamps[place]) if place < len(self.stamps) else self.end_s

    def _box(self, item: Item, surface: Floats, views: Counter[int]) -> dict[str, Any] | None:
        """Values of `boxes3d`: the source's box where it stands upright, else an upright one around the object's vertices."""
        given, vertices = self.scan.box_of(item), self.scan.vertices_of(item)
        fitted: int | None = None
        said = None if item.box is None else json.dumps(item.box.said(), sort_keys=True)
        upright = self.scan.world_up == "z"
        if given is not None and (not upright or tilt_deg(given) <= UPRIGHT_DEG):
            box, said = standing(given) if upright else given, None
        elif vertices is not None and len(vertices) >= LEAST_VERTICES:
            box, fitted = upright_box(vertices), len(vertices)
        elif given is not None:
            box = upright_of(given)
        else:
            why = f"{item.label_raw}: {0 if vertices is None else len(vertices)} vertices are too few for a box"
            self.notes.append(ImportNote(f"object {item.number}", "too_few_points", why, "left_out"))
            return None
        label = self.categories.label(item.label_raw)
        return {
            "object_id": self.object_id(item.number), "t_s": 0.0, "moving": False, "label": label,
            "label_raw": item.label_raw if item.label_raw != label else None, **box3d_values(box), "gravity_aligned": upright,
            "attributes_json": json.dumps({"instance": item.number}),
            "source_box_json": said, "score": 1.0, "points": fitted,
            "views": views[item.number] if any(f.mask is not None for f in self.scan.frames) else None,
        }  # fmt: skip

    def _points(self, surfaces: Mapping[int, Floats]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for number, points in sorted(surfaces.items()):
            rows += points_rows(self.object_id(number), points, b"") if len(points) else []
        mesh = self.scan.mesh
        if mesh is not None and len(mesh.vertices):
            if mesh.faces is None and mesh.colours is not None:
                chosen = evenly(range(len(mesh.vertices)), self.amounts.scene_points)
                rows += points_rows("", self.scan.points(mesh.vertices[chosen]), mesh.colours[chosen].tobytes())
            else:
                every = surface_points(self.scan.points(mesh.vertices), mesh.faces, self.amounts.scene_points)
                rows += points_rows("", every, b"")
        return [{**row, "rgb": row["rgb"] or None} for row in rows]

    def _scene(self) -> dict[str, Any]:
        scan, mesh = self.scan, self.scan.mesh
        floor = None
        if mesh is not None and scan.world_up == "z":
            floor = floor_of(surface_points(scan.points(mesh.vertices), mesh.faces, 5000))
        return {
            "scene_id": self.scene_id, "source": scan.source, "world_up": scan.world_up,
            "up_error_deg": None if floor is None else round(floor.tilt_deg, 3), "scale_status": scan.scale_status,
            "scale_sigma": scan.scale_sigma, "room_area_m2": scan.room_area_m2,
            "polygon": None if scan.polygon is None else list(scan.polygon), "floor_z": None if floor is None else round(floor.z, 4),
            "rooms": scan.rooms, "all_labelled": bool(scan.items),
            "checks_json": json.dumps({c.name: c.told() for c in self.checks}, sort_keys=True),
        }  # fmt: skip


def standing(box: Box3D) -> Box3D:
    """The same box with its axes named anew: the one nearest to the vertical last and upwards, the longer ground side first."""
    up = int(np.abs(box.matrix[:, 2]).argmax())
    first, second = sorted((k for k in range(3) if k != up), key=lambda k: -box.size[k])
    vertical = box.matrix[up] * (1.0 if box.matrix[up, 2] > 0 else -1.0)
    along = box.matrix[first]
    axes = np.stack([along, np.cross(vertical, along), vertical])
    return Box3D(box.centre, tuple(float(v) for v in axes.ravel()), (box.size[first], box.size[second], box.size[up]))
