"""The solver of mixtures against brute force: largest sizes, quotas up to rounding, caps, determinism, and what is short."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from chronotope.outputs.mixture import Mixture, Quota, Share, share_of
from chronotope.outputs.mixture_solver import Item, Problem, Rule
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

SHARES = ("0.25", "0.5", "0.34", ">=0.3", "<=0.4", "0.2..0.6", ">=0.9")


def singles(kinds: list[tuple[int, ...]], media: list[int]) -> list[Item]:
    return [
        Item(f"s{i:03d}", (i * 37 % 101) / 101, (f"m{m}",), parts)
        for i, (parts, m) in enumerate(zip(kinds, media, strict=True))
    ]


def holds(items: list[Item], rules: list[Rule], cap: int | None) -> bool:
    size = sum(len(i.media) for i in items)
    used = Counter(m for i in items for m in i.media)
    if cap is not None and used and max(used.values()) > cap:
        return False
    counts = [sum(i.parts[k] for i in items) for k in range(len(rules))]
    return all(r.share.least(size) <= n <= r.share.most(size) for r, n in zip(rules, counts, strict=True))


def brute(items: list[Item], rules: list[Rule], cap: int | None) -> set[int]:
    """All sizes that are possible."""
    found = set()
    for chosen in product((False, True), repeat=len(items)):
        taken = [i for i, c in zip(items, chosen, strict=True) if c]
        if holds(taken, rules, cap):
            found.add(sum(len(i.media) for i in taken))
    return found


items_of = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(items_of, st.sampled_from(SHARES), st.sampled_from(SHARES), st.sampled_from([None, 1, 2, 3]))
def test_every_size_that_is_possible_is_found_and_no_other(
    drawn: list[tuple[int, int, int, int]], first: str, second: str, cap: int | None
) -> None:
    items = [
        Item(f"i{k}", k / 10, tuple(f"m{(m + j) % 3}" for j in range(weight)), (a * weight, b))
        for k, (a, b, m, weight) in enumerate(drawn)
    ]
    rules = [Rule("a", share_of(_read(first))), Rule("b", share_of(_read(second)))]
    problem = Problem(items, rules, cap)
    possible = brute(items, rules, cap)
    assert problem.largest() == max(possible)
    by_name = {i.name: i for i in items}
    for size in range(1, problem.size + 1):
        names = problem.take(size)
        assert (names is not None) == (size in possible)
        if names is None:
            assert problem.lacks(size), "what cannot be had is explained"
        else:
            taken = [by_name[n] for n in names]
            assert sum(len(i.media) for i in taken) == size and holds(taken, rules, cap)


def _read(text: str) -> float | str:
    return float(text) if text[0] == "0" and ".." not in text else text


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_the_order_of_the_items_does_not_matter(random: object, size: int) -> None:
    items = singles([(i % 3 == 0, i % 2) for i in range(90)], [i // 9 for i in range(90)])
    rules = [Rule("a", share_of(0.3)), Rule("b", share_of("<=0.5"))]
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    taken = Problem(items, rules, 8).take(size)
    assert taken is not None and taken == Problem(shuffled, rules, 8).take(size)


def test_media_are_used_alike_when_there_is_a_limit() -> None:
    items = singles([(i % 2,) for i in range(200)], [i // 20 for i in range(200)])
    names = Problem(items, [Rule("a", share_of(0.5))], 8).take(30)
    assert names is not None
    by_name = {i.name: i for i in items}
    assert set(Counter(by_name[n].media[0] for n in names).values()) == {3}


def test_where_quotas_leave_a_choice_kinds_are_drawn_on_alike() -> None:
    kinds = [(1, 0)] * 20 + [(0, 1)] * 100 + [(0, 0)] * 80
    items = singles(kinds, list(range(200)))
    names = Problem(items, [Rule("a", share_of(0.2)), Rule("unasked", Share(0, 1))]).take(90)
    assert names is not None
    found = Counter(i.parts for i in items if i.name in set(names))
    assert found[(1, 0)] in (18,)
    assert found[(0, 1)] / 100 == pytest.approx(found[(0, 0)] / 80, abs=0.05)


def test_what_is_short_is_said_with_numbers() -> None:
    items = singles([(1, 0)] * 30 + [(0, 1)] * 100, list(range(130)))
    rules = [Rule("task: a", share_of(0.5), "task"), Rule("task: the rest", share_of(0.5), "task")]
    problem = Problem(items, rules)
    assert problem.largest() == 61, "thirty of one, and one more by rounding"
    assert problem.lacks(100) == [
        "20 of 100 samples are missing",
        "task: a: 50 asked (0.5), 30 possible, 20 short",
    ] or (problem.lacks(100)[1].startswith("task: a: 50 asked (0.5), 30 possible, 20 short"))
    assert problem.lacks(60) == []


def test_thousands_of_samples_take_seconds() -> None:
    items = singles([(i % 3 == 0, i % 7 == 0, i % 5 < 2) for i in range(8_000)], [i // 20 for i in range(8_000)])
    rules = [Rule("a", share_of(0.3)), Rule("b", share_of("<=0.1")), Rule("c", share_of(">=0.5"))]
    problem = Problem(items, rules, 8)
    assert problem.largest() == 3200
    assert len(problem.take(3200) or ()) == 3200


@pytest.mark.parametrize(
    ("given_", "low", "high"),
    [(0.3, 0.3, 0.3), (">=0.2", 0.2, 1), ("<=0.5", 0, 0.5), ("0.2..0.4", 0.2, 0.4), ("1", 1, 1)],
)
def test_shares_are_read(given_: float | str, low: float, high: float) -> None:
    assert (share_of(given_).low, share_of(given_).high) == (low, high)


@pytest.mark.parametrize("wrong", [">0.2", "a third", 1.5, "0.6..0.2", "-0.1", "30%"])
def test_other_shares_are_refused(wrong: float | str) -> None:
    with pytest.raises(ValueError, match="is no share"):
        share_of(wrong)


def test_parts_of_a_column() -> None:
    quota = Mixture(quotas={"x": {"b": 0.2, "a": 0.3, "*": 0.5}}).parsed()[0]
    assert [name for name, _ in quota.parts] == ["*", "a", "b"]
    assert quota.belongs("a") == (False, True, False)
    assert quota.belongs("c") == (True, False, False)
    assert quota.belongs(["a", "b"]) == (False, True, True), "lists belong to any of what they hold"
    assert quota.belongs([]) == (True, False, False)
    numbers = Quota("r", tuple((n, Share(0, 1)) for n in ("*", "<0.2", "0.2..0.4", ">=0.4", "none")))
    assert numbers.belongs(0.2) == (False, False, True, False, False)
    assert numbers.belongs(0.4) == (False, False, False, True, False)
    assert numbers.belongs(None) == (False, False, False, False, True)
    assert Mixture(quotas={"shortcut": {False: 1.0}}).parsed()[0].belongs(False) == (True,)


@pytest.mark.parametrize(
    ("quotas", "said"),
    [
        ({"task": {"a": 0.3, "*": 0.3}}, "sum to less than 1"),
        ({"task": {"a": "most"}}, "quota of task: 'most' is no share"),
        ({"task": 0.3}, "is written task: {value: share"),
    ],
)
def test_quotas_that_make_no_sense_are_refused(quotas: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Mixture(quotas=quotas)  # type: ignore[arg-type]
