"""Answers that name several spans, or none, or are texts with times, in every trainer's language, and on the timeline of a picture."""

from __future__ import annotations

import pytest
from chronotope.outputs.rendering import Language, Part, View, render
from chronotope.outputs.timeline import Around, lanes_of
from chronotope.schemas.sample import AbsentAnswer, Evidence, MediumRef, Sample, SpansAnswer, TextAnswer, Turn
from chronotope.schemas.span import Span
from chronotope.schemas.timecodec import TIME_CODECS, time_codec

VIEW = View((Part("video", "a.mp4"),), Span(10.0, 50.0), 10.0, 40.0, 640, 360)
SPANS = ((12.0, 15.0), (30.0, 34.0))
CAPTIONS = ((12.0, 15.0, "a dog barks"), (13.0, 20.0, "a cat sleeps"), (30.0, 34.0, "the dog is barking"))


def sample(answer, said):
    return Sample(
        task="temporal_grounding",
        recipe="r",
        media=(MediumRef(media_id="m", start_s=10.0, end_s=50.0),),
        turns=(
            Turn(role="user", text="<video>\nWhen does a dog bark?"),
            Turn(role="assistant", text=said),
        ),
        answer=answer,
        evidence=tuple(
            Evidence(table="captions", row_id=str(i), values={"start_s": a, "end_s": b, "text": text})
            for i, (a, b, text) in enumerate(CAPTIONS)
        ),
        needs=("vision",),
        wording="w",
        answer_form="a",
        generator="t@1",
    )


TWICE = sample(SpansAnswer(spans=SPANS), "In <span:12,15> and <span:30,34>.")
NEVER = sample(AbsentAnswer(), "It never happens in this footage.")


def language(times):
    return Language(time_codec(times), "{start} to {end}", "float01", 2, "letter", {"video": "<video>"})


@pytest.mark.parametrize("times", sorted(TIME_CODECS))
def test_all_spans_are_said_on_the_files_clock(times):
    codec = language(times)
    rendered = render(TWICE, [VIEW], [], codec)
    wanted = [codec.span(Span(a - 10, b - 10), 40.0) for a, b in SPANS]
    assert rendered.turns[1][1] == f"In {wanted[0]} and {wanted[1]}."
    assert rendered.answer == {"kind": "spans", "spans": [[2.0, 5.0], [20.0, 24.0]]}


@pytest.mark.parametrize("times", sorted(TIME_CODECS))
def test_a_text_as_answer_has_its_times_on_the_files_clock(times):
    codec, text = language(times), "<span:12,15> A dog barks."
    rendered = render(sample(TextAnswer(text=text), text), [VIEW], [], codec)
    wanted = f"{codec.span(Span(2.0, 5.0), 40.0)} A dog barks."
    assert rendered.turns[1][1] == wanted and rendered.answer == {"kind": "text", "text": wanted}


@pytest.mark.parametrize("times", sorted(TIME_CODECS))
def test_nothing_is_said_about_times_when_it_never_happens(times):
    rendered = render(NEVER, [VIEW], [], language(times))
    assert rendered.turns[1][1] == "It never happens in this footage." and rendered.answer == {"kind": "absent"}


def test_the_timeline_shows_every_span_and_overlapping_descriptions_below_each_other():
    lanes = lanes_of(TWICE, Around())
    answer, *captions = lanes
    assert [(b.start_s, b.end_s) for b in answer.bars] == list(SPANS)
    assert [[b.label for b in lane.bars] for lane in captions] == [
        ["a dog barks", "the dog is barking"],
        ["a cat sleeps"],
    ]
    assert [lane.name for lane in lanes_of(NEVER, Around())] == ["captions", ""]
