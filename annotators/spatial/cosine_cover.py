"""Few vectors that stand for many: M3's cosine cover, with a second pass for what its skip rule leaves uncovered.

Vectors are scanned in order; one joins when neither it nor any vector within reach of it has been marked, and joining marks all
within its reach (`lmm/clip/fea2mem.py`). So clusters get one component each, but a vector may stay out of every component's
reach while its neighbours are marked: the second pass takes these in order until all are covered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Cover:
    """Components of n vectors."""

    chosen: tuple[int, ...]
    """Indices of the vectors that became components: those of the first pass, then those of the second."""
    first: int
    """How many the first pass took."""
    nearest: NDArray[np.int64]
    """[n]: number of the component that is nearest to each vector."""
    cosine: NDArray[np.float64]
    """[n]: cosine with it; at least the reach, for every vector."""


def cosine_cover(vectors: ArrayLike, reach: float = 0.90) -> Cover:
    """Components of vectors [n, d] of any length, so that each has one with at least cosine `reach`.

    Zero vectors are like nothing but themselves. Memory grows with n squared: a few thousand are meant.
    """
    given = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(given, axis=1, keepdims=True)
    unit = given / np.where(lengths > 0, lengths, 1.0)
    alike = unit @ unit.T
    np.fill_diagonal(alike, 1.0)
    near = alike >= reach
    marked = np.zeros(len(unit), bool)
    chosen: list[int] = []
    for i in range(len(unit)):
        if not marked[i] and not (near[i] & marked).any():
            chosen.append(i)
            marked |= near[i]
    first = len(chosen)
    for i in range(len(unit)):
        if not marked[i]:
            chosen.append(i)
            marked |= near[i]
    if not chosen:
        return Cover((), 0, np.zeros(0, np.int64), np.zeros(0))
    table = alike[:, chosen]
    nearest = np.argmax(table, axis=1).astype(np.int64)
    return Cover(tuple(chosen), first, nearest, table[np.arange(len(unit)), nearest])
