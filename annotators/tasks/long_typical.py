"""Typical replies about long footage, which `plan` counts with: they pass the rules, since notes and answers follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...schemas.facts import Fact, Facts
from ...schemas.matching import content_words
from ...schemas.metrics import normalise_words
from .long_chain import AnswerFromNotesReply, SegmentNoteReply
from .long_rules import Card, LongQuestionItem, LongQuestionsReply


def typical_questions(cards: Sequence[Card], single: int, pairs: int) -> LongQuestionsReply:
    """Questions about facts with words that no other clip has, as many as wanted and to be had."""
    found = list(_singles(cards))[: single + pairs]
    return LongQuestionsReply(items=found)


def typical_note(facts: Facts, most_tokens: int) -> SegmentNoteReply:
    """A note that repeats the words of the segment's facts, as far as they fit."""
    words = [w for fact in facts.values() for w in normalise_words(fact.text or "")]
    note = ""
    for word in words:
        if len(note) + len(word) + 1 > 4 * most_tokens - 8:
            break
        note = f"{note} {word}".strip()
    return SegmentNoteReply(note=note or "Nothing is known.", used=list(facts)[:4])


def typical_answer(answer: str) -> AnswerFromNotesReply:
    """The answer that was proposed."""
    return AnswerFromNotesReply(answer=answer, segments=[1])


def _singles(cards: Sequence[Card]) -> Iterator[LongQuestionItem]:
    """A question per fact that has two words of its clip's own: one to ask with, the other to answer with."""
    for i, card in enumerate(cards):
        elsewhere = {w for k, other in enumerate(cards) if k != i for w in normalise_words(other.text)}
        for fact in card.facts:
            own = [w for w in dict.fromkeys(normalise_words(fact.text or "")) if w not in elsewhere and not w.isdigit()]
            if len(own) > 1 and content_words(own[0]):
                yield _item(fact, own[0], own[-1])


def _item(fact: Fact, asked: str, key: str) -> LongQuestionItem:
    return LongQuestionItem(
        form="single",
        question=f"What goes with {asked}?",
        answer=f"It is {key}, as can be told from what is shown there.",
        keys=[key],
        evidence=[fact.name],
        reason=f"This is told in {{{fact.name}}} only, and nowhere else in what is shown.",
        claims=[],
    )
