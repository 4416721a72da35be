"""Verifying functions: the truth passes, every lie is named, nothing readable is never rewarded."""

import math

import pytest
from chronotope.schemas import verifying as vf
from chronotope.schemas.span import Span
from hypothesis import given
from hypothesis import strategies as st

spans = st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda p: Span(p[0], p[0] + p[1]))
TOLERANCE_S = 0.25


@given(spans, st.integers(-40, 40), st.integers(-40, 40))
def test_a_span_passes_exactly_when_both_ends_are_near(truth: Span, by_start: int, by_end: int) -> None:
    start_s, end_s = truth.start_s + by_start / 80, truth.end_s + by_end / 80
    if start_s < 0:
        return
    check = vf.check_span(Span(start_s, end_s), truth, TOLERANCE_S)
    assert check.ok == (abs(by_start) <= 20 and abs(by_end) <= 20)
    assert check.ok == (check.reason == "")
    assert 0 <= check.score <= 1


def test_a_shifted_span_says_which_end_is_wrong() -> None:
    check = vf.check_span(Span(3.2, 9), Span(3.2, 7.9), 0.1)
    assert not check
    assert check.reason == "end 9 s instead of 7.9 s"


@given(st.lists(spans, max_size=4, unique=True))
def test_spans_pass_in_any_order_of_mention(truth: list[Span]) -> None:
    assert vf.check_spans(truth[::-1], truth, 0) == vf.Check(True, "", 1.0)


def test_missing_and_surplus_spans_are_named() -> None:
    truth = [Span(0, 5), Span(10, 15)]
    check = vf.check_spans([Span(0, 5)], truth, 1)
    assert (check.ok, check.reason, check.score) == (False, "1 spans instead of 2", 0.5)
    assert vf.check_spans([Span(0, 5), Span(12, 15)], truth, 1).reason == "span 2: start 12 s instead of 10 s"
    assert not vf.check_spans([], truth, 1)
    assert not vf.check_spans(truth, [], 1)


def test_choices() -> None:
    assert vf.check_choice(2, 2)
    assert vf.check_choice("yes", "yes")
    assert vf.check_choice(1, 2).reason == "chose 1 instead of 2"


@given(st.permutations(range(4)))
def test_only_the_right_order_passes(order: list[int]) -> None:
    check = vf.check_order(order, [0, 1, 2, 3])
    assert check.ok == (order == [0, 1, 2, 3]) == (check.score == 1)


def test_what_is_no_order_earns_nothing() -> None:
    for answer in ([0, 1, 2], [0, 1, 2, 2], [0, 1, 2, 4]):
        assert vf.check_order(answer, [0, 1, 2, 3]).score == 0


def test_numbers_within_either_tolerance() -> None:
    assert vf.check_number(3, 3)
    assert not vf.check_number(4, 3)
    assert vf.check_number(0.3, 0.1, abs_tolerance=0.2)
    assert vf.check_number(110, 100, rel_tolerance=0.1)
    assert not vf.check_number(111, 100, rel_tolerance=0.1)
    assert vf.check_number(-110, -100, rel_tolerance=0.1)
    assert vf.check_number(1.05, 1.0, rel_tolerance=0.01, abs_tolerance=0.1)


def test_texts_compare_as_words() -> None:
    assert vf.check_text("EXIT - Gate 4!", "exit gate 4")
    assert not vf.check_text("exit gate 5", "exit gate 4")
    assert vf.check_text("exit gate 5", "exit gate 4", max_word_errors=1).score == pytest.approx(2 / 3)
    assert not vf.check_text("", "exit")


def test_a_span_that_leaves_its_window_is_named() -> None:
    window = Span(10, 20)
    assert vf.check_in_window([Span(10, 20), Span(12, 13)], window)
    assert vf.check_in_window([], window)
    check = vf.check_in_window([Span(15, 25)], window)
    assert check == vf.Check(False, "15..25 s leaves the window 10..20 s", 0.5)
    assert vf.check_in_window([Span(15, 20.04)], window, tolerance_s=0.04)
    assert not vf.check_in_window([Span(9.9, 12)], window)


def test_no_answer_is_never_right() -> None:
    checks = [
        vf.check_span(None, Span(0, 1), 1),
        vf.check_spans(None, [], 1),
        vf.check_choice(None, 0),
        vf.check_order(None, []),
        vf.check_number(None, 0),
        vf.check_number(math.nan, 0, abs_tolerance=1),
        vf.check_number(math.inf, 1e9, rel_tolerance=9),
        vf.check_text(None, ""),
    ]
    assert {(check.ok, check.score, check.reason) for check in checks} == {(False, 0.0, "no readable answer")}


def test_senseless_tolerances_are_errors() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        vf.check_span(Span(0, 1), Span(0, 1), -1)
    with pytest.raises(ValueError, match="tolerance"):
        vf.check_number(1, 1, abs_tolerance=-1)
    with pytest.raises(ValueError, match="truth"):
        vf.check_number(1, math.nan)
