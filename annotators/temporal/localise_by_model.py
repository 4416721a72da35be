"""Localiser by a language model: it reads captions, speech, writing and shots, and names the evidence during which a description
holds.

The model never writes a time: it names the first and the last piece of evidence, and the span follows from their rows. What a
description was taken from is no evidence of its time. Unknown names, reversed runs and runs over nearly everything are rejected
with the rule. Limits: as fine as the evidence is; a model that is sure is not therefore right (calibration tells).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.asking import Asking
from ...engine.grounding.proposals import Proposal, best_apart, candidate_rows
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.facts import Facts, SlotProblem
from ...schemas.span import Span, span_or_none
from .looked_for import QUERY_TABLES, QueryParams, Wanted, wanted_in

FactKind = Literal["caption", "speech", "text", "shot"]
Sure = Literal["certain", "likely", "guess"]
SCORES: dict[Sure, float] = {"certain": 0.9, "likely": 0.6, "guess": 0.3}


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FoundMoment(_Reply):
    """A place for a description."""

    query: str = Field(description="name of the description, such as q1")
    first: str = Field(description="name of the first piece of evidence during which it happens")
    last: str = Field(description="name of the last one")
    why: str = Field(description="a few words of the evidence")
    sure: Sure = Field(description="certain, likely or guess")


class FoundMomentsReply(_Reply):
    """Places for some of the descriptions."""

    moments: list[FoundMoment] = Field(description="surest first")


class LocaliseByModelParams(QueryParams):
    """Parameters of `localise_by_model`."""

    model: str = Field("grounder", description="role of `models:` that reads the evidence")
    facts: tuple[FactKind, ...] = Field(
        ("caption", "speech", "text", "shot"), min_length=1, description="evidence that it is given"
    )
    most_facts: int = Field(120, ge=2, description="evidence of one question, at most")
    window_s: float = Field(300.0, gt=0, description="footage of one question; longer media are asked about in parts")
    per_ask: int = Field(15, ge=1, description="descriptions of one question")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class LocaliseByModel(Asking[LocaliseByModelParams]):
    """Writes `candidates` of the family captions."""

    name: ClassVar[str] = "localise_by_model"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = LocaliseByModelParams
    reads: ClassVar[tuple[str, ...]] = ("media", *QUERY_TABLES, "speech", "text_regions", "shots")
    optional_reads: ClassVar[tuple[str, ...]] = reads[1:]
    writes: ClassVar[tuple[str, ...]] = ("candidates", "proposals")

    def dynamic_reads(self) -> tuple[str, ...]:
        """The tables of the evidence that is given."""
        of = {"caption": (), "speech": ("speech",), "text": ("text_regions",), "shot": ("shots",)}
        return ("media", *QUERY_TABLES, *(t for kind in self.params.facts for t in of[kind]))

    def leaves_out(self) -> tuple[str, ...]:
        """Events that were fused from candidates."""
        return ("events",)

    def roles(self) -> tuple[str, ...]:
        """The reader."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("localise", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Candidates of one medium. Raises `SkipUnit` without a description, duration or evidence."""
        medium = unit.medium
        assert medium is not None
        wanted = wanted_in(self.params, rows)
        if not wanted or not medium.duration_s:
            raise SkipUnit("no description to look for" if not wanted else "no duration")
        landing = Landing(unit, self.name)
        asks = [
            (facts, wanted[i : i + self.params.per_ask])
            for facts in self._parts(rows, medium.duration_s)
            for i in range(0, len(wanted), self.params.per_ask)
        ]
        if not asks:
            raise SkipUnit("no evidence to read")

        async def one(ask: tuple[Facts, Sequence[Wanted]]) -> list[tuple[str, str, Proposal]]:
            return await self._one(*ask, medium.media_id, models, landing)

        found = [item for part in await models.each(asks, one) for item in part]
        made: list[Row] = []
        for text in (w.text for w in wanted):
            for model in sorted({m for m, t, _ in found if t == text}):
                own = best_apart((p for m, t, p in found if t == text and m == model), self.params.most)
                made += candidate_rows(text, f"model {model}", "captions", own, medium.duration_s)
        return [*made, *landing.rows()]

    def _parts(self, rows: Rows, duration_s: float) -> list[Facts]:
        count = max(1, -(-int(duration_s * 1000) // int(self.params.window_s * 1000)))
        edges = [duration_s * i / count for i in range(count + 1)]
        parts = [
            facts_of(rows, Span(a, b).quantised(), self.params.facts, most=self.params.most_facts)
            for a, b in itertools.pairwise(edges)
        ]
        return [facts for facts in parts if facts]

    async def _one(
        self, facts: Facts, wanted: Sequence[Wanted], media_id: str, models: Models, landing: Landing
    ) -> list[tuple[str, str, Proposal]]:
        (prompt,) = self.prompts()
        names = {f"q{i + 1}": one for i, one in enumerate(wanted)}
        listing = "\n".join(f"{name}: {one.text}" for name, one in names.items())
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(evidence=facts.listing(), queries=listing),),
            reply=FoundMomentsReply,
            about=media_id,
            typical=lambda: typical_moments(facts, names),
            check=lambda reply: "; ".join(
                p.detail for m in reply.moments if (p := moment_problem(m, facts, names)) and p.rule != "own_words"
            ),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask)
            return []
        return self._landed(answered, facts, names, landing)

    def _landed(
        self, answered: Answered[FoundMomentsReply], facts: Facts, names: Mapping[str, Wanted], landing: Landing
    ) -> list[tuple[str, str, Proposal]]:
        if not answered.value.moments:
            landing.nothing(answered, facts)
        found = []
        for item, moment in enumerate(answered.value.moments):
            row = landing.proposal(answered, item, moment, facts)
            problem = moment_problem(moment, facts, names)
            if problem is not None:
                landing.reject(row, problem.rule, problem.detail)
                continue
            landing.keep(row)
            rows = tuple(str(facts[n].row["row_id"]) for n in dict.fromkeys((moment.first, moment.last)))
            span = span_of_moment(moment, facts)
            assert span is not None
            found.append((answered.model, names[moment.query].text, Proposal(span, SCORES[moment.sure], rows)))
        return found


