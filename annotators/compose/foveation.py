"""Foveated pictures: sharp where the eye rests, ever more blurred away from it.

Within the radius the pixels are those of the picture, bit for bit; outside, a blur whose width grows in proportion to the
distance from the radius, mixed from a stack of Gaussian blurs. Whole numbers throughout, so the same everywhere. Loses detail
only: crowding and the texture statistics of real peripheral vision are not modelled.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.float64]]
_STEPS = 256
"""Parts into which the way from one blur of the stack to the next is cut."""


def eccentricity(width: int, height: int, x: float, y: float) -> Numbers:
    """Distance of each pixel's centre from a point (shares of width and height), px, [height, width]."""
    columns, rows = np.arange(width) + 0.5 - x * width, np.arange(height) + 0.5 - y * height
    return np.hypot(columns[None, :], rows[:, None])


def foveate(picture: Picture, x: float, y: float, radius: float, slope: float) -> Picture:
    """The picture [h, w, 3] as seen by an eye that rests on a point (shares of width and height).

    `radius` is that of the sharp part as a share of the diagonal; beyond it the standard deviation of the blur is `slope` times the
    distance from its edge, both in pixels. Raises ValueError for a point outside the picture.
    """
    import cv2

    if not (0 <= x < 1 and 0 <= y < 1):
        raise ValueError(f"the point ({x}, {y}) lies outside the picture")
    height, width = picture.shape[:2]
    sigma = slope * np.maximum(0.0, eccentricity(width, height, x, y) - radius * math.hypot(width, height))
    widths = [0.0]
    while widths[-1] < float(sigma.max()):
        widths.append(max(0.5, widths[-1] * 2))
    out = picture.copy()
    sharper = picture
    for low, high in pairwise(widths):
        blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), high, borderType=cv2.BORDER_REFLECT_101), np.uint8)
        part = (sigma > low) & (sigma <= high)
        share = np.rint((sigma[part] - low) / (high - low) * _STEPS).astype(np.int32)[:, None]
        mixed = sharper[part].astype(np.int32) * (_STEPS - share) + blurred[part].astype(np.int32) * share
        out[part] = ((mixed + _STEPS // 2) // _STEPS).astype(np.uint8)
        sharper = blurred
    return out
