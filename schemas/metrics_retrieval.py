"""Retrieval with graded relevance: nDCG and mAP as EPIC-KITCHENS' multi-instance retrieval defines them, in both directions.

Rows are queries, columns what is retrieved. nDCG uses the relevance itself, mAP counts what is fully relevant. Equal scores are
ordered by position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .metrics import mean

Floats = NDArray[np.float64]


def _ranked(scores: ArrayLike, relevance: ArrayLike) -> Floats:
    s, r = np.asarray(scores, np.float64), np.asarray(relevance, np.float64)
    if s.shape != r.shape or s.ndim != 2:
        raise ValueError(f"scores {s.shape} and relevance {r.shape} must be matrices of one shape")
    return np.take_along_axis(r, np.argsort(-s, axis=1, kind="stable"), axis=1)


def ndcg(scores: ArrayLike, relevance: ArrayLike) -> float:
    """Mean over queries [n, m] of the discounted gain, as a share of the best order's; down to as many ranks as the query has
    relevant items. Queries without any are left out; raises ValueError when all are.
    """
    ranked = _ranked(scores, relevance)
    best = -np.sort(-ranked, axis=1)
    discount = 1 / np.log2(np.arange(ranked.shape[1]) + 2)
    counted = np.arange(ranked.shape[1]) < (ranked > 0).sum(axis=1, keepdims=True)
    gain, most = ((values * discount * counted).sum(axis=1) for values in (ranked, best))
    return mean((gain[most > 0] / most[most > 0]).tolist())


def mean_average_precision(scores: ArrayLike, relevance: ArrayLike) -> float:
    """Mean over queries [n, m] of the average precision at the ranks of what has relevance 1; queries without any are left out."""
    hits = _ranked(scores, relevance) >= 1 - 1e-9
    precision = np.cumsum(hits, axis=1) / (np.arange(hits.shape[1]) + 1)
    count = hits.sum(axis=1)
    average = (precision * hits).sum(axis=1)[count > 0] / count[count > 0]
    return mean(average.tolist())


def both_ways(scores: ArrayLike, relevance: ArrayLike) -> dict[str, float]:
    """mAP and nDCG from clips (rows) to texts (columns), from texts to clips, and their means."""
    s, r = np.asarray(scores, np.float64), np.asarray(relevance, np.float64)
    found: dict[str, float] = {}
    for name, measure in (("map", mean_average_precision), ("ndcg", ndcg)):
        found[f"{name}_v2t"], found[f"{name}_t2v"] = measure(s, r), measure(s.T, r.T)
        found[name] = (found[f"{name}_v2t"] + found[f"{name}_t2v"]) / 2
    return found