def span_of_moment(moment: FoundMoment, facts: Facts) -> Span | None:
    """From the start of the first to the end of the last piece of evidence; None where that is no span."""
    first, last = facts[moment.first].times, facts[moment.last].times
    return span_or_none(first[0], max(first[1], last[1])) if first and last and last[1] >= first[0] else None


def moment_problem(moment: FoundMoment, facts: Facts, names: Mapping[str, Wanted]) -> SlotProblem | None:
    """Why a place cannot be used."""
    if moment.query not in names:
        return SlotProblem("unknown_query", f"there is no description {moment.query}")
    for name in (moment.first, moment.last):
        if name not in facts:
            return SlotProblem("unknown_evidence", f"there is no evidence {name}")
    first, last = facts[moment.first], facts[moment.last]
    if first.times is None or last.times is None or last.times[0] < first.times[0]:
        return SlotProblem("reversed", f"{moment.first} begins after {moment.last}")
    if span_of_moment(moment, facts) is None:
        return SlotProblem("empty", f"{moment.first} to {moment.last} has no length")
    if {str(first.row["row_id"]), str(last.row["row_id"])} <= names[moment.query].rows:
        return SlotProblem(
            "own_words", f"{moment.query} was taken from {moment.first}, which is no evidence of its time"
        )
    return None


def typical_moments(facts: Facts, names: Mapping[str, Wanted]) -> FoundMomentsReply:
    """A reply of usual length."""
    evidence = list(facts)
    return FoundMomentsReply(
        moments=[
            FoundMoment(query=query, first=evidence[i % len(evidence)], last=evidence[i % len(evidence)],
                        why="the words of the evidence", sure="likely")
            for i, query in enumerate(names)
        ]
    )  # fmt: skip


ANNOTATOR = LocaliseByModel
