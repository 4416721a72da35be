"""What single frames say of a mask, and what motion says: correlation, and the mask found again by undoing the motion.

Inside the mask a frame equals its neighbours shifted forth, outside shifted back. Where the forward error, taken from the
better of the frame before and the frame after (each loses a strip at a border), is below the backward one, it is inside.
Pure functions of luma pictures; the velocity is known or found by trying all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Luma = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def correlation(luma: Luma, mask: Mask) -> float:
    """Pearson's r of a picture's values with being inside; 0 for a flat picture or mask."""
    values, inside = luma.astype(np.float64), mask.astype(np.float64)
    values -= values.mean()
    inside -= inside.mean()
    length = float(np.sqrt((values**2).sum() * (inside**2).sum()))
    return float((values * inside).sum()) / length if length else 0.0


def recovered(frames: Sequence[Luma], velocity_px: int, axis: int, smooth_px: int) -> Mask:
    """bool [height, width]: inside, from at least three frames in order; `velocity_px` (signed) is that of the inside along
    `axis` (0: down, 1: right), wrapped.
    """
    import cv2

    stack = np.stack(frames).astype(np.float32)
    forth, back = (_error(stack, velocity, axis) for velocity in (velocity_px, -velocity_px))
    difference = cv2.blur(back - forth, (smooth_px, smooth_px), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(difference > 0)


def _error(stack: Luma, velocity: int, axis: int) -> Luma:
    """Mean absolute error of frames against their shifted neighbours: of those before or those after, whichever is less."""
    before = np.abs(stack[1:-1] - np.roll(stack[:-2], velocity, axis + 1)).mean(axis=0)
    after = np.abs(stack[1:-1] - np.roll(stack[2:], -velocity, axis + 1)).mean(axis=0)
    return np.minimum(before, after)
