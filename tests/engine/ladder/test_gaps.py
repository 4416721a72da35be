"""Intervals of a gap: wide for few groups, aware of alike samples, never sure from one group."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.engine.ladder.gaps import gap_of
from chronotope.engine.ladder.scoring import guess, score
from chronotope.schemas.metrics import wilson_interval
from chronotope.schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    SpanAnswer,
    SpansAnswer,
    TextAnswer,
)


def test_independent_samples_have_wilsons_interval() -> None:
    right = [1.0] * 30 + [0.0] * 70
    found = gap_of(right, [0.25] * 100, [str(i) for i in range(100)])
    low, high = wilson_interval(30, 100)
    assert (found.gap, found.low, found.high) == (0.05, round(low - 0.25, 4), round(high - 0.25, 4))


def test_samples_that_are_alike_count_once() -> None:
    groups = [str(i // 10) for i in range(100)]
    alike = gap_of([float(i // 10 < 5) for i in range(100)], [0.25] * 100, groups)
    mixed = gap_of([float(i % 2) for i in range(100)], [0.25] * 100, groups)
    assert alike.gap == mixed.gap
    assert alike.high - alike.low > 2 * (mixed.high - mixed.low)


def test_one_group_proves_nothing() -> None:
    found = gap_of([1.0] * 50, [0.5] * 50, ["a"] * 50)
    assert (found.low, found.high) == (-0.5, 0.5)


def test_a_perfect_solver_of_few_groups_is_not_sure() -> None:
    assert gap_of([1.0] * 4, [0.5] * 4, list("abcd")).low < 0.05
    assert gap_of([1.0] * 40, [0.5] * 40, [str(i) for i in range(40)]).low > 0.4


def test_intervals_of_partial_rewards_hold_the_truth_in_19_of_20_cases() -> None:
    draw, held = np.random.default_rng(0), 0
    groups = [str(i // 8) for i in range(80)]
    for _ in range(300):
        rewards = np.clip(0.4 + np.repeat(draw.normal(0, 0.1, 10), 8) + draw.normal(0, 0.1, 80), 0.01, 0.99)
        found = gap_of(rewards.tolist(), [0.3] * 80, groups)
        held += found.low <= 0.1 <= found.high
    assert 0.9 <= held / 300 <= 0.985


def test_no_attempts_have_no_gap() -> None:
    with pytest.raises(ValueError, match="no attempts"):
        gap_of([], [], [])


@pytest.mark.parametrize(
    ("answer", "truth", "reward", "right"),
    [
        (ChoiceAnswer(index=1), ChoiceAnswer(index=1), 1, True),
        (OrderAnswer(order=(1, 0, 2)), OrderAnswer(order=(0, 1, 2)), 2 / 3, False),
        (SpanAnswer(start_s=0, end_s=10), SpanAnswer(start_s=0, end_s=20), 0.5, True),
        (SpanAnswer(start_s=0, end_s=9), SpanAnswer(start_s=0, end_s=20), 0.45, False),
        (SpanAnswer(start_s=0, end_s=4), SpansAnswer(spans=((0, 2), (4, 6))), 2 / 6, False),
        (AbsentAnswer(), AbsentAnswer(), 1, True),
        (AbsentAnswer(), SpanAnswer(start_s=0, end_s=1), 0, False),
        (SpanAnswer(start_s=0, end_s=1), AbsentAnswer(), 0, False),
        (NumberAnswer(value=11, unit="m"), NumberAnswer(value=10, unit="m"), 0.9, True),
        (NumberAnswer(value=20, unit="m"), NumberAnswer(value=10, unit="m"), 0, False),
        (TextAnswer(text="the cat"), TextAnswer(text="The cat."), 1, True),
        (BoxAnswer(t_s=1, box=(0, 0, 0.5, 1)), BoxAnswer(t_s=1, box=(0, 0, 1, 1)), 0.5, True),
        (ChoiceAnswer(index=1), AbsentAnswer(), 0, False),
    ],
)
def test_answers_are_scored_as_evaluation_would(answer: object, truth: object, reward: float, right: bool) -> None:
    got, correct = score(answer, truth)  # type: ignore[arg-type]
    assert (got, correct) == (pytest.approx(reward), right)


def test_a_guess_earns_chance() -> None:
    assert guess(ChoiceAnswer(index=0), 4) == 0.25
    assert guess(OrderAnswer(order=(2, 0, 1)), 3) == pytest.approx(0.5)
