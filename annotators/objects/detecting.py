"""What every detector gives, and what is made of it: one box per thing, under the query that fits it best.

A detector scores each region of a picture against each query. All else is common: the best score of a query in a picture is kept
even where it is low, a region counts once (suppression within and across queries), boxes are cut at the picture's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...schemas.box import Box, iou
from .stills import Still

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Regions:
    """Regions of a picture: edges in pixels [n, 4] (x1 y1 x2 y2), and scores [n, queries], 0..1."""

    boxes: Floats
    scores: Floats

    def __post_init__(self) -> None:
        if self.boxes.shape[1:] != (4,) or len(self.boxes) != len(self.scores):
            raise ValueError(f"{self.boxes.shape} boxes with {self.scores.shape} scores; give [n, 4] and [n, queries]")


class Detector(Protocol):
    """A loaded detector."""

    @property
    def model_name(self) -> str:
        """Name for rows: detector and weights."""

    def regions(self, stills: Sequence[Still], queries: Sequence[str]) -> list[Regions]:
        """Regions of each picture, in order; a picture may have none."""


@dataclass(frozen=True)
class Found:
    """A thing in a picture."""

    query: int
    box: Box
    score: float


def no_regions(queries: int) -> Regions:
    """A picture in which nothing was proposed."""
    return Regions(np.zeros((0, 4)), np.zeros((0, queries)))


def best_scores(regions: Regions) -> Floats:
    """Highest score of each query, [queries]; 0 where there is no region."""
    if not len(regions.scores):
        return np.zeros(regions.scores.shape[1])
    return np.asarray(regions.scores.max(axis=0), np.float64)


def chosen(
    regions: Regions,
    width: int,
    height: int,
    threshold: ArrayLike,
    nms_iou: float,
    across_iou: float,
    per_query: int,
) -> list[Found]:
    """What is kept, best first: each region under its best query if that reaches its threshold (one, or one per query);
    of two boxes of one query with IoU above `nms_iou`, and of two boxes of different queries with IoU above `across_iou`, the
    better one; at most `per_query` of a query.
    """
    if not len(regions.scores):
        return []
    limits = np.broadcast_to(np.asarray(threshold, np.float64), (regions.scores.shape[1],))
    query = regions.scores.argmax(axis=1)
    score = regions.scores[np.arange(len(query)), query]
    kept: list[Found] = []
    counts = [0] * len(limits)
    for i in np.lexsort((np.arange(len(score)), -score)).tolist():
        q = int(query[i])
        if score[i] < limits[q] or counts[q] >= per_query:
            continue
        x1, y1, x2, y2 = (float(v) for v in regions.boxes[i])
        box = Box.from_pixels(x1, y1, x2, y2, width, height)
        if box is None or any(iou(box, k.box) > (nms_iou if k.query == q else across_iou) for k in kept):
            continue
        kept.append(Found(q, box, float(score[i])))
        counts[q] += 1
    return kept
