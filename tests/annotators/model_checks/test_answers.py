"""Questions as models get them, and what their structured replies are worth."""

from __future__ import annotations

import pytest
from chronotope.annotators.model_checks.answers import (
    AskedChoiceReply,
    AskedNumberReply,
    AskedOrderReply,
    AskedSpan,
    AskedSpansReply,
    AskedTextReply,
    put,
    puttable,
    said_answer,
)
from chronotope.annotators.model_checks.blind import passed, tail
from chronotope.schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    NumberAnswer,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpansAnswer,
    TextAnswer,
    Turn,
)


def sample(answer: object, options: tuple[str, ...] = (), question: str = "What is seen in <span:3.2,5>?") -> Sample:
    return Sample(
        task="t", recipe="r", media=(MediumRef(media_id="m", start_s=0, end_s=20),),
        turns=(
            Turn(role="user", text=f"<video>\n{question}" + ("\n<options>" if options else "")),
            Turn(role="assistant", text="<answer>"),
        ),
        answer=answer, options=tuple(Option(text=o) for o in options),
        evidence=(Evidence(table="media", row_id="m", values={}),), needs=("vision",), wording="w", answer_form="a",
        generator="t@1",
    )  # fmt: skip


CHOICE = sample(ChoiceAnswer(index=2), ("a cat", "a dog", "a &lt;horse>", "a cow"))


def test_a_question_is_put_in_plain_words_with_numbered_options() -> None:
    asked = put(CHOICE).text
    assert asked.startswith("What is seen in 3.2 to 5 s?\n1. ")
    assert {line[3:] for line in asked.splitlines()[1:]} == {"a cat", "a dog", "a <horse>", "a cow"}
    assert said_answer(CHOICE) == "a <horse>"


def test_each_reply_gets_the_options_in_an_order_of_its_own_and_is_graded_by_it() -> None:
    questions = [put(CHOICE, n) for n in range(6)]
    assert len({q.order for q in questions}) > 3
    for question in questions:
        right = question.order.index(2) + 1
        assert question.grade(AskedChoiceReply(choice=right)).ok
        assert not question.grade(AskedChoiceReply(choice=right % 4 + 1)).ok
        assert question.complaint(AskedChoiceReply(choice=5)) and not question.complaint(AskedChoiceReply(choice=4))


def test_an_order_is_graded_in_the_numbers_that_were_shown() -> None:
    question = put(sample(OrderAnswer(order=(1, 0, 2)), ("one", "two", "three")))
    right = [question.order.index(i) + 1 for i in (1, 0, 2)]
    assert question.grade(AskedOrderReply(order=right)).ok
    assert not question.grade(AskedOrderReply(order=right[::-1])).ok
    assert question.complaint(AskedOrderReply(order=[1, 1, 2]))


@pytest.mark.parametrize(
    ("answer", "said", "right"),
    [
        (SpanAnswer(start_s=2, end_s=6), [(2.5, 6)], True),
        (SpanAnswer(start_s=2, end_s=6), [(5, 12)], False),
        (SpanAnswer(start_s=2, end_s=6), [], False),
        (SpansAnswer(spans=((1, 2), (5, 6))), [(1, 2), (5, 6)], True),
        (AbsentAnswer(), [], True),
        (AbsentAnswer(), [(1, 2)], False),
        (SpanAnswer(start_s=2, end_s=6), [(6, 2)], False),
    ],
)
def test_spans_are_graded_by_tiou(answer: object, said: list[tuple[float, float]], right: bool) -> None:
    reply = AskedSpansReply(spans=[AskedSpan(start_s=a, end_s=b) for a, b in said])
    assert put(sample(answer)).grade(reply).ok is right


def test_numbers_and_words_are_graded() -> None:
    assert put(sample(NumberAnswer(value=3, unit="times"))).grade(AskedNumberReply(value=3)).ok
    assert not put(sample(NumberAnswer(value=3, unit="times"))).grade(AskedNumberReply(value=4)).ok
    words = put(sample(TextAnswer(text="a man picks up the lamp")))
    assert words.grade(AskedTextReply(answer="the man is picking up a lamp")).ok
    assert not words.grade(AskedTextReply(answer="a dog barks")).ok


def test_places_and_pictured_options_are_not_put() -> None:
    assert not puttable(sample(BoxAnswer(t_s=1, box=(0, 0, 1, 1))))
    assert not puttable(sample(ChoiceAnswer(index=0), ("<image@2>", "<image@3>")))
    assert puttable(CHOICE)


@pytest.mark.parametrize(
    ("right", "replies", "chance", "verdict"),
    [
        (3, 3, 0.25, False),  # 1.6% by chance
        (2, 3, 0.25, True),  # 16%
        (1, 1, 0.25, None),  # right, but that happens in a quarter of all cases
        (0, 1, 0.25, True),
        (3, 3, 0.5, None),  # two options: three right replies are no surprise
        (5, 5, 0.5, False),
    ],
)
def test_guessing_counts_only_beyond_chance(right: int, replies: int, chance: float, verdict: bool | None) -> None:
    assert passed(right, replies, chance) is verdict
    assert tail(0, replies, chance) == pytest.approx(1.0)
