"""How many samples to take of what, so that all quotas hold: a small integer program, and a flow that spreads over media.

Samples that must go together are one item; items that count alike (same parts, same number of samples) are one cell,
and the program chooses a number per cell. It is solved by HiGHS (scipy.optimize.milp): first as many samples as possible, then, at that
number, drawing evenly on the cells wherever the quotas leave a choice (each further eighth of a cell costs more than
the one before). A limit per medium makes each medium's use of a cell a variable too; for single samples these form a
transport problem, so they may be continuous and the picks follow from an integer flow at the smallest limit that still works. Results do
not depend on the order of the items. Limits: cells times media variables; a hundred thousand samples take seconds, while many
pairs across media make it a true integer program, which stops at `NODES` nodes with the best that was found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .mixture import Share

STEPS = 8
"""Into how many parts a cell's cost of being drawn on is divided."""
NODES = 20_000
"""Nodes of the search tree; a bound that does not depend on the machine's speed."""
GAP = 1e-3
"""How far evenness may be from the best."""
INFEASIBLE = 2
"""Status of scipy.optimize.milp."""
Signature = tuple[int, tuple[int, ...]]
"""Samples of an item, and how many of them belong to each rule."""


@dataclass(frozen=True)
class Item:
    """Samples that are taken together."""

    name: str
    rank: float
    """Items of one kind are taken by rising rank, then name."""
    media: tuple[str, ...]
    """Medium of each of its samples."""
    parts: tuple[int, ...]
    """How many of its samples belong to each rule."""

    @property
    def signature(self) -> Signature:
        return len(self.media), self.parts


@dataclass(frozen=True)
class Rule:
    """A part of the package with its share."""

    name: str
    share: Share
    column: str = ""
    """Rules of one column are about different samples; empty when they may be about the same ones."""


