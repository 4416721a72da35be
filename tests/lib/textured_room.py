"""A room with a few boxes, covered with noise, cast by hand: footage that structure from motion can work on, with exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from chronotope.engine.annotator import Medium, Unit
from chronotope.engine.depth_maps import depth_of, depth_values
from chronotope.engine.media.probe import probe
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.span import to_us
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROOM = (5.6, 4.8, 2.6)
BOXES = (((1.0, 1.0, 0.5), (0.8, 1.2, 1.0)), ((4.4, 1.2, 0.4), (1.2, 0.8, 0.8)), ((2.8, 2.4, 0.35), (1.0, 1.0, 0.7)),
         ((1.2, 3.8, 0.9), (0.6, 0.8, 1.8)), ((4.6, 3.9, 0.3), (0.9, 0.7, 0.6)))  # fmt: skip
"""Centres and full sizes; sides along the axes."""


@dataclass(frozen=True)
class Walk:
    """A film and what is true of it: rows of `cameras` and `depths`."""

    unit: Unit
    truth: dict[str, list[dict[str, Any]]]

    @property
    def path(self) -> Path:
        assert self.unit.medium is not None and self.unit.medium.path is not None
        return self.unit.medium.path

    def cameras(self) -> dict[int, Camera]:
        """True cameras by time in microseconds."""
        found = (camera_of(r) for r in self.truth["cameras"])
        return {to_us(c.t_s): c for c in found if c is not None}

    def depths(self) -> dict[int, Floats]:
        """True depth maps by time in microseconds."""
        return {to_us(r["t_s"]): depth_of(r) for r in self.truth["depths"]}


def walked(path: Path, frames: int = 26, fps: int = 5, size: tuple[int, int] = (256, 192)) -> Walk:
    """Film a walk along half a circle through the room, looking across it and a little down."""
    cameras = [_camera(k / fps, k / frames, size) for k in range(frames)]
    truth: dict[str, list[dict[str, Any]]] = {"cameras": [], "depths": []}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"crf": "12", "preset": "veryfast", "threads": "1"}
        for camera in cameras:
            picture, depth = cast(camera)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            row = {k: getattr(camera, k) for k in ("t_s", "width", "height", "fx", "fy", "cx", "cy")}
            truth["cameras"].append({**row, "pose": list(camera.pose)})
            truth["depths"].append({"t_s": camera.t_s, **depth_values(depth[::2, ::2])})
        container.mux(stream.encode())
    return Walk(unit_of(path), truth)


def unit_of(path: Path) -> Unit:
    """A unit annotator's unit of a film."""
    facts = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height")
    medium = Medium("m", path.as_uri(), path, *(facts[n] for n in names), has_video=True, has_audio=False)
    return Unit("m", "medium", medium, "hand", 0)


def told(rows: Sequence[dict[str, Any]], producer: str) -> list[dict[str, Any]]:
    """Rows as they are stored by a producer."""
    return [{**row, "producer": producer, "media_id": "m"} for row in rows]


def cast(camera: Camera) -> tuple[NDArray[np.uint8], Floats]:
    """Picture uint8 [h, w, 3] RGB and depth [h, w] along z."""
    pixels = np.stack(np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5), axis=-1)
    ahead = camera.back_project(pixels, np.ones(pixels.shape[:2])) - camera.centre
    ahead = np.where(np.abs(ahead) < 1e-12, 1e-12, ahead)
    depth, owner = _slab(camera.centre, ahead, np.zeros(3), np.array(ROOM))[1], np.zeros(pixels.shape[:2], int)
    for number, (centre, extent) in enumerate(BOXES, start=1):
        middle, half = np.array(centre), np.array(extent) / 2
        enter, leave = _slab(camera.centre, ahead, middle - half, middle + half)
        hit = (leave > enter) & (enter > 0) & (enter < depth)
        depth, owner = np.where(hit, enter, depth), np.where(hit, number, owner)
    points = camera.centre + ahead * depth[..., None]
    light = 0.35 + 0.65 * _noise(points)
    colours = 0.45 + 0.5 * np.array([[_hash(np.array([n, c, 3]), 7) for c in range(3)] for n in range(len(BOXES) + 1)])
    return (np.clip(light[..., None] * colours[owner], 0, 1) * 255).astype(np.uint8), depth


def _camera(t_s: float, along: float, size: tuple[int, int]) -> Camera:
    turn = np.pi * (0.2 + 0.9 * along)
    centre = np.array(
        [ROOM[0] / 2 + 1.6 * np.cos(turn), ROOM[1] / 2 + 1.2 * np.sin(turn), 1.5 + 0.1 * np.sin(3 * turn)]
    )
    yaw, pitch = turn + np.pi + 0.3 * np.sin(2 * turn), -0.25 + 0.08 * np.sin(2.3 * turn)
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([right, np.cross(forward, right), forward], axis=1), centre
    focal = 0.65 * size[0]
    return Camera(t_s, *size, focal, focal, size[0] / 2, size[1] / 2, tuple(pose.ravel()))


def _slab(origin: Floats, ahead: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    first, second = (low - origin) / ahead, (high - origin) / ahead
    return np.minimum(first, second).max(axis=-1), np.maximum(first, second).min(axis=-1)


def _noise(points: Floats) -> Floats:
    """Value noise of four sizes at points [..., 3], about 0..1."""
    total = np.zeros(points.shape[:-1])
    for size, share in ((0.5, 0.25), (0.17, 0.3), (0.06, 0.3), (0.03, 0.15)):
        cell = np.floor(points / size)
        part = points / size - cell
        part = part * part * (3 - 2 * part)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, part, 1 - part), axis=-1)
            total += share * weight * _hash(cell + np.array(corner), int(size * 1000))
    return np.clip((total - 0.5) * 1.8 + 0.5, 0, 1)


def _hash(cell: NDArray[Any], seed: int) -> Any:
    ints = np.atleast_2d(np.asarray(cell, np.int64))
    mixed = (ints[..., 0] * 73856093) ^ (ints[..., 1] * 19349663) ^ (ints[..., 2] * 83492791) ^ (seed * 2654435761)
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((mixed % 10007) / 10007).reshape(np.shape(cell)[:-1])
