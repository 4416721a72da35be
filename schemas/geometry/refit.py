"""An upright box around points, or around a box that is tilted: the smallest rectangle on the ground and the range of heights.

Scans often give the smallest oriented box, which leans; its longest side and its top then say little. Needs a vertical z axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box3d import Box3D

Floats = NDArray[np.float64]
LEAST_LENGTH_M = 1e-3
"""A flat thing still gets a box."""


def upright_box(points: ArrayLike, keep_percent: float = 100.0, seed_yaw_rad: float | None = None) -> Box3D:
    """The upright box around world points [n, 3]; its longer ground side comes first, its yaw lies in [-90, 90) degrees.

    `keep_percent` below 100 leaves out the outermost points along each of its axes, half on either side (96: from the 2nd to the
    98th percentile). `seed_yaw_rad` gives the yaw instead of the smallest rectangle. Raises ValueError without points.
    Method: a smallest rectangle has a side on the convex hull (H. Freeman and R. Shapira, 1975).
    """
    xyz = np.asarray(points, np.float64).reshape(-1, 3)
    if not len(xyz):
        raise ValueError("no points to fit a box to")
    yaw = _smallest(xyz[:, :2]) if seed_yaw_rad is None else seed_yaw_rad
    lo, hi, _ = _around(xyz, yaw, keep_percent)
    if hi[1] - lo[1] > hi[0] - lo[0] + 1e-9:
        yaw += np.pi / 2
    yaw = (yaw + np.pi / 2) % np.pi - np.pi / 2
    lo, hi, centre = _around(xyz, yaw, keep_percent)
    return Box3D.upright(centre, np.maximum(hi - lo, LEAST_LENGTH_M), yaw)


def upright_of(box: Box3D) -> Box3D:
    """The upright box around the corners of a box; a box that is upright keeps its extent."""
    return upright_box(box.corners)


def tilt_deg(box: Box3D) -> float:
    """Angle between the vertical and the axis of the box that is nearest to it, degrees, 0 to 54.7."""
    return float(np.degrees(np.arccos(np.clip(np.abs(box.matrix[:, 2]).max(), 0.0, 1.0))))


def _around(xyz: Floats, yaw: float, keep_percent: float) -> tuple[Floats, Floats, Floats]:
    """Least and greatest coordinates along the axes of that yaw, and the centre in the world."""
    c, s = np.cos(yaw), np.sin(yaw)
    axes = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    local = xyz @ axes.T
    cut = (100.0 - keep_percent) / 2
    lo, hi = (local.min(axis=0), local.max(axis=0)) if cut <= 0 else np.percentile(local, [cut, 100 - cut], axis=0)
    return lo, hi, (lo + hi) / 2 @ axes


def _smallest(xy: Floats) -> float:
    """Yaw of a side of the smallest rectangle around points on the ground."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = xy[ConvexHull(xy).vertices]
    except (QhullError, ValueError):
        # all on one line (or one place): the line is the rectangle
        centred = xy - xy.mean(axis=0)
        direction = np.linalg.svd(centred, full_matrices=False)[2][0]
        return float(np.arctan2(direction[1], direction[0]))
    sides = np.roll(hull, -1, axis=0) - hull
    yaws = np.unique(np.round(np.arctan2(sides[:, 1], sides[:, 0]) % (np.pi / 2), 12))
    c, s = np.cos(yaws)[:, None], np.sin(yaws)[:, None]
    along, across = c * hull[:, 0] + s * hull[:, 1], c * hull[:, 1] - s * hull[:, 0]
    return float(yaws[int(np.argmin(np.round(np.ptp(along, axis=1) * np.ptp(across, axis=1), 12)))])
