"""How alike described actions are: the mean overlap of their verb and of their noun classes, and how long a narration's clip is.

Relevance is that of EPIC-KITCHENS' multi-instance retrieval: `0.5 * (IoU of verbs + IoU of nouns)`, so it is symmetric and 1 for
equal sets. Where neither has a class of a kind that kind does not count. Windows follow EgoVLP's rule for narrations that have
a time and no span.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .span import Span, span_or_none

Classes = tuple[tuple[str, ...], tuple[str, ...]]
"""Sorted verb and noun classes."""
_CHUNK = 256
"""Rows of the matrix that are computed at once."""


def relevance(a: Classes, b: Classes) -> float:
    """How alike two sets of classes are, 0..1; 0 when there are none at all."""
    shares = [len(set(x) & set(y)) / len(set(x) | set(y)) for x, y in zip(a, b, strict=True) if x or y]
    return sum(shares) / len(shares) if shares else 0.0


def relevance_rows(signatures: Sequence[Classes]) -> list[tuple[list[int], list[float]]]:
    """For each set of classes the positions of those that are alike, ascending, and how alike they are; itself included."""
    from scipy.sparse import csr_matrix

    def members(kind: int) -> tuple[csr_matrix, np.ndarray]:
        names = {name: i for i, name in enumerate(sorted({c for s in signatures for c in s[kind]}))}
        pairs = [(row, names[c]) for row, s in enumerate(signatures) for c in s[kind]]
        at = np.asarray(pairs, np.int64).reshape(-1, 2)
        held = csr_matrix((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(len(signatures), max(1, len(names))))
        return held, np.asarray([len(s[kind]) for s in signatures])

    (verbs, n_verbs), (nouns, n_nouns) = members(0), members(1)
    out = []
    for start in range(0, len(signatures), _CHUNK):
        part = slice(start, start + _CHUNK)
        value = np.zeros((len(n_verbs[part]), len(signatures)))
        kinds = np.zeros_like(value)
        for held, count in ((verbs, n_verbs), (nouns, n_nouns)):
            shared = (held[part] @ held.T).toarray()
            union = count[part, None] + count - shared
            value += shared / np.maximum(union, 1)
            kinds += union > 0
        value = np.round(value / np.maximum(kinds, 1), 9)
        for row in value:
            others = np.flatnonzero(row)
            out.append((others.tolist(), row[others].tolist()))
    return out


def mean_gap(times: Sequence[float]) -> float | None:
    """Mean distance of a film's narrations in time, seconds; None for fewer than two different times."""
    ordered = sorted(times)
    span = ordered[-1] - ordered[0] if ordered else 0.0
    return span / (len(ordered) - 1) if span > 0 else None


def narration_window(at_s: float, gap_s: float, mean_gap_s: float, duration_s: float) -> Span | None:
    """The clip of a narration: as far around its time as `gap_s / (2 * mean_gap_s)` seconds, cut at the film's ends.

    `gap_s` is the mean gap of its own film, `mean_gap_s` that over all films (EgoVLP). None where nothing is left.
    """
    half = gap_s / (2 * mean_gap_s)
    return span_or_none(max(0.0, at_s - half), min(duration_s, at_s + half))