class Problem:
    """Items, rules, and samples per medium."""

    def __init__(self, items: Sequence[Item], rules: Sequence[Rule], per_medium_max: int | None = None) -> None:
        self.items = sorted(items, key=lambda i: i.name)
        self.rules, self.cap = tuple(rules), per_medium_max
        self.cells = sorted({i.signature for i in self.items})
        self._cell = {s: k for k, s in enumerate(self.cells)}
        self.size = sum(len(i.media) for i in self.items)
        uses: Counter[str] = Counter()
        for item in self.items:
            uses.update(item.media)
        self._crowded = {m for m, n in uses.items() if per_medium_max is not None and n > per_medium_max}

    @cached_property
    def groups(self) -> dict[tuple[int, tuple[str, ...]], int]:
        """(cell, crowded media) -> items. Media below their limit need not be told apart."""
        found = Counter((self._cell[i.signature], self._media(i)) for i in self.items)
        return dict(sorted(found.items()))

    def _media(self, item: Item) -> tuple[str, ...]:
        return tuple(sorted(m for m in item.media if m in self._crowded))

    # -- asking -----------------------------------------------------------------------------------------------------

    def largest(self, most: int | None = None) -> int:
        """The largest number of samples (at most `most`) for which everything holds; 0 when there is none."""
        program = _Program(self)
        program.size(0, self.size if most is None else most)
        program.cost(program.n, -1.0)
        found = program.solve()
        return 0 if found is None else round(float(found[program.n]))

    def take(self, size: int) -> list[str] | None:
        """Names of items with `size` samples in all for which everything holds; None when there are none."""
        program = _Program(self)
        program.size(size, size)
        program.spread()
        found = program.solve(GAP)
        if found is None:
            return None
        totals = [round(float(v)) for v in found[: len(self.cells)]]
        fixed = {g: round(float(found[v])) for g, v in program.whole.items()}
        return self._picked(totals, fixed)

    def lacks(self, size: int) -> list[str]:
        """What is missing for `size` samples, in words: the fewest further samples that would make it work, by rule.

        Rules that allow no more than there is are named too: they keep others from filling the gap.
        """
        program = _Program(self)
        missing = program.size_with_missing(size)
        found = program.solve()
        if found is None:
            odd = [f"{r.name} ({r.share})" for r in self.rules if r.share.least(size) > r.share.most(size)]
            return [
                f"no whole number of {size} samples is that share: {', '.join(odd)}"
                if odd
                else "the shares contradict each other"
            ]
        in_all, *short = (round(float(found[v])) for v in missing)
        if not in_all:
            return []
        said = [f"{in_all} of {size} samples are missing"]
        for rule, terms, n in zip(self.rules, program.parts, short, strict=True):
            least, there = rule.share.least(size), round(sum(float(found[k]) * v for k, v in terms.items()))
            if n:
                said.append(f"{rule.name}: {least} asked ({rule.share}), {least - n} possible, {n} short")
            elif rule.share.high < 1 and there >= rule.share.most(size):
                said.append(f"{rule.name}: no more than {there} allowed ({rule.share})")
        if len(said) == 1 and self.size >= size:
            said.append(f"at most {self.cap} per medium and whole pairs" if self.cap else "whole pairs")
        elif self.size < size:
            said.append(f"there are {self.size} candidates")
        return said

    # -- picking ----------------------------------------------------------------------------------------------------

    def _picked(self, totals: Sequence[int], fixed: Mapping[tuple[int, tuple[str, ...]], int]) -> list[str]:
        """Items by rank, as many per cell as `totals`, those of `fixed` groups as many as there."""
        queues: dict[tuple[int, tuple[str, ...]], list[Item]] = defaultdict(list)
        for item in sorted(self.items, key=lambda i: (i.rank, i.name)):
            queues[(self._cell[item.signature], self._media(item))].append(item)
        number: dict[tuple[int, tuple[str, ...]], int] = dict(fixed)
        left, used = list(totals), Counter[str]()
        for (cell, media), n in fixed.items():
            left[cell] -= n
            for medium in media:
                used[medium] += n
        loose = {g: n for g, n in self.groups.items() if g not in fixed}
        number |= self._spread_over_media(left, loose, used)
        return sorted(item.name for group, queue in queues.items() for item in queue[: number[group]])

    def _spread_over_media(
        self, totals: Sequence[int], loose: Mapping[tuple[int, tuple[str, ...]], int], used: Mapping[str, int]
    ) -> dict[tuple[int, tuple[str, ...]], int]:
        """Single samples of each cell over media, at the smallest limit per medium that still works."""
        low, high = 1, self.cap or 1
        best = self._flow(totals, loose, used, high)
        if best is None:
            raise AssertionError("the program's totals do not fit the media; please report this mixture")
        while low < high:
            middle = (low + high) // 2
            found = self._flow(totals, loose, used, middle)
            low, high, best = (low, middle, found) if found is not None else (middle + 1, high, best)
        return best

    def _flow(
        self,
        totals: Sequence[int],
        loose: Mapping[tuple[int, tuple[str, ...]], int],
        used: Mapping[str, int],
        limit: int,
    ) -> dict[tuple[int, tuple[str, ...]], int] | None:
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import maximum_flow

        places: dict[tuple[str, ...], int] = {
            m: k for k, m in enumerate(sorted({media for _, media in loose}), start=1)
        }
        first = len(places) + 1
        sink = first + len(self.cells)
        edges: list[tuple[int, int, int]] = []
        for media, node in places.items():
            room = max(0, limit - used.get(media[0], 0)) if media else self.size
            edges.append((0, node, room))
        edges += [(places[media], first + cell, n) for (cell, media), n in loose.items()]
        edges += [(first + cell, sink, n) for cell, n in enumerate(totals)]
        rows, columns, room_of = (np.array(v, dtype=np.int32) for v in zip(*edges, strict=True))
        graph = csr_matrix((room_of, (rows, columns)), shape=(sink + 1, sink + 1))
        result = maximum_flow(graph, 0, sink)
        if result.flow_value < sum(totals):
            return None
        flow = result.flow.tocoo()
        of_edge = {(int(r), int(c)): int(n) for r, c, n in zip(flow.row, flow.col, flow.data, strict=True)}
        return {(cell, media): of_edge.get((places[media], first + cell), 0) for cell, media in loose}


