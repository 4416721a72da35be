"""How well a mask agrees with another: J (region, IoU) and F (outline), and both over a clip, after DAVIS.

An outline pixel is right when the other outline has one within `tolerance` of the picture's diagonal. Two empty masks agree fully:
an object that is not seen, and is not drawn, is right. Source: F. Perazzi et al. (2016), definitions only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .masks import Mask, mask_iou

TOLERANCE = 0.008
"""Share of the diagonal, as DAVIS has it."""


def region(a: Mask, b: Mask) -> float:
    """J: intersection over union; 1 when both are empty."""
    return 1.0 if not a.any() and not b.any() else mask_iou(a, b)


def outline(mask: Mask) -> Mask:
    """Pixels of the mask with a 4-neighbour outside of it; the picture's edge is outside."""
    padded = np.pad(np.asarray(mask, bool), 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inner, np.bool_)


def contour(a: Mask, b: Mask, tolerance: float = TOLERANCE) -> float:
    """F: harmonic mean of the shares of both outlines that lie near the other; 1 when both are empty."""
    first, second = outline(a), outline(b)
    if not first.any() or not second.any():
        return float(first.any() == second.any())
    reach = max(1, int(np.ceil(tolerance * float(np.hypot(*a.shape)))))
    precision = float((first & _grown(second, reach)).sum() / first.sum())
    recall = float((second & _grown(first, reach)).sum() / second.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def j_and_f(found: Sequence[Mask], truth: Sequence[Mask]) -> float:
    """Mean of J and F over a clip. Raises ValueError for clips of different length, or none."""
    if len(found) != len(truth) or not truth:
        raise ValueError(f"{len(found)} masks cannot be compared with {len(truth)}; give as many, at least one")
    both = [(region(a, b) + contour(a, b)) / 2 for a, b in zip(found, truth, strict=True)]
    return float(np.mean(both))


def _grown(mask: Mask, reach: int) -> NDArray[np.bool_]:
    """Pixels within `reach` of the mask."""
    found = np.zeros(mask.shape, bool)
    height, width = mask.shape
    padded = np.pad(mask, reach)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= reach * reach:
                found |= padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    return found
