"""A thing cut out of its box by colour alone (GrabCut), and how far to trust that.

Method: C. Rother et al., "GrabCut" (2004), as OpenCV implements it: mixtures of colours inside and outside, and a cut between them.
It follows clear outlines well; where a thing and what lies behind it share colours it follows the wrong ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.box import Box
from ...schemas.masks import Mask
from .stills import Pixels


def grabcut(picture: Pixels, box: Box, margin: float = 0.3, rounds: int = 3, side_px: int = 160) -> tuple[Mask, float]:
    """Mask [height, width] inside a box, and its score: the share of the box's sides that it reaches (1: fills it from edge to edge)
    times how different the colours inside and outside are (0..1). An empty mask scores 0.
    """
    import cv2

    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box.to_pixels(width, height)
    pad = margin * max(x2 - x1, y2 - y1) + 2
    left, top = max(0, int(x1 - pad)), max(0, int(y1 - pad))
    right, bottom = min(width, int(np.ceil(x2 + pad))), min(height, int(np.ceil(y2 + pad)))
    window = np.ascontiguousarray(picture[top:bottom, left:right])
    whole = np.zeros((height, width), bool)
    scale = min(1.0, side_px / max(window.shape[:2]))
    h, w = (max(4, round(side * scale)) for side in window.shape[:2])
    small = cv2.resize(window, (w, h), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    inner = (
        int(np.floor((x1 - left) * scale)), int(np.floor((y1 - top) * scale)),
        int(np.ceil((x2 - left) * scale)), int(np.ceil((y2 - top) * scale)),
    )  # fmt: skip
    a, b, c, d = max(0, inner[0]), max(0, inner[1]), min(w, inner[2]), min(h, inner[3])
    labels = np.full((h, w), cv2.GC_BGD, np.uint8)
    labels[b:d, a:c] = cv2.GC_PR_FGD
    if c - a < 3 or d - b < 3 or (labels == cv2.GC_BGD).sum() < 8:
        return whole, 0.0
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(small, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one colour only: no mixture can be fitted
        return whole, 0.0
    inside = _largest((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
    if not inside.any():
        return whole, 0.0
    score = _score(small, inside, (a, b, c, d))
    grown = cv2.resize(inside.astype(np.float32), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR) >= 0.5
    whole[top:bottom, left:right] = grown
    return whole, score


def _largest(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """The largest connected piece, its holes filled where they are small."""
    import cv2

    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, bool)
    kept = (pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0)


def _score(picture: Pixels, mask: NDArray[np.bool_], place: tuple[int, int, int, int]) -> float:
    import cv2

    a, b, c, d = place
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    reach = min((columns[-1] + 1 - columns[0]) / (c - a), (rows[-1] + 1 - rows[0]) / (d - b), 1.0)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float64)
    if mask.all():
        return 0.0
    apart = float(np.linalg.norm(np.median(lab[mask], axis=0) - np.median(lab[~mask], axis=0)))
    return round(float(reach) * apart / (apart + 20.0), 6)
