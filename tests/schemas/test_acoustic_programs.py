"""Functional programs over sounds: each step by an example, and answers that no shift of boundaries may change."""

import pytest
from chronotope.schemas.acoustic_asking import Asker, Rules
from chronotope.schemas.acoustic_programs import (
    Impossible,
    Node,
    Scene,
    Sound,
    Unclear,
    degenerate,
    read_program,
    run,
    scene_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

LABELS = ("cello", "flute", "violin")


def sound(start, end, instrument, note="C", loudness="loud", brightness="dark") -> Sound:
    return Sound(start_s=start, end_s=end, instrument=instrument, note=note, loudness=loudness, brightness=brightness)


SCENE = Scene(
    sounds=(
        sound(0.5, 1.5, "cello"),
        sound(2.0, 4.0, "violin", "D", "quiet"),
        sound(4.5, 5.0, "cello", "E", "quiet", "bright"),
        sound(6.0, 7.0, "flute", "C", "loud", "bright"),
        sound(8.0, 9.5, "violin", "A"),
    ),
    duration_s=12.0,
)


def program(*steps) -> tuple[Node, ...]:
    """A chain: each step takes the one before it."""
    return tuple(Node(op=op, args=args, inputs=(n - 1,) if n else ()) for n, (op, *args) in enumerate(steps))


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ([("filter", "instrument", "violin"), ("count",)], "2"),
        ([("filter", "loudness", "quiet"), ("filter", "brightness", "dark"), ("count",)], "1"),
        ([("filter", "note", "B"), ("exist",)], "no"),
        ([("filter", "instrument", "flute"), ("unique",), ("relate", "before"), ("count",)], "3"),
        ([("nth", "second"), ("unique",), ("relate", "after"), ("filter", "instrument", "cello"), ("count",)], "1"),
        ([("nth", "last"), ("unique",), ("query", "instrument")], "violin"),
        ([("extreme", "longest"), ("unique",), ("query", "note")], "D"),
        ([("extreme", "shortest"), ("unique",), ("query", "position")], "third"),
        ([("filter", "note", "E"), ("unique",), ("query", "position_of_kind")], "second"),
        ([("filter", "instrument", "flute"), ("unique",), ("query", "third")], "middle"),
        ([("filter", "third", "end"), ("unique",), ("query", "loudness")], "loud"),
    ],
)
def test_programs_answer(steps, answer):
    assert run(program(("scene",), *steps), SCENE) == answer


@pytest.mark.parametrize(
    "steps",
    [
        [("filter", "instrument", "cello"), ("unique",), ("query", "note")],
        [("filter", "instrument", "flute"), ("nth", "second"), ("unique",), ("query", "note")],
        [("filter", "instrument", "flute"), ("unique",), ("query", "position_of_kind")],
        [("dance",)],
    ],
)
def test_programs_without_an_answer_have_none(steps):
    with pytest.raises(Impossible):
        run(program(("scene",), *steps), SCENE)


def test_two_counts_are_compared():
    nodes = read_program(
        [
            {"op": "scene"},
            {"op": "filter", "args": ["instrument", "violin"], "inputs": [0]},
            {"op": "count", "inputs": [1]},
            {"op": "filter", "args": ["instrument", "flute"], "inputs": [0]},
            {"op": "count", "inputs": [3]},
            {"op": "more", "inputs": [2, 4]},
        ]
    )
    assert run(nodes, SCENE) == "yes"
    with pytest.raises(ValueError, match="does not come before"):
        read_program([{"op": "count", "inputs": [1]}])


def test_a_relation_that_could_be_the_whole_scene_is_degenerate():
    told = program(("scene",), ("nth", "first"), ("unique",), ("relate", "after"), ("filter", "note", "A"), ("exist",))
    needed = program(
        ("scene",), ("nth", "last"), ("unique",), ("relate", "before"), ("filter", "note", "A"), ("exist",)
    )
    assert degenerate(told, SCENE)
    assert not degenerate(needed, SCENE)


def test_answers_that_hang_on_less_than_the_slack_are_unclear():
    order = program(("scene",), ("filter", "instrument", "flute"), ("unique",), ("relate", "before"), ("count",))
    assert run(order, SCENE, 0.25) == "3"
    with pytest.raises(Unclear):
        run(order, SCENE, 0.8)


def test_rows_of_sounds_are_a_scene_in_order_of_time():
    rows = [
        {"start_s": 2.0, "end_s": 3.0, "label": "bell", "attributes_json": None},
        {"start_s": 1.0, "end_s": 1.5, "label": "flute", "attributes_json": '{"note": "C", "loudness": "loud"}'},
    ]
    assert [(s.instrument, s.note) for s in scene_of(rows, 4.0).sounds] == [("flute", "C"), ("bell", "")]


@st.composite
def scenes(draw):
    sounds, at = [], 0.0
    for _ in range(draw(st.integers(3, 9))):
        at += draw(st.floats(0.05, 1.5))
        end = at + draw(st.floats(0.3, 2.0))
        sounds.append(sound(round(at, 3), round(end, 3), draw(st.sampled_from(LABELS))))
        at = end
    return Scene(sounds=tuple(sounds), duration_s=round(at + 0.5, 3))


@settings(max_examples=25)
@given(scenes(), st.randoms(use_true_random=False))
def test_answers_about_detected_sounds_survive_shifted_boundaries(scene, random):
    plain = Scene(
        sounds=tuple(Sound(start_s=s.start_s, end_s=s.end_s, instrument=s.instrument) for s in scene.sounds),
        duration_s=scene.duration_s,
    )
    asked = Asker(Rules(shift_s=0.25, attributes=("instrument",), labels=LABELS), 1).ask(plain)
    for _ in range(8):
        moved = []
        for s in plain.sounds:
            start = max(0.0, s.start_s + random.uniform(-0.25, 0.25))
            moved.append(
                Sound(start_s=start, end_s=max(start, s.end_s + random.uniform(-0.25, 0.25)), instrument=s.instrument)
            )
        shifted = Scene(sounds=tuple(sorted(moved, key=lambda s: s.start_s)), duration_s=plain.duration_s)
        for question in asked:
            assert run(question.program, shifted) == question.answer, question.text
