"""What masks say of each box: its share of the picture, its distance, the sides that cut it, and what nearer things hide of it.

Which thing is nearer is known from depth only. What lies in a thing's box and belongs to the mask of a nearer one is counted
as hidden: an estimate, for nobody knows the outline of what cannot be seen. Without depths visibility stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.box import Box
from ...schemas.masks import Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """What is known of one thing in one picture."""

    area: float
    depth_m: float | None
    truncated: int
    visibility: float | None


def told(boxes: Sequence[Box], masks: Sequence[Mask], depth: Floats | None) -> list[Told]:
    """One entry per thing. `depth` [height, width] is of the masks' size, NaN where unknown; None: there is no map of this time."""
    far = [_depth(mask, depth) for mask in masks]
    found = []
    for k, (box, mask) in enumerate(zip(boxes, masks, strict=True)):
        height, width = mask.shape
        sides = int(mask[0].any()) + int(mask[-1].any()) + int(mask[:, 0].any()) + int(mask[:, -1].any())
        visibility: float | None = None
        mine = far[k]
        if mine is not None and mask.any() and not sides:
            x1, y1, x2, y2 = (round(v) for v in box.to_pixels(width, height))
            hidden = np.zeros(mask.shape, bool)
            for j, other in enumerate(masks):
                theirs = far[j]
                if j != k and theirs is not None and theirs < mine:
                    hidden |= other
            own, over = int(mask.sum()), int((hidden & ~mask)[y1:y2, x1:x2].sum())
            visibility = round(own / (own + over), 6)
        found.append(Told(float(mask.mean()), mine, sides, visibility))
    return found


def _depth(mask: Mask, depth: Floats | None) -> float | None:
    if depth is None or not mask.any():
        return None
    known = depth[mask]
    known = known[np.isfinite(known)]
    return round(float(np.median(known)), 6) if len(known) else None
