"""Places as cells: cubes of a grid, and Morton keys that put the eight cells of a larger cube next to each other.

A key holds up to 21 bits per axis. The parent of a cell is its key shifted by three bits, so that a tree needs no pointers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
MOST_LEVELS = 21


def cells(points: ArrayLike, edge: float, origin: ArrayLike = (0.0, 0.0, 0.0)) -> Ints:
    """Integer cells [..., 3] of points [..., 3] in a grid of cubes with that edge, counted from the origin."""
    if not edge > 0:
        raise ValueError(f"cells with an edge of {edge} make no sense; it must be positive")
    return np.asarray(np.floor((np.asarray(points, np.float64) - np.asarray(origin)) / edge), np.int64)


def morton(cell: ArrayLike) -> Ints:
    """Keys [...] of cells [..., 3], bits interleaved with x lowest. Raises ValueError for a negative or too large cell."""
    ints = np.asarray(cell, np.int64)
    if ints.size and (ints.min() < 0 or ints.max() >= 1 << MOST_LEVELS):
        raise ValueError(f"cells must lie in 0..{(1 << MOST_LEVELS) - 1}, not {ints.min()}..{ints.max()}")
    key = np.zeros(ints.shape[:-1], np.int64)
    for bit in range(MOST_LEVELS):
        for axis in range(3):
            key |= (ints[..., axis] >> bit & 1) << (3 * bit + axis)
    return key


def unmorton(key: ArrayLike) -> Ints:
    """Cells [..., 3] of keys [...]."""
    keys = np.asarray(key, np.int64)
    out = np.zeros((*keys.shape, 3), np.int64)
    for bit in range(MOST_LEVELS):
        for axis in range(3):
            out[..., axis] |= (keys >> (3 * bit + axis) & 1) << bit
    return out


def parent(key: ArrayLike, levels: int = 1) -> Ints:
    """Keys of the cells that hold these ones, so many levels up."""
    return np.asarray(np.asarray(key, np.int64) >> (3 * levels))


@dataclass(frozen=True)
class Root:
    """The cube at the root of a tree: leaves of `edge` metres, 2 ** `levels` of them along each axis, from `origin`."""

    origin: tuple[float, float, float]
    edge: float
    levels: int

    def keys(self, points: ArrayLike) -> Ints:
        """Keys of the leaves that hold points [..., 3]."""
        return morton(cells(points, self.edge, self.origin))

    def centre(self, key: int, level: int = 0) -> NDArray[np.float64]:
        """Centre of a cell so many levels above the leaves, world metres, [3]."""
        edge = self.edge * 2**level
        return np.asarray(np.asarray(self.origin) + (unmorton(key) + 0.5) * edge)


def root_of(points: ArrayLike, edge: float) -> Root:
    """The smallest such cube around points [n, 3]; its origin lies on the world's grid, so that it moves in whole cells only."""
    found = cells(np.asarray(points, np.float64).reshape(-1, 3), edge)
    if not len(found):
        raise ValueError("no points to put a tree around")
    lo, hi = found.min(axis=0), found.max(axis=0)
    levels = int(np.ceil(np.log2(max(int((hi - lo).max()) + 1, 1))))
    x, y, z = (float(v) * edge for v in lo)
    return Root((x, y, z), edge, levels)
