"""Questions over long footage whose evidence lies in one clip of many, or in two: timed, with the evidence clips as supervision
(VideoStreaming), and with a chain of notes segment by segment where it holds (TDC).

A model proposes question, answer, key words and evidence; by rule the keys stand in the evidence and in no other clip (without
it the answer is gone), the question's words point to it alone, orders hold, counts are exact. Cited clips stand in this order:
evidence clips, hard negatives (most alike, but no evidence), all others; `difficulty` says how many of each. That the question
asks for just this is the model's word: `status_of` says `unchecked`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import plain
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Second, Solver
from ...schemas.facts import FactKind, Facts
from ...schemas.sample import MediumRef, NumberAnswer, Sample, TextAnswer
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, rebuilt, span_mark
from .long_asking import PROMPTS, Params, ask_answer, ask_note, ask_questions
from .long_chain import (
    NotesAnswer,
    Segment,
    SegmentNote,
    SegmentNoteReply,
    chain_steps,
    facts_in,
    note_text,
    segments_of,
    why_not_kept,
)
from .long_rules import Card, Found, LongQuestionItem, cards_of, locate
from .proposed import (
    Asker,
    Refused,
    Stretch,
    claim_words,
    evidence_of,
    fact_words,
    needs_of,
    read_back,
    require_claims,
    require_window,
    same_form,
    stretches_of,
    used_names,
    written,
)
from .question_rules import question_key

KINDS: tuple[FactKind, ...] = ("event", "caption", "speech", "text")


class LongQuestion(LongQuestionItem):
    """A question as it is proposed, and how many facts the footage has, which it cites all."""

    facts: int


@dataclass
class _Notes:
    """The notes of one stretch: texts and rows by segment, as far as they could be used."""

    segments: list[Segment]
    texts: dict[int, str] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every segment has a note."""
        return len(self.texts) == len(self.segments) > 0


@dataclass
class _Candidate:
    stretch: int
    row: dict[str, Any]
    item: LongQuestionItem
    found: Found


