"""Wrong options are wrong: shifted spans stay in range, edits are told nowhere, and the falsity test refuses what is true."""

import pytest
from chronotope.engine.distractors.edits import clearly_other, one_edits
from chronotope.engine.distractors.falsity import (
    alike,
    repetitions,
    why_edit_told,
    why_span_true,
    why_still_fits,
    why_told,
)
from chronotope.engine.distractors.spans import WAYS, shifted
from chronotope.engine.distractors.stills import Still, mirror_shift, neighbours, other_moments
from chronotope.engine.distractors.style import style_problem
from chronotope.engine.distractors.texts import Told, elsewhere, near_in_time
from chronotope.engine.distractors.vocabulary import Distractor, first_that
from chronotope.schemas.readings import normalised
from chronotope.schemas.span import Span, from_us, tiou
from hypothesis import given
from hypothesis import strategies as st

WORDS = "the road river to and not seven red morning Anna Paris EXIT 24 house climbs slowly we follow under stone never"
texts = st.lists(st.sampled_from(WORDS.split()), min_size=2, max_size=9).map(" ".join)


@given(
    st.integers(0, 60_000_000),
    st.integers(200_000, 20_000_000),
    st.sampled_from((1, 1_000, 20_000, 500_000)),
    st.integers(0, 9),
)
def test_shifted_spans_overlap_the_truth_a_little_and_stay_inside(
    start: int, length: int, grid: int, seed: int
) -> None:
    start, length = start // grid * grid, max(1, length // grid) * grid
    truth = Span(from_us(start), from_us(start + length))
    window = Span(from_us(max(0, start - 30_000_000)), from_us(start + length + 30_000_000))
    for distractor in shifted(truth, window, seed):
        assert 0.1 <= tiou(distractor.value, truth) <= 0.4
        assert distractor.margin == pytest.approx(1 - tiou(distractor.value, truth), abs=1e-6)
        assert window.contains_span(distractor.value)
        assert not why_span_true(distractor.value, truth, [])


def test_a_span_is_shifted_every_way_where_there_is_room_and_keeps_its_grid() -> None:
    truth, window = Span(20.5, 23.5), Span(0, 60)
    earlier, later, longer, shorter = (d.value for d in shifted(truth, window, "seed", ways=WAYS))
    assert earlier.start_s < truth.start_s and later.start_s > truth.start_s
    assert earlier.length_s == later.length_s == truth.length_s
    assert longer.length_s > truth.length_s > shorter.length_s
    assert all(t * 2 == round(t * 2) for s in (earlier, later, longer, shorter) for t in (s.start_s, s.end_s))
    assert [d.value.start_s < 20.5 for d in shifted(truth, Span(20, 60), "seed", ways=WAYS[:2])] == [False]


@given(texts, st.lists(texts, max_size=4))
def test_an_edit_is_never_the_text_itself_and_changes_it_audibly(text: str, corpus: list[str]) -> None:
    told = [Told(text, Span(0, 1)), *(Told(t, Span(i + 2, i + 3)) for i, t in enumerate(corpus))]
    for edit in one_edits(text, corpus):
        assert normalised(edit.value) != normalised(text) and edit.margin >= 1
        if not why_edit_told(edit.value, told[0], Span(0, 1), told):
            assert all(normalised(edit.value) not in normalised(t.text) for t in told)


def test_edits_replace_a_word_by_one_of_its_class() -> None:
    def edits(text: str, *corpus: str, **options: object) -> set[str]:
        return {d.value for d in one_edits(text, corpus, **options)}  # type: ignore[arg-type]

    assert "Gate 27" in edits("Gate 24") and "Gate 24" not in edits("Gate 24")
    assert {"They have nine dogs", "They have two dogs"} <= edits("They have seven dogs")
    assert edits("It is not raining here") >= {"It is raining here"}
    assert "We met Paul in town" in edits("We met Anna in town", "Then there was Paul")
    assert {d.kind for d in one_edits("The door is red", [])} == {"other attribute"}
    assert "He sits on the table" in edits("He sits on the chair", "Look at the table")
    assert edits("He sits on the chair", "She was the tallest girl") == set(), "an adjective for a noun"
    assert edits("They have seven dogs", unsure={2}) == set(), (
        "a word that was hardly understood is no ground for a lie"
    )


def test_a_slip_of_the_recogniser_is_no_edit() -> None:
    assert not clearly_other("stone", "stones") and not clearly_other("two", "too")
    assert clearly_other("seven", "three") and clearly_other("24", "27")


