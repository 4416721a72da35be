"""Where in the picture is it at this moment, and which thing stands at this place: spatial grounding and referring.

The spatial tasks of ST-Align (LLaVA-ST): `where` names a thing and a time and asks for its box; `which` gives a box at a time
and asks for the thing among others of the same footage. Both rest on one stored box. A name must mean one thing: no other
track that could be called the same is near in time. The questions `which` come in pairs with the same options, so that
options alone say nothing. What no track covers cannot be ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_VALUE
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.box import Box, box_or_none
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id
from ...schemas.markup import BoxAt, BoxMark, escape, render, unescape
from ...schemas.matching import common_words
from ...schemas.objects import phrase_of
from ...schemas.sample import BoxAnswer, ChoiceAnswer, MediumRef, Option, Sample
from ...schemas.span import Span, from_us, to_us
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    grid,
    moment,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    wordings_of,
)
from .named_objects import BOX_COLUMNS, TRACK_COLUMNS, Objects, clear_of, objects_in, objects_of, rivals

Kind = Literal["where", "which"]
INSTANT_S = 0.04
"""What counts as one moment when a window is drawn around it, seconds."""


class Params(BaseParams):
    """Parameters of spatial_grounding."""

    kinds: tuple[Kind, ...] = Field(("where", "which"), min_length=1, description="Ask for the box, or for the thing.")
    per_medium: int = Field(8, ge=1, description="Samples per medium and kind, at most (`which`: pairs).")
    window_s: tuple[float, float] = Field((4.0, 30.0), description="Shortest and longest window, drawn log-uniformly.")
    options: tuple[int, int] = Field((2, 4), description="Fewest and most things to choose among.")
    min_area: float = Field(0.001, ge=0, le=1, description="Least share of the picture that the asked box fills.")
    min_visibility: float = Field(0.5, ge=0, le=1, description="Least visible share of the thing, where it is known.")
    most_iou: float = Field(0.1, ge=0, le=1, description="Greatest IoU of the asked box with a wrong option's thing.")


@dataclass(frozen=True)
class _Asked:
    """A track at the time of one of its stored boxes."""

    track: RowDict
    box_row: RowDict

    @property
    def t_s(self) -> float:
        return grid(self.box_row["t_s"])

    @property
    def instant(self) -> Span:
        return Span(self.t_s, from_us(to_us(self.t_s) + to_us(INSTANT_S)))

    @property
    def box(self) -> Box:
        place = box_or_none(*(round(self.box_row[k], 6) for k in ("x1", "y1", "x2", "y2")))
        if place is None:
            raise Withheld("the stored box has no area")
        return place


class SpatialGrounding(Task[Params]):
    """Samples from `tracks` and `boxes` of one medium."""

    name = "spatial_grounding"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "tracks", "boxes", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples of each kind, each track in one of them."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        objects = objects_in(rows)
        if not objects.placed:
            raise SkipUnit("no tracks with boxes")
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        asked = list(self._candidates(objects, unit.seed))
        if "where" in self.params.kinds:
            made = 0
            for one in asked:
                if made < self.params.per_medium:
                    samples = self._written(unit, media, clips, objects, (one,), (), "where", split)
                    made += len(samples)
                    yield from (("samples", s.to_row()) for s in samples)
        if "which" in self.params.kinds:
            made, used = 0, set[str]()
            for pair in combinations(asked, 2):
                ids = {str(a.track["track_id"]) for a in pair}
                if made == self.params.per_medium:
                    break
                if used & ids or abs(pair[0].t_s - pair[1].t_s) > self.params.window_s[1] / 2:
                    continue
                names = self._names(pair, objects, unit.seed)
                samples = self._written(unit, media, clips, objects, pair, names, "which", split) if names else []
                if len(samples) == 2:
                    made, used = made + 1, used | ids
                    yield from (("samples", s.to_row()) for s in samples)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from the cited track, its box and the tracks that are near in time."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """What the track is called, and where its box is at the moment."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _candidates(self, objects: Objects, seed: int) -> Iterator[_Asked]:
        """For each track the first of its boxes, in shuffled order, that may be asked about."""
        for track in shuffled(objects.tracks, seed, self.name, key=lambda t: t["row_id"]):
            boxes = objects.boxes.get(str(track["track_id"]), ())
            for row in shuffled(boxes, seed, self.name, key=lambda b: b["row_id"]):
                one = _Asked(track, row)
                try:
                    self._require(one, objects.near(one.instant))
                except Withheld:
                    continue
                yield one
                break

    def _names(self, pair: Sequence[_Asked], objects: Objects, seed: int) -> tuple[str, ...]:
        """Things to choose among: both asked ones and others of the footage, none of which could be meant instead."""
        names: list[str] = [phrase_of(a.track) for a in pair]
        others = {phrase_of(t) for t in objects.tracks}
        key = [a.track["row_id"] for a in pair]
        count = self.params.options[1]
        for name in (*names, *shuffled(others, seed, self.name, "names", key, key=str)):
            clear = all(
                phrase_of(a.track) == name or clear_of(name, a.box, a.t_s, objects, self.params.most_iou) for a in pair
            )
            if name in names[:2]:
                if not clear:
                    return ()
            elif len(names) < count and clear and not any(common_words(name, n) >= 0.99 for n in names):
                names.append(name)
        if len(set(names)) < max(2, self.params.options[0]):
            return ()
        return tuple(sorted(set(names), key=lambda n: derive_id("option", n)))

    def _written(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        objects: Objects,
        asked: Sequence[_Asked],
        names: Sequence[str],
        kind: Kind,
        split: str,
    ) -> list[Sample]:
        """A sample for each of `asked`, over one window that shows all of them; fewer where one cannot be asked."""
        hull = Span(min(a.t_s for a in asked), max(a.instant.end_s for a in asked))
        key = [a.box_row["row_id"] for a in asked]
        window = choose_window(
            hull, media["duration_s"], self.params.window_s, unit.seed, self.name, kind, key, evidence_share_max=1.0
        )
        held = covering(clips, [hull])
        if isinstance(window, NoWindow) or not held:
            return []
        found = []
        for one in asked:
            near = objects.near(one.instant)
            boxes = [one.box_row, *self._rival_boxes(one, near, objects)]
            question, form = wordings_of(self.name).choose(kind, unit.seed, one.box_row["row_id"], split=split)
            pair_id = derive_id("pair", self.name, key) if len(asked) > 1 else None
            try:
                found.append(
                    self._build(
                        unit.recipe,
                        media,
                        held,
                        one,
                        near,
                        objects_of(near, boxes),
                        boxes,
                        window,
                        tuple(names),
                        kind,
                        question.id,
                        form.id,
                        pair_id,
                    )
                )
            except Withheld:
                continue
        return found

    def _rival_boxes(self, one: _Asked, near: Sequence[RowDict], objects: Objects) -> list[RowDict]:
        """The boxes of the other things near in time that say where they are at the moment."""
        found = []
        for track in near:
            if track["track_id"] != one.track["track_id"]:
                boxes = objects.boxes.get(str(track["track_id"]), ())
                before = [b for b in boxes if to_us(b["t_s"]) <= to_us(one.t_s)]
                after = [b for b in boxes if to_us(b["t_s"]) > to_us(one.t_s)]
                found += [*before[-1:], *after[:1]]
        return found

    # -- building ---------------------------------------------------------------------------------------------------

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        kind = wordings_of(self.name).kind_of(sample.wording)
        tracks, boxes = rows_of(evidence, "tracks"), rows_of(evidence, "boxes")
        if kind not in ("where", "which") or not boxes:
            raise Withheld(f"unknown wording {sample.wording}, or no box is cited")
        track = next((t for t in tracks if t["track_id"] == boxes[0]["track_id"]), None)
        if track is None:
            raise Withheld("the track of the asked box is not cited")
        names = tuple(unescape(o.text) for o in sample.options)
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), _Asked(track, boxes[0]), tracks,
            objects_of(tracks, boxes), boxes, sample.window, names, kind, sample.wording, sample.answer_form,
            sample.pair_id, trail,
        )  # fmt: skip

    def _require(self, one: _Asked, near: Sequence[RowDict]) -> None:
        """Raises `Withheld` where the box is too small or hidden, or another thing could be meant."""
        row = one.box_row
        if one.box.area < self.params.min_area:
            raise Withheld("the box is too small to be asked for")
        if row["visibility"] is not None and row["visibility"] < self.params.min_visibility:
            raise Withheld("too much of the thing is hidden")
        if rivals(one.track, near):
            raise Withheld(f"another {phrase_of(one.track)!r} is near in time")

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        one: _Asked,
        near: Sequence[RowDict],
        objects: Objects,
        boxes: Sequence[RowDict],
        window: Span,
        names: tuple[str, ...],
        kind: str,
        wording: str,
        form: str,
        pair_id: str | None,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about one stored box, `near` being all tracks at about its time. Raises `Withheld`."""
        self._require(one, near)
        for problem in window_problems(window, [one.instant], media["duration_s"], self.params.window_s):
            raise Withheld(problem)
        if not clips or list(clips) != covering(clips, [one.instant]) or one.track not in near:
            raise Withheld("the moment is not inside kept clips, or the track not near it")
        wordings = wordings_of(self.name)
        question, answer = wordings.question(kind, wording), wordings.answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        box, name = one.box, phrase_of(one.track)
        slots = {
            "thing": escape(name),
            "time": moment(one.t_s),
            "box": render([BoxMark(*box.edges)]),
            "place": render([BoxAt(one.t_s, *box.edges)]),
            "answer": "<answer>",
        }
        options: tuple[Option, ...] = ()
        if kind == "which":
            options = self._options(name, names, one, objects)
        if trail is not None:
            self._chain(trail, one, kind, names)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots), options=bool(options)),
            answer=ChoiceAnswer(index=names.index(name)) if options else BoxAnswer(t_s=one.t_s, box=box.edges),
            options=options,
            rationale=(
                f"At {slots['time']} I look for the {slots['thing']}."
                if kind == "where"
                else f"I look at {slots['place']}.",
                f"It stands in the {box.region()} part of the picture, in {slots['box']}."
                if kind == "where"
                else f"What stands there is the {slots['thing']}.",
            ),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite("tracks", t, TRACK_COLUMNS) for t in near),
                *(cite("boxes", b, (*BOX_COLUMNS, "visibility")) for b in boxes),
            ),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            pair_id=pair_id,
            difficulty=placement(window, one.instant)
            | {"area": round(box.area, 6), "near": float(len(near)), "boxes": float(len(boxes))},
            generator=f"{self.name}@{self.version}",
        )

    def _options(self, name: str, names: tuple[str, ...], one: _Asked, objects: Objects) -> tuple[Option, ...]:
        if name not in names or names != tuple(sorted(set(names), key=lambda n: derive_id("option", n))):
            raise Withheld("the options are not in their order, or none is right")
        if not self.params.options[0] <= len(names) <= self.params.options[1]:
            raise Withheld(f"{len(names)} options")
        wrong = [n for n in names if n != name]
        for other in wrong:
            if not clear_of(other, one.box, one.t_s, objects, self.params.most_iou):
                raise Withheld(f"a {other!r} may stand at the asked place")
        return tuple(
            Option(text=escape(n))
            if n == name
            else Option(text=escape(n), distractor_kind=OTHER_VALUE, margin=round(1 - common_words(n, name), 6))
            for n in names
        )

    def _chain(self, trail: Trail, one: _Asked, kind: str, names: Sequence[str]) -> None:
        column = "phrase" if one.track["phrase"] else "label"
        told = trail.read("tracks", [one.track], column, note="The thing is a {@.text}.")
        at = trail.locate("boxes", [one.box_row], by="moment", note="The moment is {@}.")
        box = trail.compute("box", trail.read("boxes", [one.box_row], "x1", "y1", "x2", "y2"))
        if kind == "which":
            trail.require(at, "shown_at", one.t_s)
            trail.require(box, "equal", tuple(one.box.edges))
            trail.conclude("choice", trail.compute("index_of", told, options=list(names)))
            return
        trail.require(told, "says", phrase_of(one.track))
        trail.conclude("box", at, box, note=f"So at {{{at}}} its place is {{{box}.box}}.")


ANNOTATOR = SpatialGrounding
