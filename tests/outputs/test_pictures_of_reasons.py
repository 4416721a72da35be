"""A card shows what an answer rests on: moments of reasons in the strip and on the timeline, rows with their words, both ends of long texts."""

from __future__ import annotations

from chronotope.outputs.frame_plan import key_spans, strip_times
from chronotope.outputs.pen import both_ends, text_width, wrapped
from chronotope.outputs.readable import readable, reasons
from chronotope.outputs.timeline import Around, axis_of, lanes_of
from chronotope.schemas.sample import ChoiceAnswer, Evidence, MediumRef, Option, Sample, SpansAnswer, Turn

NEEDLES = ((100.0, 101.0, "a card with a red ring"), (700.0, 701.0, "a card with a blue star"))


def sample(**changes) -> Sample:
    given = {
        "task": "needle_retrieval",
        "recipe": "r",
        "media": (MediumRef(media_id="m", start_s=0.0, end_s=900.0),),
        "turns": (
            Turn(role="user", text="<video>\nWhat appears in <span:650,750>?\n<options>"),
            Turn(role="assistant", text="It is <answer>."),
        ),
        "answer": ChoiceAnswer(index=0),
        "options": (Option(text="a sign reads “Tea”"), Option(text="none of the others")),
        "rationale": (
            "I look at <span:0,900>.",
            "It appears in <span:700,701>, within <span:650,750>.",
            "<span:1,2>, <span:2,3> and <span:3,4> are compared.",
        ),
        "evidence": tuple(
            Evidence(table="events", row_id=str(i), values={"start_s": a, "end_s": b, "text": text})
            for i, (a, b, text) in enumerate(NEEDLES)
        ),
        "needs": ("vision",),
        "wording": "w",
        "answer_form": "a",
        "generator": "t@1",
    }
    return Sample(**(given | changes))


def test_the_moment_that_a_step_names_is_in_the_strip_however_short() -> None:
    asked = sample()
    assert reasons(asked) == {2: (700.0, 701.0)}, "neither the whole window nor a comparison of many spans"
    assert 700.5 in strip_times(asked, 6) and key_spans(asked) == [(700.0, 701.0)]
    without = asked.model_copy(update={"rationale": ()})
    assert 700.0 in strip_times(without, 6), "without reasons: the middle of what is asked about"


def test_steps_are_numbered_on_the_timeline_and_rows_say_what_they_are() -> None:
    lanes = {lane.name: [b.label for b in lane.bars] for lane in lanes_of(sample(), Around())}
    assert lanes["why"] == ["2"] and lanes["events"] == [text for _, _, text in NEEDLES]
    heard = ({"row_id": "s", "start_s": 5.0, "end_s": 6.0, "label": "tone", "attributes_json": None},)
    names = [lane.name for lane in lanes_of(sample(), Around(sounds=heard))]
    assert "sounds" not in names, "of no use to a question about pictures"
    assert "sounds" in [lane.name for lane in lanes_of(sample(needs=("audio",)), Around(sounds=heard))]


def test_spans_that_overlap_do_not_lie_on_each_other() -> None:
    spans = ((100.0, 300.0), (150.0, 200.0), (400.0, 401.0), (405.0, 500.0))
    asked = sample(answer=SpansAnswer(spans=spans), options=(), rationale=())
    lanes = [lane for lane in lanes_of(asked, Around()) if lane.bars[0].outside and lane.name in ("answer", "")]
    assert sum(len(lane.bars) for lane in lanes) == 4
    axis = axis_of(asked)
    for lane in lanes:
        ends = [axis.x(b.end_s) for b in lane.bars]
        assert all(e <= axis.x(b.start_s) for e, b in zip(ends, lane.bars[1:], strict=False))


def test_an_answer_with_quotes_is_quoted_once_and_long_questions_keep_their_end() -> None:
    assert readable("It is <answer>.", sample()) == "It is “a sign reads ‘Tea’”."
    lines = both_ends("\n".join([*(f"line {i}" for i in range(100)), "Which one is it?"]), 400, 21, 8)
    assert len(lines) == 8 and lines[0] == "line 0" and lines[-1] == "Which one is it?" and "…" in lines
    assert all(text_width(line, 16) <= 120 for line in wrapped("it is heard in 34.67-39.92 s of it", 120, 16))
    assert "s" not in {w for line in wrapped("it is heard in 34.67-39.92 s", 170, 16) for w in line.split()[:1]}
