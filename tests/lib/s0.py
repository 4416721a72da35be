"""S0, the canonical scene of the spatial tests: a room of 5 x 4 m with nine boxes and four cameras, all figures known by hand.

Rows are complete rows of the stored tables (producer `truth`, medium `s0`). Who is seen follows from an exact test of every
pixel's ray against every box; walls hide nothing. `moved`, `renamed` and `poses_as` give the same scene told otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from chronotope.schemas.geometry.box3d import Box3D, box3d_of, box3d_values
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.masks import box_of, encode_mask
from chronotope.schemas.space import Space, space_of
from chronotope.schemas.tables import TABLES

Rows = dict[str, list[dict[str, Any]]]
MEDIUM, PRODUCER, STEP_M, NEAR_M = "s0", "truth", 0.05, 0.05
WIDTH, HEIGHT = 640, 480
PARTS = ("scenes", "boxes3d", "cameras", "tracks", "boxes", "points")


@dataclass(frozen=True)
class Thing:
    """An object: its name is its object_id."""

    name: str
    label: str
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw_deg: float = 0.0


@dataclass(frozen=True)
class Stand:
    """A level camera: where it is, and where it looks on the ground."""

    t_s: float
    centre: tuple[float, float, float]
    facing: tuple[float, float]


THINGS = (
    Thing("table", "table", (2.5, 2.0, 0.4), (1.2, 0.8, 0.8)),
    Thing("sofa", "sofa", (0.45, 2.0, 0.45), (0.9, 2.0, 0.9)),
    Thing("lamp", "lamp", (4.5, 3.5, 0.75), (0.3, 0.3, 1.5)),
    Thing("tv", "tv", (2.5, 3.9, 1.4), (1.0, 0.1, 0.6)),
    Thing("bin", "bin", (4.6, 0.4, 0.2), (0.3, 0.3, 0.4), 45.0),
    Thing("clock", "clock", (0.32, 3.49, 1.0), (0.1, 0.1, 0.1)),
    Thing("chair1", "chair", (2.5, 1.0, 0.45), (0.5, 0.5, 0.9)),
    Thing("chair2", "chair", (3.6, 2.0, 0.45), (0.5, 0.5, 0.9)),
    Thing("chair3", "chair", (1.6, 0.6, 0.45), (0.5, 0.5, 0.9)),
)
F0 = Stand(0.0, (1.0, 0.5, 1.5), (0.0, 1.0))
F1 = Stand(1.0, (1.0, 1.7, 1.5), (0.0, 1.0))
F2 = Stand(2.0, (2.2, 1.7, 1.5), (0.0, 1.0))
F3 = Stand(3.0, (1.0, 0.5, 1.5), (1.0, 0.0))
F4 = Stand(4.0, (4.6, 3.0, 1.5), (0.0, -1.0))
"""Not among the scene's own cameras: the second view of the occlusion example."""
BLOCK = Thing("block", "block", (4.6, 1.0, 0.5), (0.6, 0.6, 1.0))
"""Not among the scene's own things: what hides the bin from F4."""
STANDS = (F0, F1, F2, F3)


def box_of_thing(thing: Thing) -> Box3D:
    """Its box."""
    return Box3D.upright(thing.centre, thing.size, float(np.radians(thing.yaw_deg)))


def pose_of(stand: Stand) -> np.ndarray[Any, Any]:
    """Camera to world, [4, 4]: columns right, down, forward, centre."""
    x, y = stand.facing
    pose = np.eye(4)
    pose[:3, :3] = np.array([[y, -x, 0.0], [0.0, 0.0, -1.0], [x, y, 0.0]]).T
    pose[:3, 3] = stand.centre
    return pose


