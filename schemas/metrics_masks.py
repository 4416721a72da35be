"""How well a mask agrees with another: J (region, IoU) and F (outline), and both over a clip, after DAVIS.

An outline pixel is right when the other outline has one within `tolerance` of the picture's diagonal. Two empty masks agree fully:
an object that is not seen, and is not drawn, is right. None stands for a mask that was not given, and is empty.
Source: F. Perazzi et al. (2016), definitions only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .masks import Mask, mask_iou
from .metrics import mean

TOLERANCE = 0.008
"""Share of the diagonal, as DAVIS has it; rounded up to whole pixels."""


def region(found: Mask | None, truth: Mask) -> float:
    """J: intersection over union of two masks [h, w]; 1 when both are empty."""
    if found is None or not found.any():
        return float(not truth.any())
    return mask_iou(found, truth)


def contour(found: Mask | None, truth: Mask, tolerance: float = TOLERANCE) -> float:
    """F: harmonic mean of the shares of both outlines that lie near the other; 1 when both masks are empty."""
    if found is None or not found.any() or not truth.any():
        return float(not truth.any() and (found is None or not found.any()))
    reach = math.ceil(tolerance * math.hypot(*truth.shape))
    ours, theirs = _outline(found), _outline(truth)
    precision, recall = _near(ours, theirs, reach), _near(theirs, ours, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def j_and_f(found: Sequence[Mask | None], truth: Sequence[Mask], tolerance: float = TOLERANCE) -> float:
    """J&F of one object: the mean of both over its frames. The G of a set is the mean over objects.

    Raises ValueError for clips of different length, or none.
    """
    if len(found) != len(truth) or not truth:
        raise ValueError(f"{len(found)} masks cannot be compared with {len(truth)}; give as many, at least one")
    return mean([(region(f, t) + contour(f, t, tolerance)) / 2 for f, t in zip(found, truth, strict=True)])


def _outline(mask: Mask) -> Mask:
    """Pixels of a mask that touch, by a side, one outside it; what lies beyond the picture is outside."""
    padded = np.pad(np.asarray(mask, bool), 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inner, np.bool_)


def _near(these: Mask, those: Mask, reach: int) -> float:
    """Share of the pixels of one outline with one of the other within `reach` pixels."""
    import cv2

    away = cv2.distanceTransform((~those).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((away[these] <= reach + 1e-6).mean())