def test_texts_near_in_time_come_nearest_first_and_those_elsewhere_are_not_shown() -> None:
    told = [Told(t, Span(a, a + 2)) for t, a in (("a", 0), ("b", 4), ("c", 5), ("d", 20))]
    assert [(d.value.text, d.margin) for d in near_in_time(told[2], told, 1.0)] == [("a", 3.0), ("d", 13.0)]
    assert [d.value.text for d in elsewhere(told[2], told, Span(3, 10))] == ["a", "d"]


def test_a_text_that_is_told_then_is_refused() -> None:
    told = [Told("The old clock has stopped again.", Span(3, 5)), Told("Turn left at the church.", Span(8, 10))]
    assert "alike" in why_told("the old clock has topped again", Span(4, 4.5), told)
    assert not why_told("Turn left at the church", Span(3, 5), told)
    # one segment tells both: the phrase's own place speaks for itself, a second one does not
    both = [Told("Turn left. Then wait here. Turn left again.", Span(0, 9))]
    assert not why_told("Then wait here", Span(0, 2), both, own=Span(2, 5))
    assert why_told("Turn left", Span(5, 6), both, own=Span(0, 2))
    assert repetitions(Told("Turn left", Span(0, 2)), both) == both
    assert repetitions(Told("Then wait here", Span(2, 5)), both) == []


def test_an_edit_that_is_told_anywhere_is_refused() -> None:
    told = [Told("We meet at gate seven", Span(3, 5)), Told("We meet at gate nine", Span(8, 10))]
    assert why_edit_told("We meet at gate nine", told[0], Span(3, 5), told)
    assert not why_edit_told("We meet at gate twelve", told[0], Span(3, 5), told)
    assert alike("We meet at gate twelve", told[0].text), "or the test above shows nothing"


def test_a_span_that_holds_another_occurrence_is_refused() -> None:
    assert "another occurrence" in why_span_true(Span(10, 14), Span(20, 24), [Span(11, 13)])
    assert "tIoU" in why_span_true(Span(20, 23), Span(20, 24), [])
    assert not why_span_true(Span(10, 14), Span(20, 24), [Span(30, 32)])


def test_a_still_that_looks_like_the_asked_moment_is_refused() -> None:
    asked, same, other = Still(5.0, 0, "a"), Still(9.0, 0b111, "b"), Still(9.0, -1, "c")
    limits = {"min_gap_s": 1.0, "min_bits": 8}
    assert "3 bits" in why_still_fits(same, asked, [], **limits)
    assert "0.5 s" in why_still_fits(Still(5.5, -1, "d"), asked, [], **limits)
    assert why_still_fits(other, asked, [Still(5.2, -1, "e")], **limits), "much like a picture just after the moment"
    assert not why_still_fits(other, asked, [Still(5.2, 1, "e")], **limits)
    assert [d.value.row for d in other_moments(asked, [same, other], 1.0, 8)] == ["c"]


def test_the_most_alike_picture_that_differs_is_the_neighbour() -> None:
    asked, near, far, twin = (Still(t, h, n) for t, h, n in ((1, 0, "a"), (2, -1, "b"), (3, -1, "c"), (4, 1, "d")))
    vectors = {1_000_000: (1.0, 0.0), 2_000_000: (0.8, 0.6), 3_000_000: (0.0, 1.0), 4_000_000: (1.0, 0.0)}
    found = neighbours(asked, [far, near, twin], vectors, 8)
    assert [(d.value.row, d.margin) for d in found] == [("b", 0.2), ("c", 1.0)]


def test_mirroring_shows_only_where_something_proves_it() -> None:
    signal = {"t_s": 2.0, "residual_x1": 0.1, "residual_x2": 0.4}
    sign = {"start_s": 1.0, "end_s": 3.0, "text": "MARKET", "confidence": 0.95}
    assert mirror_shift(signal, []) == (0.5, None)
    assert mirror_shift(signal, [sign]) == (1.0, sign)
    assert mirror_shift(signal | {"residual_x1": 0.3, "residual_x2": 0.7}, [sign | {"start_s": 2.5}]) == (0.0, None)
    assert mirror_shift(signal | {"residual_x1": None}, []) == (0.0, None)


def test_options_that_look_different_fail_the_style_test() -> None:
    assert not style_problem(["Cut the onions", "Wash the knives"])
    assert "lengths" in style_problem(["Cut the onions", "Wash the knives and put them into the upper drawer"])
    for odd in ("wash the knives", "Wash the knives.", "WASH THE KNIVES"):
        assert "punctuation" in style_problem(["Cut the onions", odd])


def test_an_unknown_kind_is_an_error_and_the_first_sound_proposal_wins() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        Distractor("x", "silly", 1.0)
    proposals = [Distractor(text, "one edit", 1.0) for text in "abc"]
    assert first_that(proposals, lambda d: "" if d.value == "b" else "bad") == proposals[1]
    assert first_that(proposals, lambda d: "bad") is None
