"""Dense captions: people's words win, order is that of time, and nothing in the answer is without a row behind it."""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.dense_caption import DenseCaption
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.sample import Sample, TextAnswer

COLOURS = ("red", "green", "blue", "yellow", "white", "black")


def sentence(text, start_s, end_s):
    return {"text": text, "slot_text": text, "row_ids": [], "start_s": start_s, "end_s": end_s}


@pytest.fixture
def coloured(new_world):
    """Six solid-colour scenes of 4 s: a person names five, a model describes all six, the third one wrongly."""
    world = new_world()
    world.medium("six", 24.0)
    for i in reversed(range(6)):  # rows in an order that is not that of time
        start, end = 4.0 * i, 4.0 * i + 4
        world.clip("six", start, end)
        if i < 5:
            text = f"a {COLOURS[i]} picture fills the screen"
            world.add(
                "captions", "six", "manifest", start_s=start, end_s=end, level="event", text=text, model="manifest"
            )
        colour = "purple" if i == 2 else COLOURS[i]
        text = f"a {colour} picture fills the whole screen"
        world.add(
            "captions", "six", "captioner", start_s=start, end_s=end, level="dense", text=text, model="m",
            sentences=[sentence(text, start, end), sentence("Nothing else moves.", start + 1, end)],
        )  # fmt: skip
    return world


def told(world, **params):
    rows = world.run(DenseCaption(DenseCaption.Params(**params)), "six")
    return {row["wording"][1]: Sample.from_row(row) for row in rows}


def test_the_text_follows_people_keeps_order_and_takes_the_sixth_scene_from_the_model(coloured):
    text = told(coloured)["t"].answer.text
    places = [text.index(f" {colour} picture") for colour in COLOURS]
    assert places == sorted(places)
    assert "purple" not in text and text.count("picture fills the") == 6


def test_each_line_of_the_timed_kind_has_the_span_of_its_row(coloured):
    sample = told(coloured)["l"]
    marks = [t for t in parse(sample.answer.text) if isinstance(t, SpanMark)]
    assert len(marks) == sample.answer.text.count("\n") + 1 == 12
    assert [m.start_s for m in marks] == sorted(m.start_s for m in marks)
    assert sample.problems() == []


def test_a_sentence_with_a_contradicted_claim_is_cut(coloured):
    caption = next(r for r in coloured.tables["captions"].values() if r["level"] == "dense" and r["start_s"] == 20)
    coloured.add(
        "claims", "six", "claims", caption_id=caption["row_id"], sentence=0, position=0, status="contradicted"
    )  # fmt: skip
    text = told(coloured, min_covered=0.2)["t"].answer.text
    assert "black" not in text and text.count("Nothing else moves.") == 6


def test_long_footage_is_cut_at_clips_and_a_lone_scene_gives_no_sample(coloured):
    rows = coloured.run(DenseCaption(DenseCaption.Params(longest_s=8.0)), "six")
    assert {(r["window_start_s"], r["window_end_s"]) for r in rows} == {(0.0, 8.0), (8.0, 16.0), (16.0, 24.0)}
    assert coloured.run(DenseCaption(DenseCaption.Params(longest_s=4.0)), "six") == []


def test_planted_lies_are_caught(coloured, all_caught):
    task = DenseCaption(DenseCaption.Params())
    assert all_caught(coloured, task, coloured.run(task, "six")) > 60


def test_events_are_told_as_descriptions_are(coloured, all_caught):
    before = told(coloured)["l"].answer.text
    people = [r for r in coloured.tables["captions"].values() if r["level"] == "event"]
    for row in people:
        del coloured.tables["captions"][row["row_id"]]
        span = {"start_s": row["start_s"], "end_s": row["end_s"]}
        coloured.add("events", "six", "imported", text=row["text"], kind="event", **span)
    assert told(coloured)["l"].answer.text == before
    task = DenseCaption(DenseCaption.Params(kinds=("timed",)))
    assert all_caught(coloured, task, coloured.run(task, "six")) > 30


def test_a_changed_word_is_a_wrong_answer(coloured):
    task = DenseCaption(DenseCaption.Params())
    sample = Sample.from_row(coloured.run(task, "six")[0])
    other = TextAnswer(text=sample.answer.text.replace("red", "grey"))
    lie = sample.model_copy(update={"answer": other}).to_row()
    assert coloured.check(task, lie)["problem"] == "answer wrong"
