"""How `long_questions` comes to its proposals: questions of all stretches, notes of those that have some, answers from notes.

Each step asks all that it has to ask at once; what cannot be used is rejected with its rule on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt
from ...schemas.facts import Facts
from .long_asking import Params, ask_answer, ask_note, ask_questions
from .long_chain import (
    NotesAnswer,
    Segment,
    SegmentNote,
    SegmentNoteReply,
    facts_in,
    note_text,
    segments_of,
    why_not_kept,
)
from .long_rules import LongQuestion, LongQuestionItem, cards_of, locate, texts_of
from .proposed import Asker, Refused, Stretch, used_names
from .question_rules import question_key


@dataclass
class Notes:
    """The notes of one stretch: texts and rows by segment, as far as they could be used."""

    segments: list[Segment]
    texts: dict[int, str] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every segment has a note."""
        return len(self.texts) == len(self.segments) > 0


@dataclass(frozen=True)
class Candidate:
    """A question that the rules let pass: index of its stretch, its proposal's row, and what it says."""

    stretch: int
    row: dict[str, Any]
    item: LongQuestionItem


@dataclass(frozen=True)
class Proposing:
    """The asking for one medium."""

    params: Params
    prompts: Sequence[Prompt]
    """For questions, notes and answers from notes."""
    media_id: str
    stretches: Sequence[Stretch]
    landing: Landing
    models: Models

    async def questions(self) -> list[Candidate]:
        """Proposed questions that the rules let pass."""
        found: list[Candidate] = []
        asked: set[str] = set()
        asks = [ask_questions(self.params, self.prompts[0], self.media_id, s) for s in self.stretches]
        for k, reply in enumerate(await self.models.each(asks, Asker(self.models))):
            stretch, clip_id = self.stretches[k], self.stretches[k].clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                self.landing.rejected_reply(reply, asks[k], clip_id)
                continue
            cards = cards_of(stretch.clips, stretch.facts)
            if not reply.value.items:
                self.landing.nothing(reply, stretch.facts, clip_id)
            for i, item in enumerate(reply.value.items):
                proposal = LongQuestion(**item.model_dump(), facts=len(stretch.facts))
                row = self.landing.proposal(reply, i, proposal, stretch.facts, clip_id)
                try:
                    if question_key(item.question) in asked:
                        raise Refused("duplicate", f"the question {item.question!r} stands twice")
                    texts_of(item, stretch.facts, stretch.window)
                    locate(item, stretch.facts, cards, self.params.hard_negatives)
                except Refused as problem:
                    self.landing.reject(row, problem.rule, problem.reason)
                else:
                    asked.add(question_key(item.question))
                    found.append(Candidate(k, row, item))
        return found

    async def notes(self, wanted: Iterable[int]) -> dict[int, Notes]:
        """A note per segment of the stretches that are wanted; a segment of which nothing is known leaves its stretch without a chain."""
        work: list[tuple[int, Segment, Facts, Ask[SegmentNoteReply]]] = []
        found: dict[int, Notes] = {}
        for k in wanted:
            stretch = self.stretches[k]
            cards = cards_of(stretch.clips, stretch.facts)
            found[k] = Notes(segments_of(cards, self.params.segments))
            for segment in found[k].segments:
                facts = facts_in(segment, cards)
                if len(facts):
                    ask = ask_note(self.params, self.prompts[1], self.media_id, segment, len(found[k].segments), facts)
                    work.append((k, segment, facts, ask))
        replies = await self.models.each([ask for *_, ask in work], Asker(self.models))
        for (k, segment, facts, ask), reply in zip(work, replies, strict=True):
            clip_id = self.stretches[k].clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                self.landing.rejected_reply(reply, ask, clip_id)
                continue
            window = self.stretches[k].window
            used = used_names((reply.value.note,), (), reply.value.used, facts, window)
            note = SegmentNote(segment=segment.number, note=reply.value.note, used=list(used))
            row = self.landing.proposal(reply, 0, note, facts, clip_id)
            try:
                text = note_text(note, facts, window, self.params.note_tokens)
            except Refused as problem:
                self.landing.reject(row, problem.rule, problem.reason)
            else:
                self.landing.keep(row)
                found[k].texts[segment.number], found[k].rows[segment.number] = text, row
        return found

    async def chains(self, candidates: Sequence[Candidate], notes: Mapping[int, Notes]) -> list[dict[str, Any] | None]:
        """For each candidate the row of its answer from notes, where its chain is kept."""
        rows: list[dict[str, Any] | None] = [None] * len(candidates)
        whole = [i for i, c in enumerate(candidates) if c.stretch in notes and notes[c.stretch].whole]
        asks = [
            ask_answer(
                self.params,
                self.prompts[2],
                self.media_id,
                candidates[i].item,
                notes[candidates[i].stretch].texts.values(),
            )
            for i in whole
        ]
        for i, ask, reply in zip(whole, asks, await self.models.each(asks, Asker(self.models)), strict=True):
            candidate, stretch = candidates[i], self.stretches[candidates[i].stretch]
            known, clip_id = notes[candidate.stretch], stretch.clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                self.landing.rejected_reply(reply, ask, clip_id)
                continue
            answer = NotesAnswer(question=candidate.item.question, **reply.value.model_dump())
            row = self.landing.proposal(reply, 0, answer, stretch.facts, clip_id)
            cards = cards_of(stretch.clips, stretch.facts)
            problem = why_not_kept(candidate.item, answer, list(known.texts.values()), known.segments, cards)
            if problem:
                self.landing.reject(row, *problem)
            else:
                self.landing.keep(row)
                rows[i] = row
        return rows