class LongQuestions(AskingTask[Params]):
    """Samples from what is described, said and written in one medium."""

    name: ClassVar[str] = "long_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", "captions", "claims", "speech", "text_regions")
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "captions", "claims", "speech", "text_regions")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "question_only", "middle_frame", "first_frame")
    second: ClassVar[Second | None] = None

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The prompts for questions, notes and answers from notes."""
        return tuple(read_prompt(name, self.params.prompts.get(name), self.folder) for name in PROMPTS)

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """Unchecked: that keys, clips, orders and counts are right follows from rows, that the question asks for them does not."""
        return "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Samples of one medium, with a chain where it holds; every other proposal is a row with the rule that rejects it."""
        assert unit.medium is not None
        media_id, p = unit.medium.media_id, self.params
        media = medium_row(rows, media_id)
        stretches = [
            s
            for s in stretches_of(
                rows, media_id, KINDS, levels=p.levels, longest_s=p.longest_s, most=p.most_facts, least=2, tiled=True
            )
            if len(s.clips) >= p.min_clips
        ]
        if not stretches:
            raise SkipUnit("too few clips, or too little is known of them")
        landing = Landing(unit, self.name)
        candidates = await self._questions(landing, media_id, stretches, models)
        wanted = sorted({c.stretch for c in candidates}) if p.segments else []
        notes = await self._notes(landing, media_id, {i: stretches[i] for i in wanted}, models)
        chains = await self._chains(landing, media_id, stretches, candidates, notes, models)
        for candidate, chain in zip(candidates, chains, strict=True):
            stretch = stretches[candidate.stretch]
            proposals = [candidate.row, *([*notes[candidate.stretch].rows.values(), chain] if chain else [])]
            try:
                sample = self._build(unit.recipe, media, stretch.clips, stretch.facts, stretch.window, proposals)
            except Refused as problem:
                landing.reject(candidate.row, problem.rule, problem.reason)
                if chain:
                    landing.reject(chain, problem.rule, problem.reason)
            else:
                landing.land(candidate.row, sample)
                if chain:
                    chain["sample_id"] = sample.sample_id
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from its proposals and all facts of the footage shown."""

        def build() -> Sample:
            cited = read_back(evidence)
            if not cited.proposals:
                raise Withheld("no proposal is cited")
            item = LongQuestion.model_validate_json(cited.proposals[0]["proposal_json"])
            facts = cited.facts_named([f"e{i}" for i in range(1, item.facts + 1)])
            expected = self._build(sample.recipe, cited.media, cited.clips, facts, sample.window, cited.proposals)
            return same_form(sample, expected)

        return rebuilt(sample, build)

    # -- asking -----------------------------------------------------------------------------------------------------

    async def _questions(
        self, landing: Landing, media_id: str, stretches: Sequence[Stretch], models: Models
    ) -> list[_Candidate]:
        """Proposed questions that the rules let pass."""
        found: list[_Candidate] = []
        asked: set[str] = set()
        asks = [ask_questions(self.params, self.prompts()[0], media_id, s) for s in stretches]
        for k, reply in enumerate(await models.each(asks, Asker(models))):
            stretch, clip_id = stretches[k], stretches[k].clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, asks[k], clip_id)
                continue
            cards = cards_of(stretch.clips, stretch.facts)
            for i, item in enumerate(reply.value.items):
                proposal = LongQuestion(**item.model_dump(), facts=len(stretch.facts))
                row = landing.proposal(reply, i, proposal, stretch.facts, clip_id)
                try:
                    if question_key(item.question) in asked:
                        raise Refused("duplicate", f"the question {item.question!r} stands twice")
                    self._verify(item, stretch.facts, stretch.window)
                    where = locate(item, stretch.facts, cards, self.params.hard_negatives)
                except Refused as problem:
                    landing.reject(row, problem.rule, problem.reason)
                else:
                    asked.add(question_key(item.question))
                    found.append(_Candidate(k, row, item, where))
        return found

    async def _notes(
        self, landing: Landing, media_id: str, stretches: Mapping[int, Stretch], models: Models
    ) -> dict[int, _Notes]:
        """A note per segment of these stretches; a segment of which nothing is known leaves its stretch without a chain."""
        work: list[tuple[int, Segment, Facts, Ask[SegmentNoteReply]]] = []
        found: dict[int, _Notes] = {}
        for k, stretch in stretches.items():
            cards = cards_of(stretch.clips, stretch.facts)
            found[k] = _Notes(segments_of(cards, self.params.segments))
            for segment in found[k].segments:
                facts = facts_in(segment, cards)
                if len(facts):
                    ask = ask_note(self.params, self.prompts()[1], media_id, segment, len(found[k].segments), facts)
                    work.append((k, segment, facts, ask))
        replies = await models.each([ask for *_, ask in work], Asker(models))
        for (k, segment, facts, ask), reply in zip(work, replies, strict=True):
            clip_id = stretches[k].clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, clip_id)
                continue
            window = stretches[k].window
            used = used_names((reply.value.note,), (), reply.value.used, facts, window)
            note = SegmentNote(segment=segment.number, note=reply.value.note, used=list(used))
            row = landing.proposal(reply, 0, note, facts, clip_id)
            try:
                text = note_text(note, facts, window, self.params.note_tokens)
            except Refused as problem:
                landing.reject(row, problem.rule, problem.reason)
            else:
                landing.keep(row)
                found[k].texts[segment.number], found[k].rows[segment.number] = text, row
        return found

    async def _chains(
        self,
        landing: Landing,
        media_id: str,
        stretches: Sequence[Stretch],
        candidates: Sequence[_Candidate],
        notes: Mapping[int, _Notes],
        models: Models,
    ) -> list[dict[str, Any] | None]:
        """For each candidate the row of its answer from notes, where its chain is kept."""
        rows: list[dict[str, Any] | None] = [None] * len(candidates)
        whole = [i for i, c in enumerate(candidates) if c.stretch in notes and notes[c.stretch].whole]
        asks = [
            ask_answer(
                self.params,
                self.prompts()[2],
                media_id,
                candidates[i].item,
                notes[candidates[i].stretch].texts.values(),
            )
            for i in whole
        ]
        for i, ask, reply in zip(whole, asks, await models.each(asks, Asker(models)), strict=True):
            candidate, stretch = candidates[i], stretches[candidates[i].stretch]
            known, clip_id = notes[candidate.stretch], stretch.clips[0]["clip_id"]
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, clip_id)
                continue
            answer = NotesAnswer(question=candidate.item.question, **reply.value.model_dump())
            row = landing.proposal(reply, 0, answer, stretch.facts, clip_id)
            cards = cards_of(stretch.clips, stretch.facts)
            problem = _chain_problem(candidate.item, answer, list(known.texts.values()), known.segments, cards)
            if problem:
                landing.reject(row, *problem)
            else:
                landing.keep(row)
                rows[i] = row
        return rows

    # -- building ---------------------------------------------------------------------------------------------------

    def _verify(self, item: LongQuestionItem, facts: Facts, window: Span) -> tuple[str, str, str]:
        """Question, answer and reason in neutral markup. Raises `Refused`."""
        texts = [written(text, facts, window).text for text in (item.question, item.answer, item.reason)]
        require_claims(item.claims, f"{item.question} {item.answer} {item.reason}", facts, window)
        if not all(text.strip() for text in texts[:2]):
            raise Refused("empty", "question or answer is empty")
        return texts[0], texts[1], texts[2]

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        facts: Facts,
        window: Span,
        proposals: Sequence[RowDict],
    ) -> Sample:
        """The sample of a proposed question, and of its notes and answer from notes if there are any. Raises `Refused`, or
        `Withheld` when what is cited does not fit together.
        """
        item = LongQuestion.model_validate_json(proposals[0]["proposal_json"])
        require_window(clips, window)
        cards = cards_of(clips, facts)
        question, answer, reason = self._verify(item, facts, window)
        found = locate(item, facts, cards, self.params.hard_negatives)
        steps = self._chain_of(item, proposals[1:], facts, window, cards) if len(proposals) > 1 else ()
        roles = (*found.evidence, *found.negatives)
        ordered = [cards[i] for i in (*roles, *(i for i in range(len(cards)) if i not in roles))]
        shown_s = sum(cards[i].span.length_s for i in found.evidence)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=ordered[0].clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question, answer),
            answer=NumberAnswer(value=float(len(item.evidence)), unit="count")
            if item.form == "count"
            else TextAnswer(text=answer),
            rationale=(
                *steps,
                *(f"What answers it is {fact_words(facts, n)}." for n in item.evidence),
                *([reason] if reason.strip() else []),
                *(claim_words(c, facts) for c in item.claims),
                *(f"Much like it, but no evidence: {span_mark(cards[i].span)}." for i in found.negatives),
            ),
            evidence=evidence_of(media, [card.clip for card in ordered], facts, tuple(facts), proposals),
            needs=needs_of(facts, item.evidence),
            origin=media["origin"] or "real",
            wording=item.form,
            answer_form="chain" if steps else "plain",
            difficulty={
                "clips": float(len(cards)),
                "evidence_clips": float(len(found.evidence)),
                "hard_negative_clips": float(len(found.negatives)),
                "nearest": round(found.nearest, 6),
                "evidence_ratio": round(min(1.0, shown_s / window.length_s), 6),
                "position": round((cards[found.evidence[0]].span.centre_s - window.start_s) / window.length_s, 6),
            },
            generator=f"{self.name}@{self.version}",
        )

    def _chain_of(
        self, item: LongQuestionItem, proposals: Sequence[RowDict], facts: Facts, window: Span, cards: Sequence[Card]
    ) -> tuple[str, ...]:
        """The steps of a chain from the proposals of its notes and of its answer. Raises `Refused`."""
        segments = segments_of(cards, self.params.segments) if self.params.segments else []
        notes = [SegmentNote.model_validate_json(row["proposal_json"]) for row in proposals[:-1]]
        if [n.segment for n in notes] != [s.number for s in segments]:
            raise Refused("wrong_chain", "the notes are not those of all segments in order")
        texts = [
            note_text(n, facts_in(s, cards), window, self.params.note_tokens)
            for n, s in zip(notes, segments, strict=True)
        ]
        answer = NotesAnswer.model_validate_json(proposals[-1]["proposal_json"])
        if answer.question != item.question:
            raise Refused("wrong_chain", "the answer from notes is for another question")
        problem = _chain_problem(item, answer, texts, segments, cards)
        if problem:
            raise Refused(*problem)
        return chain_steps(segments, texts)


def _chain_problem(
    item: LongQuestionItem,
    answer: NotesAnswer,
    notes: Sequence[str],
    segments: Sequence[Segment],
    cards: Sequence[Card],
) -> tuple[str, str] | None:
    names = {f.name: i for i, card in enumerate(cards) for f in card.facts}
    places = [names[n] for n in item.evidence]
    return why_not_kept(item.form, item.keys, places, answer.answer, [plain(n) for n in notes], segments)


ANNOTATOR = LongQuestions
