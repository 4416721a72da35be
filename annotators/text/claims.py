"""Atomic claims of captions that models wrote, and what speaks for or against each of them.

A model (the splitter) says what a caption claims and with which words; a claim whose words are not in the caption is rejected.
Rules look each claim up in what is recorded (writing, speech, tracks, camera, times); a second captioner, which never sees the
caption, is asked about what rules leave open, each claim beside an edit of itself; similarity of pictures and text may speak
too. `engine.claims.decide` says what follows. Contradicted claims cut their sentence wherever the caption is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.asking import Asking
from ...engine.captions import MODEL_LEVELS, model_rows
from ...engine.claims.claim import Claim, Opinion
from ...engine.claims.decide import decide
from ...engine.claims.rules import opinions_of_rules
from ...engine.claims.world import World, world_of
from ...engine.kept import medium_row
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.models import ModelRef
from ...schemas.facts import Fact, Facts
from ...schemas.span import Span
from ..vision.clip_choice import ClipParams, extra_of, find_clip
from .claim_replies import (
    AtomicClaim,
    AtomicClaimsReply,
    arguments_of,
    checked_claim,
    claim_problem,
    named_facts,
    shown_sentences,
)
from .claim_second import SecondOpinions
from .claim_similarity import Similarity

RowDict = Mapping[str, Any]


class ClaimsParams(Params):
    """Parameters of `claims`."""

    splitter: str = Field("writer", description="role of `models:` that splits captions into claims")
    checker: str | None = Field(
        "checker", description="role of `models:` that is asked about claims, if the recipe has it; null asks nobody"
    )
    ask_about: Literal["undecided", "all"] = Field(
        "undecided", description="claims that the checker is asked about: those that no rule decides, or all"
    )
    facts: tuple[Literal["speech", "text", "object"], ...] = Field(
        ("speech", "text"), description="evidence that the checker is given beside the frames"
    )
    levels: tuple[Literal["brief", "dense", "objects", "summary", "chapter"], ...] = Field(
        ("brief", "dense", "objects"), min_length=1, description="captions that are split"
    )
    models_needed: int = Field(
        1,
        ge=1,
        le=2,
        description="opinions of models (checker, similarity) that it takes where no rule decides; they must agree",
    )
    clip: ClipParams | None = Field(
        None, description="image-text model, the same as that of `clip_embedding`; without it similarity does not speak"
    )
    clip_margin: float = Field(
        0.03,
        gt=0,
        description="least lead of a claim's similarity over that of its best edit, or the other way round; depends on the "
        "model, and 0.1 is apt for composed-tiny",
    )
    prompts: dict[Literal["claim_split", "claim_check"], str] = Field(
        default_factory=dict, description="files of your own instead of the carried prompts, relative to the recipe"
    )


class Claims(Asking[ClaimsParams]):
    """Writes `claims` of the captions that models wrote."""

    name: ClassVar[str] = "claims"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ClaimsParams
    reads: ClassVar[tuple[str, ...]] = (
        "media", "captions", "frames", "speech", "words", "text_regions", "tracks", "boxes", "signals", "embeddings",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = reads[2:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "frames": ("t_s",),
        "signals": ("t_s", "camera"),
        "embeddings": ("t_s", "until_s", "model", "vector"),
    }
    writes: ClassVar[tuple[str, ...]] = ("claims", "proposals")

    def dynamic_reads(self) -> tuple[str, ...]:
        """Without an image-text model no vectors, without a checker no pictures."""
        unread = {"embeddings"} if self.params.clip is None else set()
        unread |= {"frames"} if self.params.checker is None else set()
        return tuple(table for table in self.reads if table not in unread)

    def leaves_out(self) -> tuple[str, ...]:
        """Captions of media, which are made from claims, unless these are what is split."""
        return () if {"summary", "chapter"} & set(self.params.levels) else ("media_captions",)

    def roles(self) -> tuple[str, ...]:
        """The splitter."""
        return (self.params.splitter,)

    def optional_roles(self) -> tuple[str, ...]:
        """The checker."""
        return (self.params.checker,) if self.params.checker else ()

    def prompts(self) -> Sequence[Prompt]:
        """Splitting and checking."""
        return tuple(read_prompt(n, self.params.prompts.get(n), self.folder) for n in ("claim_split", "claim_check"))

    def models(self) -> Sequence[ModelRef]:
        """The image-text model."""
        return [find_clip(self.params.clip)] if self.params.clip is not None else []

    def extras(self) -> tuple[str, ...]:
        """What the image-text model needs."""
        return (extra_of(self.params.clip),) if self.params.clip is not None else ()

    def setup(self) -> None:
        """Load the image-text model."""
        clip = self.params.clip
        self._similarity = None if clip is None else Similarity(clip, self.params.clip_margin)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Claims of all captions of a medium. Raises `SkipUnit` when no model wrote any."""
        assert unit.medium is not None
        captions = model_rows(rows["captions"], [lv for lv in MODEL_LEVELS if lv in self.params.levels])
        if not captions:
            raise SkipUnit("no caption of a model")
        landing = Landing(unit, self.name)
        world = world_of(rows, medium_row(rows, unit.medium.media_id))
        second = SecondOpinions(self.params.checker, self.prompts()[1], self.params.facts, rows, models, landing)

        async def one(row: RowDict) -> list[Row]:
            return await self._one(row, rows, world, models, second, landing)

        found = await models.each(captions, one)
        return [*(row for of_caption in found for row in of_caption), *landing.rows()]

    async def _one(
        self, row: RowDict, rows: Rows, world: World, models: Models, second: SecondOpinions, landing: Landing
    ) -> list[Row]:
        """The claims of one caption."""
        facts = named_facts(row)
        proposed = await self._split(row, facts, models, landing)
        claims = [checked_claim(one, row, facts) for one in proposed]
        opinions = [opinions_of_rules(claim, world) for claim in claims]
        if self._similarity is not None:
            similar = self._similarity.opinions(claims, world, rows)
            opinions = [own + more for own, more in zip(opinions, similar, strict=True)]
        asked = [i for i, own in enumerate(opinions) if self.params.ask_about == "all" or not any(o.rule for o in own)]
        for i, opinion in zip(asked, await second.ask(row, [claims[i] for i in asked], world), strict=True):
            opinions[i] += [opinion] if opinion is not None else []
        return [
            ("claims", self._row(row, place, *found))
            for place, found in enumerate(zip(proposed, claims, opinions, strict=True))
        ]

    def _row(
        self, caption: RowDict, position: int, proposed: AtomicClaim, claim: Claim, opinions: Sequence[Opinion]
    ) -> dict[str, Any]:
        decided = decide(opinions, self.params.models_needed)
        return {
            "caption_id": caption["row_id"],
            "sentence": proposed.sentence - 1,
            "position": position,
            "start_s": claim.span.start_s,
            "end_s": claim.span.end_s,
            "kind": claim.kind,
            "claim": claim.claim,
            "quote": proposed.quote,
            "arguments_json": json.dumps(arguments_of(proposed), sort_keys=True, ensure_ascii=False),
            "status": decided.status,
            "checked_by": list(decided.checked_by),
            "reason": decided.reason,
            "model": caption["model"],
        }

    async def _split(self, row: RowDict, facts: Facts, models: Models, landing: Landing) -> list[AtomicClaim]:
        """The usable claims of a caption."""
        prompt, sentences = self.prompts()[0], shown_sentences(row)
        names = list(facts)
        ask = Ask(
            role=self.params.splitter,
            prompt=prompt,
            parts=(
                prompt.fill(
                    evidence=facts.listing() or "(none)",
                    caption="\n".join(f"{i}. {text}" for i, text in enumerate(sentences, 1)),
                ),
            ),
            reply=AtomicClaimsReply,
            about=str(row["row_id"]),
            typical=lambda: typical_claims(sentences),
            check=lambda reply: _complaint(reply, sentences, names),
        )
        clip = row["clip_id"]
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask, clip)
            return []
        caption = Facts([Fact("c1", "caption", "captions", row, Span(row["start_s"], row["end_s"]), text=row["text"])])
        kept, seen = [], set()
        for item, claim in enumerate(answered.value.claims):
            proposal = landing.proposal(answered, item, claim, caption, clip)
            problem = claim_problem(claim, sentences, names)
            key = (claim.sentence, claim.kind, claim.claim.strip().lower())
            if problem is not None:
                landing.reject(proposal, problem.rule, problem.detail)
            elif key in seen:
                landing.reject(proposal, "repeated", "the same claim stands in this reply already")
            else:
                landing.keep(proposal)
                seen.add(key)
                kept.append(claim)
        if not answered.value.claims:
            landing.nothing(answered, caption, clip)
        return kept


