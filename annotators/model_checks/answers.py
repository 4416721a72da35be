"""Putting a sample's question to a model as plain words, and grading the structured reply against the typed answer.

Options are numbered in an order of their own for each reply, so that a liking for the first option is no knowledge. Times
are seconds on the source's clock, as the pictures beside the question are labelled. Conversations, places, and options that
are pictures are not put (`puttable` says so).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.ids import seeded_fraction
from ...schemas.markup import BoxAt, BoxMark, Media, Moment, OptionsMark, SpanMark, Text, Token, parse, replace
from ...schemas.matching import common_words
from ...schemas.sample import (
    AbsentAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpansAnswer,
    TextAnswer,
)
from ...schemas.span import Span, seconds_text, span_or_none, tiou_sets
from ...schemas.verifying import COUNTED, Check, check_choice, check_mra, check_number, check_order

SAME_SPAN_TIOU = 0.5
"""Spans count as the same answer from this tIoU on."""
SAME_WORDS = 0.5
"""Free answers count as the same from this share of common content words on."""
PUTTABLE = (ChoiceAnswer, OrderAnswer, SpanAnswer, SpansAnswer, AbsentAnswer, NumberAnswer, TextAnswer)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskedChoiceReply(_Reply):
    """One option."""

    choice: int = Field(description="number of the option that is right, as the options are numbered")


class AskedOrderReply(_Reply):
    """All options in order."""

    order: list[int] = Field(description="the numbers of all items, in the right order, each once")


class AskedSpan(_Reply):
    """A part of the footage."""

    start_s: float = Field(description="start in seconds")
    end_s: float = Field(description="end in seconds")


class AskedSpansReply(_Reply):
    """When it happens."""

    spans: list[AskedSpan] = Field(description="every time that it happens, in seconds; empty when it does not happen")


class AskedNumberReply(_Reply):
    """A number."""

    value: float = Field(description="the number alone")


class AskedTextReply(_Reply):
    """Words."""

    answer: str = Field(description="the answer in a few words")


AskedReply = AskedChoiceReply | AskedOrderReply | AskedSpansReply | AskedNumberReply | AskedTextReply


@dataclass(frozen=True)
class Put:
    """A sample's question as it is put to a model once."""

    sample: Sample
    text: str
    """Question and numbered options."""
    order: tuple[int, ...]
    """`order[i]` is the canonical index of the option with number i + 1."""
    reply: type[BaseModel]

    def grade(self, reply: BaseModel) -> Check:
        """Whether the reply is the sample's answer; score is partial credit, 0..1."""
        answer = self.sample.answer
        match answer, reply:
            case (ChoiceAnswer(index=right), AskedChoiceReply(choice=said)):
                return check_choice(self._canonical(said), right)
            case (OrderAnswer(order=right), AskedOrderReply(order=said)):
                return check_order([self._canonical(n) for n in said], right)
            case (NumberAnswer(value=truth, unit=unit), AskedNumberReply(value=value)):
                return check_number(value, truth, abs_tolerance=1e-6) if unit in COUNTED else check_mra(value, truth)
            case (TextAnswer(text=truth), AskedTextReply(answer=said)):
                score = common_words(plain_words(truth), said)
                return Check(score >= SAME_WORDS, "" if score >= SAME_WORDS else f"says {said!r}", score)
            case (SpanAnswer() | SpansAnswer() | AbsentAnswer(), AskedSpansReply(spans=spans)):
                return _same_spans(answer, spans)
        return Check(False, f"a {type(reply).__name__} is no answer of kind {answer.kind}", 0.0)

    def complaint(self, reply: BaseModel) -> str:
        """What is wrong with a reply whatever is true: numbers that no option has."""
        n = len(self.order)
        if isinstance(reply, AskedChoiceReply) and not 1 <= reply.choice <= n:
            return f"choice is {reply.choice}; it is a number from 1 to {n}"
        if isinstance(reply, AskedOrderReply) and sorted(reply.order) != list(range(1, n + 1)):
            return f"order is {reply.order}; it names each of the numbers 1 to {n} once"
        return ""

    def typical(self) -> BaseModel:
        """A reply of the usual length."""
        if self.reply is AskedChoiceReply:
            return AskedChoiceReply(choice=1)
        if self.reply is AskedOrderReply:
            return AskedOrderReply(order=list(range(1, len(self.order) + 1)))
        if self.reply is AskedSpansReply:
            window = self.sample.window
            return AskedSpansReply(spans=[AskedSpan(start_s=window.start_s, end_s=window.end_s)])
        if self.reply is AskedNumberReply:
            return AskedNumberReply(value=2)
        return AskedTextReply(answer="somebody who does something there")

    def _canonical(self, number: int) -> int:
        return self.order[number - 1] if 1 <= number <= len(self.order) else -1


