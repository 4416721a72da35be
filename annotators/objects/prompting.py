"""Prompts for a masklet as an interactive annotator would give them: a first one, and clicks where the answer would be wrong.

The answer that is corrected is simulated by the plainest tracker, which moves the last mask that it was shown with the object's box and
changes nothing of its shape. A click lies in the largest piece of the error, at its most inner pixel: positive where the object
was missed, negative where something else was taken. Source of the procedure: SAM 2's training, as used by SAM-I2V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...schemas.masks import Mask, encode_mask
from ...schemas.metrics_masks import region

Kind = Literal["mask", "box", "point"]


@dataclass(frozen=True)
class Prompt:
    """One prompt at a frame of its clip. Boxes and points in pixels of the mask (x right, y down; boxes are edges)."""

    frame: int
    type: Kind
    mask: Mask | None = None
    box: tuple[int, int, int, int] | None = None
    point: tuple[float, float] | None = None
    positive: bool = True

    def values(self) -> dict[str, Any]:
        """As JSON values: `{frame, type, rle | xyxy | xy, positive}`."""
        told: dict[str, Any] = {"frame": self.frame, "type": self.type, "positive": self.positive}
        if self.mask is not None:
            told["rle"] = encode_mask(self.mask)
        if self.box is not None:
            told["xyxy"] = list(self.box)
        if self.point is not None:
            told["xy"] = list(self.point)
        return told


def edges(mask: Mask) -> tuple[int, int, int, int]:
    """x1 y1 x2 y2 around what is set, pixels, half-open. Raises ValueError for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("an empty mask has no box")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def first_prompt(mask: Mask, kind: Kind) -> Prompt:
    """The prompt at the first frame: the mask itself, its box, or its most inner pixel."""
    if kind == "mask":
        return Prompt(0, kind, mask=mask)
    if kind == "box":
        return Prompt(0, kind, box=edges(mask))
    return Prompt(0, kind, point=innermost(mask))


def corrections(masks: Sequence[Mask], most: int, good: float) -> list[Prompt]:
    """Clicks at the worst frames in order of time, at most `most`, where the simulated answer has an IoU below `good`; after a click the
    answer of its frame is taken as right.
    """
    found: list[Prompt] = []
    shown = 0
    for frame in range(1, len(masks)):
        answer = carried(masks[shown], masks[frame])
        if len(found) == most or region(answer, masks[frame]) >= good:
            continue
        missed, wrong = masks[frame] & ~answer, answer & ~masks[frame]
        worst, positive = max(
            ((_largest(missed), True), (_largest(wrong), False)), key=lambda e: (int(e[0].sum()), e[1])
        )
        found.append(Prompt(frame, "point", point=innermost(worst), positive=positive))
        shown = frame if masks[frame].any() else shown
    return found


def carried(mask: Mask, now: Mask) -> Mask:
    """The mask moved so that the middle of its box is that of `now`; as it was where `now` is empty."""
    if not mask.any() or not now.any():
        return mask
    a, b = edges(mask), edges(now)
    dx, dy = round((b[0] + b[2] - a[0] - a[2]) / 2), round((b[1] + b[3] - a[1] - a[3]) / 2)
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    rows, columns = rows + dy, columns + dx
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved = np.zeros_like(mask)
    moved[rows[inside], columns[inside]] = True
    return moved


def innermost(mask: Mask) -> tuple[float, float]:
    """Centre of the pixel of the mask that is farthest from its outside, x y. Raises ValueError for an empty mask."""
    import cv2

    if not mask.any():
        raise ValueError("an empty mask has no inside")
    far = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(far)), far.shape)
    return float(x) + 0.5, float(y) + 0.5


def problems(masks: Sequence[Mask], prompts: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with the prompts of a clip: one that is not in (point), around (box) or equal to (mask) its mask, a clip whose first
    frame has no prompt or no object.
    """
    if not prompts or prompts[0]["frame"] != 0 or not masks[0].any():
        return ["the first frame has no prompt, or no object"]
    found = []
    for n, prompt in enumerate(prompts):
        if not 0 <= prompt["frame"] < len(masks):
            found.append(f"prompt {n} is at frame {prompt['frame']} of {len(masks)}")
            continue
        mask = masks[prompt["frame"]]
        if prompt["type"] == "point":
            x, y = (int(v) for v in prompt["xy"])
            inside = 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])
            if inside != prompt["positive"]:
                found.append(
                    f"prompt {n} is a {'positive' if prompt['positive'] else 'negative'} click {'inside' if inside else 'outside'}"
                )
        elif prompt["type"] == "box" and (not mask.any() or tuple(prompt["xyxy"]) != edges(mask)):
            found.append(f"prompt {n}: the box is not around the mask")
        elif prompt["type"] == "mask" and prompt["rle"] != encode_mask(mask):
            found.append(f"prompt {n}: the mask is not that of its frame")
    return found


def _largest(mask: Mask) -> Mask:
    import cv2

    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return np.asarray(pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
