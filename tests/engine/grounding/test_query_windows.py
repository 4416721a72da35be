"""Windows around a query, with its repetition, and without it: where they lie, and that nothing like it is in them."""

from __future__ import annotations

from chronotope.engine.grounding.localising import Line, ReadAloud, Repeated, Spoken, Unique, decide
from chronotope.engine.grounding.query_windows import (
    AbsentShare,
    Footage,
    window_showing,
    window_without,
    windows_without,
)
from chronotope.engine.grounding.windows import NoWindow, WindowPolicy
from chronotope.schemas.span import Span, overlap_s

TEXTS = (
    "cut the onions now",
    "melt some butter",
    "stir the hot sauce",
    "melt some butter",
    "wash the rice",
    "taste it all",
)
SAID = Spoken([Line(Span(i * 20.0, i * 20.0 + 4), text) for i, text in enumerate(TEXTS)])
POLICY = WindowPolicy(length_s=(10.0, 60.0))
FOOTAGE = Footage(120.0)


def test_windows_without_keep_away_and_are_spread_over_what_is_free():
    avoid = [Span(20, 25), Span(70, 72)]
    windows = [window_without(avoid, Footage(100.0), (5.0, 40.0), seed, gap_s=3.0) for seed in range(300)]
    assert all(isinstance(w, Span) and w.start_s >= 0 and w.end_s <= 100 for w in windows)
    assert all(overlap_s(Span(a.start_s - 3, a.end_s + 3), w) == 0 for a in avoid for w in windows)
    free = [Span(0, 17), Span(28, 67), Span(75, 100)]
    assert all(sum(f.contains_span(w) for w in windows) > 20 for f in free)
    inside = window_without(avoid, Footage(100.0, Span(30, 60)), (5.0, 40.0), 0, gap_s=3.0)
    assert isinstance(inside, Span) and Span(30, 60).contains_span(inside)


def test_where_nothing_is_free_there_is_no_window():
    assert isinstance(window_without([Span(0, 100)], Footage(100.0), (5.0, 40.0), 0, gap_s=3.0), NoWindow)
    assert isinstance(window_without([Span(4, 5)], Footage(10.0), (5.0, 8.0), 0, gap_s=1.0), NoWindow)


def test_a_share_of_what_happens_again_is_shown_with_its_repetition():
    def shown(share, seed):
        window = window_showing("melt some butter", Span(20, 24), FOOTAGE, POLICY, SAID, share, seed)
        assert isinstance(window, Span) and window.contains_span(Span(20, 24))
        return decide("melt some butter", window, SAID)

    assert all(isinstance(shown(1.0, seed), Repeated) for seed in range(30))
    alone = [isinstance(shown(0.0, seed), Unique) for seed in range(60)]
    half = [isinstance(shown(0.5, seed), Repeated) for seed in range(60)]
    assert sum(alone) > 20 and 20 < sum(half) < 60


def test_what_does_not_happen_again_is_shown_alone():
    policy = WindowPolicy(length_s=(10.0, 15.0))
    window = window_showing("melt some butter", Span(20, 24), FOOTAGE, policy, SAID, 1.0, 0)
    assert isinstance(window, Span) and window.length_s <= 15, "the repetition is too far for this policy"


def test_windows_without_a_query_hold_nothing_like_it():
    read = ReadAloud([Line(Span(100, 104), "MELT SOME BUTTER!")])
    found = [
        w
        for seed in range(50)
        for w in windows_without("melt some butter", Span(20, 24), FOOTAGE, POLICY, SAID, [read], 5.0, seed)
    ]
    assert len(found) > 50
    for place in (Span(15, 29), Span(55, 69), Span(95, 109)):
        assert not any(overlap_s(place, window) > 0 for window in found)


def test_what_cannot_be_kept_is_owed():
    share, paid = AbsentShare(0.2, ("seed",)), 0
    for key in range(1000):
        if share.draw(key) and key % 3:  # in every third case it is absent nowhere
            share.paid()
            paid += 1
    assert 150 < paid < 250
