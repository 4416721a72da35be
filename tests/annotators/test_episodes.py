"""Episodes: they end where it falls silent, else where the picture changes, and never leave their limits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from chronotope.annotators.temporal.episodes import Episodes, Params, Silence, cut_episodes
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.schemas.span import Span
from chronotope.schemas.tables import TABLES
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

PARAMS = Params()


def cut(duration_s, silences=(), changes=()):
    return list(cut_episodes(duration_s, [Silence(Span(a, b), -60.0) for a, b in silences], changes, PARAMS))


def test_the_last_silence_in_reach_wins_over_any_change():
    first, second, third = cut(75.0, [(12.0, 13.0), (22.0, 23.0), (50.0, 51.0)], [(28.0, 0.9), (55.0, 0.9)])[:3]
    assert (first.span, first.boundary, first.score) == (Span(0, 22), "sound", -60.0)
    assert (second.span, second.boundary) == (Span(22, 50), "sound")
    assert (third.span, third.boundary) == (Span(50, 75), "end")


def test_changes_and_the_limit_are_second_and_third():
    found = cut(100.0, (), [(25.0, 0.5), (52.0, 0.5)])
    assert [(e.span.end_s, e.boundary) for e in found] == [
        (25, "picture"),
        (52, "picture"),
        (82, "limit"),
        (100, "end"),
    ]


def test_a_silence_that_began_too_early_ends_the_episode_as_soon_as_it_may_end():
    assert cut(40.0, [(4.0, 12.0)])[0].span == Span(0, 10)


@given(
    st.floats(0.5, 400),
    st.lists(st.tuples(st.floats(0, 390), st.floats(0.5, 9)), max_size=20),
    st.lists(st.floats(0, 400), max_size=30),
)
def test_episodes_tile_the_medium_within_their_limits(duration_s, quiet, changes):
    found = cut(duration_s, [(a, a + length) for a, length in quiet], [(c, None) for c in changes])
    assert found[0].span.start_s == 0 and found[-1].span.end_s == pytest.approx(duration_s, abs=1e-6)
    assert all(a.span.end_s == b.span.start_s for a, b in pairwise(found))
    assert all(e.span.length_s <= 30 + 1e-6 for e in found)
    assert all(e.span.length_s >= 10 - 1e-6 for e in found) or len(found) == 1


def test_pauses_between_words_stand_in_for_silences_and_hashes_for_shots():
    medium = Medium("m", "m.mp4", None, "video", 60.0, 25.0, 1500, 160, 90, True, True)
    words = [(0.0, 20.0), (22.0, 45.0), (45.2, 60.0)]
    rows = Rows(
        {
            "words": [
                TABLES["words"].complete({"start_s": a, "end_s": b, "word": "x", "position": i}, "speech", "m", "m")
                for i, (a, b) in enumerate(words)
            ],
            "signals": [
                TABLES["signals"].complete({"t_s": t, "phash": -1 if t >= 41 else 0}, "signals", "m", "m")
                for t in (float(v) for v in range(60))
            ],
        }
    )
    found = [v for _, v in Episodes(PARAMS).annotate(Unit("m", "medium", medium, "r", 0), rows)]
    assert [(e["start_s"], e["end_s"], e["boundary"]) for e in found] == [
        (0.0, 20.0, "sound"), (20.0, 41.0, "picture"), (41.0, 60.0, "end"),
    ]  # fmt: skip


def test_limits_that_leave_no_room_are_refused():
    with pytest.raises(ValidationError, match="at least twice"):
        Params(max_s=15)
