"""Numbers of one still picture that need no other: darkness, bars, and a perceptual hash. Pure functions of luma."""

from __future__ import annotations

from typing import Any

import numpy as np

Pixels = np.ndarray[Any, Any]

LIT = 40
"""Luma from which a pixel counts as lit in a dark picture."""
BAR_LUMA, BAR_SPREAD = 24, 3.0
"""A bar's row or column is this dark at most and this even (mean luma, standard deviation)."""


def is_black(luma: Pixels) -> bool:
    """Whether a picture (uint8 [h, w]) holds almost no light: dark on average, and no more than 0.1% of it lit."""
    return bool(luma.mean() < 16 and (luma > LIT).mean() <= 0.001)


def dark_bars(luma: Pixels) -> float:
    """Share of a picture (uint8 [h, w]) that even dark bars along its edges cover."""
    height, width = luma.shape
    top, bottom = _dark_ends(luma)
    inner = luma[top : height - bottom]
    if not len(inner):
        return 1.0
    left, right = _dark_ends(inner.T)
    return 1 - len(inner) * (width - left - right) / (height * width)


def _dark_ends(lines: Pixels) -> tuple[int, int]:
    """How many dark even lines stand at the beginning and at the end; looks only as far as they reach."""

    def run(ordered: Pixels) -> int:
        for i, line in enumerate(ordered):
            if line[0] > 2 * BAR_LUMA or line.mean() > BAR_LUMA or line.std() > BAR_SPREAD:
                return i
        return len(ordered)

    first = run(lines)
    return (first, 0) if first == len(lines) else (first, run(lines[::-1]))


def dct_hash(luma: Pixels) -> int:
    """Perceptual hash of a 32x32 luma picture as a signed 64-bit integer: the signs of its 8x8 lowest DCT
    coefficients against their median (without the constant one), most significant bit first.
    """
    import cv2

    low = cv2.dct(luma.astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)
