"""Questions over long footage whose evidence lies in one clip of many, or in two: timed, with the evidence clips as supervision
(VideoStreaming), and with a chain of notes segment by segment where it holds (TDC).

A model proposes question, answer, key words and evidence; by rule the keys stand in the evidence and in no other clip (without
it the answer is gone), the question's words point to it alone, orders hold, counts are exact. Cited clips stand in this order:
evidence clips, hard negatives (most alike, but no evidence), all others; `difficulty` says how many of each. That the question
asks for just this is the model's word: `status_of` says `unchecked`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Second, Solver
from ...schemas.facts import FactKind, Facts
from ...schemas.sample import MediumRef, NumberAnswer, Sample, TextAnswer
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, rebuilt, span_mark
from .long_asking import PROMPTS, Params
from .long_chain import (
    NotesAnswer,
    SegmentNote,
    chain_steps,
    facts_in,
    note_text,
    segments_of,
    why_not_kept,
)
from .long_proposing import Proposing
from .long_rules import Card, LongQuestion, LongQuestionItem, cards_of, locate, texts_of
from .proposed import (
    Refused,
    claim_words,
    evidence_of,
    fact_words,
    needs_of,
    read_back,
    require_window,
    same_form,
    stretches_of,
)

KINDS: tuple[FactKind, ...] = ("event", "caption", "speech", "text")


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
        proposing = Proposing(p, self.prompts(), media_id, stretches, landing, models)
        candidates = await proposing.questions()
        notes = await proposing.notes(sorted({c.stretch for c in candidates}) if p.segments else ())
        chains = await proposing.chains(candidates, notes)
        for candidate, chain in zip(candidates, chains, strict=True):
            stretch = stretches[candidate.stretch]
            proposals = [candidate.row, *([*notes[candidate.stretch].rows.values(), chain] if chain else [])]
            try:
                sample = self._build(unit.recipe, media, stretch.clips, stretch.facts, stretch.window, proposals)
            except Withheld as problem:
                rule = problem.rule if isinstance(problem, Refused) else "withheld"
                for row in (candidate.row, *([chain] if chain else [])):
                    landing.reject(row, rule, str(problem))
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
        question, answer, reason = texts_of(item, facts, window)
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
        problem = why_not_kept(item, answer, texts, segments, cards)
        if problem:
            raise Refused(*problem)
        return chain_steps(segments, texts)


ANNOTATOR = LongQuestions
