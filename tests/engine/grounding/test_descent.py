"""The way from the whole to a leaf: always ends at a tIoU of 0.5, within a logarithmic number of windows."""

from __future__ import annotations

from itertools import pairwise
from math import log2

from chronotope.engine.grounding.descent import descent, parts_of
from chronotope.schemas.span import Span, tiou
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(10, 7200), st.floats(0.0005, 0.4), st.floats(0, 1))
def test_the_leaf_is_reached_in_few_windows(length_s: float, share: float, where: float) -> None:
    whole = Span(0.0, length_s).quantised()
    long = length_s * share
    start = where * (length_s - long)
    event = Span(start, start + long).quantised()
    levels = descent(whole, event)
    leaf = levels[-1].best
    assert tiou(leaf, event) >= 0.5 - 1e-3
    assert len(levels) <= log2(whole.length_s / leaf.length_s) + 1e-3
    assert all(a.best == b.window for a, b in pairwise(levels))


def test_parts_are_halves_that_overlap() -> None:
    assert parts_of(Span(0.0, 8.0)) == (Span(0.0, 4.0), Span(2.0, 6.0), Span(4.0, 8.0))
    assert descent(Span(0.0, 8.0), Span(1.0, 7.0)) == ()
