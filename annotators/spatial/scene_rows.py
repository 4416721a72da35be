"""From a reconstruction in a frame of its own to rows of a scene: upright where gravity was found, and never called metres unasked.

The world's z axis is up, its origin lies on the floor (else at the first camera's height) below the first camera, its x axis is
where that camera looks. A reconstruction without a scale gets the median depth of what its cameras see as its unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .gravity import Gravity, find_gravity, prior_up, upright

Floats = NDArray[np.float64]
_PART = 50_000


@dataclass(frozen=True)
class World:
    """A frame for rows: `y = scale * rotation @ x + shift`."""

    rotation: Floats
    shift: Floats
    scale: float
    gravity: Gravity | None

    def points(self, points: Floats) -> Floats:
        """Points [n, 3] in the world."""
        return self.scale * points @ self.rotation.T + self.shift

    def pose(self, pose: Floats) -> Floats:
        """A camera to world matrix [4, 4] in the world."""
        made = np.eye(4)
        made[:3, :3], made[:3, 3] = self.rotation @ pose[:3, :3], self.points(pose[None, :3, 3])[0]
        return made

    @property
    def floor_z(self) -> float | None:
        """Height of the floor: 0 where it was found."""
        return None if self.gravity is None or self.gravity.floor is None else 0.0


def world_of(points: Floats, poses: Sequence[Floats], scale: float) -> World:
    """The world frame of a cloud [n, 3] seen by `poses` (at least one; the first in time first)."""
    gravity = find_gravity(points, poses)
    up = gravity.up if gravity is not None else prior_up([p[:3, :3] for p in poses])
    rotation = upright(up, poses[0][:3, 2])
    origin = rotation @ poses[0][:3, 3]
    if gravity is not None and gravity.floor is not None:
        origin[2] = gravity.floor
    return World(rotation, -scale * origin, scale, gravity)


def check(value: float, limit: float, *, least: bool = False) -> dict[str, Any]:
    """An entry of `checks_json`: passed when the value is at most (or at least) the limit."""
    return {
        "passed": bool(value >= limit if least else value <= limit),
        "value": round(float(value), 6),
        "limit": limit,
    }


def note(value: float) -> dict[str, Any]:
    """An entry of `checks_json` that only tells a number."""
    return {"passed": True, "value": value, "limit": None}


def scene_row(
    scene_id: str, source: str, world: World, status: str, checks: Mapping[str, Any], *, scale_source: str | None = None,
    scale_sigma: float | None = None,
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """The row of `scenes`."""
    found = world.gravity
    return "scenes", {
        "scene_id": scene_id, "source": source, "world_up": "unknown" if found is None else "z",
        "up_error_deg": None if found is None else found.error_deg, "scale_status": status, "scale_sigma": scale_sigma,
        "scale_source": scale_source, "room_area_m2": None, "polygon": None, "floor_z": world.floor_z, "rooms": None,
        "all_labelled": False, "checks_json": json.dumps(dict(checks), sort_keys=True),
    }  # fmt: skip


def camera_row(
    scene_id: str, t_s: float, size: tuple[int, int], intrinsics: Sequence[float], distortion: Sequence[float],
    pose: Floats | None, confidence: float | None = None,
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """A row of `cameras`; `pose` None for a picture that was looked at and not placed."""
    fx, fy, cx, cy = (float(v) for v in intrinsics)
    return "cameras", {
        "scene_id": scene_id, "t_s": t_s, "width": size[0], "height": size[1], "fx": fx, "fy": fy, "cx": cx, "cy": cy,
        "distortion": [float(v) for v in distortion], "pose": None if pose is None else [float(v) for v in pose.ravel()],
        "confidence": confidence, "observed": False, "frame_name": None,
    }  # fmt: skip


def points_rows(points: Floats, colours: NDArray[np.uint8] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of `points` of a cloud [n, 3] that belongs to no object."""
    for part, start in enumerate(range(0, len(points), _PART)):
        some = points[start : start + _PART].astype(np.float32)
        rgb = None if colours is None else colours[start : start + _PART].astype(np.uint8).tobytes()
        row = {"object_id": "", "part": part, "count": len(some), "xyz": some.ravel().tolist(), "rgb": rgb}
        yield "points", row


def resized(
    intrinsics: Sequence[float], size: tuple[int, int], to: tuple[int, int]
) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy of pictures of `size` for pictures of size `to` that show the same."""
    fx, fy, cx, cy = intrinsics
    sx, sy = to[0] / size[0], to[1] / size[1]
    return fx * sx, fy * sy, cx * sx, cy * sy
