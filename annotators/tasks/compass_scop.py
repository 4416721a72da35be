"""Pairs of things that stand unambiguously beside each other, with captions that say how (CoMPaSS's SCOP data).

Every pair of things in a picture goes through the five constraints of SCOP (`schemas/scop.py`). A pair that passes becomes
rows of `triples`, each way round, and samples: a caption of all that holds, and the choice between a true caption and the
same with its things swapped, which is false of every pair that passes. What was refused is counted in `withheld`. The
published set keeps crowds and pairs of which one category is there twice: `keep_crowds` and `unique_names` choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OPPOSITE
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import derive_id
from ...schemas.markup import escape
from ...schemas.relations import SIDED
from ...schemas.sample import ChoiceAnswer, Option, Sample, TextAnswer
from ...schemas.scop import RULES, ScopRule, margin, measures, pair_triples, refused
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

Kind = Literal["choice", "caption"]


class Params(BaseParams):
    """Parameters of compass_scop."""

    rule: ScopRule | Literal["scop", "geneval"] = Field(
        "scop", description="The constraints: scop (published), geneval (tuned for GenEval), or thresholds of your own."
    )
    kinds: tuple[Kind, ...] = Field(("choice", "caption"), min_length=1, description="What is asked about each pair.")
    per_picture: int = Field(
        4, ge=1, description="Pairs of one picture that become samples, at most; triples are not limited."
    )
    unique_names: bool = Field(
        True,
        description="Whether both names must mean one thing each; false as in the published set, for triples only.",
    )
    keep_crowds: bool = Field(
        False, description="Whether boxes around crowds count (true to meet the published counts)."
    )

    @property
    def thresholds(self) -> ScopRule:
        """The rule as thresholds."""
        return RULES[self.rule] if isinstance(self.rule, str) else self.rule


class CompassScop(Task[Params]):
    """Samples, triples and counts of what was refused, from `tracks` and `boxes` of one medium."""

    name = "compass_scop"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "tracks", "boxes", "footage_groups")
    optional_reads = ("clips", "selection", "footage_groups")
    writes: ClassVar[tuple[str, ...]] = ("samples", "triples", "withheld")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """All triples of the pairs that pass; samples of at most `per_picture` pairs of a picture."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        objects = objects_in(rows)
        if not objects.placed or not (media["width"] and media["height"]):
            raise SkipUnit("no tracks with boxes, or the size of the picture is unknown")
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        reasons: Counter[str] = Counter()
        for clip, t_s in moments(media, clips, objects):
            near = objects.near(instant(t_s))
            made = 0
            pairs = combinations(things_at(objects, t_s), 2)
            for a, b in shuffled(pairs, unit.seed, self.name, key=lambda p: [t.track["row_id"] for t in p]):
                why = self._refused(a, b, near, media)
                reasons[why] += 1
                if why:
                    continue
                yield from self._triples(a, b, clip, t_s, media)
                if made < self.params.per_picture and only_ones(a, b, near):
                    made += 1
                    yield from self._samples(unit, media, clip, t_s, a, b, near, split)
        for why, count in sorted(reasons.items()):
            yield "withheld", {"task": self.name, "kind": "pair", "reason": why, "candidates": count}

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Try the constraints again on the cited boxes, and rebuild the sample."""

        def build() -> Sample:
            clips, tracks, boxes = (rows_of(evidence, t) for t in ("clips", "tracks", "boxes"))
            a, b = pair_cited(objects_of(tracks, boxes), sample.media[0].start_s)
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind not in ("choice", "caption"):
                raise Withheld(f"unknown wording {sample.wording}")
            media, clip = only_row(evidence, "media"), clips[0] if clips else None
            return self._build(
                sample.recipe, media, clip, sample.media[0].start_s, a, b, tracks, kind, sample.wording, sample.answer_form
            )  # fmt: skip

        return rebuilt(sample, build)

    def _refused(self, a: Thing, b: Thing, near: Sequence[RowDict], media: RowDict) -> str:
        """Why a pair is not taken; "" for one that is."""
        if not self.params.keep_crowds and (a.crowd or b.crowd):
            return "crowd"
        why = refused(a.box, b.box, (a.label, b.label), self.params.thresholds, media["width"], media["height"])
        if why:
            return why
        return "" if not self.params.unique_names or only_ones(a, b, near) else "another one of that name"

    def _triples(self, a: Thing, b: Thing, clip: RowDict | None, t_s: float, media: RowDict) -> Iterable[Row]:
        m = measures(a.box, b.box, media["width"], media["height"])
        tracks = {a.name: a.track["track_id"], b.name: b.track["track_id"]}
        still = picture_ref(media, t_s)
        for subject, relation, other in pair_triples(a.name, b.name, a.box, b.box):
            yield (
                "triples",
                {
                    "start_s": still.start_s,
                    "end_s": still.end_s,
                    "subject": subject,
                    "predicate": relation,
                    "object_text": other,
                    "subject_track": tracks[subject],
                    "object_track": tracks[other],
                    "status": "supported",
                    "checked_by": ["boxes"],
                    "reason": f"areas {m.pair_share:.3f} of the picture, {m.distance:.2f} diagonals apart, "
                    f"{m.common:.2f} in common, sizes {m.ratio:.2f}",
                    "clip_id": clip["clip_id"] if clip else "",
                    "caption_id": None,
                    "request_hash": None,
                    "model": "",
                },
            )

    def _samples(
        self,
        unit: Unit,
        media: RowDict,
        clip: RowDict | None,
        t_s: float,
        a: Thing,
        b: Thing,
        near: Sequence[RowDict],
        split: str,
    ) -> Iterable[Row]:
        pair = (a.track["track_id"], b.track["track_id"])
        others = [t for t in near if t["track_id"] not in pair]
        for kind in self.params.kinds:
            question, form = wordings_of(self.name).choose(kind, unit.seed, pair, t_s, split=split)
            try:
                sample = self._build(
                    unit.recipe, media, clip, t_s, a, b, (a.track, b.track, *others), kind, question.id, form.id
                )  # fmt: skip
            except Withheld:
                continue
            yield "samples", sample.to_row()

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict | None,
        t_s: float,
        a: Thing,
        b: Thing,
        near: Sequence[RowDict],
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample about a pair, `near` being all tracks at about that moment. Raises `Withheld`."""
        why = self._refused(a, b, near, media)
        if why or not only_ones(a, b, near):
            raise Withheld(f"the pair is not taken: {why or 'another one of that name'}")
        triples = pair_triples(a.name, b.name, a.box, b.box)
        if not triples:
            raise Withheld("the boxes are level: no side")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        slots = {"one": escape(a.name), "other": escape(b.name), "answer": "<answer>"}
        options: tuple[Option, ...] = ()
        typed: ChoiceAnswer | TextAnswer
        if kind == "choice":
            subject, relation, other = min(
                triples, key=lambda t: derive_id("triple", t, a.track["row_id"], b.track["row_id"])
            )
            true, false = sentence(subject, relation, other), sentence(other, relation, subject)
            texts = sorted((true, false), key=lambda text: derive_id("option", text))
            options = tuple(
                Option(text=escape(t)) if t == true else Option(text=escape(t), distractor_kind=OPPOSITE, margin=2.0)
                for t in texts
            )
            typed = ChoiceAnswer(index=texts.index(true))
        else:
            said = [sentence(*triple) for triple in triples]
            text = " ".join(f"{escape(s[:1].upper() + s[1:])}." for s in said)
            slots["caption"] = text
            typed = TextAnswer(text=text)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"] if clip else None,
            media=(picture_ref(media, t_s),),
            turns=dialogue("<image>", question.fill(slots), answer.fill(slots), options=bool(options)),
            answer=typed,
            options=options,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *((cite("clips", clip, CLIP_COLUMNS),) if clip else ()),
                *(cite("tracks", t, TRACK_COLUMNS) for t in near),
                *(cite("boxes", row, BOX_COLUMNS) for thing in (a, b) for row in thing.rows),
            ),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "margin": margin(a.box, b.box, self.params.thresholds, media["width"], media["height"]),
                "relations": float(len(triples)),
                "near": float(len(near)),
                "flip_safe": float(not any(r in SIDED for _, r, _ in triples)),
            },
            generator=f"{self.name}@{self.version}",
        )


ANNOTATOR = CompassScop