def _complaint(reply: AtomicClaimsReply, sentences: Sequence[str], names: Sequence[str]) -> str:
    problems = [(claim, claim_problem(claim, sentences, names)) for claim in reply.claims]
    return "; ".join(f"claim “{c.claim}”: {p.detail}" for c, p in problems if p is not None)[:2000]


def typical_claims(sentences: Sequence[str]) -> AtomicClaimsReply:
    """A claim for every dozen words of a sentence."""
    found = []
    for i, sentence in enumerate(sentences, 1):
        words = [w.strip(".,;:") for w in sentence.split() if w.strip(".,;:").isalpha()] or ["thing"]
        subjects = list(dict.fromkeys(reversed(words)))[: 1 + len(sentence.split()) // 12]
        found += [_typical(i, subject) for subject in subjects]
    return AtomicClaimsReply(claims=found)


def _typical(sentence: int, subject: str) -> AtomicClaim:
    said = f"There is {subject} in the picture."
    empty = {"attribute": "", "predicate": "", "object_text": "", "words": "", "first": "", "second": ""}
    return AtomicClaim(
        sentence=sentence,
        kind="object",
        claim=said,
        quote=subject,
        subject=subject,
        number=None,
        negated=False,
        **empty,
    )


ANNOTATOR = Claims
