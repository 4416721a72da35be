"""A limit per medium for single samples: does a number per cell fit the media, how to spread it, and if not, what stands against it.

Samples of a cell lie on many media, each of which may give a limited number: a network from media to cells. A maximum flow
(scipy.sparse.csgraph) fills it with whole numbers or shows a bottleneck: cells that together ask for more than the media
can give (max-flow min-cut). That bottleneck is one linear condition on the numbers per cell, so the integer program needs
no variables for media, only the conditions that turn out to matter (Benders' decomposition).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class Bottleneck:
    """Items of `cells` <= `of_others` + for each of `media`: the limit, less what whole items use of it."""

    cells: tuple[int, ...]
    media: frozenset[str]
    of_others: int


class MediaLimit:
    """Single samples by cell and medium; an empty name stands for all media that never reach the limit."""

    def __init__(self, there: Mapping[tuple[int, str], int], cells: int, limit: int) -> None:
        self.limit, self.cells = limit, cells
        self.keys = sorted(there)
        self.media = sorted({m for _, m in self.keys})
        place = {m: k for k, m in enumerate(self.media, start=1)}
        self._first = len(self.media) + 1
        self._sink = self._first + cells
        self._of_medium = np.array([place[m] for _, m in self.keys], dtype=np.int32)
        self._of_cell = np.array([self._first + c for c, _ in self.keys], dtype=np.int32)
        self._there = np.array([there[k] for k in self.keys], dtype=np.int32)
        self._plenty = int(self._there.sum()) + 1

    def spread(self, totals: Sequence[int], used: Mapping[str, int]) -> dict[tuple[int, str], int] | None:
        """How many of each cell from each medium, at the smallest limit that still works; None when `totals` do not fit.

        `used` is what other samples take of a medium already.
        """
        low, high = 1, self.limit
        best = self._flow(totals, used, high)[1]
        if best is None:
            return None
        while low < high:
            middle = (low + high) // 2
            found = self._flow(totals, used, middle)[1]
            low, high, best = (low, middle, found) if found is not None else (middle + 1, high, best)
        return dict(zip(self.keys, map(int, best), strict=True))

    def bottleneck(self, totals: Sequence[int], used: Mapping[str, int]) -> Bottleneck | None:
        """What stands against `totals`; None when they fit."""
        from scipy.sparse.csgraph import breadth_first_order

        residual, fits = self._flow(totals, used, self.limit)
        if fits is not None:
            return None
        reached = np.zeros(self._sink + 1, dtype=bool)
        reached[breadth_first_order(residual, 0, return_predecessors=False)] = True
        crossing = reached[self._of_medium] & ~reached[self._of_cell]
        cells = tuple(c for c in range(self.cells) if not reached[self._first + c])
        media = frozenset(m for k, m in enumerate(self.media, start=1) if not reached[k])
        return Bottleneck(cells, media, int(self._there[crossing].sum()))

    def most(self, cells: Sequence[int], without: Collection[str]) -> int:
        """How many of these cells the media can give together, some media left out."""
        first = self._first
        mine = np.isin(self._of_cell, [first + c for c in cells])
        of_medium = np.bincount(self._of_medium[mine], weights=self._there[mine], minlength=first)
        given = [
            n if not m else min(n, self.limit)
            for m, n in zip(self.media, of_medium[1:], strict=True)
            if m not in without
        ]
        return int(sum(given))

    def _flow(self, totals: Sequence[int], used: Mapping[str, int], limit: int) -> tuple[Any, Ints | None]:
        """What is left of each edge, and the flow from each medium to each cell, or None when it does not fill `totals`."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import maximum_flow

        room = [max(0, limit - used.get(m, 0)) if m else self._plenty for m in self.media]
        cells = np.arange(self._first, self._sink, dtype=np.int32)
        rows = np.concatenate([np.zeros(len(self.media), np.int32), self._of_medium, cells])
        columns = np.concatenate(
            [np.arange(1, self._first, dtype=np.int32), self._of_cell, np.full(self.cells, self._sink, np.int32)]
        )
        room_of = np.concatenate([np.array(room, np.int32), self._there, np.array(totals, np.int32)])
        graph = csr_matrix((room_of, (rows, columns)), shape=(self._sink + 1, self._sink + 1))
        result = maximum_flow(graph, 0, self._sink)
        residual = graph - result.flow
        residual.eliminate_zeros()
        if result.flow_value < sum(totals):
            return residual, None
        if not self.keys:
            return residual, np.zeros(0, np.int32)
        flow = np.asarray(result.flow[self._of_medium, self._of_cell], dtype=np.int32).ravel()
        return residual, flow
