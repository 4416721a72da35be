"""Questions and answers about footage in the families of VideoGPT+, which a model proposes and code checks as far as rules go.

The model sees numbered facts in order of time (people's descriptions win over models'), answers with slots, and lists what it
claims about time. Checked by rule: slots, claims against spans (before and after; thirds of the shown window by the midpoint),
that a question does not quote its answer's description, and that no question of a medium stands twice. `status_of` says
`recomputed` only of temporal items in which nothing but quoted evidence and verified order is said; whether any other answer
is right is for a judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Second, Solver
from ...schemas.facts import FactKind, Facts
from ...schemas.ids import derive_id
from ...schemas.sample import MediumRef, Sample, TextAnswer
from ...schemas.slots import names_in
from ...schemas.span import Span, union_length_s
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, rebuilt
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
from .question_families import (
    ABOUT,
    RELEASED,
    TEMPORAL,
    Family,
    QuestionItem,
    VideoQuestion,
    VideoQuestionsReply,
)
from .question_rules import asks_with_times, carried, question_key, said_of, shared_run
from .typical_questions import typical_questions

KINDS: tuple[FactKind, ...] = ("event", "caption", "speech", "text", "shot")
CARRIED, WRITTEN = "carried", "written"
"""Forms of answers: those that verified claims carry, and those that a model answers for."""


class Params(BaseParams):
    """Parameters of video_questions."""

    model: str = Field("writer", description="Role of `models:` that writes.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )
    families: tuple[Family, ...] = Field(
        RELEASED,
        min_length=1,
        description="Families that are asked for: summary, generic, temporal_long, temporal_short, spatial, reasoning, "
        "consistency. Default: those that the released pipeline of VideoGPT+ has switched on.",
    )
    per_family: int = Field(3, ge=1, description="Questions of each family per stretch of footage.")
    levels: tuple[str, ...] = Field(("dense",), description="Levels of models' captions that are facts.")
    longest_s: float = Field(180.0, gt=0, description="Longest footage that is asked about at once; cut at clips.")
    most_facts: int = Field(
        60, ge=2, description="Facts that a model is shown at most; footage with more is cut at clips."
    )
    min_facts: int = Field(3, ge=1, description="Footage about which less is known is not asked about.")


class VideoQuestions(AskingTask[Params]):
    """Samples from captions, speech, writing and shots of one medium."""

    name: ClassVar[str] = "video_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = (
        "media", "clips", "selection", "captions", "claims", "speech", "text_regions", "shots",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = (
        "selection", "captions", "claims", "speech", "text_regions", "shots",
    )  # fmt: skip
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "question_only", "middle_frame", "first_frame")
    second: ClassVar[Second | None] = None

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt, which is asked once per family."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """Recomputed where quoted evidence and verified order are all that is said; `recompute` checks that this is so."""
        return "recomputed" if sample.answer_form == CARRIED else "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Up to `per_family` samples of each family per stretch; every other proposal is a row with the rule that rejects it."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media = medium_row(rows, media_id)
        p = self.params
        stretches = stretches_of(
            rows, media_id, KINDS, levels=p.levels, longest_s=p.longest_s, most=p.most_facts, least=p.min_facts
        )  # fmt: skip
        if not stretches:
            raise SkipUnit("too little is known of the footage: captions, speech or text")
        landing = Landing(unit, self.name)
        asked: set[str] = set()
        work = [(stretch, family) for stretch in stretches for family in p.families]
        asks = [self._ask(media_id, *item) for item in work]
        replies = await models.each(asks, Asker(models))
        for (stretch, family), ask, reply in zip(work, asks, replies, strict=True):
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, stretch.clips[0]["clip_id"])
                continue
            if not reply.value.items:
                landing.nothing(reply, stretch.facts, stretch.clips[0]["clip_id"])
            for i, item in enumerate(reply.value.items):
                self._land(landing, unit, media, stretch, family, reply, i, item, asked)
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from its proposal and the facts that it names."""

        def build() -> Sample:
            cited = read_back(evidence)
            if len(cited.proposals) != 1:
                raise Withheld(f"{len(cited.proposals)} proposals are cited instead of one")
            row = cited.proposals[0]
            facts = cited.facts_named(VideoQuestion.model_validate_json(row["proposal_json"]).used)
            return same_form(
                sample, self._build(sample.recipe, cited.media, cited.clips, facts, sample.window, row)
            )  # fmt: skip

        return rebuilt(sample, build)

    def _ask(self, media_id: str, stretch: Stretch, family: Family) -> Ask[VideoQuestionsReply]:
        facts, prompt = stretch.facts, self.prompts()[0]
        text = prompt.fill(
            family=family, about=ABOUT[family], count=str(self.params.per_family), evidence=facts.listing()
        )  # fmt: skip

        def check(reply: VideoQuestionsReply) -> str:
            found = [(i, _item_complaint(item, facts, stretch.window)) for i, item in enumerate(reply.items)]
            return "; ".join(f"item {i}: {what}" for i, what in found if what)

        return Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(text,),
            reply=VideoQuestionsReply,
            about=f"{media_id} {family}",
            typical=lambda: typical_questions(facts, family, self.params.per_family),
            check=check,
        )

    def _land(
        self,
        landing: Landing,
        unit: Unit,
        media: RowDict,
        stretch: Stretch,
        family: Family,
        reply: Answered[VideoQuestionsReply],
        i: int,
        item: QuestionItem,
        asked: set[str],
    ) -> None:
        """One item of a reply as a sample, or as the two samples of a pair, which land together or not at all."""
        paired = family == "consistency"
        texts = [item.question, item.rewording or ""] if paired else [item.question]
        rows, samples, refused = [], [], None
        keys = [question_key(text) for text in texts]
        for k, text in enumerate(texts):
            used = used_names((text, item.answer), item.claims, item.used, stretch.facts, stretch.window)
            proposal = VideoQuestion(
                family=family, question=text, answer=item.answer, claims=tuple(item.claims), used=used, paired=paired
            )  # fmt: skip
            row = landing.proposal(reply, 2 * i + k, proposal, stretch.facts, stretch.clips[0]["clip_id"])
            rows.append(row)
            try:
                _require_other(text, keys, asked)
                if family in TEMPORAL:
                    claimed = [n for c in proposal.claims for n in (c.a, c.b) if n]
                    require_unmistakable(claimed, stretch.facts)
                samples.append(self._build(unit.recipe, media, stretch.clips, stretch.facts, stretch.window, row))
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
        asked.update(keys)
        for row, sample in zip(rows, samples, strict=True):
            landing.land(row, sample)

    def _build(
        self, recipe: str, media: RowDict, clips: Sequence[RowDict], facts: Facts, window: Span, row: RowDict
    ) -> Sample:
        """The sample of a proposal. Raises `Refused`, or `Withheld` when what is cited does not fit together."""
        item = VideoQuestion.model_validate_json(row["proposal_json"])
        require_window(clips, window)
        require_known(item.used, facts)
        claims = item.claims
        require_claims(claims, f"{item.question} {item.answer}", facts, window)
        if item.family in TEMPORAL and not claims:
            raise Refused("no_claims", "a temporal question needs the claims that its answer makes")
        question, answer = written(item.question, facts, window), written(item.answer, facts, window)
        if not answer.text.strip() or not question.text.strip():
            raise Refused("empty", "question or answer is empty")
        if timed := asks_with_times(item.question):
            raise Refused("time_in_question", timed)
        names = item.used
        _require_no_leak(item, facts, names)
        said = said_of((c.rel, c.a, c.b) for c in claims)
        spans = [span for n in names if (span := facts[n].span) is not None]
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.text, answer.text),
            answer=TextAnswer(text=answer.text),
            rationale=(
                *(f"I know of {fact_words(facts, n)}." for n in names),
                *(claim_words(c, facts) for c in claims),
            ),
            evidence=evidence_of(media, clips, facts, names, [row]),
            needs=needs_of(facts, names) or ("vision",),
            origin=media["origin"] or "real",
            wording=item.family,
            answer_form=CARRIED if item.family in TEMPORAL and carried(item.question, item.answer, said) else WRITTEN,
            pair_id=derive_id("pair", self.name, row["request_hash"], int(row["item"]) // 2) if item.paired else None,
            difficulty={
                "facts": float(len(names)),
                "claims": float(len(claims)),
                "open_numbers": float(len(answer.numbers)),
                "evidence_ratio": round(min(1.0, union_length_s(spans) / window.length_s), 6),
            },
            generator=f"{self.name}@{self.version}",
        )


