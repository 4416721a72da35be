"""Motion between two pictures by another way than `signals`: Farneback's flow and OpenCV's own robust similarity fit.

`signals` follows DIS flow over blocks at 160 px and fits by its own draws; here polynomial expansion (Farneback, 2003) at
`SIDE_PX` and `estimateAffinePartial2D` (RANSAC) do the same work, at other moments. What is left over where the picture has
texture, moves together and is large enough, is a thing that moves by itself. Numbers are those of `schemas/motion.py`, so
that the same rules pool them. Limits: those of all flow, and Farneback's falls short inside plain things.
"""

from __future__ import annotations

from math import atan2, degrees, hypot, log
from typing import Any

import numpy as np

from ...schemas.motion import Motion

SIDE_PX = 224
CELL_PX = 7
MIN_TEXTURE = 3.0
"""Spread (0..255) of a cell that is worth following."""
MIN_CELLS = 4
TOLERANCE_PX = 1.0
"""Distance from the fit within which a cell follows the camera, plus 5% of its own way."""
MOVING_PX = 0.8
MIN_CHANGE = 4.0
"""Difference (0..255) that taking out the camera's motion must leave in a cell that moves by itself."""
MIN_COHERENCE = 0.7
"""Length of a region's mean flow, as a share of its cells' mean length: a thing moves one way."""
MAX_MISMATCH = 0.5
"""Share of the picture's contrast that moving the earlier picture along the flow may leave: more is a cut."""

Pixels = np.ndarray[Any, Any]


def flow_of(earlier: Pixels, later: Pixels) -> Pixels:
    """float32 [h, w, 2]: where each pixel of `earlier` (uint8 luma) goes, in px."""
    import cv2

    start = np.zeros((*earlier.shape, 2), np.float32)
    return cv2.calcOpticalFlowFarneback(earlier, later, start, 0.5, 4, 17, 3, 7, 1.5, 0)


def motion_of(earlier: Pixels, later: Pixels, seconds: float, t_s: float) -> Motion | None:
    """The motion between two pictures of one size; None where they are not joined by motion (a cut), or nothing can be
    followed.
    """
    import cv2

    height, width = later.shape
    contrast = float(later.std())
    flow = flow_of(earlier, later)
    if _mismatch(earlier, later, flow, contrast) > MAX_MISMATCH:
        return None
    rows, columns = height // CELL_PX, width // CELL_PX
    cells = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_AREA)
    texture = _spread(earlier, columns, rows)
    x = (np.arange(columns) + 0.5) * width / columns - width / 2
    y = (np.arange(rows) + 0.5) * height / rows - height / 2
    at = np.dstack(np.meshgrid(x, y)).astype(np.float32)
    good = texture >= MIN_TEXTURE
    if np.count_nonzero(good) < 12:
        return _none(t_s, contrast)
    before, now = at[good], at[good] + cells[good]
    cv2.setRNGSeed(7)
    fit, _ = cv2.estimateAffinePartial2D(
        before, now, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE_PX, maxIters=500, confidence=0.995
    )
    if fit is None:
        return _none(t_s, contrast)
    camera = at @ fit[:, :2].T.astype(np.float32) + fit[:, 2].astype(np.float32) - at
    left = cells - camera
    strength = np.hypot(left[..., 0], left[..., 1])
    allowed = TOLERANCE_PX + 0.05 * np.hypot(camera[..., 0], camera[..., 1])
    inliers = float((strength[good] <= allowed[good]).mean())
    scale = hypot(fit[0, 0], fit[1, 0])
    per_second = 1 / (width * seconds)
    dx, dy, area, cx, cy = _by_itself(earlier, later, fit, allowed)
    return Motion(
        t_s=t_s, pan=-float(fit[0, 2]) * per_second, tilt=float(fit[1, 2]) * per_second * width / height,
        zoom=log(max(scale, 1e-6)) / seconds, roll=degrees(atan2(fit[1, 0], fit[0, 0])) / seconds,
        inlier_share=inliers, residual=hypot(dx, dy) * per_second, residual_area=area, residual_dx=dx * per_second,
        residual_dy=dy * per_second * width / height, x=cx, y=cy, contrast=contrast,
    )  # fmt: skip


def _none(t_s: float, contrast: float) -> Motion:
    """Nothing to follow: no motion that could be believed."""
    return Motion(t_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0, 0.5, 0.5, contrast)


def _mismatch(earlier: Pixels, later: Pixels, flow: Pixels, contrast: float) -> float:
    import cv2

    height, width = later.shape
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    back = cv2.remap(later, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return float(cv2.absdiff(back, earlier).mean()) / max(contrast, 6.0)


def _spread(picture: Pixels, columns: int, rows: int) -> Pixels:
    """Standard deviation of each cell."""
    import cv2

    values = picture.astype(np.float32)
    mean, square = (cv2.resize(v, (columns, rows), interpolation=cv2.INTER_AREA) for v in (values, values * values))
    return np.sqrt(np.maximum(square - mean * mean, 0.0))


def _by_itself(
    earlier: Pixels, later: Pixels, fit: Pixels, allowed: Pixels
) -> tuple[float, float, float, float, float]:
    """What moves against the background: (dx, dy) in px, its share of the picture, its centre; zeros when nothing does.

    The camera's part is taken out first by moving the earlier picture; flow is then measured again, and believed only
    where the moved picture still differs from the later one.
    """
    import cv2

    height, width = later.shape
    rows, columns = allowed.shape
    centre = np.array([width / 2, height / 2])
    pixels = fit.copy()
    pixels[:, 2] += centre - pixels[:, :2] @ centre
    held = cv2.warpAffine(earlier, pixels, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    known = cv2.warpAffine(np.full_like(earlier, 255), pixels, (width, height), borderMode=cv2.BORDER_CONSTANT) > 250
    held = np.where(known, held, later)
    left = cv2.resize(flow_of(held, later), (columns, rows), interpolation=cv2.INTER_AREA)
    error = cv2.resize(cv2.absdiff(held, later).astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    strength = np.hypot(left[..., 0], left[..., 1])
    moving = (error > MIN_CHANGE) & (strength > np.maximum(MOVING_PX, 0.6 * allowed))
    closed = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, _, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    best, weight = 0, 0.0
    for i in range(1, count):
        inside = (labels == i) & moving
        total = float((strength * error)[inside].sum())
        if np.count_nonzero(inside) >= MIN_CELLS and total > weight:
            best, weight = i, total
    if not best:
        return 0.0, 0.0, 0.0, 0.5, 0.5
    region = labels == best
    inside = region & moving
    velocity = [float(np.average(left[..., i][inside], weights=(error * strength)[inside])) for i in (0, 1)]
    if hypot(*velocity) < MIN_COHERENCE * float(np.average(strength[inside], weights=(error * strength)[inside])):
        return 0.0, 0.0, 0.0, 0.5, 0.5
    cy, cx = ((float(c.mean()) + 0.5) / n for c, n in zip(np.nonzero(region), (rows, columns), strict=True))
    return velocity[0], velocity[1], float(region.mean()), cx, cy
