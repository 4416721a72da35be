"""Masks as COCO and SAM write them: polygons, runs, or runs packed into text (which pycocotools unpacks)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ...engine.importing import ImportProblem
from ...schemas.masks import Mask, decode_mask


def mask_of(said: Any, height: int, width: int) -> Mask | None:
    """bool [height, width] of a `segmentation`; None where it says nothing. Raises ValueError for runs that do not fit."""
    if not said:
        return None
    if isinstance(said, dict) and isinstance(said.get("counts"), list):
        return decode_mask(json.dumps(said))
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise ImportProblem(
            "packed masks and polygons are read by pycocotools; pip install 'chronotope[scans]'"
        ) from None
    if isinstance(said, dict):
        counts = said["counts"]
        runs = {"size": said["size"], "counts": counts.encode("ascii") if isinstance(counts, str) else counts}
    else:
        runs = coco.merge(coco.frPyObjects([[float(v) for v in polygon] for polygon in said], height, width))
    return np.asarray(coco.decode(runs), bool)