def puttable(sample: Sample) -> bool:
    """Whether the question can be put in words and the reply be graded by rule."""
    pictured = any(isinstance(token, Media) for option in sample.options for token in parse(option.text))
    return isinstance(sample.answer, PUTTABLE) and not pictured


def put(sample: Sample, number: int = 0) -> Put:
    """The question as it is put for the `number`th reply."""
    order = sorted(range(len(sample.options)), key=lambda i: (seeded_fraction("put", sample.sample_id, number, i), i))
    listed = "\n".join(f"{n}. {plain_words(sample.options[i].text)}" for n, i in enumerate(order, start=1))
    asked = question_of(sample, listed)
    kinds: dict[str, type[BaseModel]] = {
        "choice": AskedChoiceReply, "order": AskedOrderReply, "number": AskedNumberReply, "text": AskedTextReply,
    }  # fmt: skip
    return Put(sample, asked, tuple(order), kinds.get(sample.answer.kind, AskedSpansReply))


def question_of(sample: Sample, listed: str) -> str:
    """The user's words, with the options as listed where they belong (at the end, where no place is marked)."""
    asked = "\n".join(turn.text for turn in sample.turns if turn.role == "user")
    text = replace(asked, lambda token: listed if isinstance(token, OptionsMark) else _word(token)).strip()
    marked = any(isinstance(token, OptionsMark) for token in parse(asked))
    return text if marked or not listed else f"{text}\n{listed}"


def said_answer(sample: Sample) -> str:
    """The key in words: the right option, the order, the spans, the number, the text."""
    match sample.answer:
        case ChoiceAnswer(index=index):
            return plain_words(sample.options[index].text)
        case OrderAnswer(order=order):
            return "; then ".join(plain_words(sample.options[i].text) for i in order)
        case TextAnswer(text=text):
            return plain_words(text)
        case AbsentAnswer():
            return "it does not happen"
        case NumberAnswer(value=value, unit=unit):
            return f"{value:g} {unit}".strip()
        case SpanAnswer(start_s=start, end_s=end):
            return f"{_s(start)} to {_s(end)} s"
        case SpansAnswer(spans=spans):
            return "; ".join(f"{_s(a)} to {_s(b)} s" for a, b in spans) or "it does not happen"
    return plain_words(sample.turns[-1].text)


def plain_words(text: str) -> str:
    """Markup as words on the source's clock; media and places of options leave nothing."""
    return replace(text, _word).strip()


def _word(token: Token) -> str:
    match token:
        case Text(text):
            return text
        case Moment(t_s):
            return f"{_s(t_s)} s"
        case SpanMark(start_s, end_s):
            return f"{_s(start_s)} to {_s(end_s)} s"
        case BoxMark() | BoxAt():
            return "[" + ", ".join(f"{edge:.2f}" for edge in (token.x1, token.y1, token.x2, token.y2)) + "]"
    return ""


def _s(t_s: float) -> str:
    return seconds_text(round(t_s, 2))


def _same_spans(answer: Any, said: Sequence[AskedSpan]) -> Check:
    spans = [span for s in said if (span := span_or_none(max(0.0, s.start_s), s.end_s)) is not None]
    if isinstance(answer, AbsentAnswer):
        return Check(not spans, "" if not spans else "names a time", float(not spans))
    truth = [(answer.start_s, answer.end_s)] if isinstance(answer, SpanAnswer) else answer.spans
    score = tiou_sets(spans, [Span(a, b) for a, b in truth]) if spans and truth else float(not spans and not truth)
    return Check(score >= SAME_SPAN_TIOU, "" if score >= SAME_SPAN_TIOU else f"tIoU {score:.2f}", score)
