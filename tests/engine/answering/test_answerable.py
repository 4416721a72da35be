"""Answerability with known truth: every kind of answer, and every thing that can stand in its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from chronotope.engine.answering.answerable import Answerability, Shown, answerability, roles, show_stills, show_video
from chronotope.engine.answering.evidence_spans import asked_spans, evidence_spans
from chronotope.engine.answering.samplers import StreamFacts, window_facts
from chronotope.engine.answering.trainer_profiles import Least, load_profile
from chronotope.schemas.boxcodec import box_codec
from chronotope.schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    Turn,
    TurnPart,
    TurnsAnswer,
)
from chronotope.schemas.span import Span
from chronotope.schemas.timecodec import time_codec

LEAST = Least()


def sample(answer: Any, question: str = "<video>\nWhen?", said: str = "Then.", **changes: Any) -> Sample:
    """A sample of the window [100, 160) of a medium."""
    values: dict[str, Any] = {
        "task": "t", "recipe": "r", "media": (MediumRef(media_id="m", start_s=100.0, end_s=160.0),),
        "turns": (Turn(role="user", text=question), Turn(role="assistant", text=said)), "answer": answer,
        "evidence": (Evidence(table="media", row_id="m", values={}),), "needs": ("vision",), "wording": "w",
        "answer_form": "a", "generator": "g",
    }  # fmt: skip
    return Sample(**{**values, **changes})


def frames_every(step_s: float, start_s: float = 100.0, end_s: float = 160.0) -> Shown:
    """A frame every `step_s` of the window, 400 x 200 px."""
    from chronotope.engine.answering.answerable import Drawn

    times = np.arange(start_s, end_s, step_s)
    return Shown(tuple(Drawn(float(t), 400, 200, 10) for t in times), end_s - start_s, (400.0, 200.0))


def judged(
    what: Sample, *shown: Shown, times: str = "seconds", boxes: str | None = None, sound: bool = False
) -> Answerability:
    codec = None if boxes is None else box_codec(boxes, width=400, height=200)
    return answerability(
        what, dict(enumerate(shown)), LEAST, times=time_codec(times), boxes=codec, sound=sound
    )  # fmt: skip


def test_a_span_between_two_frames_is_not_answerable() -> None:
    hidden = sample(SpanAnswer(start_s=110.1, end_s=111.9))
    found = judged(hidden, frames_every(2.0))
    assert (found.rule, found.frames_in_evidence, found.answerable) == ("no frame inside the evidence", 0, False)
    assert "110.1..111.9" in found.detail
    seen = judged(hidden, frames_every(1.0))
    assert (seen.rule, seen.frames_in_evidence, seen.evidence_s) == (None, 1, 1.8)


def test_a_frame_on_the_first_instant_counts_and_one_on_the_last_does_not() -> None:
    assert judged(sample(SpanAnswer(start_s=110.0, end_s=112.0)), frames_every(2.0)).frames_in_evidence == 1
    cut = Shown(frames_every(2.0).frames, 60.0, (400.0, 200.0))
    assert [t for t in cut.times if 109 < t < 113] == [110.0, 112.0]


def test_every_one_of_several_spans_must_be_seen() -> None:
    spans = SpansAnswer(spans=((110.0, 114.0), (120.1, 121.9)))
    assert judged(sample(spans), frames_every(2.0)).rule == "no frame inside the evidence"
    assert judged(sample(spans), frames_every(0.5)).answerable


def test_spans_named_in_turns_and_options_count_too() -> None:
    options = (Option(text="<span:110.1,111.9>"), Option(text="<span:130,140>"))
    asked = sample(ChoiceAnswer(index=1), "<video>\nWhich part?\n<options>", "<answer>", options=options)
    assert asked_spans(asked) == [(0, Span(110.1, 111.9)), (0, Span(130, 140))]
    assert judged(asked, frames_every(2.0)).rule == "no frame inside the evidence"


def test_a_conversation_is_judged_by_all_its_turns() -> None:
    turns = tuple(
        Turn(role=role, text=text)
        for role, text in (
            ("user", "<video>\nWhen is it red?"),
            ("assistant", "In <span:110,120>."),
            ("user", "And right after that?"),
            ("assistant", "It is blue in <span:120.5,121.5>."),
        )
    )
    talk = sample(TextAnswer(text="blue"), turns=turns)
    assert judged(talk, frames_every(2.0)).rule == "no frame inside the evidence"
    assert judged(talk, frames_every(1.0)).frames_in_evidence == 1
    silent = sample(TextAnswer(text="a dog"), "<video>\nWhat is it?", "A dog.")
    found = judged(silent, frames_every(2.0))
    assert (found.answerable, found.frames_in_evidence, found.evidence_s) == (True, None, None)


def test_a_conversation_is_judged_by_the_answers_and_scopes_of_its_turns() -> None:
    def talk(span: tuple[float, float], scope: tuple[float, float]) -> Sample:
        parts = (
            TurnPart(task="text_grounding", turn=1, answer=SpanAnswer(start_s=span[0], end_s=span[1]), scope=(100.0, 160.0), lead="l", form="f"),
            TurnPart(task="motion_direction", turn=3, answer=ChoiceAnswer(index=0), options=(0, 2), scope=scope, lead="l", form="f"),
        )  # fmt: skip
        turns = tuple(
            Turn(role=role, text=text)
            for role, text in (("user", "<video>\nWhen?"), ("assistant", "Then."), ("user", "Where to?\n<options>"), ("assistant", "<answer>"))
        )  # fmt: skip
        options = (Option(text="to the left"), Option(text="to the right"))
        return sample(TurnsAnswer(parts=parts), turns=turns, options=options, needs=("vision", "motion"))

    assert judged(talk((110.0, 111.0), (130.0, 140.0)), frames_every(2.0)).answerable, "one frame is enough to read"
    assert judged(talk((110.1, 111.9), (130.0, 140.0)), frames_every(2.0)).rule == "no frame inside the evidence"
    assert judged(talk((110.0, 111.0), (130.0, 131.0)), frames_every(2.0)).rule == "fewer than 2 frames to see motion"


def test_where_the_evidence_lies_is_known_from_difficulty_when_no_span_is_named() -> None:
    hidden = sample(ChoiceAnswer(index=0), difficulty={"evidence_ratio": 0.02, "position": 0.51})
    ((_, span),) = evidence_spans(hidden)
    assert (span.start_s, span.end_s) == (pytest.approx(130.0), pytest.approx(131.2))
    assert judged(hidden, frames_every(4.0, 101.0)).rule == "no frame inside the evidence"
    assert judged(sample(ChoiceAnswer(index=0)), frames_every(4.0, 101.0)).answerable, (
        "else the whole window is evidence"
    )


def test_motion_needs_two_frames_inside_its_span() -> None:
    moving = sample(SpanAnswer(start_s=110.0, end_s=113.0), needs=("vision", "motion"))
    assert judged(moving, frames_every(2.0)).answerable
    assert judged(moving, frames_every(5.0)).rule == "fewer than 2 frames to see motion"
    assert judged(sample(SpanAnswer(start_s=110.0, end_s=113.0)), frames_every(5.0)).answerable


def test_stills_show_their_own_evidence() -> None:
    ref = MediumRef(media_id="m", kind="image", start_s=100.0, end_s=160.0, frame_times=(110.0, 130.0, 120.0))
    order = sample(OrderAnswer(order=(0, 2, 1)), needs=("vision", "motion"), media=(ref,))
    shown = show_stills(load_profile("llava-video-64"), ref.frame_times, 60.0, 640, 360)
    found = judged(order, shown)
    assert (found.rule, found.frames_in_evidence, found.codec_error_s, found.coverage) == (None, None, None, 1.0)
    assert roles(order, 0, shown) == ["evidence"] * 3
    alone = show_stills(load_profile("llava-video-64"), (110.0,), 60.0, 640, 360)
    assert judged(order, alone).rule == "fewer than 2 frames to see motion"


def test_a_box_must_be_large_enough_after_resizing() -> None:
    place = BoxAnswer(t_s=120.0, box=(0.5, 0.5, 0.6, 0.53))
    found = judged(sample(place), frames_every(0.5))
    assert (found.object_px, found.rule) == (6.0, "object smaller than 10 px")
    assert judged(sample(BoxAnswer(t_s=120.0, box=(0.5, 0.5, 0.6, 0.55))), frames_every(0.5)).answerable
    tiny = SpanBoxAnswer(start_s=110.0, end_s=120.0, box=(0.5, 0.5, 0.5004, 0.9))
    assert judged(sample(tiny), frames_every(0.5), boxes="pixels").rule == "object smaller than 10 px"


def test_a_box_that_the_codec_cannot_say() -> None:
    thin = sample(SpanBoxAnswer(start_s=110.0, end_s=120.0, box=(0.5, 0.5, 0.5001, 0.9)))
    large = Shown(frames_every(0.5).frames, 60.0, (400_000.0, 200_000.0))
    assert judged(thin, large, boxes="float01").rule == "box smaller than the codec can say"


def test_a_place_is_asked_at_its_moment() -> None:
    place = sample(BoxAnswer(t_s=121.0, box=(0.1, 0.1, 0.9, 0.9)))
    assert judged(place, frames_every(2.0)).rule == "no frame inside the evidence"
    assert judged(place, frames_every(1.0)).answerable


def test_text_that_is_asked_about_must_be_readable() -> None:
    def reading(text: str, height: float) -> Evidence:
        values = {"text": text, "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.1 + height}
        return Evidence(table="text_regions", row_id=f"{text} {height}", values=values)

    cited = (reading("EXIT", 0.03), reading("Exit", 0.02), reading("EXIT", 0.10), reading("small print", 0.005))
    asked = sample(
        SpanAnswer(start_s=110.0, end_s=120.0), "<video>\nWhen does “EXIT” stand there?",
        needs=("vision", "on_screen_text"), evidence=cited,
    )  # fmt: skip
    found = judged(asked, frames_every(0.5))
    assert (found.object_px, found.rule) == (6.0, "object smaller than 10 px"), (
        "the median reading; other texts do not count"
    )


@pytest.mark.parametrize(
    ("times", "end_s", "rule"),
    [
        ("seconds", 110.3, None),
        ("mm:ss", 110.9, "span shorter than the codec can say"),  # an error of 0.5 s, more than half of 0.9 s
        ("mm:ss", 111.1, None),
        ("relative_tokens_100", 110.5, "span shorter than the codec can say"),  # 60 s / 198 = 0.303 s
        ("relative_tokens_100", 110.7, None),
    ],
)
def test_a_span_must_be_long_enough_for_the_codec(times: str, end_s: float, rule: str | None) -> None:
    found = judged(sample(SpanAnswer(start_s=110.0, end_s=end_s)), frames_every(0.05), times=times)
    assert found.rule == rule
    assert found.codec_error_s == pytest.approx(time_codec(times).max_error_s(60.0))


def test_what_is_heard_needs_sound_and_no_frames() -> None:
    heard = sample(SpanAnswer(start_s=110.1, end_s=111.9), needs=("audio", "speech_text"))
    assert judged(heard, frames_every(2.0)).rule == "no sound is shown"
    assert judged(heard, frames_every(2.0), sound=True).answerable
    assert judged(heard, Shown((), 60.0), sound=True).answerable
    assert judged(sample(SpanAnswer(start_s=110.0, end_s=120.0)), Shown((), 60.0)).rule == "no frame is drawn"


def test_absence_must_be_seen_over_the_window() -> None:
    nothing = sample(AbsentAnswer(), difficulty={"evidence_ratio": 0.01, "position": 0.5})
    found = judged(nothing, frames_every(1.0))
    assert (found.rule, found.frames_in_evidence) == (None, None)
    assert found.coverage == pytest.approx(59.5 / 60)
    sparse = judged(nothing, frames_every(5.0))
    assert (sparse.rule, sparse.coverage) == (
        "too little is seen to call it absent",
        pytest.approx(11.5 / 60, abs=1e-6),
    )


def test_a_video_that_the_trainer_refuses() -> None:
    one = StreamFacts(1, 0.04, 25.0, np.zeros(1))
    shown = show_video(load_profile("qwen2.5-vl-2fps"), one, 100.0, 640, 360)
    assert judged(sample(SpanAnswer(start_s=100.0, end_s=160.0)), shown).rule == "the trainer cannot sample the video"


def test_long_footage_hides_short_events_from_sixty_four_frames_but_not_from_two_a_second() -> None:
    def rule(profile: str, span: tuple[float, float]) -> str | None:
        ref = MediumRef(media_id="m", start_s=0.0, end_s=600.0)
        asked = sample(SpanAnswer(start_s=span[0], end_s=span[1]), media=(ref,))
        facts, zero_s = window_facts(0.0, 600.0, 25.0)
        return judged(asked, show_video(load_profile(profile), facts, zero_s, 1280, 720)).rule

    for profile, hidden in (("llava-video-64", (296.0, 304.0)), ("llamafactory-128", (303.0, 306.0))):
        assert rule(profile, hidden) == "no frame inside the evidence"
        assert rule("qwen2.5-vl-2fps", hidden) is None
    assert rule("llava-video-64", (300.0, 320.0)) is None


def test_spans_of_a_second_medium_are_looked_for_there() -> None:
    media = (MediumRef(media_id="m", start_s=100.0, end_s=160.0), MediumRef(media_id="n", start_s=0.0, end_s=60.0))
    asked = sample(ChoiceAnswer(index=0), "<video>\n<video@2>\nIs <span:110,120> in <span@2:10,20>?", media=media)
    both: Sequence[Shown] = (frames_every(2.0), frames_every(2.0, 0.0, 60.0))
    assert judged(asked, *both).answerable
    assert judged(asked, frames_every(2.0), frames_every(30.0, 0.0, 60.0)).rule == "no frame inside the evidence"
    assert roles(asked, 1, both[1]).count("evidence") == 5
    assert judged(asked, both[0]).answerable, "nothing is known of the second"
