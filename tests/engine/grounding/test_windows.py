"""Windows contain their evidence, stay inside the footage, and do not give the answer away."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from chronotope.engine.grounding.windows import NoWindow, choose_window, tile, window_problems
from chronotope.schemas.span import Span, seconds_text, to_us
from hypothesis import given
from hypothesis import strategies as st

times = st.floats(0, 4000, allow_nan=False)


@given(times, st.floats(0.01, 300), st.floats(0.5, 5000), st.floats(0.2, 1.0), st.integers(0, 1000))
def test_a_chosen_window_is_one_that_the_check_accepts(start, length, duration, share, seed):
    evidence = Span(start, start + length).quantised()
    window = choose_window(evidence, duration, (2.0, 200.0), seed, evidence_share_max=share)
    if isinstance(window, NoWindow):
        assert window.reason
        least = max(2.0, evidence.length_s / share)
        impossible = evidence.end_s > duration - 1e-6 or least > min(200.0, duration) - 1e-5
        assert impossible
        return
    assert window_problems(window, [evidence], duration, (2.0, 200.0), evidence_share_max=share) == []
    assert window.contains_span(evidence) and to_us(window.end_s) <= to_us(duration)
    again = Span(float(seconds_text(window.start_s)), float(seconds_text(window.end_s)))
    assert again == window


@given(st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_window(seed):
    evidence = Span(50, 52)
    assert choose_window(evidence, 100, (5, 60), seed) == choose_window(evidence, 100, (5, 60), seed)


def test_evidence_lies_anywhere_and_lengths_are_log_uniform():
    evidence = Span(5000, 5004)
    windows = [choose_window(evidence, 10_000, (10, 1000), seed) for seed in range(4000)]
    positions = sorted((evidence.start_s - w.start_s) / (w.length_s - 4) for w in windows)
    lengths = sorted(math.log(w.length_s / 10) / math.log(100) for w in windows)
    for values in (positions, lengths):
        gap = max(abs(v - (i + 0.5) / len(values)) for i, v in enumerate(values))
        assert gap < 1.63 / math.sqrt(len(values))  # Kolmogorov-Smirnov at 1 %


def test_bounds_hold_the_window():
    window = choose_window(Span(22, 23), 100, (4, 50), "seed", bounds=Span(20, 30))
    assert isinstance(window, Span) and Span(20, 30).contains_span(window)


def test_reasons_say_what_is_wrong():
    assert "leaves" in choose_window(Span(5, 11), 10, (2, 50), 0).reason
    assert "fill more" in choose_window(Span(1, 9), 10, (2, 50), 0).reason
    assert "shorter than 20 s" in choose_window(Span(1, 2), 10, (20, 50), 0).reason
    with pytest.raises(ValueError, match="make no sense"):
        choose_window(Span(1, 2), 10, (5, 2), 0)
    assert "past the end" in window_problems(Span(0, 11), [], 10, (1, 20))[0]
    assert "leaves the window" in window_problems(Span(0, 5), [Span(4, 6)], 10, (1, 20))[0]


@given(times, st.floats(0.5, 500))
def test_tiles_cover_the_span_in_equal_pieces(start, length):
    span = Span(start, start + length).quantised()
    pieces = tile(span, (1.0, 12.0))
    if not pieces:
        assert span.length_s < 1.00001
        return
    assert pieces[0].start_s == span.start_s and pieces[-1].end_s == span.end_s
    assert all(a.end_s == b.start_s for a, b in pairwise(pieces))
    lengths = [to_us(p.end_s) - to_us(p.start_s) for p in pieces]
    assert max(lengths) - min(lengths) <= 1 and max(lengths) <= 12_000_000
