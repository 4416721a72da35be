"""Codecs with lists beside the text, and LITA's tokens: their published bounds, x.5 cases, and what they refuse."""

import random

import pytest
from chronotope.schemas.span import Span
from chronotope.schemas.timecodec import TimeCodecError, time_codec
from chronotope.schemas.timecodec_distime import MAX_ERROR_S, PLACEHOLDER, flat, shortened, spans_of
from chronotope.schemas.timecodec_llavast import FrameWindow, place
from chronotope.schemas.timecodec_prefix import FramePrefix
from hypothesis import given
from hypothesis import strategies as st

rates = st.sampled_from((5.0, 24.0, 25.0, 30000 / 1001, 30.0, 60.0))


def test_lita_keeps_its_bound_over_ten_thousand_times() -> None:
    codec, rng = time_codec("lita100"), random.Random(7)
    for _ in range(10_000):
        duration = round(rng.uniform(0.5, 7200), 3)
        t = round(rng.uniform(0, duration), 3)
        back = codec.decode(codec.encode(t, duration), duration)
        assert abs(round(back, 2) - t) <= duration / 198 + 0.005 + 1e-6  # its evaluation prints two decimals
        assert abs(back - t) <= codec.max_error_s(duration)


def test_half_a_step_goes_to_the_even_neighbour() -> None:
    lita, st_tokens = time_codec("lita100"), time_codec("llavast100")
    assert [lita.encode(t, 99.0) for t in (0.5, 1.5, 2.5, 97.5, 98.5)] == ["<t0>", "<t2>", "<t2>", "<t98>", "<t98>"]
    assert [st_tokens.encode(t, 99.0) for t in (0.5, 34.5, 99.0)] == ["<TEMP-000>", "<TEMP-034>", "<TEMP-099>"]
    assert [place(x) for x in (0.0005, 0.0015, 0.0025, 0.9995, -0.2, 1.7)] == [0.0, 0.002, 0.002, 1.0, 0.0, 1.0]
    window = FrameWindow(0, 100, 10.0)
    assert [window.share(t) for t in (0.05, 0.15, 0.25)] == [0.0, 0.02, 0.02]
    assert st_tokens.find_moments("from <TEMP-034> on", 99.0) == [34.0]


def test_lita_example_of_its_own_format() -> None:
    assert time_codec("lita100").encode_span(Span(20, 32), 80.0) == ("<t25>", "<t40>")


@given(rates, st.integers(2, 20_000), st.integers(0, 5_000), st.floats(0, 1))
def test_numbers_and_tokens_of_llava_st_keep_their_bounds(fps: float, frames: int, first: int, share: float) -> None:
    window = FrameWindow(first, first + frames - 1, fps)
    t = share * frames / fps  # up to the end of the last frame
    number = window.share(t)
    assert 0 <= number <= 1 and round(number, 3) == number
    assert abs(number * window.length_s - t) <= window.max_error_s(listed=True)
    assert abs(window.time(window.token(number)) - t) <= window.max_error_s()
    assert window.max_error_s() <= window.length_s * (1 / 198 + 0.0005) + 1 / fps + 2e-6


@given(rates, st.integers(2, 20_000), st.integers(0, 99))
def test_what_a_model_answers_is_read_as_it_was_written(fps: float, frames: int, k: int) -> None:
    window = FrameWindow(0, frames - 1, fps)
    assert window.token(place(k / 99)) == k
    assert 0 <= window.time(k) <= window.length_s + 1e-6
    assert window.split == [0, frames - 1]


def test_a_window_needs_two_frames_and_a_token_is_one_of_a_hundred() -> None:
    for bad in ((3, 3, 25.0), (-1, 4, 25.0), (0, 4, 0.0)):
        with pytest.raises(TimeCodecError, match="no window"):
            FrameWindow(*bad)
    with pytest.raises(TimeCodecError, match=r"0\.\.99"):
        FrameWindow(0, 9, 1.0).time(100)


spans = st.lists(st.tuples(st.floats(0, 5000), st.floats(0.001, 600)), max_size=5).map(
    lambda pairs: [Span(s, s + length) for s, length in pairs]
)


@given(spans)
def test_distime_loses_nothing_above_a_microsecond(given_spans: list[Span]) -> None:
    text = " and ".join(f"{PLACEHOLDER}, step {i}" for i in range(len(given_spans)))
    back = spans_of(text, flat(given_spans))
    assert len(back) == len(given_spans)
    for a, b in zip(back, given_spans, strict=True):
        assert abs(a.start_s - b.start_s) <= MAX_ERROR_S + 1e-9 and abs(a.end_s - b.end_s) <= MAX_ERROR_S + 1e-9


def test_distime_rejects_lists_that_do_not_fit_and_names_what_the_loader_cuts() -> None:
    for tgt in ([], [1.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]):
        with pytest.raises(TimeCodecError, match="each needs two"):
            spans_of(f"At {PLACEHOLDER}.", tgt)
    with pytest.raises(TimeCodecError):
        spans_of(PLACEHOLDER, [3.0, 2.0])
    assert shortened([Span(0, 9.0), Span(0, 9.000001), Span(8, 9.9)], 10.0) == [Span(0, 9.000001), Span(8, 9.9)]


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=8), st.integers(0, 4))
def test_printed_times_of_frames_are_read_back_within_their_precision(times: list[float], decimals: int) -> None:
    prefix = FramePrefix(decimals)
    back = prefix.read("Look:\n" + prefix.text(times, ["<image>"] * len(times)) + "\nWhen?", "<image>")
    assert len(back) == len(times)
    assert all(abs(a - b) <= prefix.max_error_s() + 1e-9 for a, b in zip(back, times, strict=True))