@cache
def _told(things: tuple[Thing, ...], stands: tuple[Stand, ...]) -> dict[str, tuple[dict[str, Any], ...]]:
    boxes = {thing.name: box_of_thing(thing) for thing in things}
    camera_rows = [
        {
            "scene_id": "s0", "t_s": stand.t_s, "width": WIDTH, "height": HEIGHT, "fx": 240.0, "fy": 240.0, "cx": 320.0,
            "cy": 240.0, "distortion": [], "pose": pose_of(stand).ravel().tolist(), "confidence": 1.0, "observed": True,
        }
        for stand in stands
    ]  # fmt: skip
    cameras = [camera_of(row) for row in camera_rows]
    seen = [row for camera in cameras if camera is not None for row in _sightings(camera, boxes)]
    tracks = []
    for thing in things:
        times = [row["t_s"] for row in seen if row["track_id"] == f"track-{thing.name}"]
        if times:
            tracks.append({
                "track_id": f"track-{thing.name}", "start_s": min(times), "end_s": max(times) + 0.04, "label": thing.label,
                "phrase": thing.label, "attributes_json": "{}", "score": 1.0, "object_id": thing.name,
            })  # fmt: skip
    grid = np.stack(np.meshgrid(np.linspace(0, 5, 84), np.linspace(0, 4, 68), [0.0], indexing="ij"), -1)
    scene = {
        "scene_id": "s0", "source": "rooms", "world_up": "z", "up_error_deg": 0.0, "scale_status": "sensor",
        "scale_sigma": 0.0, "room_area_m2": 20.0, "polygon": [0.0, 0.0, 5.0, 0.0, 5.0, 4.0, 0.0, 4.0], "floor_z": 0.0,
        "rooms": 1, "all_labelled": True, "checks_json": "{}",
    }  # fmt: skip
    boxes3d = [
        {
            "object_id": thing.name, "t_s": 0.0, "moving": False, "label": thing.label, "phrase": thing.label,
            "attributes_json": "{}", **box3d_values(boxes[thing.name]), "gravity_aligned": True, "score": 1.0,
            "views": sum(row["track_id"] == f"track-{thing.name}" for row in seen),
        }
        for thing in things
    ]  # fmt: skip
    surfaces = {thing.name: surface(boxes[thing.name]) for thing in things} | {"": grid.reshape(-1, 3)}
    points = [
        {"object_id": name, "part": 0, "count": len(xyz), "xyz": np.float32(xyz).ravel().tolist()}
        for name, xyz in sorted(surfaces.items())
    ]
    rows = {
        "scenes": [scene],
        "boxes3d": boxes3d,
        "cameras": camera_rows,
        "tracks": tracks,
        "boxes": seen,
        "points": points,
    }
    return {name: tuple(TABLES[name].complete(row, PRODUCER, MEDIUM, MEDIUM) for row in rows[name]) for name in PARTS}


def surface(box: Box3D, step_m: float = STEP_M) -> np.ndarray[Any, Any]:
    """A grid on the six faces with the edges and corners, world [n, 3]."""
    lines = [np.linspace(-s / 2, s / 2, max(2, round(s / step_m) + 1)) for s in box.size]
    grid = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 3)
    outside = np.isclose(np.abs(grid), np.asarray(box.size) / 2).any(axis=1)
    return grid[outside] @ box.matrix + np.asarray(box.centre)


