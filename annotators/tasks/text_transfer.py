"""Order without pictures: films told in words, made of descriptions of distinct footage (T3, textual temporal transfer).

Some descriptions that cannot be taken for each other are put into an order, and the order is asked about: what comes after,
the whole order, a change between two scenes, what stands at a place, where a phrase stands. Every answer follows from the
order by rule. Nothing of the footage is shown, so packages carry text alone; all media whose descriptions are told are named
as media of kind `text`, and all lie in one split. Where no word class knows a word to change and the recipe has a `writer`, the
model proposes the change, one word for another; code makes it. Limit: likeness is judged by words, so two descriptions that
say the same in other words may meet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...engine.annotator import Grain as GrainName
from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.captions import TOLD_LEVELS, kept_text
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver
from ...schemas.facts import Fact, Facts
from ...schemas.ids import seeded_fraction
from ...schemas.markup import MarkupError, Text, escape, parse, validate
from ...schemas.metrics import normalise_words
from ...schemas.sample import MediumRef, Sample, Turn
from ...schemas.verifying import Check
from .common import RowDict, Withheld, cite, only_row, rebuilt, rows_of, shuffled, span_of, wordings_of
from .proposed import Asker
from .worded_scenes import Edit, Kind, are_apart, require_apart, rule_edit, word_item

Family = Literal["order", "attribute", "referring", "grounding"]
KINDS: Mapping[Family, tuple[Kind, ...]] = {
    "order": ("after", "before", "sorted"),
    "attribute": ("change",),
    "referring": ("place",),
    "grounding": ("position",),
}
COLUMNS = ("start_s", "end_s", "level", "text")
LOOKED_AT = 200
"""Descriptions that are considered beside the first one of a film."""


class OneWordReply(BaseModel):
    """A change of one word of one scene."""

    model_config = ConfigDict(extra="forbid")

    scene: str = Field(description="name of the scene that changes, such as e2")
    old_word: str = Field(
        description="one word of it that names a quality: a colour, size, material, state, number ..."
    )
    new_word: str = Field(description="another word of the same kind that fits in its place as well")
    other_word: str = Field(description="a third word of the same kind, as likely as the other two")


@dataclass(frozen=True)
class Film:
    """Descriptions that were drawn for one film, and what they are drawn from."""

    media: RowDict
    captions: tuple[RowDict, ...]
    split: str
    about: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        """The descriptions in plain words."""
        return [_text(row) for row in self.captions]

    @property
    def key(self) -> list[str]:
        """Identifiers of the descriptions, from which everything about the film is drawn."""
        return [str(row["row_id"]) for row in self.captions]

    @property
    def facts(self) -> Facts:
        """The descriptions as numbered evidence, without times: the film has none."""
        told = enumerate(zip(self.captions, self.texts, strict=True), start=1)
        return Facts(Fact(f"e{n}", "event", "captions", row, text=text) for n, (row, text) in told)


class Params(BaseParams):
    """Parameters of text_transfer."""

    model: str = Field(
        "writer", description="Role of `models:` that changes words where rules cannot; used where it exists."
    )
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )

    families: tuple[Family, ...] = Field(get_args(Family), min_length=1, description="What is asked about the order.")
    scenes: tuple[int, int] = Field((3, 6), description="Fewest and most descriptions of a film, between 3 and 7.")
    levels: tuple[str, ...] = Field(
        ("clip", "event", "brief"), min_length=1, description="Levels of captions that are taken."
    )
    words: tuple[int, int] = Field((3, 40), description="Fewest and most words of a description.")
    max_alike: float = Field(
        0.5, gt=0, le=1, description="Share of content words that two scenes of a film may have in common."
    )
    per_medium: int = Field(8, ge=1, description="Films that begin with a description of one medium, at most.")
    of_one_medium: int = Field(1, ge=1, description="Descriptions of one medium in a film, at most.")
    most: int = Field(20_000, ge=1, description="Samples of the whole dataset, at most.")

    @field_validator("scenes")
    @classmethod
    def _countable(cls, scenes: tuple[int, int]) -> tuple[int, int]:
        if not 3 <= scenes[0] <= scenes[1] <= 7:
            raise ValueError("scenes is [fewest, most], between 3 and 7")
        return scenes


class TextTransfer(AskingTask[Params]):
    """Samples from `captions` of all media, without footage."""

    name = "text_transfer"
    version = 1
    Params = Params
    grain: ClassVar[GrainName] = "corpus"
    reads = ("media", "captions", "claims", "footage_groups")
    optional_reads = ("claims", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only")

    def roles(self) -> tuple[str, ...]:
        """None is needed."""
        return ()

    def optional_roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    def code_digest(self) -> str:
        """Digest of the prompt and the wordings."""
        return f"{super().code_digest()} {wordings_of(self.name).digest}"

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `most` samples, by rules alone. Raises `SkipUnit` when too few descriptions can be told apart."""
        made = [sample for film in self._films(unit, rows) if (sample := self._by_rule(unit, film)) is not None]
        self._require_some(made)
        return [("samples", sample.to_row()) for sample in made]

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """The same, where a model changes words that no word class knows."""
        if not models.has(self.params.model):
            return self.annotate(unit, rows)
        landing = Landing(unit, self.name)
        made: list[Sample] = []
        asked: list[Film] = []
        for film in self._films(unit, rows):
            if self._families(film)[0] == "attribute" and rule_edit(film.texts, film.key) is None:
                asked.append(film)
            elif (sample := self._by_rule(unit, film)) is not None:
                made.append(sample)
        asks = [self._ask(film) for film in asked]
        replies = await models.each(asks, Asker(models))
        landed = 0
        for film, ask, reply in zip(asked, asks, replies, strict=True):
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, ask, media_id=film.media["media_id"])
            else:
                landed += self._land(landing, unit, film, reply)
        if not landed:
            self._require_some(made)
        return [*(("samples", sample.to_row()) for sample in made), *landing.rows()]

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Whether the film and its question follow from the cited descriptions, in the order in which they are cited, and from
        the cited change, where a model proposed it.
        """

        def build() -> Sample:
            captions, proposals = rows_of(evidence, "captions"), rows_of(evidence, "proposals")
            if len(captions) > self.params.scenes[1]:
                raise Withheld(f"{len(captions)} scenes, more than {self.params.scenes[1]}")
            film = Film(only_row(evidence, "media"), tuple(captions), "", ())
            return self._built(
                sample.recipe, film, sample.wording, sample.answer_form, proposals[0] if proposals else None
            )

        return rebuilt(sample, build)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _usable(self, rows: Rows, media: Mapping[str, Any]) -> Iterable[RowDict]:
        """Descriptions that stand for a span of known footage, in plain words without any doubt cast on them."""
        low, high = self.params.words
        for row in rows["captions"]:
            if str(row["media_id"]) not in media or row["level"] not in self.params.levels:
                continue
            told = row["level"] in TOLD_LEVELS or kept_text(row, rows["claims"]) == row["text"]
            text = plain_text(row)
            if told and text is not None and row["end_s"] > row["start_s"] and low <= len(text.split()) <= high:
                yield row

    def _films(self, unit: Unit, rows: Rows) -> Iterator[Film]:
        """Films of one split each, at most `most`."""
        media = {str(m["media_id"]): m for m in rows["media"] if m["origin"] != "edited"}
        split = {str(r["media_id"]): str(r["split"]) for r in rows["footage_groups"]}
        pools: dict[str, list[tuple[float, RowDict]]] = {}
        for row in self._usable(rows, media):
            place = seeded_fraction(self.name, "ring", row["row_id"])
            pools.setdefault(split.get(str(row["media_id"]), "train"), []).append((place, row))
        begun: Counter[str] = Counter()
        rings = {name: _Ring(pool) for name, pool in pools.items()}
        anchors = [(row, name) for name, pool in sorted(pools.items()) for _, row in pool]
        for anchor, name in shuffled(anchors, unit.seed, self.name, key=lambda a: a[0]["row_id"]):
            medium = str(anchor["media_id"])
            if begun[medium] == self.params.per_medium:
                continue
            captions = self._chosen(unit, anchor, rings[name])
            if len(captions) < self.params.scenes[0]:
                continue
            begun[medium] += 1
            yield Film(media[medium], tuple(captions), name, (unit.seed, self.name, anchor["row_id"]))
            if begun.total() == self.params.most:
                return

    def _chosen(self, unit: Unit, anchor: RowDict, ring: _Ring) -> list[RowDict]:
        """The first description and those that can stand beside it."""
        low, high = self.params.scenes
        about = (unit.seed, self.name, anchor["row_id"])
        wanted = low + int(seeded_fraction(*about, "scenes") * (high - low + 1))
        chosen, texts = [anchor], [_text(anchor)]
        used = Counter([anchor["media_id"]])
        for row in ring.after(seeded_fraction(*about, "from")):
            if len(chosen) == wanted:
                break
            text = _text(row)
            if used[row["media_id"]] < self.params.of_one_medium and all(
                are_apart(text, t, self.params.max_alike) for t in texts
            ):
                chosen.append(row)
                texts.append(text)
                used[row["media_id"]] += 1
        return chosen

    def _families(self, film: Film) -> list[Family]:
        return shuffled(self.params.families, *film.about, key=str)

    def _by_rule(self, unit: Unit, film: Film) -> Sample | None:
        for family in self._families(film):
            kinds = KINDS[family]
            kind = kinds[int(seeded_fraction(*film.about, "kind") * len(kinds))]
            question, form = wordings_of(self.name).choose(kind, *film.about, split=film.split)
            try:
                return self._built(unit.recipe, film, question.id, form.id)
            except Withheld:
                continue
        return None

    def _require_some(self, made: Sequence[Sample]) -> None:
        if not made:
            raise SkipUnit(f"fewer than {self.params.scenes[0]} descriptions of one split that can be told apart")

    # -- asking -----------------------------------------------------------------------------------------------------

    def _ask(self, film: Film) -> Ask[OneWordReply]:
        (prompt,), facts = self.prompts(), film.facts

        def check(reply: OneWordReply) -> str:
            try:
                proposed_edit(reply, film).applied(film.texts[list(facts).index(reply.scene)])
            except Withheld as problem:
                return str(problem)
            return ""

        return Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(evidence=facts.listing()),),
            reply=OneWordReply,
            about=film.key[0],
            typical=lambda: OneWordReply(
                scene="e1", old_word=film.texts[0].split()[-1], new_word="otherwise", other_word="differently"
            ),
            check=check,
        )

    def _land(self, landing: Landing, unit: Unit, film: Film, reply: Answered[OneWordReply]) -> bool:
        row = landing.proposal(reply, 0, reply.value, film.facts, media_id=film.media["media_id"])
        question, form = wordings_of(self.name).choose("change", *film.about, split=film.split)
        try:
            landing.land(row, self._built(unit.recipe, film, question.id, form.id, row))
        except Withheld as problem:
            landing.reject(row, "no_change", str(problem))
            return False
        return True

    # -- building ---------------------------------------------------------------------------------------------------

    def _built(self, recipe: str, film: Film, wording: str, form: str, proposal: RowDict | None = None) -> Sample:
        """The sample that follows from these descriptions. Raises `Withheld`."""
        wordings, media, captions = wordings_of(self.name), film.media, film.captions
        kind: Any = wordings.kind_of(wording)
        answer = wordings.answer(kind, form) if kind else None
        question = wordings.question(kind, wording) if kind else None
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        if media["media_id"] != captions[0]["media_id"]:
            raise Withheld("the cited medium is not that of the first description")
        texts = film.texts
        require_apart(texts, self.params.max_alike)
        edit: Edit | None = None
        if proposal is not None:
            edit = proposed_edit(OneWordReply.model_validate_json(proposal["proposal_json"]), film)
        elif kind == "change":
            edit = rule_edit(texts, film.key)
        item = word_item(kind, texts, film.key, edit)
        asked = question.fill(item.slots) + "\n<options>"
        proposals = (
            () if proposal is None else (cite("proposals", proposal, ("proposal_json", "request_hash", "item")),)
        )
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=captions[0].get("clip_id"),
            media=tuple(_told(row) for row in captions),
            turns=(Turn(role="user", text=asked), Turn(role="assistant", text=answer.fill({"answer": "<answer>"}))),
            answer=item.answer,
            options=item.options,
            rationale=item.rationale,
            evidence=(
                cite("media", media, ("origin",)), *(cite("captions", row, COLUMNS) for row in captions), *proposals,
            ),
            needs=(),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=item.difficulty,
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip


def proposed_edit(reply: OneWordReply, film: Film) -> Edit:
    """The change that a model proposes; which of its two words is the new one is drawn, for models put the likelier one first.

    Raises `Withheld` for an unknown scene, or more than one word.
    """
    names = list(film.facts)
    if reply.scene not in names:
        raise Withheld(f"there is no scene {reply.scene}")
    words = [reply.old_word.strip(), reply.new_word.strip(), reply.other_word.strip()]
    if not all(word.replace("-", "").isalpha() for word in words):
        raise Withheld(f"{', '.join(words)}: each must be a single word")
    new, other = shuffled(words[1:], "text_transfer", "proposed", *film.key, key=str)
    return Edit(names.index(reply.scene), words[0].lower(), new.lower(), other.lower())


class _Ring:
    """Descriptions on a circle by hash: who stands behind whom hardly changes when others join."""

    def __init__(self, placed: Iterable[tuple[float, RowDict]]) -> None:
        ordered = sorted(placed, key=lambda p: (p[0], p[1]["row_id"]))
        self.places = [place for place, _ in ordered]
        self.rows = [row for _, row in ordered]

    def after(self, place: float) -> Iterable[RowDict]:
        first, n = bisect_left(self.places, place), len(self.rows)
        return (self.rows[(first + i) % n] for i in range(min(n, LOOKED_AT)))


def plain_text(row: Mapping[str, Any]) -> str | None:
    """What a caption says, as plain words; None when it names times or places, which words alone cannot show."""
    if row["level"] in TOLD_LEVELS:
        text = " ".join(str(row["text"]).split())
    else:
        try:
            tokens = parse(str(row["text"]))
        except MarkupError:
            return None
        if not all(isinstance(token, Text) for token in tokens):
            return None
        text = " ".join("".join(t.text for t in tokens if isinstance(t, Text)).split())
    sentence = text.rstrip(".").strip()
    return sentence if sentence and normalise_words(sentence) and not validate(escape(sentence), media=0) else None


def _text(row: Mapping[str, Any]) -> str:
    text = plain_text(row)
    if text is None:
        raise Withheld(f"{row['text']!r} cannot be told in plain words")
    return text


def _told(row: RowDict) -> MediumRef:
    span = span_of(row)
    return MediumRef(media_id=row["media_id"], kind="text", start_s=span.start_s, end_s=span.end_s)


ANNOTATOR = TextTransfer
