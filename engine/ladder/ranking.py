"""Solvers of questions with options: a linear ranking of the options of each question, for choices and for orders.

Learned from comparisons within a question (the right option before a wrong one, the earlier item before the later), so
that what all options of a question share cancels out; a standard linear classifier on the difference of two options is
then a ranking (RankSVM: Joachims, KDD 2002). The best option, or the sorted items, are the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ...schemas.ids import seeded_fraction
from ...schemas.sample import ChoiceAnswer, OrderAnswer, PartAnswer
from .item import Item
from .style import option_style, relative
from .words import char_grams, crossed_vectors, crossings, tokens

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_WRONG = 4
"""Wrong options that a right one is compared with, at most; chosen by hash."""
STRENGTH = 0.1
"""C of the linear classifier; larger values cost time and, on questions that give nothing away, accuracy."""


class OptionTable:
    """Features of every option of some items; row `first[i] + k` is option k of item i."""

    def __init__(self, items: Sequence[Item]) -> None:
        from scipy.sparse import csr_matrix, hstack

        self.items = items
        self.first = np.cumsum([0, *(len(item.options) for item in items)])
        grams = char_grams([option for item in items for option in item.options])
        asked = char_grams([item.question for item in items])
        style, said = [], []
        for i, item in enumerate(items):
            mine = grams[self.first[i] : self.first[i + 1]]
            style.append(option_style(item.options, np.asarray((mine @ mine.T).todense())))
            said.append(relative(np.asarray((mine @ asked[i].T).todense()).ravel()))
        words = [tokens(option, whole=True) for item in items for option in item.options]
        owner = np.repeat(np.arange(len(items)), np.diff(self.first))
        questions = [tokens(item.question) for item in items]
        self.words, self.owner = words, owner
        alone = csr_matrix(np.vstack(style))
        self.options_only: csr_matrix = hstack([grams, alone], "csr")
        crossed = crossings([questions[i] for i in owner], words)
        self.question_only: csr_matrix = hstack([self.options_only, csr_matrix(np.vstack(said)), crossed], "csr")

    def with_pictures(self, vectors: np.ndarray) -> csr_matrix:
        """The features of `question_only` and those of a picture vector [items, d] crossed with the options."""
        from scipy.sparse import hstack

        return hstack([self.question_only, crossed_vectors(vectors[self.owner], self.words)], "csr")


def answer_by_ranking(
    table: OptionTable, features: csr_matrix, train: Sequence[int], test: Sequence[int], seed: int
) -> list[PartAnswer]:
    """Answers to the items `test`, learned from the items `train` (positions in `table.items`)."""
    from sklearn.svm import LinearSVC

    better, worse = _comparisons(table, train, seed)
    difference = features[better] - features[worse]
    sign = np.where(np.arange(len(better)) % 2, -1, 1)
    model = LinearSVC(C=STRENGTH, fit_intercept=False, dual=True, random_state=0, max_iter=1000, tol=1e-2)
    if len(set(sign.tolist())) < 2:
        weights = np.zeros(features.shape[1])
    else:
        weights = model.fit(difference.multiply(sign[:, None]).tocsr(), sign).coef_.ravel()
    scores = np.round(features @ weights, 6)
    answers: list[PartAnswer] = []
    for i in test:
        item, mine = table.items[i], scores[table.first[i] : table.first[i + 1]]
        answers.append(_answer(item, _best_first(item, mine.tolist(), seed)))
    return answers


def answer_by_frequency(
    items: Sequence[Item], train: Sequence[int], test: Sequence[int], seed: int
) -> list[PartAnswer]:
    """The option text that was right most often where it stood; the most frequent order of the items as listed."""
    shown: Counter[str] = Counter()
    right: Counter[str] = Counter()
    orders: Counter[tuple[int, ...]] = Counter()
    for i in train:
        item = items[i]
        if isinstance(item.answer, ChoiceAnswer):
            shown.update(item.options)
            right[item.options[item.answer.index]] += 1
        elif isinstance(item.answer, OrderAnswer):
            orders[item.answer.order] += 1
    answers: list[PartAnswer] = []
    for i in test:
        item, n = items[i], len(items[i].options)
        if item.form == "order":
            known = [(-count, order) for order, count in orders.items() if len(order) == n]
            answers.append(OrderAnswer(order=min(known)[1] if known else tuple(range(n))))
        else:
            # An option that was never shown is as likely as a guess.
            rate = [right[t] / shown[t] if shown[t] else 1 / n for t in item.options]
            answers.append(_answer(item, _best_first(item, rate, seed)))
    return answers


def _comparisons(table: OptionTable, train: Sequence[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the better and of the worse option of each comparison."""
    better, worse = [], []
    for i in train:
        item, first = table.items[i], int(table.first[i])
        match item.answer:
            case ChoiceAnswer(index=right):
                wrong = sorted((k for k in range(len(item.options)) if k != right), key=lambda k: _tie(item, k, seed))
                for k in wrong[:MOST_WRONG]:
                    better.append(first + right)
                    worse.append(first + k)
            case OrderAnswer(order=order):
                for earlier, later in combinations(order, 2):
                    better.append(first + earlier)
                    worse.append(first + later)
    return np.array(better, np.int64), np.array(worse, np.int64)


def _best_first(item: Item, values: Sequence[float], seed: int) -> list[int]:
    """Options by falling value, ties by hash."""
    return sorted(range(len(values)), key=lambda k: (-values[k], _tie(item, k, seed)))


def _tie(item: Item, option: int, seed: int) -> float:
    return seeded_fraction("ladder", seed, item.sample_id, item.part, option)


def _answer(item: Item, ranked: Sequence[int]) -> PartAnswer:
    return OrderAnswer(order=tuple(ranked)) if item.form == "order" else ChoiceAnswer(index=ranked[0])
