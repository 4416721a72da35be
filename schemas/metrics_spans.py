"""Metrics of ranked and of several spans: recall within the k best, average precision over tIoU, several true spans per query.

A query has one or several true spans and a ranked list of predicted ones. No prediction scores 0 and stays in the
denominator. Average precision follows the detection rule: predictions in order of rank, each taking the free true span of
greatest tIoU that reaches the threshold; precision is made monotone from the right before it is averaged over recall, as
QVHighlights and ActivityNet score moment retrieval. Ties in rank keep the order in which predictions are given.
"""

from __future__ import annotations

from collections.abc import Sequence

from .metrics import mean
from .span import Span, iop, tiou

MAP_LEVELS = tuple(k / 100 for k in range(50, 100, 5))
"""tIoU .50, .55 ... .95: the levels that mAP is averaged over."""


def reaches(score: float, m: float, *, strict_gt: bool = False) -> bool:
    """Whether a score counts at the threshold `m`: at least `m`, above it with `strict_gt`."""
    return score > m if strict_gt else score >= m


def best_tiou(predicted: Sequence[Span], truth: Sequence[Span], k: int | None = 1) -> float:
    """Largest tIoU of any of the first `k` predicted spans (None: all) with any true span; 0 without a prediction."""
    return max((tiou(p, t) for p in predicted[:k] for t in truth), default=0.0)


def recall_at_k(
    predicted: Sequence[Sequence[Span]],
    truth: Sequence[Sequence[Span]],
    k: int,
    m: float,
    *,
    strict_gt: bool = False,
) -> float:
    """R@k@m: share of queries with a span of tIoU >= m among the k best. Raises ValueError when lengths differ."""
    pairs = list(zip(predicted, truth, strict=True))
    return mean([float(reaches(best_tiou(p, t, k), m, strict_gt=strict_gt)) for p, t in pairs])


def average_precision(predicted: Sequence[Span], truth: Sequence[Span], m: float, *, strict_gt: bool = False) -> float:
    """Interpolated average precision of one query's ranked spans at tIoU `m`, 0..1; 1 when nothing is true or predicted."""
    if not truth:
        return float(not predicted)
    free = set(range(len(truth)))
    hits = 0
    points: list[tuple[float, float]] = []
    for rank, span in enumerate(predicted, start=1):
        best = max(free, key=lambda i: (tiou(span, truth[i]), -i), default=None)
        if best is not None and reaches(tiou(span, truth[best]), m, strict_gt=strict_gt):
            free.discard(best)
            hits += 1
            points.append((hits / len(truth), hits / rank))
    area, ceiling = 0.0, 0.0
    for number in range(len(points) - 1, -1, -1):
        recall, precision = points[number]
        ceiling = max(ceiling, precision)
        area += (recall - (points[number - 1][0] if number else 0.0)) * ceiling
    return min(1.0, area)


def mean_average_precision(
    predicted: Sequence[Span], truth: Sequence[Span], levels: Sequence[float] = MAP_LEVELS, *, strict_gt: bool = False
) -> float:
    """Average precision of one query, averaged over tIoU levels."""
    return mean([average_precision(predicted, truth, m, strict_gt=strict_gt) for m in levels])


def best_iop(predicted: Span | None, truth: Sequence[Span]) -> float:
    """Intersection over prediction with the true span that covers most of it; 0 for an unread answer (NExT-GQA)."""
    return 0.0 if predicted is None else max((iop(predicted, t) for t in truth), default=0.0)


def grounded_accuracy(right: Sequence[bool], iops: Sequence[float], m: float = 0.5) -> float:
    """Acc@GQA: share of questions answered right whose span has IoP >= m (NExT-GQA)."""
    return mean([float(ok and reaches(share, m)) for ok, share in zip(right, iops, strict=True)])
