"""Words keep sane times whatever a recogniser says, and group into sentences."""

from __future__ import annotations

import itertools

from chronotope.annotators.audio.transcript import SHORTEST_WORD_S, HeardWord, sentences, tidy
from hypothesis import given
from hypothesis import strategies as st

times = st.floats(-5, 40, allow_nan=False)
words = st.builds(HeardWord, st.sampled_from([" a", " bc.", " -", "d", " e!"]), times, times, st.floats(0, 1))


@given(st.lists(words, max_size=40), st.floats(0, 20), st.floats(0.1, 20))
def test_words_are_ordered_disjoint_and_inside_the_sound(heard, start_s, length_s) -> None:
    end_s = round(start_s + length_s, 6)
    kept = tidy(heard, start_s, end_s)
    for word in kept:
        assert round(start_s, 6) <= word.start_s and word.end_s <= end_s
        assert word.end_s - word.start_s >= SHORTEST_WORD_S - 1e-9
        assert any(c.isalnum() for c in word.text)
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(kept))
    assert tidy(kept, start_s, end_s) == kept


@given(st.lists(words, max_size=40), st.floats(0.05, 3), st.floats(1, 20))
def test_every_word_is_in_exactly_one_segment(heard, pause_s, longest_s) -> None:
    kept = tidy(heard, 0, 40)
    groups = sentences(kept, pause_s, longest_s)
    assert [w for group in groups for w in group] == kept
    for group in groups:
        assert len(group) == 1 or group[-1].end_s - group[0].start_s <= longest_s
        assert all(b.start_s - a.end_s < pause_s for a, b in itertools.pairwise(group))


def test_good_words_are_left_alone() -> None:
    heard = [HeardWord(" Red", 0.5, 0.8, 0.9), HeardWord(" ball.", 0.8, 1.25, 0.8)]
    assert tidy(heard, 0.0, 2.0) == heard


def test_a_word_after_the_end_of_the_sound_is_a_hallucination() -> None:
    heard = [HeardWord(" real", 1.0, 1.4, 0.9), HeardWord(" Thanks", 2.1, 2.6, 0.9)]
    assert [w.text for w in tidy(heard, 0.0, 2.0)] == [" real"]


def test_titles_do_not_end_a_sentence() -> None:
    heard = [
        HeardWord(text, i, i + 0.9, 1.0) for i, text in enumerate([" Mr.", " Winthrop", " spoke.", " We", " heard."])
    ]
    assert [len(g) for g in sentences(heard, 1.0, 20.0)] == [3, 2]
