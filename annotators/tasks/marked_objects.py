"""What is object 3, which number is the lamp, what stands beside object 3? Asked of films whose objects carry numerals.

The numerals of `correspondence_marks` tie one object together over pictures, as in Oryx's coarse correspondences: what is asked
needs several of them. Checking holds every cited numeral against the mask that it was drawn in, and asks the boxes in 3D again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_OBJECT
from ...engine.kept import medium_row, one_producer, split_of
from ...engine.spaces import SPACE_TABLES, space_cited, space_in
from ...engine.task import EvidenceRow, Task
from ...schemas.geometry.distances import box_box
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import escape
from ...schemas.masks import decode_mask
from ...schemas.sample import ChoiceAnswer, MediumRef, Option, Sample
from ...schemas.scale import margin_in
from ...schemas.space import Space
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
    wordings_of,
)
from .shown import EDIT_COLUMNS
from .space_evidence import BOX3D_COLUMNS, SCENE_COLUMNS

Kind = Literal["what", "which", "beside"]
KINDS: tuple[Kind, ...] = ("what", "which", "beside")
MARK_COLUMNS = ("t_s", "source_t_s", "numeral", "object_id", "track_id", "label", "phrase", "x", "y", "radius")
MASK_COLUMNS = ("track_id", "t_s", "mask")


class Params(BaseParams):
    """Parameters of marked_objects."""

    ask: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Kinds of question.")
    per_kind: int = Field(4, ge=1, description="Samples of a kind and marked film, at most.")
    least_marks: int = Field(3, ge=1, description="Pictures in which an object carries its numeral, at least.")
    options: int = Field(4, ge=2, le=8, description="Options, at most.")
    near_m: float = Field(0.3, gt=0, description="Lead of what stands beside an object over the next one, metres.")
    near_share: float = Field(0.2, ge=0, description="And as a share of the next one's distance.")


@dataclass(frozen=True)
class Marked:
    """A film with numerals: its rows of `marks`, the boxes with the masks, and the space of its source."""

    media: RowDict
    clip: RowDict
    edit: RowDict
    marks: Sequence[RowDict]
    masks: Sequence[RowDict]
    space: Space | None

    def of(self, numeral: int) -> list[RowDict]:
        """The marks of a numeral."""
        return [m for m in self.marks if m["numeral"] == numeral]

    def numerals(self) -> list[int]:
        """All numerals."""
        return sorted({int(m["numeral"]) for m in self.marks})


class MarkedObjects(Task[Params]):
    """Samples about the marked films of one medium."""

    name = "marked_objects"
    version = 1
    Params = Params
    reads = ("media", "clips", "edits", "marks", *SPACE_TABLES, "footage_groups")
    optional_reads = (*SPACE_TABLES, "footage_groups")
    must_hurt = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of each kind about each film."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        if not rows["marks"]:
            raise SkipUnit("nothing is marked")
        media = {str(m["media_id"]): m for m in rows["media"]}
        clips = {str(c["clip_id"]): c for c in rows["clips"]}
        space = space_in(rows) if rows["scenes"] else None
        masks = one_producer(rows["boxes"])
        split = split_of(rows, media_id)
        medium_row(rows, media_id)
        for edit in sorted(rows["edits"], key=lambda e: str(e["media_id"])):
            film, clip = media.get(str(edit["media_id"])), clips.get(str(edit["source_clip_id"]))
            marks = [m for m in rows["marks"] if m["media_id"] == edit["media_id"]]
            if film is None or clip is None or not marks:
                continue
            marked = Marked(film, clip, edit, marks, masks, space)
            for kind in self.params.ask:
                made = 0
                key = (unit.seed, self.name, kind, clip["clip_id"])
                numerals = sorted(marked.numerals(), key=lambda n: (seeded_fraction(*key, n), n))
                for numeral in numerals:
                    if made == self.params.per_kind:
                        break
                    question, form = wordings_of(self.name).choose(
                        kind, unit.seed, kind, clip["clip_id"], numeral, split=split
                    )
                    try:
                        sample = self._build(unit.recipe, marked, kind, numeral, question.id, form.id)
                    except Withheld:
                        continue
                    made += 1
                    yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Hold the numerals against their masks, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        named = wordings_of(self.name).kind_of(sample.wording)
        kind = next((k for k in KINDS if k == named), None)
        if kind is None:
            raise Withheld(f"unknown wording {sample.wording}")
        marked = Marked(
            only_row(evidence, "media"), only_row(evidence, "clips"), only_row(evidence, "edits"), rows_of(evidence, "marks"),
            rows_of(evidence, "boxes"), space_cited(evidence),
        )  # fmt: skip
        numeral = int(sample.difficulty.get("numeral", 0))
        return self._build(sample.recipe, marked, kind, numeral, sample.wording, sample.answer_form)

    def _build(self, recipe: str, marked: Marked, kind: Kind, numeral: int, wording: str, form: str) -> Sample:
        """The sample about a numeral. Raises `Withheld`."""
        question, said = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or said is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        own = marked.of(numeral)
        if len(own) < self.params.least_marks or any(m["media_id"] != marked.media["media_id"] for m in marked.marks):
            raise Withheld("the numeral stands in too few pictures, or in another film")
        masks = self._masks(marked)
        right, wrong, slots, reason, factors, boxes = self._answer(marked, kind, numeral)
        options = [Option(text=escape(right))]
        options += [Option(text=escape(text), distractor_kind=OTHER_OBJECT, margin=margin) for text, margin in wrong]
        options.sort(key=lambda o: (derive_id("option", self.name, o.text), o.text))
        scene = (cite("scenes", marked.space.scene, SCENE_COLUMNS),) if boxes and marked.space is not None else ()
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=marked.clip["clip_id"],
            media=(
                MediumRef(media_id=marked.media["media_id"], kind="video", start_s=0.0, end_s=float(marked.media["duration_s"])),
            ),
            turns=dialogue("<video>", question.fill(slots), said.fill({"answer": "<answer>"}), options=True),
            answer=ChoiceAnswer(index=next(i for i, o in enumerate(options) if o.text == escape(right))),
            options=tuple(options),
            rationale=(escape(reason),),
            evidence=(
                cite("media", marked.media, MEDIA_COLUMNS), cite("clips", marked.clip, CLIP_COLUMNS),
                cite("edits", marked.edit, EDIT_COLUMNS), *(cite("marks", m, MARK_COLUMNS) for m in marked.marks),
                *(cite("boxes", b, MASK_COLUMNS) for b in masks), *scene, *(cite("boxes3d", b, BOX3D_COLUMNS) for b in boxes),
            ),
            needs=("vision", "on_screen_text"),
            origin=marked.media["origin"] or "edited",
            wording=wording,
            answer_form=form,
            difficulty={"numeral": float(numeral), "marks": float(len(own)), "numerals": float(len(marked.numerals())), **factors},
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip

    def _masks(self, marked: Marked) -> list[RowDict]:
        """The sightings that the numerals were drawn in. Raises `Withheld` where one has none, lies outside of its mask, or
        stands for two objects, or an object has two.
        """
        rows = {(str(b["track_id"]), round(float(b["t_s"]), 6)): b for b in marked.masks}
        found = []
        for m in marked.marks:
            row = rows.get((str(m["track_id"]), round(float(m["source_t_s"]), 6)))
            if row is None or not row["mask"]:
                raise Withheld("a numeral has no mask")
            mask = decode_mask(str(row["mask"]))
            height, width = mask.shape
            if not mask[min(int(m["y"] * height), height - 1), min(int(m["x"] * width), width - 1)]:
                raise Withheld("a numeral lies outside of its mask")
            found.append(row)
        pairs = {(int(m["numeral"]), str(m["object_id"])) for m in marked.marks}
        if len({n for n, _ in pairs}) < len(pairs) or len({o for _, o in pairs}) < len(pairs):
            raise Withheld("a numeral stands for two objects, or an object has two numerals")
        return found

    def _answer(
        self, marked: Marked, kind: Kind, numeral: int
    ) -> tuple[str, list[tuple[str, float | None]], dict[str, str], str, dict[str, float], list[RowDict]]:
        own = marked.of(numeral)[0]
        labels = {int(m["numeral"]): str(m["phrase"]) for m in marked.marks}
        label = labels[numeral]
        key = (self.name, kind, marked.clip["clip_id"], numeral)
        if kind in ("what", "which"):
            others = sorted((n for n in labels if labels[n] != label), key=lambda n: (seeded_fraction(*key, n), n))
            if list(labels.values()).count(label) != 1 or len({labels[n] for n in others}) < 2:
                raise Withheld("the words name several marked objects, or too few others are marked")
            if kind == "which":
                wrong: list[tuple[str, float | None]] = [
                    (f"number {n}", None) for n in sorted(others[: self.params.options - 1])
                ]
                return (
                    f"number {numeral}",
                    wrong,
                    {"thing": escape(label)},
                    f"The {label} carries number {numeral}.",
                    {},
                    [],
                )
            texts = list(dict.fromkeys(labels[n] for n in others))[: self.params.options - 1]
            return (
                label,
                [(t, None) for t in texts],
                {"number": str(numeral)},
                f"Number {numeral} is on the {label}.",
                {},
                [],
            )
        return self._beside(marked, own, label, numeral)

    def _beside(
        self, marked: Marked, own: RowDict, label: str, numeral: int
    ) -> tuple[str, list[tuple[str, float | None]], dict[str, str], str, dict[str, float], list[RowDict]]:
        """What is nearest to it among things that their words name alone: distance of the boxes, all of the scene."""
        space = marked.space
        thing = space.by_id.get(str(own["object_id"])) if space is not None else None
        if space is None or thing is None:
            raise Withheld("its place in the room is not known")
        if any(o.moving for o in space.objects):
            still = [o for o in space.objects if not o.moving]
        else:
            still = list(space.objects)
        if thing.moving:
            raise Withheld("it moves")
        apart = sorted(
            ((box_box(thing.box, o.box), o.phrase) for o in still if o is not thing), key=lambda p: (p[0], p[1])
        )
        told = [o.phrase for o in space.objects]
        if len(apart) < 3 or told.count(apart[0][1]) != 1 or apart[0][1] == label:
            raise Withheld("too few things, or the words do not name what is nearest alone")
        lead = apart[1][0] - apart[0][0]
        if (
            lead < margin_in(space.scene, self.params.near_m, space.diagonal_m)
            or lead < self.params.near_share * apart[1][0]
        ):
            raise Withheld("two things are about as near")
        wrong: dict[str, float | None] = {}
        for metres, phrase in apart[1:]:
            if phrase not in (apart[0][1], label):
                wrong.setdefault(phrase, round(metres - apart[0][0], 6))
        if len(wrong) < 2:
            raise Withheld("too few things")
        rows = [r for o in space.objects for r in o.rows[:1]]
        return (
            apart[0][1], list(wrong.items())[: self.params.options - 1], {"number": str(numeral)},
            f"Number {numeral} is on the {label}, and the {apart[0][1]} stands nearest to it.", {"margin_m": round(lead, 6)}, rows,
        )  # fmt: skip


ANNOTATOR = MarkedObjects
