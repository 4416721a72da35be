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
    top, bottom = _dark_ends(luma, 1)
    inner = luma[top : height - bottom]
    if not len(inner):
        return 1.0
    left, right = _dark_ends(inner, 0)
    return 1 - len(inner) * (width - left - right) / (height * width)


def _dark_ends(picture: Pixels, along: int) -> tuple[int, int]:
    """How many dark even rows (`along` 1) or columns (0) stand at the beginning and at the end; all of them count as
    the beginning's.
    """
    lines = picture if along else picture.T
    if lines[0, 0] > 2 * BAR_LUMA and lines[-1, 0] > 2 * BAR_LUMA:
        return 0, 0
    import cv2

    sums = cv2.reduce(picture, along, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    inside = np.flatnonzero((sums > BAR_LUMA * lines.shape[1]) | (lines[:, 0] > 2 * BAR_LUMA))
    first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (len(lines), -1)
    first = _first_uneven(lines[:first])
    return (first, 0) if first == len(lines) else (first, _first_uneven(lines[last + 1 :][::-1]))


def _first_uneven(lines: Pixels) -> int:
    """Index of the first line that is not even, or their number."""
    if not len(lines):
        return 0
    values = lines.astype(np.float32)
    squares, means = np.einsum("ij,ij->i", values, values), values.sum(axis=1) / values.shape[1]
    uneven = np.flatnonzero(squares / values.shape[1] - means * means > BAR_SPREAD**2)
    return int(uneven[0]) if len(uneven) else len(lines)


def sharpness(luma: Pixels) -> float:
    """Variance of the Laplacian of a picture (uint8 [h, w])."""
    import cv2

    edges = cv2.Laplacian(luma, cv2.CV_16S)
    mean = cv2.sumElems(edges)[0] / edges.size
    return cv2.norm(edges, cv2.NORM_L2SQR) / edges.size - mean * mean


def dct_hash(luma: Pixels) -> int:
    """Perceptual hash of a 32x32 luma picture as a signed 64-bit integer: the signs of its 8x8 lowest DCT
    coefficients against their median (without the constant one), most significant bit first.
    """
    import cv2

    low = cv2.dct(luma.astype(np.float32))[:8, :8].ravel()
    bits = low > np.partition(low[1:], 31)[31]
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)