def first_hits(camera: Camera, boxes: Sequence[Box3D]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Which box each pixel shows (-1: none) and its depth along z (inf), both [height, width]; exact rays against slabs."""
    shape = (camera.height, camera.width)
    index, depth = np.full(shape, -1), np.full(shape, np.inf)
    for i, box in enumerate(boxes):
        u0, v0, u1, v1 = _rectangle(camera, box)
        if u0 >= u1 or v0 >= v1:
            continue
        u, v = np.meshgrid(np.arange(u0, u1) + 0.5, np.arange(v0, v1) + 0.5)
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
        turned = rays @ camera.rotation.T @ box.matrix.T
        start = box.to_local(camera.centre)
        with np.errstate(divide="ignore"):
            ends = np.stack([(sign * np.asarray(box.size) / 2 - start) / turned for sign in (-1, 1)])
        near, far = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
        z = np.where((near <= far) & (near > 0), near, np.inf)
        closer = z < depth[v0:v1, u0:u1]
        index[v0:v1, u0:u1][closer] = i
        depth[v0:v1, u0:u1][closer] = z[closer]
    return index, depth


def _outline(camera: Camera, box: Box3D) -> np.ndarray[Any, Any]:
    """Pixels [n, 2] whose hull is the whole box as the camera would see it on an endless picture, cut at the near plane."""
    local = camera.to_camera(box.corners)
    pairs = [(a, b) for a in range(8) for b in (a ^ 1, a ^ 2, a ^ 4) if a < b]
    kept = [p for p in local if p[2] >= NEAR_M]
    for a, b in pairs:
        p, q = local[a], local[b]
        if (p[2] < NEAR_M) != (q[2] < NEAR_M):
            kept.append(p + (NEAR_M - p[2]) / (q[2] - p[2]) * (q - p))
    if not kept:
        return np.zeros((0, 2))
    at = np.stack(kept)
    return at[:, :2] / at[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]


def _rectangle(camera: Camera, box: Box3D) -> tuple[int, int, int, int]:
    pixels = _outline(camera, box)
    if not len(pixels):
        return 0, 0, 0, 0
    (u0, v0), (u1, v1) = np.floor(pixels.min(axis=0)), np.ceil(pixels.max(axis=0))
    return max(0, int(u0)), max(0, int(v0)), min(camera.width, int(u1)), min(camera.height, int(v1))


def _sightings(camera: Camera, boxes: Mapping[str, Box3D]) -> list[dict[str, Any]]:
    from scipy.spatial import ConvexHull

    index, depth = first_hits(camera, list(boxes.values()))
    found = []
    for i, (name, box) in enumerate(boxes.items()):
        mask = index == i
        count = int(mask.sum())
        if not count:
            continue
        outline = _outline(camera, box)
        u, v = outline[:, 0], outline[:, 1]
        cut = (u.min() < 0, v.min() < 0, u.max() > camera.width, v.max() > camera.height)
        x1, y1, x2, y2 = box_of(mask)
        found.append({
            "track_id": f"track-{name}", "t_s": camera.t_s, "x1": x1, "y1": y1, "x2": x2, "y2": y2,
            "mask": encode_mask(mask), "visibility": min(1.0, count / float(ConvexHull(outline).volume)),
            "area": count / mask.size, "depth_m": float(np.median(depth[mask])), "truncated": int(sum(cut)),
        })  # fmt: skip
    return found


def s0_rows(*, things: Sequence[Thing] = THINGS, stands: Sequence[Stand] = STANDS, **scene: Any) -> Rows:
    """Rows by table: `things` and `stands` replace the scene's own, every other name is a column of `scenes`."""
    rows = {name: [dict(row) for row in of] for name, of in _told(tuple(things), tuple(stands)).items()}
    rows["scenes"] = [{**row, **scene} for row in rows["scenes"]]
    return rows


def space_from(rows: Rows) -> Space:
    """The space of such rows."""
    return space_of(rows["scenes"][0], *(rows[name] for name in PARTS[1:]))


@cache
def s0() -> Space:
    """The scene as it is."""
    return space_from(s0_rows())


def moved(
    rows: Rows, *, yaw_deg: float = 0.0, shift: tuple[float, float, float] = (0, 0, 0), scale: float = 1.0
) -> Rows:
    """The same scene in another world: turned about z, shifted, then scaled; floor, polygon and depths with it.

    What the scale is called stays with the caller: `scale_status` and `scale_sigma` of `scenes` are not touched.
    """
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    def put(points: Any) -> np.ndarray[Any, Any]:
        return (np.asarray(points, np.float64).reshape(-1, 3) @ turn.T + np.asarray(shift)) * scale

    out: Rows = {name: [dict(row) for row in of] for name, of in rows.items()}
    for row in out["boxes3d"]:
        box = box3d_of(row)
        row["x"], row["y"], row["z"] = put(box.centre)[0].tolist()
        row["axes"], row["size"] = (box.matrix @ turn.T).ravel().tolist(), [v * scale for v in box.size]
    for row in out["cameras"]:
        pose = np.asarray(row["pose"], np.float64).reshape(4, 4).copy()
        pose[:3, :3], pose[:3, 3] = turn @ pose[:3, :3], put(pose[:3, 3])[0]
        row["pose"] = pose.ravel().tolist()
    for row in out["points"]:
        row["xyz"] = np.float32(put(row["xyz"])).ravel().tolist()
    for row in out["boxes"]:
        row["depth_m"] = None if row["depth_m"] is None else row["depth_m"] * scale
    for row in out["scenes"]:
        flat = np.asarray(row["polygon"], np.float64).reshape(-1, 2)
        row["polygon"] = put(np.column_stack([flat, np.zeros(len(flat))]))[:, :2].ravel().tolist()
        row["floor_z"] = (row["floor_z"] + shift[2]) * scale
        row["room_area_m2"] = None if row["room_area_m2"] is None else row["room_area_m2"] * scale**2
    return out


def up_to_scale(rows: Rows, scale: float = 0.5) -> Rows:
    """The scene as a reconstruction without metres gives it: scaled, status `unit`, no sigma."""
    out = moved(rows, scale=scale)
    out["scenes"] = [{**row, "scale_status": "unit", "scale_sigma": None} for row in out["scenes"]]
    return out


def renamed(rows: Rows, seed: int = 0) -> tuple[Rows, dict[str, str]]:
    """The scene with other object and track ids in another order, and the new id of each old one."""
    names = sorted({row["object_id"] for row in rows["boxes3d"]})
    numbers = list(range(len(names)))
    random.Random(seed).shuffle(numbers)
    new = {name: f"o{number:02}" for name, number in zip(names, numbers, strict=True)}
    out: Rows = {name: [dict(row) for row in of] for name, of in rows.items()}
    for table in ("boxes3d", "points", "tracks"):
        for row in out[table]:
            row["object_id"] = new.get(row["object_id"], row["object_id"])
    for table in ("tracks", "boxes"):
        for row in out[table]:
            row["track_id"] = f"x{new[row['track_id'].removeprefix('track-')]}"
    for of in out.values():
        of.sort(key=lambda row: str(row.get("object_id") or row.get("track_id") or ""))
    return out, new


def poses_as(rows: Rows, *, kind: str = "c2w", axes: str = "opencv") -> list[np.ndarray[Any, Any]]:
    """The cameras' 4x4 matrices as a source would write them: camera to world or `w2c`, OpenCV's or `opengl` camera axes."""
    flip = np.diag([1.0, -1.0, -1.0, 1.0]) if axes == "opengl" else np.eye(4)
    found = [np.asarray(row["pose"], np.float64).reshape(4, 4) @ flip for row in rows["cameras"]]
    return [np.linalg.inv(pose) for pose in found] if kind == "w2c" else found
