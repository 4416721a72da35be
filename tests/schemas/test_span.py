"""Spans and the microsecond grid."""

import math
from itertools import pairwise

import pytest
from chronotope.schemas.span import (
    Span,
    from_us,
    intersection_of_sets,
    iop,
    merge,
    seconds_text,
    span_or_none,
    tiou,
    tiou_sets,
    to_us,
    union_length_s,
)
from hypothesis import given
from hypothesis import strategies as st

HUNDRED_DAYS_US = 100 * 86_400 * 1_000_000
microseconds = st.integers(0, HUNDRED_DAYS_US)
small_spans = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda p: Span(p[0], p[0] + p[1]))
span_lists = st.lists(small_spans, max_size=6)


@given(microseconds)
def test_a_time_survives_seconds_and_text(t_us: int) -> None:
    assert to_us(from_us(t_us)) == t_us
    assert to_us(float(seconds_text(from_us(t_us)))) == t_us


@given(microseconds)
def test_seconds_text_is_shortest(t_us: int) -> None:
    text = seconds_text(from_us(t_us))
    if "." in text:
        assert not text.endswith("0")
        assert to_us(float(text[:-1].rstrip("."))) != t_us


@pytest.mark.parametrize(
    ("t_s", "text"),
    [(12.4, "12.4"), (3.0, "3"), (1e-6, "0.000001"), (-0.5, "-0.5"), (-0.0, "0"), (0.1 + 0.2, "0.3")],
)
def test_seconds_text_examples(t_s: float, text: str) -> None:
    assert seconds_text(t_s) == text


@pytest.mark.parametrize("t_s", [math.nan, math.inf])
def test_a_time_must_be_finite(t_s: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        to_us(t_s)


@pytest.mark.parametrize("ends", [(1, 1), (2, 1), (-1, 1), (0, math.inf), (math.nan, 1)])
def test_what_is_no_span(ends: tuple[float, float]) -> None:
    assert span_or_none(*ends) is None
    with pytest.raises(ValueError):
        Span(*ends)


def test_spans_are_half_open() -> None:
    span = Span(1, 2)
    assert span.contains(1)
    assert not span.contains(2)
    assert span.intersection(Span(2, 3)) is None
    assert span.contains_span(span)


def test_shift_and_clamp() -> None:
    assert Span(10, 12).shift(-10) == Span(0, 2)
    assert Span(1, 9).clamp(Span(5, 20)) == Span(5, 9)
    assert Span(1, 2).clamp(Span(5, 20)) is None
    with pytest.raises(ValueError):
        Span(1, 2).shift(-3)


def test_quantising_a_span() -> None:
    assert Span(0.1 + 0.2, 1).quantised() == Span(0.3, 1)
    with pytest.raises(ValueError):
        Span(1, 1 + 1e-8).quantised()


def test_tiou_and_iop_examples() -> None:
    assert tiou(Span(0, 10), Span(5, 15)) == pytest.approx(1 / 3)
    assert tiou(Span(0, 1), Span(1, 2)) == 0
    assert iop(Span(4, 6), Span(0, 5)) == pytest.approx(0.5)


@given(small_spans, small_spans)
def test_tiou_is_symmetric_and_one_only_for_equal_spans(a: Span, b: Span) -> None:
    assert tiou(a, b) == tiou(b, a)
    assert 0 <= tiou(a, b) <= 1
    assert (tiou(a, b) == 1) == (a == b)


def seconds_of(spans: list[Span]) -> set[int]:
    return {t for span in spans for t in range(int(span.start_s), int(span.end_s))}


@given(span_lists, span_lists)
def test_span_sets_behave_like_sets_of_seconds(a: list[Span], b: list[Span]) -> None:
    left, right = seconds_of(a), seconds_of(b)
    assert union_length_s(a) == len(left)
    assert seconds_of(list(intersection_of_sets(a, b))) == left & right
    expected = len(left & right) / len(left | right) if left | right else 0.0
    assert tiou_sets(a, b) == pytest.approx(expected)


@given(span_lists)
def test_merged_spans_are_sorted_and_apart(spans: list[Span]) -> None:
    merged = merge(spans)
    assert all(a.end_s < b.start_s for a, b in pairwise(merged))
    assert seconds_of(list(merged)) == seconds_of(spans)
