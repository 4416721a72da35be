"""Solvers of questions without options: a set of candidate answers, and a regression of the reward that each would earn.

For every training sample the reward of every candidate is known, so a kernel ridge regression from the question (and a
picture vector) to those rewards picks the candidate that promises most; without features that is the best constant.
Candidates are a grid of intervals of the window (and "it does not happen"), or answers of the training samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil, floor
from statistics import median

import numpy as np

from ...schemas.ids import seeded_fraction
from ...schemas.metrics_spatial import MRA_SHARES
from ...schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    NumberAnswer,
    PartAnswer,
    SpanAnswer,
    SpanBoxAnswer,
    TextAnswer,
    TubeAnswer,
)
from .item import Item
from .scoring import score, spans_of

STEPS = 20
"""Intervals of the grid begin and end at multiples of 1/20 of the window."""
GRID = tuple((a / STEPS, b / STEPS) for a in range(STEPS) for b in range(a + 1, STEPS + 1))
MOST_CANDIDATES = 32
"""Answers of training samples that are candidates, at most."""
RIDGE = 0.5
"""Regularisation, relative to kernels with a diagonal of one."""


def shares(item: Item) -> list[tuple[float, float]]:
    """The spans of the truth as shares of the window."""
    start, length = item.window.start_s, item.window.length_s
    return [((s.start_s - start) / length, (s.end_s - start) / length) for s in spans_of(item.answer)]


def interval_rewards(items: Sequence[Item]) -> np.ndarray:
    """[n, 211]: tIoU of every interval of the grid with the truth, and last the reward of "it does not happen"."""
    low, high = np.array(GRID).T
    made = np.zeros((len(items), len(GRID) + 1))
    for row, item in zip(made, items, strict=True):
        spans = shares(item)
        if not spans:
            row[-1] = 1
            continue
        common = sum(np.clip(np.minimum(high, b) - np.maximum(low, a), 0, None) for a, b in spans)
        row[:-1] = common / (high - low + sum(b - a for a, b in spans) - common)
    return made


def interval_answer(item: Item, candidate: int) -> PartAnswer:
    """Candidate `candidate` of the grid on the clock of the item's first medium."""
    if candidate == len(GRID):
        return AbsentAnswer()
    return _placed(item, *GRID[candidate])


def _placed(item: Item, low: float, high: float) -> PartAnswer:
    window = item.window
    return SpanAnswer(
        start_s=round(window.start_s + low * window.length_s, 6), end_s=round(window.start_s + high * window.length_s, 6)
    )  # fmt: skip


def uniform_chance(items: Sequence[Item]) -> np.ndarray:
    """[n]: reward of the one answer that were best if spans like these lay anywhere in their windows.

    What a fixed answer earns when places give nothing away: the reference for spans. The spans of a sample are moved
    together to 20 places, evenly from one end of the window to the other. Samples in which it does not happen earn 1 from
    "it does not happen", if that is the best answer.
    """
    found = [shares(item) for item in items]
    happens = np.array([bool(spans) for spans in found])
    most = max((len(spans) for spans in found), default=0)
    starts, ends = np.zeros((2, len(items), 1, max(1, most)))
    for row, spans in enumerate(found):
        for n, (low, high) in enumerate(spans):
            starts[row, 0, n], ends[row, 0, n] = low - spans[0][0], high - spans[0][0]
    total = (ends - starts).sum(axis=2)
    slack = np.clip(1 - ends.max(axis=2, keepdims=True), 0, None)
    moved = (np.arange(STEPS)[None, :, None] + 0.5) / STEPS * slack
    expected = np.zeros((len(items), len(GRID)))
    for column, (low, high) in zip(expected.T, GRID, strict=True):
        common = np.clip(np.minimum(high, ends + moved) - np.maximum(low, starts + moved), 0, None).sum(axis=2)
        column[:] = (common / (high - low + total - common)).mean(axis=1) * happens
    best = int(expected.mean(axis=0).round(9).argmax())
    if (~happens).mean() >= expected[:, best].mean():
        return (~happens).astype(float)
    return expected[:, best]


