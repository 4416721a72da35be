"""Answering from notes: a short note per segment of long footage, then the answer from the notes alone (TDC's chain).

Segments are runs of clips of about equal length. A chain is kept with a sample only where the final answer is right and the
notes of the evidence's segments hold the key words, so that a chain never reaches its answer by luck.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from ...engine.llm.evidence import plain
from ...schemas.facts import Facts
from ...schemas.span import Span
from .common import span_mark
from .long_rules import Card, LongQuestionItem, answers, holds
from .proposed import Refused, require_known, written


class SegmentNoteReply(BaseModel):
    """A note on one segment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    note: str
    used: list[str]


class AnswerFromNotesReply(BaseModel):
    """An answer from notes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: str
    segments: list[int]


class SegmentNote(BaseModel):
    """A note as it is proposed: of which segment, and all facts that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segment: int
    note: str
    used: list[str]


class NotesAnswer(BaseModel):
    """The answer of a chain as it is proposed, and the question that it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    answer: str
    segments: list[int]


@dataclass(frozen=True)
class Segment:
    """A run of neighbouring clips."""

    number: int
    """From 1."""
    span: Span
    cards: tuple[int, ...]
    """Indices of its clips' cards."""


def segments_of(cards: Sequence[Card], count: int) -> list[Segment]:
    """At most `count` segments of about equal length that tile the clips: a clip goes where its middle lies."""
    start, end = cards[0].span.start_s, cards[-1].span.end_s
    groups: dict[int, list[int]] = {}
    for i, card in enumerate(cards):
        place = min(count - 1, int((card.span.centre_s - start) / (end - start) * count))
        groups.setdefault(place, []).append(i)
    return [
        Segment(n, Span(cards[members[0]].span.start_s, cards[members[-1]].span.end_s), tuple(members))
        for n, (_, members) in enumerate(sorted(groups.items()), start=1)
    ]


def facts_in(segment: Segment, cards: Sequence[Card]) -> Facts:
    """The facts of a segment under their own names."""
    return Facts(fact for i in segment.cards for fact in cards[i].facts)


def note_text(note: SegmentNote, facts: Facts, window: Span, most_tokens: int) -> str:
    """The note in neutral markup. Raises `Refused` when it cannot be used; a token is taken as four characters."""
    require_known(note.used, facts)
    text = " ".join(written(note.note, facts, window).text.split())
    if not text:
        raise Refused("empty", "the note is empty")
    if (tokens := math.ceil(len(text) / 4)) > most_tokens:
        raise Refused("too_long", f"the note has about {tokens} tokens, more than {most_tokens}")
    return text


def why_not_kept(
    item: LongQuestionItem,
    answer: NotesAnswer,
    notes: Sequence[str],
    segments: Sequence[Segment],
    cards: Sequence[Card],
) -> tuple[str, str] | None:
    """The rule and reason for which a chain is not kept, or None. `notes` are in neutral markup, one per segment."""
    if not answers(item.form, item.keys, len(item.evidence), answer.answer):
        return "wrong_answer", f"from the notes: {answer.answer!r}"
    places = {fact.name: i for i, card in enumerate(cards) for fact in card.facts}
    for i, name in enumerate(item.evidence):
        if item.form == "order" and i > 0:
            continue
        key = item.keys[min(i, len(item.keys) - 1)]
        k = next(n for n, segment in enumerate(segments) if places[name] in segment.cards)
        if not holds(plain(notes[k]), key):
            return "note_lacks_key", f"the note on segment {segments[k].number} does not hold {key!r}"
    return None


def chain_steps(segments: Sequence[Segment], notes: Sequence[str]) -> tuple[str, ...]:
    """The notes as steps of a rationale, each with its span."""
    return tuple(f"{span_mark(s.span)} {note}" for s, note in zip(segments, notes, strict=True))


def numbered(notes: Sequence[str]) -> str:
    """Notes as a prompt shows them."""
    return "\n".join(f"Segment {i}: {text}" for i, text in enumerate(notes, start=1))