def _item_complaint(item: QuestionItem, facts: Facts, window: Span) -> str:
    texts = [item.question, item.answer, *([item.rewording] if item.rewording else [])]
    return asks_with_times(item.question) or complaint(texts, item.claims, item.used, facts, window)


def _require_other(text: str, keys: Sequence[str], asked: set[str]) -> None:
    """Raises `Refused` when a question stands in the medium already, or a pair asks twice in the same words."""
    key = question_key(text)
    if not key:
        raise Refused("no_rewording", "the question is not asked a second time in other words")
    if key in asked or keys.count(key) > 1:
        raise Refused("duplicate", f"the question {text!r} stands twice")


def _require_no_leak(item: VideoQuestion, facts: Facts, names: Sequence[str]) -> None:
    """Raises `Refused` when the question quotes what its answer rests on, or the answer only repeats the question."""
    asked = names_in(item.question)
    for name in names:
        fact = facts[name]
        if name in asked or not fact.text:
            continue
        run = shared_run(item.question, fact.text, quoted=fact.kind in ("speech", "text"))
        if run:
            raise Refused("leak", f"the question holds {run!r}, which {name} says")
    told = names_in(item.answer)
    if asked and told and set(told) <= set(asked) and not item.claims:
        raise Refused("leak", "the answer names nothing that the question does not name")


ANNOTATOR = VideoQuestions