class Constants:
    """Candidates for the items of one form (no options), learned from the items `train`."""

    def __init__(self, items: Sequence[Item], train: Sequence[int], seed: int, grid: np.ndarray | None) -> None:
        self.items, self.train = items, list(train)
        self.grid = grid
        if grid is not None:
            self.rewards = grid[self.train]
            self.candidates: list[Item] = []
        else:
            self.candidates = _candidates([items[i] for i in train], seed)
            self.rewards = _rewards(self.candidates, [items[i] for i in train])

    def answer(self, i: int, candidate: int) -> PartAnswer:
        """A candidate as the answer to item i."""
        if self.grid is not None:
            return interval_answer(self.items[i], candidate)
        return _moved(self.candidates[candidate], self.items[i])

    def prior(self, test: Sequence[int]) -> list[PartAnswer]:
        """The most frequent answer: for spans "it does not happen" if most do not, else the median interval; else the
        best constant.
        """
        if self.grid is None:
            return [self.answer(i, _best(self.rewards.mean(axis=0))) for i in test]
        found = [spans for i in self.train if (spans := shares(self.items[i]))]
        if 2 * len(found) < len(self.train):
            return [AbsentAnswer() for _ in test]
        low, high = median(s[0][0] for s in found), median(s[-1][1] for s in found)
        return [_placed(self.items[i], low, high) for i in test]

    def fixed(self, test: Sequence[int]) -> list[PartAnswer]:
        """The best interval of the grid."""
        best = _best(self.rewards[:, : len(GRID)].mean(axis=0))
        return [self.answer(i, best) for i in test]

    def learned(self, kernel: np.ndarray, test: Sequence[int]) -> list[PartAnswer]:
        """The candidate that promises most by kernel ridge regression; `kernel` [n, n] is about all items."""
        from sklearn.kernel_ridge import KernelRidge

        mean = self.rewards.mean(axis=0)
        model = KernelRidge(alpha=RIDGE, kernel="precomputed")
        model.fit(kernel[np.ix_(self.train, self.train)], self.rewards - mean)
        promised = mean + model.predict(kernel[np.ix_(list(test), self.train)])
        return [self.answer(i, _best(row)) for i, row in zip(test, promised, strict=True)]


def _best(promised: np.ndarray) -> int:
    return int(np.round(promised, 6).argmax())


def _candidates(train: Sequence[Item], seed: int) -> list[Item]:
    """Training items whose answers are tried: the most frequent texts, quantiles of numbers, places chosen by hash."""
    if isinstance(train[0].answer, NumberAnswer):
        by_value = sorted(train, key=lambda t: (t.answer.value, t.sample_id))  # type: ignore[union-attr]
        picked = np.unique(np.linspace(0, len(by_value) - 1, MOST_CANDIDATES).round().astype(int))
        chosen = [by_value[i] for i in picked]
    elif isinstance(train[0].answer, TextAnswer):
        counts = Counter(t.answer.text for t in train)  # type: ignore[union-attr]
        texts = sorted(counts, key=lambda t: (-counts[t], t))[:MOST_CANDIDATES]
        first = {t.answer.text: t for t in sorted(train, key=lambda t: t.sample_id, reverse=True)}  # type: ignore[union-attr]
        chosen = [first[text] for text in texts]
    else:
        chosen = sorted(train, key=lambda t: (seeded_fraction("candidate", seed, t.sample_id), t.sample_id))
    return chosen[:MOST_CANDIDATES]


def _rewards(candidates: Sequence[Item], train: Sequence[Item]) -> np.ndarray:
    """[training samples, candidates]: what each candidate would earn."""
    if not isinstance(train[0].answer, NumberAnswer):
        return np.array([[score(_moved(c, item), item.answer)[0] for c in candidates] for item in train])
    said, true = (np.array([i.answer.value for i in items]) for items in (candidates, train))  # type: ignore[union-attr]
    error = np.abs(said[None, :] - true[:, None]) / np.maximum(np.abs(true)[:, None], 1e-12)
    return (error[..., None] <= np.array(MRA_SHARES, np.float64) + 1e-9).mean(axis=2)


def _moved(candidate: Item, item: Item) -> PartAnswer:
    """The answer of `candidate`, its times at the same shares of the window of `item`."""
    answer = candidate.answer
    if isinstance(answer, SpanBoxAnswer):
        (low, high), *_ = shares(candidate)
        placed = _placed(item, low, high)
        assert isinstance(placed, SpanAnswer)
        return SpanBoxAnswer(start_s=placed.start_s, end_s=placed.end_s, box=answer.box)
    if isinstance(answer, BoxAnswer) and isinstance(item.answer, BoxAnswer):
        return BoxAnswer(t_s=item.answer.t_s, box=answer.box)
    if isinstance(answer, TubeAnswer) and isinstance(item.answer, TubeAnswer):
        return _moved_tube(candidate, answer, item, item.answer)
    return answer


def _moved_tube(candidate: Item, tube: TubeAnswer, item: Item, asked: TubeAnswer) -> TubeAnswer:
    """The boxes of `tube`, first to last, at the times that the question names; where it asks for the span too, at the
    times of the same rhythm that lie in the same share of the window.
    """
    times = [t for t, *_ in asked.boxes]
    start, end = asked.start_s, asked.end_s
    if asked.said == "both":
        (low, high), *_ = shares(candidate)
        placed = _placed(item, low, high)
        assert isinstance(placed, SpanAnswer)
        start, end = placed.start_s, placed.end_s
        step = times[1] - times[0] if len(times) > 1 else item.window.length_s
        first = ceil((start - times[0]) / step - 1e-9)
        count = max(1, floor((end - times[0]) / step + 1e-9) - first + 1)
        times = [round(times[0] + (first + k) * step, 6) for k in range(count)]
    picked = [tube.boxes[round(k * (len(tube.boxes) - 1) / max(1, len(times) - 1))] for k in range(len(times))]
    boxes = tuple((t, *box[1:]) for t, box in zip(times, picked, strict=True))
    return TubeAnswer(start_s=start, end_s=end, boxes=boxes, said=asked.said)