class _Program:
    """The integer program. Variables: items per cell, items per group where a medium is limited, the number of samples."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.upper: list[float] = []
        self.costs: list[float] = []
        self.integer: list[bool] = []
        self._rows: list[tuple[dict[int, float], float, float]] = []
        counts = Counter(i.signature for i in problem.items)
        for cell in problem.cells:
            self.variable(counts[cell], whole=True)
        self.n = self.variable(problem.size)
        self.whole: dict[tuple[int, tuple[str, ...]], int] = {}
        """Variables of groups whose number must itself be whole: of items with several samples."""
        if problem._crowded:
            self._limit_media()
        self.total = {k: float(cell[0]) for k, cell in enumerate(problem.cells)} | {self.n: -1.0}
        self.parts = [
            {k: float(cell[1][r]) for k, cell in enumerate(problem.cells) if cell[1][r]}
            for r in range(len(problem.rules))
        ]

    def variable(self, upper: float, *, whole: bool = False) -> int:
        self.upper.append(upper)
        self.costs.append(0.0)
        self.integer.append(whole)
        return len(self.upper) - 1

    def row(self, terms: Mapping[int, float], low: float, high: float) -> None:
        self._rows.append((dict(terms), low, high))

    def cost(self, variable: int, value: float) -> None:
        self.costs[variable] = value

    def _limit_media(self) -> None:
        problem = self.problem
        of_cell: dict[int, dict[int, float]] = defaultdict(dict)
        of_medium: dict[str, dict[int, float]] = defaultdict(dict)
        for (cell, media), n in problem.groups.items():
            whole = problem.cells[cell][0] > 1
            variable = self.variable(n, whole=whole)
            if whole:
                self.whole[(cell, media)] = variable
            of_cell[cell][variable] = 1.0
            for medium, times in Counter(media).items():
                of_medium[medium][variable] = float(times)
        for cell, terms in of_cell.items():
            self.row({**terms, cell: -1.0}, 0, 0)
        for medium in sorted(of_medium):
            self.row(of_medium[medium], 0, float(problem.cap or 0))

    def size(self, low: int, high: int) -> None:
        """Everything must hold at a size in this range."""
        self.row({self.n: 1.0}, low, high)
        self.row(self.total, 0, 0)
        for rule, terms in zip(self.problem.rules, self.parts, strict=True):
            self.row({**terms, self.n: -rule.share.low}, -rule.share.slack, np.inf)
            self.row({**terms, self.n: -rule.share.high}, -np.inf, rule.share.slack)

    def size_with_missing(self, size: int) -> list[int]:
        """The same at one size, where samples may be missing, as few as can be: the variables of all of them, then of each rule."""
        missing = self.variable(size, whole=True)
        self.cost(missing, 1.0)
        self.row({**self.total, missing: 1.0}, 0, 0)
        self.row({self.n: 1.0}, size, size)
        self.upper[self.n] = size
        of_column: dict[str, dict[int, float]] = defaultdict(dict)
        found = [missing]
        for k, (rule, terms) in enumerate(zip(self.problem.rules, self.parts, strict=True)):
            lack = self.variable(size, whole=True)
            self.cost(lack, 1e-4)
            found.append(lack)
            self.row({**terms, self.n: -rule.share.low, lack: 1.0}, -rule.share.slack, np.inf)
            self.row({**terms, self.n: -rule.share.high, lack: 1.0}, -np.inf, rule.share.slack)
            of_column[rule.column or f"#{k}"][lack] = 1.0
        for lacks in of_column.values():
            self.row({**lacks, missing: -1.0}, -np.inf, 0)
        return found

    def spread(self) -> None:
        """Each further part of a cell costs more than the part before, so that free choices draw on all cells alike."""
        counts = self.upper[: len(self.problem.cells)]
        for k, count in enumerate(counts):
            steps = [self.variable(count / STEPS) for _ in range(STEPS)]
            for j, step in enumerate(steps):
                self.cost(step, self.problem.cells[k][0] * (2 * j + 1))
            self.row({**dict.fromkeys(steps, 1.0), k: -1.0}, 0, 0)

    def solve(self, gap: float = 0.0) -> Any | None:
        """Values of all variables, or None when nothing fits."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_matrix

        where = [(r, v, c) for r, (terms, _, _) in enumerate(self._rows) for v, c in sorted(terms.items())]
        rows, columns, values = zip(*where, strict=True)
        matrix = csr_matrix((values, (rows, columns)), shape=(len(self._rows), len(self.upper)))
        low, high = (np.array([r[k] for r in self._rows]) for k in (1, 2))
        for presolve in (True, False):  # HiGHS's presolve sometimes loses its way where the plain search does not
            result = milp(
                np.array(self.costs),
                integrality=np.array(self.integer, dtype=np.int64),
                bounds=Bounds(0.0, np.array(self.upper, dtype=np.float64)),
                constraints=LinearConstraint(matrix, low, high),
                options={"node_limit": NODES, "mip_rel_gap": gap, "presolve": presolve},
            )
            if result.x is not None or result.status == INFEASIBLE:
                return result.x
        raise RuntimeError(f"the mixture was not solved: {result.message}; ask for fewer quotas")
