"""Depth maps as they are stored: a 16-bit grey PNG of whole steps, 0 for unknown, and what a step is worth.

The step is chosen per map, so that its farthest pixel takes the last step: the rounding error is below 1e-5 of that depth.
Depth is along the camera's z axis. A map may be smaller than the picture that it is of; `depth_at` looks up by picture share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
STEPS = 65535


def depth_values(depth: ArrayLike) -> dict[str, Any]:
    """Columns `width`, `height`, `png` and `unit_m` of depths [h, w]; what is not finite or not positive is unknown.

    Raises ValueError for a map without a single known depth.
    """
    import cv2

    z = np.asarray(depth, np.float64)
    known = np.isfinite(z) & (z > 0)
    if z.ndim != 2 or not known.any():
        raise ValueError(f"a depth map must be [h, w] with at least one known depth, not {z.shape}")
    unit = float(z[known].max()) / STEPS
    steps = np.where(known, np.maximum(np.round(np.where(known, z, 0.0) / unit), 1), 0).astype(np.uint16)
    done, data = cv2.imencode(".png", steps)
    if not done:
        raise ValueError(f"a depth map of {z.shape} cannot be written as PNG")
    return {"width": z.shape[1], "height": z.shape[0], "png": data.tobytes(), "unit_m": unit}


def depth_of(row: Mapping[str, Any]) -> Floats:
    """Depths [h, w] of a row of `depths`, NaN where unknown. Raises ValueError for bytes that are no 16-bit PNG."""
    import cv2

    steps = cv2.imdecode(np.frombuffer(bytes(row["png"]), np.uint8), cv2.IMREAD_UNCHANGED)
    if steps is None or steps.dtype != np.uint16 or steps.ndim != 2:
        raise ValueError(f"the depth map at {row.get('t_s')} s is no 16-bit grey PNG")
    return np.where(steps > 0, steps.astype(np.float64) * float(row["unit_m"]), np.nan)


def pixel_grid(depth: Floats, width: int, height: int) -> Floats:
    """Where the centres of the pixels of a map [h, w] lie in a picture of `width` x `height`, pixels [h, w, 2]."""
    h, w = depth.shape
    x = (np.arange(w) + 0.5) * (width / w)
    y = (np.arange(h) + 0.5) * (height / h)
    return np.stack(np.meshgrid(x, y), axis=-1)


def depth_at(depth: Floats, pixels: ArrayLike, width: int, height: int) -> Floats:
    """Depths [...] of a map at pixels [..., 2] of a picture of `width` x `height`; NaN outside and where unknown.

    The nearest pixel of the map answers: a mean across an edge would be a depth that nothing has.
    """
    at = np.asarray(pixels, np.float64)
    h, w = depth.shape
    with np.errstate(invalid="ignore"):
        x, y = np.floor(at[..., 0] * (w / width)), np.floor(at[..., 1] * (h / height))
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    row, column = (np.where(inside, v, 0).astype(np.int64) for v in (y, x))
    return np.where(inside, depth[row, column], np.nan)
