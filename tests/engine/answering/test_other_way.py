"""Doubted needs with known truth: subtitles that give speech away, speech that gives signs and movements away."""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.engine.answering.other_way import Doubt, doubt, heard, readable
from chronotope.schemas.sample import (
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    Turn,
)


def sample(answer: Any, question: str, needs: tuple[str, ...], options: tuple[str, ...] = ()) -> Sample:
    """A sample of the window [0, 60) of a medium."""
    return Sample.model_validate({
        "task": "t", "recipe": "r", "media": (MediumRef(media_id="m", start_s=0.0, end_s=60.0),),
        "turns": (Turn(role="user", text=f"<video>\n{question}"), Turn(role="assistant", text="Then.")),
        "answer": answer, "options": tuple(Option(text=o) for o in options),
        "evidence": (Evidence(table="media", row_id="m", values={}),), "needs": needs, "wording": "w",
        "answer_form": "a", "generator": "g",
    })  # fmt: skip


def words(text: str, start_s: float, step_s: float = 0.5) -> list[dict[str, Any]]:
    return [
        {"word": word, "position": i, "start_s": start_s + i * step_s, "end_s": start_s + (i + 1) * step_s}
        for i, word in enumerate(text.split())
    ]


def texts(*rows: tuple[str, float, float], y1: float = 0.8) -> list[dict[str, Any]]:
    return [{"text": t, "start_s": a, "end_s": b, "x1": 0.1, "y1": y1} for t, a, b in rows]


def asked(
    what: Sample, said: list[dict[str, Any]] | None = None, shown: list[dict[str, Any]] | None = None
) -> Doubt | None:
    return doubt(what, heard(said or [], []), readable(shown or []), 0.8, 0.3)


SPOKEN = sample(
    SpanAnswer(start_s=10.0, end_s=13.0), "When is “the old barn was built in spring” said?", ("audio", "speech_text")
)
SIGN = sample(
    SpanAnswer(start_s=10.0, end_s=13.0), "When does “NIGHT MARKET” stand there?", ("vision", "on_screen_text")
)


def test_subtitles_refute_the_need_to_hear() -> None:
    found = asked(
        SPOKEN, shown=texts(("The old barn was built", 10.0, 13.5), y1=0.8) + texts(("in spring.", 10.0, 13.5), y1=0.9)
    )
    assert found is not None
    assert (found.other_way, found.given, found.score) == ("vision", True, pytest.approx(3 / 3.5))
    assert "10.00..13.50" in found.why


def test_readings_without_spaces_count_too() -> None:
    found = asked(SPOKEN, shown=texts(("Theoldbarnwasbuiltinspring", 10.0, 13.0)))
    assert found is not None and found.given


@pytest.mark.parametrize(
    "shown",
    [
        texts(("A house near the lake", 10.0, 13.0)),  # other words
        texts(("The old barn was built in spring", 40.0, 43.0)),  # another time
        texts(("The old barn was built in spring", 0.0, 60.0)),  # stands all the time, and so says nothing about when
        texts(("spring in built was barn old the", 10.0, 13.0)),  # the words in another order
    ],
)
def test_other_text_leaves_the_need_as_it_is(shown: list[dict[str, Any]]) -> None:
    found = asked(SPOKEN, shown=shown)
    assert found is not None and not found.given


def test_nothing_is_said_where_the_other_modality_was_not_looked_at() -> None:
    assert asked(SPOKEN) is None
    assert asked(SPOKEN, shown=texts(("The old barn", 100.0, 103.0))) is None, "outside the window"


def test_a_sign_that_is_read_aloud() -> None:
    found = asked(SIGN, said=words("we go to the night market now", 8.5, 0.4))
    assert found is not None
    assert not found.given, "said from 10.1 to 10.9 s, a quarter of the time that it stands"
    assert found.score == pytest.approx(0.8 / 3, abs=1e-6)
    slow = asked(SIGN, said=words("the night-market opens", 9.0, 2.0))
    assert slow is not None and slow.given, "a hyphenated word is two"


def test_a_movement_that_somebody_announces() -> None:
    options = ("it pans to the left", "it pans to the right")
    moving = sample(ChoiceAnswer(index=0), "How does the camera move?", ("vision", "motion"), options)
    told = asked(moving, said=words("and now it pans to the left slowly", 5.0))
    assert told is not None and (told.other_way, told.given) == ("audio", True)
    both = asked(moving, said=words("it pans to the left then it pans to the right", 5.0))
    assert both is not None and not both.given
    single = sample(ChoiceAnswer(index=0), "Where to?", ("vision", "motion"), ("left", "right"))
    assert asked(single, said=words("what is left", 5.0)) is None, "one word is chance"


def test_the_order_of_spoken_pieces_is_given_away_by_subtitles() -> None:
    options = ("a fox runs along the edge of the field", "the tools are in the little house")
    order = sample(OrderAnswer(order=(1, 0)), "In which order?", ("audio", "speech_text"), options)
    subtitles = texts(("The tools are in", 5.0, 7.0), ("the little house", 7.0, 9.0), ("A fox runs along", 20.0, 22.0))
    found = asked(order, shown=subtitles)
    assert found is not None and found.given
    turned = asked(sample(OrderAnswer(order=(0, 1)), "In which order?", ("audio",), options), shown=subtitles)
    assert turned is not None and not turned.given
    half = asked(order, shown=subtitles[:2])
    assert half is not None and half.why == "1 of 2 items are readable on screen"


def test_segments_stand_in_for_words() -> None:
    segment = {"text": "Come to the NIGHT MARKET!", "start_s": 9.0, "end_s": 13.0}
    found = doubt(SIGN, heard([], [segment]), [], 0.8, 0.3)
    assert found is not None and found.given and found.score == pytest.approx(3 / 4)
