"""What a camera sees of an object: its points against a depth map, its box against the edges of the picture.

A point is seen when it falls into the picture in front of the camera and the depth map there says about the same distance;
objects close behind each other are told apart no better than the tolerance (a fifth of the distance, as in VLM-3R's data).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..box import Box
from .box3d import Box3D
from .camera import Camera

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NEAR = 1e-3
"""What is nearer to the camera's plane than this share of the object's farthest depth is cut off."""
_EDGES = [(a, a ^ bit) for a in range(8) for bit in (1, 2, 4) if a < a ^ bit]


@dataclass(frozen=True)
class SeenPoints:
    """Which points of an object are seen; `pixels` [n, 2] and `depths` [n] of all of them."""

    pixels: Floats
    depths: Floats
    inside: Bools
    """In front of the camera and in the picture, hidden or not."""
    seen: Bools

    @property
    def share(self) -> float:
        """Share of the points that are seen, 0..1."""
        return float(self.seen.mean()) if len(self.seen) else 0.0

    @cached_property
    def pixel_count(self) -> int:
        """Different pixels that seen points fall into: the size of the object in the picture, from below."""
        return len(np.unique(np.floor(self.pixels[self.seen]), axis=0))


def in_picture(camera: Camera, pixels: ArrayLike) -> Bools:
    """Which pixels [..., 2] lie in the picture; NaN does not."""
    at = np.asarray(pixels, np.float64)
    with np.errstate(invalid="ignore"):
        inside = (at >= 0) & (at < [camera.width, camera.height])
    return np.asarray(inside.all(axis=-1))


def seen_points(points: ArrayLike, camera: Camera, depth: ArrayLike, tolerance: float = 0.20) -> SeenPoints:
    """World points [n, 3] against a depth map [h, w] (along z, the scene's units; 0 or not finite: unknown, so nothing is seen).

    The map may have another size than the camera's picture as long as it shows the same field.
    """
    map_ = np.asarray(depth, np.float64)
    pixels, depths = camera.project(np.asarray(points, np.float64).reshape(-1, 3))
    inside = in_picture(camera, pixels)
    height, width = map_.shape
    at = np.where(inside[:, None], pixels, 0.0) * [width / camera.width, height / camera.height]
    column, row = np.minimum(at.astype(np.int64), [width - 1, height - 1]).T
    there = map_[row, column]
    known = np.isfinite(there) & (there > 0)
    with np.errstate(invalid="ignore"):
        near = np.abs(depths - there) <= tolerance * there
    return SeenPoints(pixels, depths, inside, inside & known & near)


def outline(box: Box3D, camera: Camera) -> Floats:
    """Pixels [n, 2] whose convex hull is the box as the camera would see it on an endless picture; [0, 2] when it is behind.

    What lies behind the camera is cut off just in front of it, so that a box around the camera has an outline far outside.
    """
    local = camera.to_camera(box.corners)
    near = NEAR * max(float(local[:, 2].max()), 0.0)
    if near <= 0:
        return np.zeros((0, 2))
    kept = [p for p in local if p[2] >= near]
    for a, b in _EDGES:
        p, q = local[a], local[b]
        if (p[2] < near) != (q[2] < near):
            kept.append(p + (near - p[2]) / (q[2] - p[2]) * (q - p))
    at = np.stack(kept)
    return np.asarray(at[:, :2] / at[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy])


def picture_box(box: Box3D, camera: Camera) -> Box | None:
    """Normalised box in the picture around what the camera would see of it if nothing hid it; None when that is nothing.

    Exact for a box whose corners are in front of the camera; else somewhat too large (the hull is taken before cutting).
    """
    pixels = outline(box, camera)
    if not len(pixels):
        return None
    (x1, y1), (x2, y2) = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
    return Box.from_pixels(x1, y1, x2, y2, camera.width, camera.height)


def cut_sides(box: Box3D, camera: Camera) -> int:
    """Sides of the picture that cut the box off, 0 to 4; 0 for one that is behind the camera."""
    pixels = outline(box, camera)
    if not len(pixels):
        return 0
    (x1, y1), (x2, y2) = pixels.min(axis=0), pixels.max(axis=0)
    return int(x1 < 0) + int(y1 < 0) + int(x2 > camera.width) + int(y2 > camera.height)
