"""Rows of the spatial tables that are true of a rendered room: scene, cameras, depth, points, boxes, tracks and sightings.

All follow from the scene's own numbers and from first hits; nothing is estimated. Sightings are written at every annotated
time and for every object that has a pixel there, so that what has no row was not seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...engine.depth_maps import depth_values
from ...schemas.geometry.box3d import box3d_values
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.intrinsics import resized
from ...schemas.ids import derive_id
from .caster import Caster, View
from .scene import Event, Floats, RoomScene
from .sightings import seen_in
from .surface import shell_points, thing_points

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class TruthPlan:
    """How much of the truth is written."""

    annotate_every: int = 2
    """Frames from one annotated time to the next."""
    depth_every: int = 10
    """Frames from one depth map to the next; 0: none."""
    mask_side_px: int = 320
    depth_side_px: int = 160


@dataclass
class TruthTaker:
    """Takes the truth of a scene while its frames are rendered: `take` each frame, then `rows`."""

    scene: RoomScene
    name: str
    """What names and identifiers derive from: the digest of the film."""
    plan: TruthPlan
    source: str = "rooms"
    _boxes: list[dict[str, Any]] = field(default_factory=list)
    _depths: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = [derive_id("object", self.name, k, t.label, *t.box.centre) for k, t in enumerate(self.scene.things)]

    def wants(self, frame: int) -> bool:
        """Whether anything is written of a frame."""
        return self.annotated(frame) or self.measured(frame)

    def annotated(self, frame: int) -> bool:
        return frame % self.plan.annotate_every == 0

    def measured(self, frame: int) -> bool:
        return self.plan.depth_every > 0 and frame % self.plan.depth_every == 0

    def take(self, caster: Caster, frame: int, view: View) -> None:
        """Sightings and depth of a frame."""
        t_s = self.scene.time_s(frame)
        if self.annotated(frame):
            for seen in seen_in(caster, frame, view):
                self._boxes.append(seen.row(self.ids[seen.thing], t_s, self.plan.mask_side_px))
        if self.measured(frame):
            self._depths.append(depth_row(caster, frame, self.plan.depth_side_px))

    def rows(self) -> Rows:
        """All rows, by table."""
        scene, frames = self.scene, range(0, self.scene.frames, self.plan.annotate_every)
        every_s = scene.time_s(self.plan.annotate_every)
        length = scene.time_s(scene.frames)
        boxes3d: list[dict[str, Any]] = []
        points: list[dict[str, Any]] = []
        tracks: list[dict[str, Any]] = []
        views: dict[str, list[float]] = {}
        for row in self._boxes:
            views.setdefault(row["track_id"], []).append(row["t_s"])
        for number, (object_id, thing) in enumerate(zip(self.ids, scene.things, strict=True)):
            told = {k: v for k, v in (("colour", thing.colour),) if v} | dict(thing.told)
            attributes = json.dumps(told, sort_keys=True)
            seen = views.get(object_id, [])
            common = {
                "object_id": object_id, "moving": thing.moving, "label": thing.label, "phrase": thing.phrase,
                "attributes_json": attributes, "score": 1.0, "views": len(seen),
            }  # fmt: skip
            for frame in frames if thing.moving else (0,):
                box = thing.box_at(frame)
                level = bool(abs(box.matrix[2, 2]) > 1 - 1e-9)
                at = {"t_s": scene.time_s(frame), "gravity_aligned": level}
                boxes3d.append({**common, **at, **box3d_values(box)})
            points += points_rows(object_id, *thing_points(scene, number))
            if seen:
                tracks.append(
                    {
                        "track_id": object_id, "object_id": object_id, "start_s": seen[0], "end_s": min(length, seen[-1] + every_s),
                        "label": thing.label, "phrase": thing.phrase, "attributes_json": attributes, "score": 1.0,
                    }
                )  # fmt: skip
        points += points_rows("", *shell_points(scene))
        scene_id = derive_id("scene", self.name)
        return {
            "scenes": [scene_row(scene, scene_id, self.source)],
            "cameras": [camera_row(scene.cameras[k], scene_id) for k in frames],
            "depths": self._depths, "points": points, "boxes3d": boxes3d, "tracks": tracks, "boxes": self._boxes,
            "events": [
                {"start_s": e.start_s, "end_s": min(length, e.end_s), "text": e.text, "kind": "event"}
                for e in scene.events
                if e.start_s < length and _seen(e, views.get(self.ids[e.thing], ()), every_s)
            ],
            "shots": [{"start_s": 0.0, "end_s": length, "transition": "start", "score": None}],
        }  # fmt: skip


def _seen(event: Event, times: Sequence[float], every_s: float) -> bool:
    """Whether the thing is in the picture at four of five annotated times of an event, given those at which it is seen."""
    first, last = round(event.start_s / every_s), max(round(event.start_s / every_s), round(event.end_s / every_s) - 1)
    seen = {round(t / every_s) for t in times}
    return sum(k in seen for k in range(first, last + 1)) >= 0.8 * (last + 1 - first)


def truth_of(scene: RoomScene, name: str, plan: TruthPlan, views: Callable[[int], View] | None = None) -> Rows:
    """The rows of a scene without rendering colours."""
    caster = Caster(scene)
    taker = TruthTaker(scene, name, plan)
    for frame in range(scene.frames):
        if taker.wants(frame):
            taker.take(caster, frame, views(frame) if views else caster.view(frame))
    return taker.rows()


def scene_row(scene: RoomScene, scene_id: str, source: str) -> dict[str, Any]:
    """Values of `scenes`."""
    return {
        "scene_id": scene_id, "source": source, "world_up": "z", "up_error_deg": 0.0, "scale_status": "sensor", "scale_sigma": 0.0,
        "room_area_m2": scene.area_m2, "polygon": [float(v) for v in scene.polygon.ravel()], "floor_z": 0.0, "rooms": 1,
        "all_labelled": True,
    }  # fmt: skip


def camera_row(camera: Camera, scene_id: str) -> dict[str, Any]:
    """Values of `cameras`."""
    return {
        "scene_id": scene_id, "t_s": camera.t_s, "width": camera.width, "height": camera.height, "fx": camera.fx,
        "fy": camera.fy, "cx": camera.cx, "cy": camera.cy, "distortion": [], "pose": list(camera.pose), "confidence": 1.0,
        "observed": True,
    }  # fmt: skip


def depth_row(caster: Caster, frame: int, side_px: int) -> dict[str, Any]:
    """Values of `depths`: exact depths at the centres of a map's pixels, its larger side at most `side_px`."""
    camera = caster.scene.cameras[frame]
    scale = min(1.0, side_px / max(camera.width, camera.height))
    small = resized(camera, max(1, round(camera.width * scale)), max(1, round(camera.height * scale)))
    depth = caster.view(frame, small).depth
    return {"t_s": camera.t_s, **depth_values(depth), "origin": "rendered", "model": "", "metric": True}


def points_rows(object_id: str, points: Floats, rgb: bytes, most: int = 4000) -> Sequence[dict[str, Any]]:
    """Values of `points`, at most `most` of them in a row."""
    rows: list[dict[str, Any]] = []
    for part, start in enumerate(range(0, len(points), most)):
        chosen = points[start : start + most].astype(np.float32)
        xyz = [round(float(v), 4) for v in chosen.ravel()]
        piece: Mapping[str, Any] = {"count": len(chosen), "xyz": xyz, "rgb": rgb[3 * start : 3 * (start + most)]}
        rows.append({"object_id": object_id, "part": part, **piece})
    return rows
