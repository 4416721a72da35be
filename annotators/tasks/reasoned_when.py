"""When does this happen, if "this" is not named and must be inferred? The answer is a span with the reasoning (LITA's RTL).

A model proposes question, span and explanation over described events. The span is one event or a contiguous run of them, so
it always comes from annotation; the question may not quote or name what it asks for; the explanation may not contradict the
order of what it cites. By rule the span follows from rows. That this event answers that question is the model's word:
`status_of` says `unchecked`, and a judge looks. Plain event localisation is `temporal_grounding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Second, Solver
from ...schemas.facts import Facts
from ...schemas.sample import MediumRef, Sample, SpanAnswer
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, placement, rebuilt, span_mark
from .proposed import (
    Asker,
    Refused,
    Stretch,
    claim_words,
    complaint,
    evidence_of,
    fact_words,
    needs_of,
    read_back,
    require_claims,
    require_known,
    require_unmistakable,
    require_window,
    same_form,
    stretches_of,
    used_names,
    written,
)
from .question_rules import asks_with_times, named_share, question_key
from .reasoned_rules import (
    ASKS_WHEN,
    KINDS,
    ReasonedWhen,
    ReasonedWhenReply,
    answer_of,
    require_unnamed,
    run_names,
    typical_when,
)


class Params(BaseParams):
    """Parameters of reasoned_when."""

    model: str = Field("writer", description="Role of `models:` that writes.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )
    per_stretch: int = Field(3, ge=1, description="Questions per stretch of footage.")
    levels: tuple[str, ...] = Field(("dense",), description="Levels of models' captions that count as events.")
    longest_s: float = Field(180.0, gt=0, description="Longest footage that is asked about at once; cut at clips.")
    most_facts: int = Field(
        60, ge=2, description="Events that a model is shown at most; footage with more is cut at clips."
    )
    min_facts: int = Field(3, ge=2, description="Footage with fewer described events is not asked about.")
    most_share: float = Field(0.5, gt=0, le=1, description="Share of the footage that the answer may take up.")
    most_named: float = Field(
        0.5, gt=0, le=1, description="Share of the content words of an answering description that the question may name."
    )  # fmt: skip


class ReasonedWhenTask(AskingTask[Params]):
    """Samples from described events of one medium."""

    name: ClassVar[str] = "reasoned_when"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", "captions", "claims")
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "claims")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior",
        "question_only",
        "fixed_interval",
        "middle_frame",
        "first_frame",
    )
    second: ClassVar[Second | None] = None

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """Unchecked: the span follows from rows, that it answers the question does not."""
        return "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Up to `per_stretch` samples per stretch; every other proposal is a row with the rule that rejects it."""
        assert unit.medium is not None
        media_id, p = unit.medium.media_id, self.params
        media = medium_row(rows, media_id)
        stretches = stretches_of(
            rows, media_id, KINDS, levels=p.levels, longest_s=p.longest_s, most=p.most_facts, least=p.min_facts
        )  # fmt: skip
        if not stretches:
            raise SkipUnit("too few described events")
        landing, asked = Landing(unit, self.name), set[str]()

        asks = [self._ask(media_id, stretch) for stretch in stretches]
        replies = await models.each(asks, Asker(models))
        for stretch, ask, reply in zip(stretches, asks, replies, strict=True):
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, stretch.clips[0]["clip_id"])
                continue
            if not reply.value.items:
                landing.nothing(reply, stretch.facts, stretch.clips[0]["clip_id"])
            for i, item in enumerate(reply.value.items):
                facts, window = stretch.facts, stretch.window
                used = used_names(
                    (item.question, item.span, item.explanation), item.claims, run_names(item, facts), facts, window
                )
                proposal = ReasonedWhen(**item.model_dump(), used=list(used))
                row = landing.proposal(reply, i, proposal, facts, stretch.clips[0]["clip_id"])
                try:
                    if question_key(item.question) in asked:
                        raise Refused("duplicate", f"the question {item.question!r} stands twice")
                    run = run_names(item, facts)
                    require_unmistakable(run, facts, run)
                    sample = self._build(unit.recipe, media, stretch.clips, facts, window, row)
                except Refused as problem:
                    landing.reject(row, problem.rule, problem.reason)
                except (Withheld, ValueError) as problem:
                    landing.reject(row, "malformed", str(problem))
                else:
                    asked.add(question_key(item.question))
                    landing.land(row, sample)
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from its proposal and the events that it names."""

        def build() -> Sample:
            cited = read_back(evidence)
            if len(cited.proposals) != 1:
                raise Withheld(f"{len(cited.proposals)} proposals are cited instead of one")
            row = cited.proposals[0]
            facts = cited.facts_named(ReasonedWhen.model_validate_json(row["proposal_json"]).used)
            return same_form(
                sample, self._build(sample.recipe, cited.media, cited.clips, facts, sample.window, row)
            )  # fmt: skip

        return rebuilt(sample, build)

    def _ask(self, media_id: str, stretch: Stretch) -> Ask[ReasonedWhenReply]:
        facts, window, prompt = stretch.facts, stretch.window, self.prompts()[0]

        def check(reply: ReasonedWhenReply) -> str:
            found = []
            for i, item in enumerate(reply.items):
                texts = (item.question, item.span, item.explanation)
                what = asks_with_times(item.question) or complaint(texts, item.claims, (), facts, window)
                found += [f"item {i}: {what}"] if what else []
            return "; ".join(found)

        return Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(count=str(self.params.per_stretch), evidence=facts.listing()),),
            reply=ReasonedWhenReply,
            about=media_id,
            typical=lambda: typical_when(facts, self.params.per_stretch),
            check=check,
        )

    def _build(
        self, recipe: str, media: RowDict, clips: Sequence[RowDict], facts: Facts, window: Span, row: RowDict
    ) -> Sample:
        """The sample of a proposal. Raises `Refused`, or `Withheld` when what is cited does not fit together."""
        item = ReasonedWhen.model_validate_json(row["proposal_json"])
        require_window(clips, window)
        require_known(item.used, facts)
        run, span = answer_of(item, facts, window, self.params.most_share)
        if not ASKS_WHEN.search(item.question):
            raise Refused("not_when", "the question does not ask when")
        if timed := asks_with_times(item.question):
            raise Refused("time_in_question", timed)
        require_unnamed(item, run, self.params.most_named)
        require_claims(item.claims, f"{item.question} {item.explanation}", facts, window)
        question, explanation = written(item.question, facts, window), written(item.explanation, facts, window)
        if not explanation.cited:
            raise Refused("no_evidence", "the explanation cites nothing")
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.text, f"{span_mark(span)} {explanation.text}"),
            answer=SpanAnswer(start_s=span.start_s, end_s=span.end_s),
            rationale=(
                *(f"I know of {fact_words(facts, n)}." for n in item.used),
                *(claim_words(c, facts) for c in item.claims),
                f"What is asked for is {span_mark(span)}.",
            ),
            evidence=evidence_of(media, clips, facts, item.used, [row]),
            needs=needs_of(facts, item.used),
            origin=media["origin"] or "real",
            wording="inferred",
            answer_form="explained",
            difficulty=placement(window, span)
            | {
                "events": float(len(run)),
                "facts": float(len(item.used)),
                "claims": float(len(item.claims)),
                "named": round(max(named_share(item.question, f.text or "") for f in run), 6),
            },
            generator=f"{self.name}@{self.version}",
        )


ANNOTATOR = ReasonedWhenTask
