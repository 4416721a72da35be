"""True or false about a whole film: pairs of a statement that the evidence supports and one that differs in a single detail.

A model drafts both halves over numbered facts of long footage (Movie Facts and Fibs); rules see to it that they are alike in
form, rest on two facts at least, and that no evidence tells the fib. `status_of` says `recomputed` only of pairs that quote
evidence and state an order, where spans decide; all others await a judge, and `blind` finds those that the wording decides.
Each half is a sample of its own with the same `pair_id`, so both fall into one split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row, split_of
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import plain
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Second, Solver
from ...schemas.facts import FactKind, Facts
from ...schemas.ids import derive_id
from ...schemas.metrics import normalise_words, word_edits
from ...schemas.sample import ChoiceAnswer, MediumRef, Option, Sample
from ...schemas.span import Span, union_length_s
from ...schemas.time_claims import TimeClaim
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, kind_of, rebuilt, span_of, wordings_of
from .fact_fib_rules import (
    FactFib,
    FactFibItem,
    FactFibReply,
    Statement,
    by_rule,
    marked,
    refuted,
    require_alike,
    require_true,
    require_untold,
)
from .proposed import (
    Asker,
    Refused,
    Stretch,
    complaint,
    evidence_of,
    fact_words,
    needs_of,
    read_back,
    require_known,
    require_unmistakable,
    require_window,
    stretches_of,
    used_names,
)

KINDS: tuple[FactKind, ...] = ("event", "caption", "speech", "text", "shot")
OPTIONS = (Option(text="true"), Option(text="false"))
RULED, TOLD = 1.0, 0.0
"""`difficulty.by_rule`: whether spans decide the pair."""


class Params(BaseParams):
    """Parameters of fact_fib."""

    model: str = Field("writer", description="Role of `models:` that writes.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )
    pairs: int = Field(4, ge=1, description="Pairs that are asked for per stretch of footage.")
    levels: tuple[str, ...] = Field(("dense",), description="Levels of models' captions that are facts.")
    longest_s: float = Field(
        3600.0, gt=0, description="Longest footage that is asked about at once; longer media are cut at clips."
    )
    most_facts: int = Field(
        150, ge=2, description="Facts that a model is shown at most; footage with more is cut at clips."
    )
    min_facts: int = Field(4, ge=2, description="Footage about which less is known is not asked about.")


class FactFibTask(AskingTask[Params]):
    """Samples from captions, speech, writing and shots of one medium, two for each pair."""

    name: ClassVar[str] = "fact_fib"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = (
        "media", "clips", "selection", "captions", "claims", "speech", "words", "text_regions", "shots", "footage_groups",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = (
        "selection", "captions", "claims", "speech", "words", "text_regions", "shots", "footage_groups",
    )  # fmt: skip
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "middle_frame", "first_frame")
    second: ClassVar[Second | None] = None

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    def code_digest(self) -> str:
        """Digest of the prompt and the wordings."""
        return f"{super().code_digest()} {wordings_of(self.name).digest}"

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """Recomputed where spans decide; `recompute` checks that this is so."""
        return "recomputed" if sample.difficulty.get("by_rule") == RULED else "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Both halves of up to `pairs` pairs per stretch; every other proposal is a row with the rule that rejects it."""
        assert unit.medium is not None
        media_id, p = unit.medium.media_id, self.params
        media = medium_row(rows, media_id)
        if media["origin"] == "edited":
            raise SkipUnit("an edited twin; its samples rest on its source")
        stretches = stretches_of(
            rows, media_id, KINDS, levels=p.levels, longest_s=p.longest_s, most=p.most_facts, least=p.min_facts,
            tiled=True,
        )  # fmt: skip
        if not stretches:
            raise SkipUnit("too little is known of the footage: captions, speech or text")
        landing, split = Landing(unit, self.name), split_of(rows, media_id)
        asks = [self._ask(media_id, stretch) for stretch in stretches]
        replies = await models.each(asks, Asker(models))
        for stretch, ask, reply in zip(stretches, asks, replies, strict=True):
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, stretch.clips[0]["clip_id"])
                continue
            if not reply.value.pairs:
                landing.nothing(reply, stretch.facts, stretch.clips[0]["clip_id"])
            for i, item in enumerate(reply.value.pairs):
                self._land(landing, unit, media, stretch, reply, i, item, split)
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from its proposal and the facts that it names, with all rules."""

        def build() -> Sample:
            cited = read_back(evidence)
            if len(cited.proposals) != 1:
                raise Withheld(f"{len(cited.proposals)} proposals are cited instead of one")
            row = cited.proposals[0]
            facts = cited.facts_named(FactFib.model_validate_json(row["proposal_json"]).used)
            return self._build(
                sample.recipe, cited.media, cited.clips, facts, sample.window, row, sample.wording, sample.answer_form
            )

        return rebuilt(sample, build)

    # -- asking -----------------------------------------------------------------------------------------------------

    def _ask(self, media_id: str, stretch: Stretch) -> Ask[FactFibReply]:
        facts, window, (prompt,) = stretch.facts, stretch.window, self.prompts()

        def check(reply: FactFibReply) -> str:
            found = [(i, _complaint(item, facts, window)) for i, item in enumerate(reply.pairs)]
            return "; ".join(f"pair {i}: {what}" for i, what in found if what)

        return Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(count=str(self.params.pairs), evidence=facts.listing()),),
            reply=FactFibReply,
            about=media_id,
            typical=lambda: typical_pairs(facts, self.params.pairs),
            check=check,
        )

    def _land(
        self,
        landing: Landing,
        unit: Unit,
        media: RowDict,
        stretch: Stretch,
        reply: Answered[FactFibReply],
        i: int,
        item: FactFibItem,
        split: str,
    ) -> None:
        """Both halves of a pair land, or neither does."""
        facts, window = stretch.facts, stretch.window
        rows, samples, refused = [], [], None
        halves: tuple[Statement, ...] = ("fact", "fib")
        used = used_names(
            (item.fact, item.fib), (*item.claims, *item.fib_claims), item.supports, facts, window
        )  # fmt: skip
        for k, statement in enumerate(halves):
            proposal = FactFib(**item.model_dump(), statement=statement, used=used)
            row = landing.proposal(reply, 2 * i + k, proposal, facts, stretch.clips[0]["clip_id"])
            rows.append(row)
            question, form = wordings_of(self.name).choose("claim", unit.seed, row["row_id"], split=split)
            try:
                if not k:
                    _require_pair(item, facts, window)
                samples.append(
                    self._build(
                        unit.recipe, media, stretch.clips, facts, window, row, question.id, form.id
                    )
                )  # fmt: skip
            except Refused as problem:
                refused = refused or problem
            except ValueError as problem:
                refused = refused or Refused("malformed", str(problem))
            except Withheld as problem:
                refused = refused or Refused("withheld", str(problem))
        if refused is not None:
            for row in rows:
                landing.reject(row, refused.rule, refused.reason)
            return
        for row, sample in zip(rows, samples, strict=True):
            landing.land(row, sample)

    # -- building ---------------------------------------------------------------------------------------------------

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        facts: Facts,
        window: Span,
        row: RowDict,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of one half. Raises `Refused`, or `Withheld` when what is cited does not fit together."""
        item = FactFib.model_validate_json(row["proposal_json"])
        require_window(clips, window)
        require_known(item.used, facts)
        fact, fib, ruled = _checked(item, facts, window)
        wordings = wordings_of(self.name)
        question, answer = wordings.question("claim", wording), wordings.answer("claim", form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        told = fact if item.statement == "fact" else fib
        asked = question.fill({"statement": told})
        shown = kind_of(media)
        spans = [span for n in item.supports if (span := facts[n].span) is not None]
        reasons = tuple(f"I know of {fact_words(facts, n)}." for n in item.supports)
        truth = () if item.statement == "fact" else (f"True is: {fact}",)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=shown, start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue(f"<{shown}>", asked, answer.fill({"answer": "<answer>"}), options=True),
            answer=ChoiceAnswer(index=0 if item.statement == "fact" else 1),
            options=OPTIONS,
            rationale=(*reasons, *truth),
            evidence=evidence_of(media, clips, facts, item.used, [row]),
            needs=needs_of(facts, item.used) or ("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            pair_id=derive_id("pair", self.name, row["request_hash"], int(row["item"]) // 2),
            difficulty={
                "by_rule": RULED if ruled else TOLD,
                "words_changed": float(word_edits(normalise_words(plain(fact)), normalise_words(plain(fib)))),
                "supports": float(len(set(item.supports))),
                "scenes": float(len({c["clip_id"] for c in clips for s in spans if span_of(c).intersection(s)})),
                "spread": round((max(s.end_s for s in spans) - min(s.start_s for s in spans)) / window.length_s, 6)
                if spans
                else 0.0,
                "evidence_ratio": round(min(1.0, union_length_s(spans) / window.length_s), 6),
            },
            generator=f"{self.name}@{self.version}",
        )


def _checked(item: FactFibItem, facts: Facts, window: Span) -> tuple[str, str, bool]:
    """(fact, fib, whether spans decide), the statements in neutral markup. Raises `Refused`."""
    require_true(item, facts, window)
    fact, fib = marked(item.fact, facts, window), marked(item.fib, facts, window, false=True)
    require_alike(plain(fact), plain(fib))
    false_by_rule = refuted(item, facts, window)
    if not false_by_rule:
        require_untold(plain(fact), plain(fib), facts)
    return fact, fib, false_by_rule and bool(item.claims) and by_rule(item)


def _require_pair(item: FactFibItem, facts: Facts, window: Span) -> None:
    """What can only be seen with all facts of the footage at hand: is the fib told elsewhere, could a claim mean another fact."""
    require_known(item.supports, facts)
    _checked(item, facts, window)
    claimed = [n for c in (*item.claims, *item.fib_claims) for n in (c.a, c.b) if n]
    require_unmistakable(claimed, facts)


def _complaint(item: FactFibItem, facts: Facts, window: Span) -> str:
    """What a repair round is told: problems of slots, names and form."""
    wrong = complaint([item.fact], item.claims, item.supports, facts, window)
    if wrong:
        return wrong
    try:
        _require_pair(item, facts, window)
    except Refused as problem:
        return f"{problem.rule}: {problem.reason}"
    return ""


def typical_pairs(facts: Facts, count: int) -> FactFibReply:
    """Pairs of usual length over this evidence: what is told at different times, in order and the other way round."""
    told = sorted((f for f in facts.values() if f.text and f.span), key=lambda f: (f.span, f.name))
    pairs: list[FactFibItem] = []
    for a, b in zip(told, told[max(1, len(told) // 2) :], strict=False):
        if a.span and b.span and a.span.end_s <= b.span.start_s and len(pairs) < count:
            pairs.append(
                FactFibItem(
                    fact=f"{{{a.name}.text}} comes before {{{b.name}.text}}.",
                    fib=f"{{{b.name}.text}} comes before {{{a.name}.text}}.",
                    supports=[a.name, b.name],
                    claims=[TimeClaim(rel="before", a=a.name, b=b.name)],
                    fib_claims=[TimeClaim(rel="before", a=b.name, b=a.name)],
                    categories=["temporal"],
                )
            )
    return FactFibReply(pairs=pairs)


ANNOTATOR = FactFibTask
