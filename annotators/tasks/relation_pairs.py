"""True and false statements about how two things stand to each other, expanded in form and words, in groups that balance (VSRE).

About a pair of things that passes SCOP's constraints the relation and its inverse are stated, each as a question for yes or no,
as true or false, reversed (with its things swapped and the relation turned, which is as true), and as a choice of both; each in
several wordings. One statement of two is true, so nobody who does not look does better than chance. Pictures of one group of
the composer `layouts` are asked about with the same statements: with their reflection the group has its four cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OPPOSITE
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import derive_id
from ...schemas.markup import escape
from ...schemas.relations import INVERSE, Relation, directions
from ...schemas.sample import ChoiceAnswer, Option, Sample
from ...schemas.scop import ScopRule, margin, refused
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    wordings_of,
)
from .named_objects import BOX_COLUMNS, TRACK_COLUMNS, objects_in, objects_of
from .picture_things import Thing, instant, moments, only_ones, pair_cited, picture_ref, sentence, things_at

Kind = Literal["yes_no", "true_false", "choice", "reversed"]
KINDS: tuple[Kind, ...] = ("yes_no", "true_false", "choice", "reversed")
ANSWERS = {"yes_no": ("yes", "no"), "reversed": ("yes", "no"), "true_false": ("true", "false")}
ASPECT_COLUMNS = ("aspect", "kind", "subject", "value", "pair_id")


class Params(BaseParams):
    """Parameters of relation_pairs."""

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Forms in which each statement is put.")
    paraphrases: int = Field(2, ge=1, le=5, description="Wordings of each form.")
    per_picture: int = Field(2, ge=1, description="Pairs of one picture that are asked about, at most.")
    rule: ScopRule = Field(
        default_factory=lambda: ScopRule(min_box_px=0, min_pair_share=0.0, max_distance=8.0),
        description="Constraints that a pair passes; by default those of SCOP without a least size.",
    )


@dataclass(frozen=True)
class _Pair:
    """Two things, how the first stands to the second, and the group that their statements belong to."""

    a: Thing
    b: Thing
    relation: Relation
    group: str
    aspect: RowDict | None
    """The row that says which picture is the other of the group."""

    @property
    def stated(self) -> tuple[Relation, Relation]:
        """Both relations in an order that is the same for all pictures of the group."""
        one, other = sorted((self.relation, INVERSE[self.relation]))
        return one, other


class RelationPairs(Task[Params]):
    """Samples from `tracks` and `boxes`, and `aspects` where a composer paired pictures, of one medium."""

    name = "relation_pairs"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "tracks", "boxes", "aspects", "footage_groups")
    optional_reads = ("clips", "selection", "aspects", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """For at most `per_picture` pairs of each picture: every form, statement and wording."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        objects = objects_in(rows)
        if not objects.placed or not (media["width"] and media["height"]):
            raise SkipUnit("no tracks with boxes, or the size of the picture is unknown")
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        aspects = [a for a in one_producer(rows["aspects"]) if a["aspect"] == "relation"]
        for clip, t_s in moments(media, clips, objects):
            near = objects.near(instant(t_s))
            made = 0
            pairs = list(combinations(things_at(objects, t_s), 2))
            for pair in shuffled(pairs, unit.seed, self.name, key=lambda p: [t.track["row_id"] for t in p]):
                if made == self.params.per_picture:
                    break
                try:
                    found = self._pair(*pair, near, media, aspects)
                except Withheld:
                    continue
                made += 1
                others = [t for t in near if t not in (found.a.track, found.b.track)]
                tracks = (found.a.track, found.b.track, *others)
                yield from self._samples(unit, media, clip, t_s, found, tracks, split)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Judge the statement by the cited boxes again, and rebuild the sample."""

        def build() -> Sample:
            media, clips, tracks = only_row(evidence, "media"), rows_of(evidence, "clips"), rows_of(evidence, "tracks")
            t_s = sample.media[0].start_s
            two = pair_cited(objects_of(tracks, rows_of(evidence, "boxes")), t_s)
            pair = self._pair(*two, tracks, media, rows_of(evidence, "aspects"))
            kind = wordings_of(self.name).kind_of(sample.wording)
            cell, number = int(sample.difficulty.get("cell", -1)), int(sample.difficulty.get("paraphrase", -1))
            if kind is None or not 0 <= number < self.params.paraphrases:
                raise Withheld(f"unknown wording {sample.wording}, or one too many")
            clip = clips[0] if clips else None
            return self._build(
                sample.recipe, media, clip, t_s, pair, tracks, kind, cell, number, sample.wording, sample.answer_form
            )  # fmt: skip

        return rebuilt(sample, build)

    def _pair(self, a: Thing, b: Thing, near: Sequence[RowDict], media: RowDict, aspects: Sequence[RowDict]) -> _Pair:
        """The pair in the order in which its group names it. Raises `Withheld`."""
        aspect = next((x for x in aspects if x["subject"] in (a.name, b.name)), None)
        first = aspect["subject"] if aspect else min(a.name, b.name)
        a, b = (a, b) if a.name == first else (b, a)
        why = refused(a.box, b.box, (a.name, b.name), self.params.rule, media["width"], media["height"])
        held = directions(a.box, b.box)
        if why or len(held) != 1 or a.crowd or b.crowd:
            raise Withheld(why or "the things stand diagonally, are level, or one is a crowd")
        if not only_ones(a, b, near):
            raise Withheld("another thing could be called the same")
        ids = (a.track["row_id"], b.track["row_id"])
        group = str(aspect["pair_id"]) if aspect else derive_id("group", self.name, ids, a.rows[0]["row_id"])
        return _Pair(a, b, held[0], group, aspect)

    def _samples(
        self,
        unit: Unit,
        media: RowDict,
        clip: RowDict | None,
        t_s: float,
        pair: _Pair,
        tracks: Sequence[RowDict],
        split: str,
    ) -> Iterator[Row]:
        wordings = wordings_of(self.name)
        for kind in self.params.kinds:
            asked = shuffled(wordings.kinds[kind].asked(split), unit.seed, pair.group, kind, key=lambda w: w.id)
            for cell in range(1 if kind == "choice" else 2):
                for number, question in enumerate(asked[: self.params.paraphrases]):
                    _, form = wordings.choose(kind, unit.seed, pair.group, cell, number, split=split)
                    sample = self._build(
                        unit.recipe, media, clip, t_s, pair, tracks, kind, cell, number, question.id, form.id
                    )  # fmt: skip
                    yield "samples", sample.to_row()

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict | None,
        t_s: float,
        pair: _Pair,
        tracks: Sequence[RowDict],
        kind: str,
        cell: int,
        number: int,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of one form, statement and wording. Raises `Withheld`."""
        wordings = wordings_of(self.name)
        question, answer = wordings.question(kind, wording), wordings.answer(kind, form)
        if question is None or answer is None or cell not in range(1 if kind == "choice" else 2):
            raise Withheld(f"unknown wording {wording}, answer form {form} or statement {cell}")
        a, b = pair.a.name, pair.b.name
        stated = pair.stated[cell]
        said = sentence(b, INVERSE[stated], a) if kind == "reversed" else sentence(a, stated, b)
        true = stated == pair.relation
        if kind == "choice":
            right = sentence(a, pair.relation, b)
            texts = sorted((right, sentence(a, INVERSE[pair.relation], b)), key=lambda text: derive_id("option", text))
            index = texts.index(right)
        else:
            texts = list(ANSWERS[kind])
            index = 0 if true else 1
        options = tuple(
            Option(text=escape(t)) if i == index else Option(text=escape(t), distractor_kind=OPPOSITE, margin=2.0)
            for i, t in enumerate(texts)
        )
        slots = {
            "caption": escape(said[:1].upper() + said[1:]) + ".",
            "clause": escape(said),
            "asked": escape(_asked(said)),
            "one": escape(a),
            "other": escape(b),
            "answer": "<answer>",
        }
        aspect = (cite("aspects", pair.aspect, ASPECT_COLUMNS),) if pair.aspect else ()
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"] if clip else None,
            media=(picture_ref(media, t_s),),
            turns=dialogue("<image>", question.fill(slots), answer.fill(slots), options=True),
            answer=ChoiceAnswer(index=index),
            options=options,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *((cite("clips", clip, CLIP_COLUMNS),) if clip else ()),
                *(cite("tracks", t, TRACK_COLUMNS) for t in tracks),
                *(cite("boxes", row, BOX_COLUMNS) for thing in (pair.a, pair.b) for row in thing.rows),
                *aspect,
            ),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            pair_id=derive_id("pair", self.name, pair.group, kind, number),
            difficulty={
                "cell": float(cell),
                "paraphrase": float(number),
                "holds": float(true) if kind != "choice" else 0.5,
                "margin": margin(pair.a.box, pair.b.box, self.params.rule, media["width"], media["height"]),
                "near": float(len(tracks)),
                "paired": float(pair.aspect is not None),
            },
            generator=f"{self.name}@{self.version}",
        )


def _asked(said: str) -> str:
    """`is the red circle above the blue square` for `the red circle is above the blue square`."""
    subject, _, rest = said.partition(" is ")
    return f"is {subject} {rest}"


ANNOTATOR = RelationPairs
