"""What the solvers of the ladder are given of a sample: its question and options as a trainer would show them, and the truth.

Times are written as shares of the shown window and boxes with two decimals, so that a solver meets the places that a
reader would meet, whatever language a packager chooses. Samples are solved apart by `form`, the kind of answer that the
question asks for, because everybody who is asked knows it; "it does not happen" is an answer to a question for spans.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ...schemas.markup import BoxAt, BoxMark, MarkupError, Moment, SpanMark, Text, Token, replace
from ...schemas.sample import MediumRef, NumberAnswer, PartAnswer, Sample, TubeAnswer, TurnsAnswer
from ...schemas.span import Span

RANKED = ("choice", "order")
"""Forms answered with the options."""
TIMED = "interval"
"""Form of span, spans and absent."""
_FORMS = {"span": TIMED, "spans": TIMED, "absent": TIMED}
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Item:
    """One question, ready for every solver: a sample, or one part of a conversation."""

    sample_id: str
    part: int
    """Number of the question in its sample, from 0."""
    media_id: str
    group: str
    form: str
    """choice, order, interval, box, span_box, text, number:UNIT, or tube:SAID."""
    question: str
    options: tuple[str, ...]
    answer: PartAnswer
    window: Span
    media: tuple[MediumRef, ...]
    chance: float | None
    """Reward of a guess by somebody who read the question, where the task says so (`difficulty.chance`)."""


def items_of(row: Mapping[str, Any], group: str) -> list[Item]:
    """The questions of a row of `samples`: one, or each of a conversation with what was said before; none when malformed."""
    try:
        sample = Sample.from_row(row)
        windows = [Span(m.start_s, m.end_s) for m in sample.media]
        turns = [_SPACES.sub(" ", read(turn.text, windows)).strip() for turn in sample.turns]
        options = tuple(read(option.text, windows) for option in sample.options)
    except (ValidationError, MarkupError, ValueError, KeyError, TypeError):
        return []
    asked: list[tuple[str, tuple[str, ...], PartAnswer]]
    if isinstance(sample.answer, TurnsAnswer):
        # The own question first: solvers that read only so many words read that.
        parts = sample.answer.parts
        asked = [
            (" ".join([turns[p.turn - 1], *turns[: p.turn - 1]]), options[slice(*p.options)], p.answer) for p in parts
        ]
    else:
        last = max((i for i, turn in enumerate(sample.turns) if turn.role == "user"), default=-1)
        asked = [(" ".join(turns[: last + 1]), options, sample.answer)]
    chance = sample.difficulty.get("chance")
    return [
        Item(
            sample.sample_id, part, sample.media[0].media_id, group, _form(answer), question, listed, answer,
            windows[0], sample.media, chance,
        )
        for part, (question, listed, answer) in enumerate(asked)
    ]  # fmt: skip


def _form(answer: PartAnswer) -> str:
    if isinstance(answer, TubeAnswer):
        return f"tube:{answer.said}"
    return f"number:{answer.unit}" if isinstance(answer, NumberAnswer) else _FORMS.get(answer.kind, answer.kind)


def read(text: str, windows: Sequence[Span]) -> str:
    """Markup as plain words; raises `MarkupError` for what is none."""

    def share(t_s: float, medium: int) -> str:
        window = windows[medium - 1] if medium <= len(windows) else windows[0]
        return f"{(t_s - window.start_s) / window.length_s:.2f}"

    def words(token: Token) -> str:
        match token:
            case Text(said):
                return said
            case Moment(t_s, medium):
                return share(t_s, medium)
            case SpanMark(start_s, end_s, medium):
                return f"{share(start_s, medium)}-{share(end_s, medium)}"
            case BoxMark() | BoxAt():
                return "[" + " ".join(f"{edge:.2f}" for edge in token.box.edges) + "]"
        return " "

    return replace(text, words)
