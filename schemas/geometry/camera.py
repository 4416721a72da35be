"""A camera at a time: intrinsics of a stated picture size and the pose camera to world, the only pose that is stored.

The centre is the fourth column of the pose. Pixels count from the top left corner of the picture, so the centre of the first
pixel is (0.5, 0.5); the camera looks along its z axis, x right, y down. No distortion: pictures are undistorted before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """One camera at one time."""

    t_s: float
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    pose: tuple[float, ...]
    """Camera to world, 4x4, row by row, metres."""
    confidence: float | None = None
    observed: bool = False
    """Whether everything that is seen at this time has a sighting."""
    row: Mapping[str, Any] | None = None
    """The stored row."""

    @cached_property
    def matrix(self) -> Floats:
        """Camera to world, [4, 4]."""
        return np.asarray(self.pose, np.float64).reshape(4, 4)

    @property
    def rotation(self) -> Floats:
        """Camera axes in the world as columns, [3, 3]."""
        return self.matrix[:3, :3]

    @property
    def centre(self) -> Floats:
        """Where it stands, world metres, [3]."""
        return self.matrix[:3, 3]

    @property
    def forward(self) -> Floats:
        """Where it looks, unit vector in the world, [3]."""
        return self.matrix[:3, 2]

    def to_camera(self, points: ArrayLike) -> Floats:
        """World points [..., 3] in camera coordinates."""
        return (np.asarray(points, np.float64) - self.centre) @ self.rotation

    def to_world(self, points: ArrayLike) -> Floats:
        """Camera points [..., 3] in the world."""
        return np.asarray(points, np.float64) @ self.rotation.T + self.centre

    def project(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Pixels [..., 2] and depths [...] of world points; pixels of points at or behind the camera are NaN."""
        local = self.to_camera(points)
        depth = local[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            u = self.fx * local[..., 0] / depth + self.cx
            v = self.fy * local[..., 1] / depth + self.cy
        pixels = np.stack([u, v], axis=-1)
        pixels[depth <= 0] = np.nan
        return pixels, depth

    def back_project(self, pixels: ArrayLike, depth: ArrayLike) -> Floats:
        """World points [..., 3] of pixels [..., 2] at depths [...] along the z axis."""
        at, z = np.asarray(pixels, np.float64), np.asarray(depth, np.float64)
        local = np.stack([(at[..., 0] - self.cx) / self.fx * z, (at[..., 1] - self.cy) / self.fy * z, z], axis=-1)
        return self.to_world(local)


def camera_of(row: Mapping[str, Any]) -> Camera | None:
    """The camera of a row of `cameras`; None where the pose is lost or not finite."""
    pose = row.get("pose")
    if pose is None or len(pose) != 16 or not np.isfinite(np.asarray(pose, np.float64)).all():
        return None
    return Camera(
        float(row["t_s"]), int(row["width"]), int(row["height"]), float(row["fx"]), float(row["fy"]), float(row["cx"]),
        float(row["cy"]), tuple(float(v) for v in pose), row.get("confidence"), bool(row.get("observed")), row,
    )  # fmt: skip
