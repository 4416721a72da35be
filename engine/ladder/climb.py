"""One task up the ladder: every baseline answers every sample of a task from what other groups of footage taught it.

Samples are solved apart by form of answer. Within a form all features are computed once and only the fits are repeated
per fold; fits run on one thread, inputs are sorted, and predictions are rounded before the best is taken, so the same
samples give the same attempts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from ...schemas.sample import PartAnswer
from .constants import Constants, interval_rewards, uniform_chance
from .folds import fold_of, too_few
from .item import RANKED, TIMED, Item
from .pictures import PICTURE_SOLVERS, PictureIndex, likeness, reduced
from .ranking import OptionTable, answer_by_frequency, answer_by_ranking
from .scoring import guess, score
from .words import char_grams

LEAST_TRAINING = 5
"""Training samples without which a fold is not answered."""


@dataclass(frozen=True)
class Attempt:
    """One answer of one solver, scored."""

    item: Item
    solver: str
    answers: tuple[PartAnswer, ...]
    """One, or those to the questions of a conversation that the solver can answer."""
    reward: float
    correct: bool
    chance: float
    fold: int


@dataclass(frozen=True)
class Rules:
    """When and how samples are held out."""

    folds: int = 5
    min_samples: int = 20
    min_groups: int = 4
    seed: int = 0


@dataclass
class Climb:
    """Attempts at one task; `withheld` says why there are none."""

    attempts: list[Attempt] = field(default_factory=list)
    withheld: str | None = None


Answers = Mapping[str, Sequence[PartAnswer | None]]
"""Solver -> answers in the order of the items that were asked for; None where it cannot answer."""
Solve = Callable[[Sequence[int], Sequence[int]], Answers]
"""(train, test) -> answers to the items `test`."""


def climb(items: Sequence[Item], rules: Rules, pictures: PictureIndex | None = None) -> Climb:
    """All attempts at the samples of one task."""
    from threadpoolctl import threadpool_limits

    items = sorted(items, key=lambda i: (i.sample_id, i.part))
    groups = [item.group for item in items]
    samples = Counter(item.sample_id for item in items)
    withheld = too_few(len(samples), len(set(groups)), rules.min_samples, rules.min_groups)
    if withheld:
        return Climb(withheld=withheld)
    folds = fold_of(groups, rules.folds, rules.seed)
    forms: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        forms[item.form].append(item)
    found: list[Attempt] = []
    with threadpool_limits(1):
        for _, members in sorted(forms.items()):
            found += _form(members, folds, rules, pictures)
    if not found:
        return Climb(withheld="too few samples of any form of answer in every fold")
    whole: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in sorted(found, key=lambda a: (a.item.sample_id, a.solver, a.item.part)):
        whole[attempt.item.sample_id, attempt.solver].append(attempt)
    return Climb([_joined(parts, samples[sample_id]) for (sample_id, _), parts in whole.items()])


def _joined(parts: Sequence[Attempt], questions: int) -> Attempt:
    """The attempts at the questions of one sample as one: mean reward; right when all questions were answered rightly."""
    first = parts[0]
    if questions == 1:
        return first
    return Attempt(
        first.item,
        first.solver,
        tuple(answer for part in parts for answer in part.answers),
        fmean(part.reward for part in parts),
        len(parts) == questions and all(part.correct for part in parts),
        fmean(part.chance for part in parts),
        first.fold,
    )


def _form(
    items: list[Item], folds: Mapping[str, int], rules: Rules, pictures: PictureIndex | None
) -> Iterator[Attempt]:
    ranked = items[0].form in RANKED
    fold = np.array([folds[item.group] for item in items])
    seen = {} if pictures is None else _seen(items, pictures)
    solve = _ranked(items, seen, rules.seed) if ranked else _constant(items, seen, rules.seed)
    uniform = uniform_chance(items) if items[0].form == TIMED else None
    for k in sorted(set(fold.tolist())):
        train, test = np.flatnonzero(fold != k).tolist(), np.flatnonzero(fold == k).tolist()
        if len(train) < LEAST_TRAINING:
            continue
        answers = solve(train, test)
        constant = [score(a, items[i].answer)[0] if a else 0.0 for i, a in zip(test, answers["prior"], strict=True)]
        for solver, given in sorted(answers.items()):
            for n, (i, answer) in enumerate(zip(test, given, strict=True)):
                if answer is None:
                    continue
                item = items[i]
                reward, correct = score(answer, item.answer)
                if item.chance is not None:
                    chance = item.chance
                elif ranked:
                    chance = guess(item.answer, len(item.options))
                else:
                    chance = constant[n] if uniform is None else float(uniform[i])
                yield Attempt(item, solver, (answer,), reward, correct, chance, k)


def _seen(items: Sequence[Item], pictures: PictureIndex) -> dict[str, tuple[list[int], np.ndarray]]:
    """Per picture solver: which items it sees, and what of them."""
    found = {}
    for solver in PICTURE_SOLVERS:
        vectors = [pictures.seen(solver, item) for item in items]
        which = [i for i, v in enumerate(vectors) if v is not None]
        if which:
            found[solver] = which, reduced([v for v in vectors if v is not None])
    return found


def _ranked(items: Sequence[Item], seen: Mapping[str, tuple[list[int], np.ndarray]], seed: int) -> Solve:
    table = OptionTable(items)
    tables = {}
    for solver, (which, vectors) in seen.items():
        part = table if len(which) == len(items) else OptionTable([items[i] for i in which])
        tables[solver] = part, part.with_pictures(vectors), {i: n for n, i in enumerate(which)}

    def solve(train: Sequence[int], test: Sequence[int]) -> Answers:
        answers: dict[str, Sequence[PartAnswer | None]] = {
            "prior": answer_by_frequency(items, train, test, seed),
            "options_only": answer_by_ranking(table, table.options_only, train, test, seed),
            "question_only": answer_by_ranking(table, table.question_only, train, test, seed),
        }
        for solver, (part, features, place) in tables.items():
            known = [place[i] for i in train if i in place]
            asked = [place[i] for i in test if i in place]
            if len(known) < LEAST_TRAINING or not asked:
                continue
            given = dict(zip(asked, answer_by_ranking(part, features, known, asked, seed), strict=True))
            answers[solver] = [given[place[i]] if i in place else None for i in test]
        return answers

    return solve


def _constant(items: Sequence[Item], seen: Mapping[str, tuple[list[int], np.ndarray]], seed: int) -> Solve:
    grid = interval_rewards(items) if items[0].form == TIMED else None
    grams = char_grams([item.question for item in items])
    lengths = np.array([[np.log(i.window.length_s), np.log(1 + len(i.question))] for i in items])
    lengths = (lengths - lengths.mean(axis=0)) / np.maximum(lengths.std(axis=0), 1e-9)
    question = (np.asarray((grams @ grams.T).todense()) + likeness(lengths)) / 2

    def solve(train: Sequence[int], test: Sequence[int]) -> Answers:
        constants = Constants(items, train, seed, grid)
        answers: dict[str, Sequence[PartAnswer | None]] = {
            "prior": constants.prior(test),
            "question_only": constants.learned(question, test),
        }
        if grid is not None:
            answers["fixed_interval"] = constants.fixed(test)
        for solver, (which, vectors) in seen.items():
            place = {i: n for n, i in enumerate(which)}
            known, asked = [i for i in train if i in place], [i for i in test if i in place]
            if len(known) < LEAST_TRAINING or not asked:
                continue
            kernel = np.zeros((len(items), len(items)))
            kernel[np.ix_(which, which)] = (question[np.ix_(which, which)] + likeness(vectors)) / 2
            part = constants if len(known) == len(train) else Constants(items, known, seed, grid)
            given = dict(zip(asked, part.learned(kernel, asked), strict=True))
            answers[solver] = [given.get(i) for i in test]
        return answers

    return solve
