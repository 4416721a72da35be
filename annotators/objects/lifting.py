"""From masks, depth and poses to points of a thing and the upright box around them: pure functions, world metres.

Each view gives the points of its mask, eroded (edges mix two depths) and without outliers of depth. Views are merged, the box is that of
the 2nd to 98th percentile. A thing needs points, views and parallax; one whose views disagree about where it stands is
taken to move, and gets no box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ...engine.depth_maps import pixel_grid
from ...schemas.geometry.box3d import Box3D
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.refit import upright_box
from ...schemas.masks import Mask

Floats = NDArray[np.float64]
_REFERENCE_PX = 640


class LiftRule(BaseModel):
    """When points make a box."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erode_px: int = Field(
        3,
        ge=0,
        description="Rim of a mask that is left out, in pixels of the picture, fewer where it is less than 640 wide.",
    )
    mads: float = Field(3.0, gt=0, description="Depths farther than this many MADs from the median are dropped.")
    keep_percent: float = Field(96.0, gt=0, le=100, description="Share of points inside the box along each axis.")
    least_points: int = Field(200, ge=4, description="Fewest points of a thing.")
    least_views: int = Field(3, ge=1, description="Fewest views of it.")
    least_parallax_deg: float = Field(10.0, ge=0, description="Widest angle between two views, seen from it.")
    most_shift: float = Field(
        0.7,
        gt=0,
        description="Distance between medians of two views, in diagonals of the largest view, from which it moves.",
    )
    cell_m: float = Field(0.02, gt=0, description="Of points in one cell of this size one is kept.")


@dataclass(frozen=True)
class View:
    """What one view shows of a thing."""

    camera: Camera
    points: Floats


@dataclass(frozen=True)
class Lifted:
    """A thing in space."""

    box: Box3D
    points: Floats
    views: int
    parallax_deg: float
    agreement: float
    """Share of its points that another view confirms, within a tenth of the box's diagonal."""


def view_of(camera: Camera, depth: Floats, mask: Mask, rule: LiftRule) -> View | None:
    """Points [n, 3] of a mask [h, w] under a depth map [a, b] of the same picture; None where nothing is left."""
    import cv2

    inner = mask
    if rule.erode_px:  # a mask stored smaller than the picture loses as much of the thing, but one pixel at least
        rim = max(1, int(rule.erode_px * mask.shape[1] / max(_REFERENCE_PX, camera.width)))
        size = 2 * rim + 1
        inner = np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8), borderValue=0) > 0)
    pixels = pixel_grid(depth, camera.width, camera.height)
    columns = np.minimum((pixels[..., 0] * (mask.shape[1] / camera.width)).astype(np.int64), mask.shape[1] - 1)
    rows = np.minimum((pixels[..., 1] * (mask.shape[0] / camera.height)).astype(np.int64), mask.shape[0] - 1)
    chosen = inner[rows, columns] & np.isfinite(depth)
    if not chosen.any():
        return None
    z = depth[chosen]
    middle = np.median(z)
    spread = max(float(np.median(np.abs(z - middle))), 1e-3 * float(middle))
    near = np.abs(z - middle) <= rule.mads * spread
    return View(camera, camera.back_project(pixels[chosen][near], z[near]))


def lift(views: Sequence[View], rule: LiftRule) -> Lifted | str:
    """The thing of these views, or why there is none."""
    if len(views) < rule.least_views:
        return "too few views"
    points = np.concatenate([v.points for v in views])
    if len(points) < rule.least_points:
        return "too few points"
    box = upright_box(points, rule.keep_percent)
    diagonal = float(np.linalg.norm(box.size))
    middles = np.asarray([np.median(v.points, axis=0) for v in views])
    widest = max(float(np.linalg.norm(np.ptp(np.percentile(v.points, [2, 98], axis=0), axis=0))) for v in views)
    if np.linalg.norm(middles[:, None] - middles[None], axis=2).max() > rule.most_shift * max(widest, 0.05):
        return "it moves"
    parallax = parallax_deg(np.asarray(box.centre), np.asarray([v.camera.centre for v in views]))
    if parallax < rule.least_parallax_deg:
        return "too little parallax"
    return Lifted(box, thinned(points, rule.cell_m), len(views), parallax, _agreement(views, 0.1 * diagonal))


def parallax_deg(centre: Floats, cameras: Floats) -> float:
    """Widest angle between two of the directions from `centre` [3] to `cameras` [n, 3], degrees."""
    rays = cameras - centre
    rays = rays / np.maximum(np.linalg.norm(rays, axis=1, keepdims=True), 1e-12)
    return float(np.degrees(np.arccos(np.clip(rays @ rays.T, -1.0, 1.0))).max())


def thinned(points: Floats, cell_m: float) -> Floats:
    """One point, the first, of each cell of the size."""
    _, first = np.unique(np.floor(points / cell_m).astype(np.int64), axis=0, return_index=True)
    return points[np.sort(first)]


def _agreement(views: Sequence[View], reach: float) -> float:
    """Share of points that have one of another view within `reach`; 0 for a single view."""
    if len(views) < 2:
        return 0.0
    from scipy.spatial import cKDTree

    confirmed = total = 0
    sparse = [v.points[:: max(1, len(v.points) // 100)] for v in views]
    for k, own in enumerate(sparse):
        rest = np.concatenate([p for j, p in enumerate(sparse) if j != k])
        distance, _ = cKDTree(rest).query(own)
        confirmed, total = confirmed + int((distance <= reach).sum()), total + len(own)
    return confirmed / total
