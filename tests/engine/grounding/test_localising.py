"""One decision from all localisers: unique, repeated, absent, or undecided with who found what."""

from __future__ import annotations

import pytest
from chronotope.engine.grounding.localising import (
    Absent,
    Curve,
    Described,
    Line,
    ReadAloud,
    Repeated,
    Spoken,
    Undecided,
    Unique,
    Written,
    decide,
)
from chronotope.schemas.span import Span

WINDOW = Span(0.0, 60.0)


def lines(*texts, step=10.0, length=4.0):
    return [Line(Span(i * step, i * step + length), text, (f"r{i}",)) for i, text in enumerate(texts)]


SAID = Spoken(lines("cut the onions into small pieces", "melt some butter", "stir the sauce", "melt some butter"))


def test_once_several_times_and_never():
    once = decide("cut the onions into small pieces", WINDOW, SAID)
    assert isinstance(once, Unique) and once.place.span == Span(0, 4) and once.place.rows == ("r0",)
    twice = decide("melt some butter", WINDOW, SAID)
    assert isinstance(twice, Repeated) and [p.span.start_s for p in twice.places] == [10, 30]
    never = decide("the train leaves early", WINDOW, SAID)
    assert isinstance(never, Absent) and never.nearest is not None and never.nearest.score < SAID.low


def test_between_the_thresholds_nothing_is_decided():
    near = Spoken(lines("cut the onions into small pieces", "cut the apples into small slices"))
    found = decide("cut the onions into small pieces", WINDOW, near)
    assert isinstance(found, Undecided) and "much alike" in found.reason


def test_a_place_that_the_window_cuts_is_undecided():
    found = decide("melt some butter", Span(12.0, 28.0), SAID)
    assert isinstance(found, Undecided) and "cuts" in found.reason
    assert isinstance(decide("melt some butter", Span(8.0, 28.0), SAID), Unique)


@pytest.mark.parametrize(("start_s", "decided"), [(0.5, Unique), (30.0, Undecided)])
def test_a_rival_must_agree_about_the_time(start_s, decided):
    written = ReadAloud([Line(Span(start_s, start_s + 3), "Cut the onions into small pieces!")])
    assert isinstance(decide("cut the onions into small pieces", WINDOW, SAID, [written]), decided)


def test_witnesses_are_asked_about_absence_only():
    hint = Described(lines("someone melts butter", "a sign reads “EXIT”"))
    writing = Written(lines("OPEN LATE"))
    assert isinstance(decide("OPEN LATE", WINDOW, writing, (), [hint]), Unique)
    assert isinstance(decide("CLOSED", WINDOW, writing, (), [hint]), Absent)
    found = decide("a sign reads “EXIT”", WINDOW, writing, (), [hint])
    assert isinstance(found, Undecided) and "not found by writing" in found.reason


def test_flicker_is_no_repetition():
    flicker = Written([Line(Span(1, 4), "OPEN LATE"), Line(Span(6, 9), "OPEN LATE")])
    assert isinstance(decide("OPEN LATE", WINDOW, flicker), Repeated)
    assert isinstance(decide("OPEN LATE", WINDOW, flicker, min_apart_s=4.0), Undecided)


def test_a_curve_speaks_about_its_own_prompt_only():
    curve = Curve("a dog runs", [(Span(t, t + 1), 0.33 if 20 <= t < 25 else 0.16) for t in range(60)])
    assert [f.span for f in curve.find("A dog runs.", WINDOW)] == [Span(20, 25)]
    assert curve.find("a cat runs", WINDOW) == []
    told = Described(lines("a dog runs", "a cat sleeps"))
    assert isinstance(decide("a dog runs", WINDOW, told, [curve]), Undecided)
    assert isinstance(decide("a dog runs", Span(0, 20), told, [curve]), Unique)
