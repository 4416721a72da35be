"""Letters are balanced, name the right option, and depend on the set of samples only."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from types import SimpleNamespace

import pytest
from chronotope.outputs.letters import permutation, ranks, shown_order
from chronotope.schemas.sample import OrderAnswer


def keys(samples: list) -> list[tuple[str, str, int]]:
    return [(s.sample_id, s.task, len(s.options)) for s in samples]


@pytest.mark.parametrize("options", [2, 3, 4, 5])
def test_each_letter_is_right_equally_often(make: SimpleNamespace, options: int) -> None:
    samples = [make.choice("m", i, options) for i in range(43)]
    rank = ranks(keys(samples), seed=0)
    places = Counter(shown_order(s, rank[s.sample_id], 0).index(0) for s in samples)
    assert len(places) == options
    assert max(places.values()) - min(places.values()) <= 1


def test_balance_holds_within_each_task_and_number_of_options(make: SimpleNamespace) -> None:
    samples = [make.choice("m", i, 3 + i % 2, task=f"t{i % 3}") for i in range(100)]
    rank = ranks(keys(samples), seed=7)
    places: dict[tuple[str, int], Counter[int]] = {}
    for s in samples:
        places.setdefault((s.task, len(s.options)), Counter())[shown_order(s, rank[s.sample_id], 7).index(0)] += 1
    assert len(places) == 6
    for (_, n), counts in places.items():
        assert max(counts[i] for i in range(n)) - min(counts[i] for i in range(n)) <= 1


def test_letters_depend_on_the_set_and_the_seed_only(make: SimpleNamespace) -> None:
    samples = [make.choice("m", i) for i in range(20)]
    assert ranks(keys(samples), 0) == ranks(keys(samples[::-1]), 0)
    assert ranks(keys(samples), 0) != ranks(keys(samples), 1)
    others = [make.ordering("m", i) for i in range(5)]
    together = ranks(keys(samples + others), 0)
    assert {s.sample_id: together[s.sample_id] for s in samples} == ranks(keys(samples), 0)


def test_wrong_options_do_not_keep_their_canonical_order(make: SimpleNamespace) -> None:
    samples = [make.choice("m", i) for i in range(60)]
    rank = ranks(keys(samples), 0)
    orders = Counter(tuple(i for i in shown_order(s, rank[s.sample_id], 0) if i) for s in samples)
    assert len(orders) == 6, "every order of the three wrong options occurs"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_every_permutation_has_one_number(n: int) -> None:
    total = len(list(permutations(range(n))))
    found = [permutation(i, n) for i in range(total)]
    assert set(found) == set(permutations(range(n)))
    assert permutation(total, n) == found[0]


def test_answers_of_orderings_are_uniform_over_permutations(make: SimpleNamespace) -> None:
    samples = [make.ordering("m", i, 3) for i in range(62)]
    rank = ranks(keys(samples), 0)
    answers = Counter(_letters(s, rank[s.sample_id]) for s in samples)
    assert len(answers) == 6
    assert max(answers.values()) - min(answers.values()) <= 1


def test_few_orderings_of_many_items_still_begin_with_every_letter(make: SimpleNamespace) -> None:
    samples = [make.ordering("m", i, 6) for i in range(30)]
    rank = ranks(keys(samples), 0)
    for place in range(6):
        assert Counter(_letters(s, rank[s.sample_id])[place] for s in samples) == dict.fromkeys(range(6), 5)


def test_reading_the_options_by_their_letters_gives_the_right_order(make: SimpleNamespace) -> None:
    for number, order in enumerate(permutations(range(4))):
        sample = make.ordering("m", number, 4).model_copy(update={"answer": OrderAnswer(order=order)})
        shown = shown_order(sample, number, 0)
        assert [shown[place] for place in _letters(sample, number)] == list(order)


def _letters(sample: object, rank: int) -> tuple[int, ...]:
    """The answer as places of letters, read off what is shown."""
    shown = shown_order(sample, rank, 0)  # type: ignore[arg-type]
    return tuple(shown.index(item) for item in sample.answer.order)  # type: ignore[attr-defined]
