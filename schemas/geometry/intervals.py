"""What a box takes up along the axes of a camera or of the world, and the gaps between boxes along them.

A gap counts the full extents: it is positive only where one box lies wholly on one side of the other, which the order of their
centres does not say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box3d import Box3D
from .camera import Camera

Floats = NDArray[np.float64]


def camera_interval(box: Box3D, camera: Camera) -> Floats:
    """Least and greatest camera coordinates of the corners, [2, 3]: right, down, forward, metres."""
    return _ends(camera.to_camera(box.corners))


def camera_intervals(boxes: Sequence[Box3D], camera: Camera) -> Floats:
    """`camera_interval` of each box, [n, 2, 3]."""
    corners = np.array([b.corners for b in boxes], np.float64).reshape(-1, 8, 3)
    return _ends(camera.to_camera(corners))


def world_interval(box: Box3D) -> Floats:
    """Least and greatest world coordinates of the corners, [2, 3]."""
    return _ends(box.corners)


def gaps(a: ArrayLike, b: ArrayLike) -> Floats:
    """`min(b) - max(a)` along each axis, [..., 3], of intervals [..., 2, 3]: how far b lies wholly beyond a; negative if not."""
    return np.asarray(np.asarray(b, np.float64)[..., 0, :] - np.asarray(a, np.float64)[..., 1, :])


def _ends(corners: Floats) -> Floats:
    return np.stack([corners.min(axis=-2), corners.max(axis=-2)], axis=-2)
