"""How many samples to take of what, so that all quotas hold: a small integer program over kinds of samples.

Samples that must go together are one item; items that count alike (same parts, same number of samples) are one cell,
and the program chooses a number per cell. It is solved by HiGHS (scipy.optimize.milp): first as many samples as possible,
then, at that number, drawing evenly on the cells wherever the quotas leave a choice (each further eighth of a cell costs
more than the one before). A limit per medium enters as the few conditions that matter (`mixture_media.py`); only items of
several samples on a crowded medium are variables of their own. Results do not depend on the order of the items. Limits:
some hundreds of cells, some ten thousands of such items; the search ends at `NODES` nodes with the best that was found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .mixture import Share
from .mixture_media import Bottleneck, MediaLimit

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
Group = tuple[int, tuple[str, ...]]
"""Cell, and the media of an item that have more samples than they may give."""


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
        groups = Counter((self._cell[i.signature], self._media(i)) for i in self.items)
        self.whole = {g: n for g, n in sorted(groups.items()) if self._crowded and self.cells[g[0]][0] > 1}
        """Items of several samples by group, when some medium is crowded."""
        self.loose = {
            (c, media[0] if media else ""): n
            for (c, media), n in sorted(groups.items())
            if (c, media) not in self.whole
        }
        """Single samples by cell and crowded medium ("" for all others)."""
        self.limit = MediaLimit(self.loose, len(self.cells), per_medium_max or 1)
        self.bottlenecks: list[Bottleneck] = []

    def _media(self, item: Item) -> tuple[str, ...]:
        return tuple(sorted(m for m in item.media if m in self._crowded))

    def _solved(self, program: _Program, gap: float = 0.0) -> Any | None:
        """Values for which everything holds, the limit per medium too; None when there are none."""
        for known in self.bottlenecks:
            program.narrow(known)
        while True:
            found = program.solve(gap)
            if found is None or not self._crowded:
                return found
            stands = self.limit.bottleneck(*self._loose(program, found))
            if stands is None:
                return found
            self.bottlenecks.append(stands)
            program.narrow(stands)

    def _loose(self, program: _Program, found: Any) -> tuple[list[int], Counter[str]]:
        """Single samples per cell, and what whole items use of each medium."""
        totals = [round(float(v)) for v in found[: len(self.cells)]]
        used: Counter[str] = Counter()
        for (cell, media), variable in program.whole.items():
            n = round(float(found[variable]))
            totals[cell] -= n
            for medium in media:
                used[medium] += n
        return totals, used

    # -- asking -----------------------------------------------------------------------------------------------------

    def largest(self, most: int | None = None) -> int:
        """The largest number of samples (at most `most`) for which everything holds; 0 when there is none."""
        program = _Program(self)
        program.size(0, self.size if most is None else most)
        program.cost(program.n, -1.0)
        found = self._solved(program)
        return 0 if found is None else round(float(found[program.n]))

    def take(self, size: int) -> list[str] | None:
        """Names of items with `size` samples in all for which everything holds; None when there are none."""
        program = _Program(self)
        program.size(size, size)
        program.spread()
        found = self._solved(program, GAP)
        if found is None:
            return None
        number: dict[Group, int] = {g: round(float(found[v])) for g, v in program.whole.items()}
        spread = self.limit.spread(*self._loose(program, found))
        if spread is None:
            raise AssertionError("the program's numbers do not fit the media; please report this mixture")
        number |= {(cell, (medium,) if medium else ()): n for (cell, medium), n in spread.items()}
        queues: dict[Group, list[str]] = defaultdict(list)
        for item in sorted(self.items, key=lambda i: (i.rank, i.name)):
            queues[(self._cell[item.signature], self._media(item))].append(item.name)
        return sorted(name for group, queue in queues.items() for name in queue[: number[group]])

    def lacks(self, size: int) -> list[str]:
        """What is missing for `size` samples, in words: the fewest further samples that would make it work, by rule.

        Rules that allow no more than there is are named too: they keep others from filling the gap.
        """
        program, variables, found = self._with_missing(size)
        if found is None:
            odd = [f"{r.name} ({r.share})" for r in self.rules if r.share.least(size) > r.share.most(size)]
            why = f"no whole number of {size} samples is that share: {', '.join(odd)}"
            return [why if odd else "the shares contradict each other"]
        in_all, *short = (round(float(found[v])) for v in variables)
        if not in_all:
            return []
        said = [f"{in_all} of {size} samples are missing"]
        for rule, terms, n in zip(self.rules, program.parts, short, strict=True):
            least, there = rule.share.least(size), round(sum(float(found[k]) * v for k, v in terms.items()))
            if n:
                said.append(f"{rule.name}: {least} asked ({rule.share}), {least - n} possible, {n} short")
            elif rule.share.high < 1 and there >= rule.share.most(size):
                said.append(f"{rule.name}: no more than {there} allowed ({rule.share})")
        if self.size < size:
            said.append(f"there are {self.size} candidates")
        if self._crowded:
            _, free, without = Problem(self.items, self.rules)._with_missing(size)
            fewer = in_all if without is None else round(float(without[free[0]]))
            if fewer < in_all:
                said.append(f"per_medium_max is {self.cap}: without it {fewer or 'none'} would be missing")
        return said if len(said) > 1 else [*said, "pairs are taken whole"]

    def _with_missing(self, size: int) -> tuple[_Program, list[int], Any | None]:
        """The program in which samples may be missing, the variables that count them, and its values."""
        program = _Program(self)
        variables = program.size_with_missing(size)
        return program, variables, self._solved(program)


class _Program:
    """The integer program. Variables: items per cell, the number of samples, and items of several samples per group."""

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
        self.whole: dict[Group, int] = {g: self.variable(n, whole=True) for g, n in problem.whole.items()}
        self._limit_whole()
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

    def _limit_whole(self) -> None:
        """Items of several samples: their groups make up their cells, and alone they keep to the limit per medium."""
        of_cell: dict[int, dict[int, float]] = defaultdict(dict)
        of_medium: dict[str, dict[int, float]] = defaultdict(dict)
        for (cell, media), variable in self.whole.items():
            of_cell[cell][variable] = 1.0
            for medium, times in Counter(media).items():
                of_medium[medium][variable] = float(times)
        for cell, terms in of_cell.items():
            self.row({**terms, cell: -1.0}, 0, 0)
        self.mixed = frozenset(of_medium)
        """Media that hold such items. What single samples take of them is written out, which spares many bottlenecks."""
        shares: dict[int, dict[int, float]] = defaultdict(dict)
        for (cell, medium), n in self.problem.loose.items():
            if medium in self.mixed:
                variable = self.variable(n)
                shares[cell][variable] = 1.0
                of_medium[medium][variable] = 1.0
        for medium in sorted(of_medium):
            self.row(of_medium[medium], 0, float(self.problem.cap or 0))
        self.rest: dict[int, int] = {}
        """What single samples of a cell take of all other media."""
        for cell in sorted({c for c, _ in self.problem.loose} if self.mixed else ()):
            self.rest[cell] = self.variable(self.problem.limit.most([cell], self.mixed))
            self.row({**shares[cell], self.rest[cell]: 1.0, cell: -1.0}, 0, 0)

    def narrow(self, stands: Bottleneck) -> None:
        """Single samples of these cells find no more room than the bottleneck leaves."""
        terms = dict.fromkeys(stands.cells, 1.0)
        for (cell, media), variable in self.whole.items():
            inside = float(sum(m in stands.media for m in media) - (cell in terms))
            if inside:
                terms[variable] = inside
        self.row(terms, -np.inf, float(stands.of_others + len(stands.media) * (self.problem.cap or 0)))
        others = {self.rest[cell]: 1.0 for cell in stands.cells if cell in self.rest}
        if others:
            self.row(others, -np.inf, float(self.problem.limit.most(stands.cells, self.mixed)))

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
