"""Order without pictures: films told in words, made of descriptions of distinct footage (T3, textual temporal transfer).

Some descriptions that cannot be taken for each other are put into an order, and the order is asked about: what comes after,
the whole order, a change between two scenes, what stands at a place, where a phrase stands. Every answer follows from the
order by rule. Nothing of the footage is shown, so packages carry text alone; all media whose descriptions are told are named
as media of kind `text`, and all lie in one split. Limit: likeness is judged by words, so two descriptions that say the same
in other words may meet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from ...engine.annotator import Grain as GrainName
from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.captions import TOLD_LEVELS, kept_text
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import seeded_fraction
from ...schemas.markup import MarkupError, Text, escape, parse, validate
from ...schemas.metrics import normalise_words
from ...schemas.sample import MediumRef, Sample, Turn
from ...schemas.verifying import Check
from .common import RowDict, Withheld, cite, only_row, rebuilt, rows_of, shuffled, span_of, wordings_of
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


class Params(BaseParams):
    """Parameters of text_transfer."""

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


class TextTransfer(Task[Params]):
    """Samples from `captions` of all media, without footage."""

    name = "text_transfer"
    version = 1
    Params = Params
    grain: ClassVar[GrainName] = "corpus"
    reads = ("media", "captions", "claims", "footage_groups")
    optional_reads = ("claims", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `most` samples. Raises `SkipUnit` when there are too few descriptions that can be told apart."""
        media = {str(m["media_id"]): m for m in rows["media"] if m["origin"] != "edited"}
        split = {str(r["media_id"]): str(r["split"]) for r in rows["footage_groups"]}
        pools: dict[str, list[tuple[float, RowDict]]] = {}
        for row in self._usable(rows, media):
            place = seeded_fraction(self.name, "ring", row["row_id"])
            pools.setdefault(split.get(str(row["media_id"]), "train"), []).append((place, row))
        begun: Counter[str] = Counter()
        made = 0
        rings = {name: _Ring(pool) for name, pool in pools.items()}
        anchors = [(row, name) for name, pool in sorted(pools.items()) for _, row in pool]
        for anchor, name in shuffled(anchors, unit.seed, self.name, key=lambda a: a[0]["row_id"]):
            medium = str(anchor["media_id"])
            if begun[medium] == self.params.per_medium:
                continue
            sample = self._film(unit, media[medium], anchor, rings[name], name)
            if sample is None:
                continue
            begun[medium] += 1
            made += 1
            yield "samples", sample.to_row()
            if made == self.params.most:
                return
        if not made:
            raise SkipUnit(f"fewer than {self.params.scenes[0]} descriptions of one split that can be told apart")

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Whether the film and its question follow from the cited descriptions, in the order in which they are cited."""

        def build() -> Sample:
            captions = rows_of(evidence, "captions")
            if len(captions) > self.params.scenes[1]:
                raise Withheld(f"{len(captions)} scenes, more than {self.params.scenes[1]}")
            return self._built(sample.recipe, only_row(evidence, "media"), captions, sample.wording, sample.answer_form)

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

    def _film(self, unit: Unit, media: RowDict, anchor: RowDict, ring: _Ring, split: str) -> Sample | None:
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
        if len(chosen) < low:
            return None
        for family in shuffled(self.params.families, *about, key=str):
            kinds = KINDS[family]
            kind = kinds[int(seeded_fraction(*about, "kind") * len(kinds))]
            question, form = wordings_of(self.name).choose(kind, *about, split=split)
            try:
                return self._built(unit.recipe, media, chosen, question.id, form.id)
            except Withheld:
                continue
        return None

    # -- building ---------------------------------------------------------------------------------------------------

    def _built(self, recipe: str, media: RowDict, captions: Sequence[RowDict], wording: str, form: str) -> Sample:
        """The sample that follows from these descriptions. Raises `Withheld`."""
        wordings = wordings_of(self.name)
        kind: Any = wordings.kind_of(wording)
        answer = wordings.answer(kind, form) if kind else None
        question = wordings.question(kind, wording) if kind else None
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        if media["media_id"] != captions[0]["media_id"]:
            raise Withheld("the cited medium is not that of the first description")
        texts = [_text(row) for row in captions]
        require_apart(texts, self.params.max_alike)
        key = [str(row["row_id"]) for row in captions]
        edit: Edit | None = rule_edit(texts, key) if kind == "change" else None
        item = word_item(kind, texts, key, edit)
        asked = question.fill(item.slots) + "\n<options>"
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=captions[0].get("clip_id"),
            media=tuple(_told(row) for row in captions),
            turns=(Turn(role="user", text=asked), Turn(role="assistant", text=answer.fill({"answer": "<answer>"}))),
            answer=item.answer,
            options=item.options,
            rationale=item.rationale,
            evidence=(cite("media", media, ("origin",)), *(cite("captions", row, COLUMNS) for row in captions)),
            needs=(),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=item.difficulty,
            generator=f"{self.name}@{self.version}",
        )


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
