"""Localisers: each finds what it can tell, says nothing about what it cannot, and its spans are those of its rows."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.engine.grounding.asked import asked
from chronotope.engine.grounding.in_curve import change_points, curve_of, in_curve
from chronotope.engine.grounding.in_motion import SeenMotionRule, in_motion, steps_of
from chronotope.engine.grounding.in_sound import in_sounds, in_transitions, in_voice
from chronotope.engine.grounding.in_words import in_descriptions, in_speech, in_writing, pages_of
from chronotope.engine.grounding.localising import Line
from chronotope.engine.grounding.proposals import Proposal, best_apart, candidate_rows
from chronotope.schemas.motion import SIGNAL_COLUMNS
from chronotope.schemas.span import Span, tiou
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the camera pans to the left", {"camera": "pan_left", "plain": ""}),
        ("the camera whips to the right", {"camera": "pan_right", "whip": True}),
        ("The camera slowly zooms in on a door", {"camera": "zoom_in"}),
        ("the camera rolls counterclockwise", {"camera": "roll_ccw"}),
        ("the camera follows a red star to the left", {"camera": "pan_left", "follows": True, "plain": "a red star"}),
        ("a green ring moves up", {"camera": None, "way": "up", "plain": "a green ring"}),
        ("the balloon rises", {"way": "up", "plain": "the balloon"}),
        ("a sign reads “OPEN”", {"quoted": ("OPEN",), "in_writing": True, "in_speech": False, "plain": ""}),
        ("a man says “good morning”", {"quoted": ("good morning",), "in_writing": False, "in_speech": True}),
        ("“good morning”", {"in_writing": True, "in_speech": True}),
        ("nobody speaks", {"voice": "no_speech", "plain": ""}),
        ("someone is talking", {"voice": "speech"}),
        ("there is silence", {"sounds": ("silence",)}),
        ("the picture dissolves into another one", {"transition": "dissolve", "camera": None}),
        ("a man opens the door", {"camera": None, "way": None, "plain": "a man opens the door"}),
        ("a man says that he likes it", {"quoted": (), "plain": "a man says that he likes it"}),
    ],
)
def test_descriptions_are_read_for_what_they_speak_about(text, expected):
    read = asked(text)
    assert {name: getattr(read, name) for name in expected} == expected


WORDS = [
    "some",
    "birds",
    "eat",
    "the",
    "apples",
    "slice",
    "the",
    "lemon",
    "and",
    "squeeze",
    "out",
    "the",
    "juice",
    "the",
    "driver",
    "waits",
]
SPOKEN = [Line(Span(i * 0.5, i * 0.5 + 0.4), word, (f"w{i}",)) for i, word in enumerate(WORDS)]
SENTENCES = [
    Line(Span(0, 2.4), "Some birds eat the apples.", ("s0",)),
    Line(Span(2.5, 6.4), "Slice the lemon and squeeze out the juice.", ("s1",)),
    Line(Span(6.5, 7.9), "The driver waits.", ("s2",)),
]


def test_quoted_words_are_found_to_the_word_even_when_one_was_misheard():
    exact = in_speech(asked("someone says “slice the lemon”"), SPOKEN, SENTENCES)[0]
    assert (exact.span, exact.score, exact.rows) == (Span(2.5, 3.9), 1.0, ("w5", "w6", "w7"))
    misheard = in_speech(asked("someone says “birds eat the appels”"), SPOKEN, SENTENCES)[0]
    assert misheard.span == Span(0.5, 2.4) and 0.8 < misheard.score < 1


def test_a_description_is_found_where_people_talk_about_it():
    best = in_speech(asked("a cook squeezes the juice out of a lemon"), SPOKEN, SENTENCES)[0]
    assert best.span == Span(2.5, 6.4) and best.score < 1
    assert in_speech(asked("the camera pans to the left"), SPOKEN, SENTENCES) == []
    assert in_speech(asked("a sign reads “slice the lemon”"), SPOKEN, SENTENCES) == []


def test_writing_is_found_across_a_misreading():
    signs = [
        Line(Span(1, 2), "NIGHT MARKET", ("t0",)),
        Line(Span(2.2, 4), "N1GHT MARKET", ("t1",)),
        Line(Span(8, 9), "EXIT", ("t2",)),
    ]
    found = in_writing(asked("a sign reads “Night market”"), signs)
    assert found[0].span == Span(1, 4) and set(found[0].rows) == {"t0", "t1"}
    assert in_writing(asked("a man says “exit”"), signs) == []


def test_lines_that_stand_together_are_read_as_one():
    card = [
        Line(Span(4, 7), "THE LANTERN COMPANY", ("a",)),
        Line(Span(4, 7), "presents", ("b",)),
        Line(Span(9, 9.5), "18", ("c",)),
    ]
    for text in ("the words the Lantern Company presents", "a title reads “The Lantern Company presents”"):
        best = in_writing(asked(text), [*card, *pages_of(card)])[0]
        assert best.span == Span(4, 7) and set(best.rows) == {"a", "b"} and best.score > 0.85


def test_captions_that_contradict_the_description_are_no_candidates():
    lines = [
        Line(Span(0, 5), "A red star drifts to the left.", ("c0",)),
        Line(Span(5, 9), "A blue star drifts to the left.", ("c1",)),
    ]
    assert [p.span for p in in_descriptions(asked("a blue star drifts to the left"), lines)] == [Span(5, 9)]


def signals(motions, step=0.25):
    rows = []
    for i, motion in enumerate(motions):
        row = dict.fromkeys(SIGNAL_COLUMNS) | {
            "row_id": f"r{i}",
            "t_s": i * step,
            "contrast": 30.0,
            "black": False,
            "luma": 90.0,
        }
        if motion is not None:
            still = {
                "pan": 0.0,
                "tilt": 0.0,
                "zoom": 0.0,
                "roll": 0.0,
                "inlier_share": 0.9,
                "residual": 0.0,
                "residual_area": 0.0,
            }
            row |= still | motion
        rows.append(row)
    return rows


LEFT, RIGHT, STILL = {"pan": -0.1}, {"pan": 0.1}, {}
MOVES = {"residual": 0.2, "residual_area": 0.05, "residual_dx": -0.2, "residual_dy": 0.0,
         "residual_x1": 0.4, "residual_y1": 0.4, "residual_x2": 0.6, "residual_y2": 0.6}  # fmt: skip


def moved(text, motions, shots=(), writing=()):
    return in_motion(asked(text), steps_of(signals(motions), shots, writing), shots, 16 / 9, SeenMotionRule())


def test_a_pan_is_found_between_a_rest_and_the_other_way():
    film = [STILL] * 9 + [LEFT] * 20 + [RIGHT] * 12
    assert moved("the camera pans to the left", film)[0].span == Span(2.0, 7.0)
    assert moved("the camera pans to the right", film)[0].span == Span(7.0, 10.0)
    assert moved("the camera tilts up", film) == [] and moved("a sign reads “UP”", film) == []


def test_two_like_pans_on_both_sides_of_a_cut_are_two():
    film = [LEFT] * 12 + [None] + [LEFT] * 11
    assert len(moved("the camera pans to the left", film)) == 2
    shots = [Span(0, 2.9), Span(2.9, 6)]
    assert {p.span for p in moved("the camera pans to the left", film, shots)} == {Span(0, 2.9), Span(2.9, 6)}


def test_one_frame_that_says_otherwise_does_not_end_a_motion_but_a_rest_does():
    film = [LEFT] * 8 + [STILL] + [LEFT] * 8 + [STILL] * 6 + [LEFT] * 6
    assert [p.span for p in moved("the camera pans to the left", film)] == [Span(0, 4.0), Span(5.5, 7.0)]


def test_things_move_by_themselves_and_lettering_does_not_count():
    film = [STILL] * 5 + [MOVES] * 10 + [STILL] * 5
    assert moved("a red ball moves to the left", film)[0].span == Span(1.0, 3.5)
    assert moved("a red ball moves to the right", film) == []
    from chronotope.schemas.box import Box

    assert moved("a red ball moves to the left", film, writing=[(Span(0, 5), Box(0.4, 0.4, 0.6, 0.6))]) == []


def sound(label, start, end, **more):
    return {"label": label, "start_s": start, "end_s": end, "confidence": None, "row_id": f"{label}{start}"} | more


def test_sounds_are_found_by_kind_by_the_words_of_a_tag_and_as_trains():
    rows = [
        sound("tone", 1, 1.5),
        sound("tone", 2, 2.5),
        sound("silence", 5, 8),
        sound("dog_bark", 9, 10, confidence=0.7),
    ]
    assert {p.span for p in in_sounds(asked("a series of beeps"), rows)} == {Span(1, 1.5), Span(2, 2.5), Span(1, 2.5)}
    assert [p.span for p in in_sounds(asked("silence"), rows)] == [Span(5, 8)]
    assert [(p.span, p.score) for p in in_sounds(asked("a dog barks"), rows)] == [(Span(9, 10), 0.7)]
    assert in_sounds(asked("a man opens the door"), rows) == []


def test_voices_and_their_pauses_tile_the_medium():
    rows = [{"start_s": a, "end_s": b, "row_id": str(a)} for a, b in ((2.0, 4.0), (4.5, 6.0), (9.0, 10.0))]
    assert {p.span for p in in_voice(asked("someone speaks"), rows, 12.0)} == {Span(2, 6), Span(9, 10)}
    assert {p.span for p in in_voice(asked("nobody speaks"), rows, 12.0)} == {Span(0, 2), Span(6, 9), Span(10, 12)}


def test_dissolves_and_black_are_transitions():
    shots = [{"start_s": 0.0, "end_s": 4.0, "transition": "start", "row_id": "a"},
             {"start_s": 4.0, "end_s": 8.0, "transition": "gradual", "row_id": "b"}]  # fmt: skip
    rows = signals([STILL] * 33)
    (dissolve,) = in_transitions(asked("the picture dissolves into another one"), shots, rows)
    assert dissolve.span.contains(4.0) and dissolve.span.length_s < 1
    for i, row in enumerate(rows[8:24]):
        row.update(luma=max(2.0, 80.0 - 10 * i), black=i >= 7)
    assert in_transitions(asked("the screen fades to black"), shots, rows)[0].span == Span(1.75, 4.0)


def stepped(values):
    return curve_of(
        list(range(len(values))),
        list(range(1, len(values) + 1)),
        values,
        [f"p{i}" for i in range(len(values))],
        float(len(values)),
    )


def test_the_peak_of_a_curve_is_found_to_half_a_picture_and_to_the_shot():
    curve = stepped([0.1] * 10 + [0.8, 0.9, 0.85, 0.8] + [0.1] * 10)
    best = in_curve(curve, [])[0]
    assert best.span == Span(9.5, 13.5) and best.rows == ("p10", "p11", "p12", "p13")
    shots = [Span(0, 9.7), Span(9.7, 13.8), Span(13.8, 24)]
    assert any(p.span == Span(9.7, 13.8) for p in in_curve(curve, shots)) or in_curve(curve, shots)[0].span == best.span


def test_a_curve_that_says_nothing_gives_nothing():
    assert in_curve(stepped([0.3] * 20), []) == []
    assert all(p.score < 0.3 for p in in_curve(stepped([0.3, 0.31, 0.29, 0.33, 0.38] * 4), []))


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(4, 12)), min_size=1, max_size=5), st.integers(0, 99))
def test_change_points_are_those_of_a_clean_staircase(levels, seed):
    noise = np.random.default_rng(seed).normal(0, 0.003, sum(n for _, n in levels))
    values = np.concatenate([np.full(n, v) for v, n in levels]) + noise
    edges = np.cumsum([n for _, n in levels])[:-1]
    large = [int(e) for e, (a, _), (b, _) in zip(edges, levels, levels[1:], strict=False) if abs(a - b) > 0.15]
    found = change_points(values, 4.0)
    assert set(large) <= set(found)
    assert all(0 < c < len(values) for c in found) and found == sorted(set(found))


spans = st.tuples(st.floats(0, 90), st.floats(0.1, 20)).map(lambda t: Span(t[0], t[0] + t[1]).quantised())


@given(st.lists(st.builds(Proposal, spans, st.floats(0, 1)), max_size=15))
def test_what_is_kept_is_apart_ranked_and_inside(proposals):
    kept = best_apart(proposals, 5, 0.5)
    assert len(kept) <= 5 and [p.score for p in kept] == sorted((p.score for p in kept), reverse=True)
    assert all(tiou(a.span, b.span) <= 0.5 for i, a in enumerate(kept) for b in kept[:i])
    rows = [row for _, row in candidate_rows("a dog barks", "clip", "pixels", kept, 50.0)]
    assert [r["rank"] for r in rows] == list(range(1, len(rows) + 1))
    assert all(0 <= r["start_s"] < r["end_s"] <= 50.0 for r in rows)
    assert len({(r["start_s"], r["end_s"]) for r in rows}) == len(rows)
