"""Readings of single pictures become appearances: whole, disjoint, independent of order."""

from __future__ import annotations

from chronotope.schemas.box import Box
from chronotope.schemas.readings import Reading, edit_distance, merge_readings, normalised
from hypothesis import given
from hypothesis import strategies as st

LEFT, RIGHT = Box(0.1, 0.1, 0.4, 0.2), Box(0.6, 0.7, 0.9, 0.8)


def reading(i: int, text: str, start_s: float, box: Box = LEFT, confidence: float = 0.9) -> Reading:
    return Reading(f"r{i}", text, start_s, start_s + 1, box, confidence)


@st.composite
def many_readings(draw) -> list[Reading]:
    texts = st.sampled_from(["OPEN", "0PEN", "CLOSED", "CLOSE", "Gate 14", "gate14", "♪"])
    boxes = st.sampled_from([LEFT, RIGHT, Box(0.12, 0.1, 0.42, 0.2), Box(0.3, 0.1, 0.7, 0.2)])
    rows = draw(st.lists(st.tuples(texts, st.integers(0, 12), boxes, st.sampled_from([0.5, 0.8, 0.9])), max_size=25))
    return [reading(i, text, float(start), box, sure) for i, (text, start, box, sure) in enumerate(rows)]


@given(many_readings(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(readings, random) -> None:
    shuffled = readings[:]
    random.shuffle(shuffled)
    assert merge_readings(shuffled) == merge_readings(readings)


@given(many_readings())
def test_every_reading_is_in_one_appearance_that_covers_it(readings) -> None:
    appearances = merge_readings(readings)
    members = [m for a in appearances for m in a.members]
    assert sorted(members) == sorted(r.row_id for r in readings)
    by_id = {r.row_id: r for r in readings}
    for appearance in appearances:
        rows = [by_id[m] for m in appearance.members]
        assert appearance.start_s == min(r.start_s for r in rows)
        assert appearance.end_s == max(r.end_s for r in rows)
        assert appearance.text in {r.text for r in rows}
        assert len({r.start_s for r in rows}) == len(rows), "one picture has one reading of a text"
        for r in rows:
            assert appearance.box.intersection(r.box) == r.box


@given(st.text("abcd", max_size=8), st.text("abcd", max_size=8), st.integers(0, 9))
def test_edit_distance_is_a_distance_up_to_its_limit(a, b, limit) -> None:
    full = edit_distance(a, b, 20)
    assert edit_distance(b, a, 20) == full
    assert abs(len(a) - len(b)) <= full <= max(len(a), len(b))
    assert (full == 0) == (a == b)
    assert edit_distance(a, b, limit) == min(full, limit + 1)


def test_a_wrong_letter_and_a_missed_picture_do_not_cut_an_appearance() -> None:
    rows = [reading(0, "MARKET", 0), reading(1, "MARKFT", 1, confidence=0.99), reading(2, "MARKET", 3)]
    (appearance,) = merge_readings(rows)
    assert (appearance.text, appearance.start_s, appearance.end_s) == ("MARKET", 0, 4)


def test_the_same_text_elsewhere_or_much_later_is_another_appearance() -> None:
    rows = [reading(0, "EXIT", 0), reading(1, "EXIT", 1, RIGHT), reading(2, "EXIT", 5)]
    assert len(merge_readings(rows)) == 3


def test_another_text_at_the_same_place_is_another_appearance() -> None:
    assert len(merge_readings([reading(0, "LEVEL ONE", 0), reading(1, "GAME OVER", 1)])) == 2


def test_case_width_and_spaces_do_not_make_a_text_different() -> None:
    assert normalised("Gate 14!") == normalised("ＧＡＴＥ14")
    assert normalised("♪ ♫") == "♪♫"
