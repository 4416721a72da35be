"""Masks as COCO run-length encoding: runs of zeros and ones in turn, column by column, zeros first, as JSON with the size.

The uncompressed form, which every reader of COCO understands: `{"size": [height, width], "counts": [...]}`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def encode_mask(mask: Mask) -> str:
    """JSON of a mask, bool [height, width]."""
    flat = np.asarray(mask, bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    counts = [0, *runs] if flat.size and flat[0] else runs
    return json.dumps({"counts": counts, "size": list(mask.shape)}, separators=(",", ":"), sort_keys=True)


def decode_mask(text: str) -> Mask:
    """The mask of its JSON, bool [height, width]. Raises ValueError when the runs do not fill the size."""
    told = json.loads(text)
    height, width = told["size"]
    counts = np.asarray(told["counts"], np.int64)
    if (counts < 0).any() or int(counts.sum()) != height * width:
        raise ValueError(f"runs of {int(counts.sum())} pixels do not fill a mask of {height} x {width}")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape((height, width), order="F")


def box_of(mask: Mask) -> tuple[float, float, float, float]:
    """Normalised x1, y1, x2, y2 around what is set. Raises ValueError for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("an empty mask has no box")
    height, width = mask.shape
    return (
        float(columns[0]) / width, float(rows[0]) / height, float(columns[-1] + 1) / width, float(rows[-1] + 1) / height,
    )  # fmt: skip


def mask_iou(a: Mask, b: Mask) -> float:
    """Intersection over union; 0 when both are empty."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 0.0
