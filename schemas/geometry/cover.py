"""Which frames show most of a room: greedy maximum coverage of the cells that they see (Spatial-MLLM's sampling).

Greedy reaches at least 1 - 1/e of the best choice (G. Nemhauser et al., 1978). The lowest index wins ties; when nothing new is
left, the frames farthest in time from those chosen fill up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .cells import Ints, cells, morton


@dataclass(frozen=True)
class Cover:
    """What was chosen; indices ascending."""

    frames: tuple[int, ...]
    greedy: tuple[int, ...]
    """Those that added something, in the order in which they were taken."""
    covered: int
    total: int

    @property
    def share(self) -> float:
        """Share of all cells that the chosen frames see; 1 where there is nothing to see."""
        return self.covered / self.total if self.total else 1.0


def cell_edge(points: ArrayLike, parts: int = 20) -> float:
    """Edge of a cell: the smallest side of the box around points [n, 3], in `parts`. Raises ValueError for a flat cloud."""
    edge = float(np.ptp(np.asarray(points, np.float64).reshape(-1, 3), axis=0).min()) / parts
    if edge <= 0:
        raise ValueError("a flat cloud of points has no smallest side; give the edge of the cells")
    return edge


def cells_seen(clouds: Sequence[ArrayLike], edge: float) -> list[Ints]:
    """Keys of the cells that the points [n, 3] of each frame fall into, from the common least corner."""
    arrays = [np.asarray(c, np.float64).reshape(-1, 3) for c in clouds]
    filled = [a for a in arrays if len(a)]
    if not filled:
        return [np.zeros(0, np.int64) for _ in arrays]
    origin = np.min([a.min(axis=0) for a in filled], axis=0)
    return [np.unique(morton(cells(a, edge, origin))) for a in arrays]


def greedy_cover(seen: Sequence[ArrayLike], k: int, times: Sequence[float] | None = None) -> Cover:
    """Up to `k` frames, given the integer keys that each sees; `times` (default: the index) only matter for filling up."""
    if k < 0:
        raise ValueError(f"{k} frames cannot be chosen")
    every, position = np.unique(
        np.concatenate([np.zeros(0, np.int64), *(np.asarray(s, np.int64) for s in seen)]), return_inverse=True
    )
    ends = np.cumsum([len(np.asarray(s)) for s in seen])
    own = np.split(position, ends[:-1]) if len(seen) else []
    open_ = np.ones(len(every), bool)
    taken: list[int] = []
    while len(taken) < min(k, len(own)):
        gains = [len(np.unique(cells_[open_[cells_]])) for cells_ in own]
        best = int(np.argmax(gains))
        if gains[best] == 0:
            break
        taken.append(best)
        open_[own[best]] = False
    greedy, at = tuple(taken), list(range(len(own))) if times is None else [float(t) for t in times]
    while len(taken) < min(k, len(own)):
        left = [i for i in range(len(own)) if i not in taken]
        taken.append(max(left, key=lambda i: (min((abs(at[i] - at[j]) for j in taken), default=0.0), -i)))
    return Cover(tuple(sorted(taken)), greedy, int((~open_).sum()), len(every))
