"""Questions about regions of the picture, from tracks alone: VideoRefer's basic, sequential and relationship questions.

`basic` asks what an attribute of the thing in a region is, `sequential` what the thing does, `relationship` how two regions
stand to each other as long as both are there. A region is a stored box at its time; the other boxes of its track are cited with
it, so that packages can give the masks of all these frames. Options are what is true of other things of the same footage.
Reasoning about causes and guesses about the future, the published set's other types, do not follow from tracks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from json import loads
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import cite_described, described_of
from ...engine.distractors.vocabulary import OTHER_DIRECTION, OTHER_VALUE
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import derive_id
from ...schemas.markup import BoxAt, escape, render
from ...schemas.matching import alike_descriptions, common_words
from ...schemas.objects import phrase_of
from ...schemas.relation_phrases import Mention
from ...schemas.relations import RelationRule, standing
from ...schemas.sample import ChoiceAnswer, Evidence, MediumRef, Option, Sample
from ...schemas.span import Span, from_us, overlap_s, to_us
from ...schemas.verifying import Check
from ..placed_things import aspect_of
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    grid,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_of,
    wordings_of,
)
from .event_tubes import SOMETHING, TubeParams, masked, tube_in
from .event_words import words_of
from .named_objects import BOX_COLUMNS, TRACK_COLUMNS, Objects, objects_in, objects_of
from .sight import captions_of

Kind = Literal["basic", "sequential", "relationship"]
TOGETHER_S = 1.0
"""Shortest window of a relationship, seconds."""
DIRECTIONS = {
    "left of": "to the left of it",
    "right of": "to the right of it",
    "above": "above it",
    "below": "below it",
}


class Params(BaseParams):
    """Parameters of region_questions."""

    kinds: tuple[Kind, ...] = Field(("basic", "sequential", "relationship"), min_length=1, description="What is asked.")
    per_medium: int = Field(6, ge=1, description="Questions of a kind and medium, at most.")
    window_s: tuple[float, float] = Field((4.0, 30.0), description="Shortest and longest window, drawn log-uniformly.")
    options: tuple[int, int] = Field((3, 4), description="Fewest and most options.")
    frames: int = Field(
        16, ge=1, description="Boxes cited of a region's track inside the window, at most: the masks of packages."
    )
    min_area: float = Field(0.005, ge=0, le=1, description="Least share of the picture that a region fills.")
    different: float = Field(0.6, gt=0, le=1, description="Share of common words below which descriptions are others.")
    rule: RelationRule = Field(RelationRule(), description="When a relation holds.")


@dataclass(frozen=True)
class _Region:
    """A track at one of its stored boxes, with further boxes of it."""

    track: RowDict
    named: RowDict
    boxes: tuple[RowDict, ...]

    @property
    def t_s(self) -> float:
        return grid(self.named["t_s"])

    @property
    def mark(self) -> str:
        return render([BoxAt(self.t_s, *(self.named[k] for k in ("x1", "y1", "x2", "y2")))])


@dataclass(frozen=True)
class _Asked:
    """A question that can be asked: its regions, the descriptions and further tracks that it rests on."""

    regions: tuple[_Region, ...]
    events: tuple[RowDict, ...] = ()
    others: tuple[RowDict, ...] = ()
    """Tracks whose attributes are wrong options, or whose names other descriptions say."""

    @property
    def together(self) -> Span | None:
        """The time in which all regions' tracks are there."""
        both: Span | None = span_of(self.regions[0].track)
        for region in self.regions[1:]:
            both = both.intersection(span_of(region.track)) if both else None
        return both

    @property
    def hull(self) -> Span:
        times = [r.t_s for r in self.regions]
        spans = [span_of(e) for e in self.events[:1]]
        first = min([*times, *(s.start_s for s in spans)])
        return Span(first, max([from_us(to_us(max(times)) + 40_000), *(s.end_s for s in spans)]))


class RegionQuestions(Task[Params]):
    """Samples from `tracks`, `boxes` and described events of one medium."""

    name = "region_questions"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "tracks", "boxes", "captions", "events", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only")
    """Not `question_only`: whoever reads the boxes of two regions as numbers knows how they stand. Formats with `<region>` hide
    them.
    """

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` questions of each kind."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        objects, events = objects_in(rows), captions_of(rows)
        if not objects.placed:
            raise SkipUnit("no tracks with boxes")
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        for kind in self.params.kinds:
            made = 0
            for asked in self._candidates(kind, objects, events, media, unit.seed):
                if made == self.params.per_medium:
                    break
                sample = self._written(unit, media, clips, asked, kind, split)
                if sample is not None:
                    made += 1
                    yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild options and answer from the cited tracks, boxes and descriptions."""

        def build() -> Sample:
            tracks, boxes = rows_of(evidence, "tracks"), rows_of(evidence, "boxes")
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind is None or not tracks:
                raise Withheld(f"unknown wording {sample.wording}, or no track is cited")
            count = 2 if kind == "relationship" else 1
            regions = []
            for track in tracks[:count]:
                mine = [b for b in boxes if b["track_id"] == track["track_id"]]
                if not mine:
                    raise Withheld("a region's boxes are not cited")
                regions.append(_Region(track, mine[0], tuple(mine)))
            asked = _Asked(tuple(regions), tuple(described_of(evidence)), tuple(tracks[count:]))
            media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
            return self._build(
                sample.recipe, media, clips, asked, sample.window, kind, sample.wording, sample.answer_form
            )

        return rebuilt(sample, build)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _candidates(
        self, kind: Kind, objects: Objects, events: Sequence[RowDict], media: RowDict, seed: int
    ) -> Iterator[_Asked]:
        tracks = shuffled(objects.tracks, seed, self.name, kind, key=lambda t: t["row_id"])
        if kind == "basic":
            for track in tracks:
                region = self._region(track, objects, seed)
                if region is not None:
                    others = [t for t in objects.tracks if t is not track and _attributes(t)]
                    yield _Asked((region,), (), tuple(others[:24]))
        elif kind == "sequential":
            for event in shuffled(events, seed, self.name, kind, key=lambda e: e["row_id"]):
                window = span_of(event)
                try:
                    tube = tube_in(event, objects, window, TubeParams(boxes=(1, 400)))
                except Withheld:
                    continue
                region = self._region(tube.track, objects, seed, window)
                others = [e for e in events if e is not event][:40]
                names = {phrase_of(t): t for t in reversed(objects.tracks) if t is not tube.track}
                told = [
                    t for n, t in sorted(names.items()) if any(n.casefold() in words_of(e).casefold() for e in others)
                ]
                if region is not None:
                    yield _Asked((region,), (event, *others), tuple(told))
        else:
            for pair in shuffled(
                combinations(tracks, 2), seed, self.name, kind, key=lambda p: [t["row_id"] for t in p]
            ):
                both = span_of(pair[0]).intersection(span_of(pair[1]))
                if both is None:
                    continue
                regions = [self._region(t, objects, seed, both) for t in pair]
                if regions[0] is not None and regions[1] is not None:
                    yield _Asked((regions[0], regions[1]))

    def _region(self, track: RowDict, objects: Objects, seed: int, within: Span | None = None) -> _Region | None:
        """A track at one of its boxes, of those that lie in the span and are large enough."""
        boxes = [
            b for b in objects.boxes.get(str(track["track_id"]), ()) if within is None or within.contains(b["t_s"])
        ]
        large = [b for b in boxes if (b["x2"] - b["x1"]) * (b["y2"] - b["y1"]) >= self.params.min_area]
        if not large:
            return None
        named = shuffled(large, seed, self.name, "box", key=lambda b: b["row_id"])[0]
        return _Region(track, named, tuple(boxes))

    def _written(
        self, unit: Unit, media: RowDict, clips: Sequence[RowDict], asked: _Asked, kind: Kind, split: str
    ) -> Sample | None:
        key = [r.named["row_id"] for r in asked.regions]
        window = choose_window(
            asked.hull, media["duration_s"], self._lengths(kind), unit.seed, self.name, kind, key,
            evidence_share_max=1.0, bounds=asked.together if kind == "relationship" else None,
        )  # fmt: skip
        held = covering(clips, [asked.hull])
        if isinstance(window, NoWindow) or not held:
            return None
        regions = tuple(_Region(r.track, r.named, self._shown(r, window)) for r in asked.regions)
        question, form = wordings_of(self.name).choose(kind, unit.seed, key, split=split)
        try:
            return self._build(
                unit.recipe, media, held, _Asked(regions, asked.events, asked.others), window, kind, question.id, form.id
            )  # fmt: skip
        except Withheld:
            return None

    def _lengths(self, kind: str) -> tuple[float, float]:
        """Shortest and longest window; a relationship is asked about within the time in which both are there."""
        least, most = self.params.window_s
        return (min(least, TOGETHER_S), most) if kind == "relationship" else (least, most)

    def _shown(self, region: _Region, window: Span) -> tuple[RowDict, ...]:
        """The named box and others of the window, evenly spread."""
        inside = [b for b in region.boxes if window.contains(b["t_s"]) and b is not region.named]
        most = self.params.frames - 1
        picked = inside if len(inside) <= most else [inside[int(i * len(inside) / most)] for i in range(most)]
        return (region.named, *picked)

    # -- building ---------------------------------------------------------------------------------------------------

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        asked: _Asked,
        window: Span,
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample. Raises `Withheld`."""
        for problem in window_problems(window, [asked.hull], media["duration_s"], self._lengths(kind)):
            raise Withheld(problem)
        if kind == "relationship" and not (asked.together and asked.together.contains_span(window)):
            raise Withheld("the window shows more than the time in which both are there")
        if not clips or list(clips) != covering(clips, [asked.hull]):
            raise Withheld("the regions are not inside kept clips")
        slots = {"place": asked.regions[0].mark, "answer": "<answer>"}
        if kind == "basic":
            options, index, slots["attribute"] = self._basic(asked)
        elif kind == "sequential":
            options, index = self._sequential(asked, window)
        else:
            options, index = self._relationship(asked, media)
            slots["other"] = asked.regions[1].mark
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        boxes = [b for r in asked.regions for b in r.boxes]
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots), options=True),
            answer=ChoiceAnswer(index=index),
            options=options,
            evidence=self._evidence(media, clips, asked, boxes),
            needs=("vision",) if kind == "basic" else ("vision", "motion") if kind == "sequential" else ("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=placement(window, asked.hull)
            | {"regions": float(len(asked.regions)), "boxes": float(len(boxes)), "events": float(len(asked.events))}
            | {"others": float(len(asked.others))},
            generator=f"{self.name}@{self.version}",
        )

    def _evidence(
        self, media: RowDict, clips: Sequence[RowDict], asked: _Asked, boxes: Sequence[RowDict]
    ) -> tuple[Evidence, ...]:
        return (
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
            *(cite_described(e) for e in asked.events),
            *(cite("tracks", t, TRACK_COLUMNS) for t in (*(r.track for r in asked.regions), *asked.others)),
            *(cite("boxes", b, BOX_COLUMNS) for b in boxes),
        )

    def _basic(self, asked: _Asked) -> tuple[tuple[Option, ...], int, str]:
        """The value of an attribute among those of other things."""
        mine = _attributes(asked.regions[0].track)
        for name, value in sorted(mine.items()):
            others = sorted({_attributes(t)[name] for t in asked.others if name in _attributes(t)} - {value})
            wrong = shuffled(others, self.name, asked.regions[0].track["row_id"], key=str)[: self.params.options[1] - 1]
            if len(wrong) + 1 >= self.params.options[0]:
                return (*self._listed(value, wrong, OTHER_VALUE, lambda a, b: 1 - common_words(a, b)), name)
        raise Withheld("no attribute with enough other values")

    def _sequential(self, asked: _Asked, window: Span) -> tuple[tuple[Option, ...], int]:
        """What happens to the thing among what happens to others, said without naming them."""
        if not asked.events:
            raise Withheld("no description is cited")
        track, event = asked.regions[0].track, asked.events[0]
        name = phrase_of(track)
        true = _without(words_of(event), name)
        if true is None or not span_of(event).contains(asked.regions[0].t_s):
            raise Withheld("the description does not name the thing, or not at the region's time")
        own = [_without(words_of(e), name) for e in asked.events[1:] if overlap_s(span_of(e), window) > 0]
        names = sorted({phrase_of(t) for t in asked.others})
        wrong: list[str] = []
        for other in shuffled(asked.events[1:], self.name, event["row_id"], key=lambda e: e["row_id"]):
            text = _anonymous(words_of(other), names)
            alike = [t for t in (true, *wrong, *(o for o in own if o)) if t and text]
            if text and all(alike_descriptions(text, t) < self.params.different for t in alike):
                wrong.append(text)
        wrong = wrong[: self.params.options[1] - 1]
        if len(wrong) + 1 < self.params.options[0]:
            raise Withheld("too few other descriptions")
        return self._listed(true, wrong, OTHER_VALUE, lambda a, b: 1 - common_words(a, b))

    def _relationship(self, asked: _Asked, media: RowDict) -> tuple[tuple[Option, ...], int]:
        """How the first stands to the second as long as both are cited."""
        if len(asked.regions) != 2:
            raise Withheld("two regions are needed")
        one, other = asked.regions
        objects = objects_of((one.track, other.track), (*one.boxes, *other.boxes))
        both = asked.together
        a, b = (objects.placed.get(str(r.track["track_id"])) for r in (one, other))
        if both is None or a is None or b is None:
            raise Withheld("both are never there together")
        held = [r for r in standing(a, b, both, self.params.rule, aspect_of(media)).held if r in DIRECTIONS]
        if len(held) != 1:
            raise Withheld("they stand diagonally, or change")
        wrong = [words for relation, words in DIRECTIONS.items() if relation != held[0]]
        return self._listed(DIRECTIONS[held[0]], wrong, OTHER_DIRECTION, lambda a, b: 90.0)

    def _listed(self, true: str, wrong: Sequence[str], kind: str, far: Any) -> tuple[tuple[Option, ...], int]:
        texts = sorted((true, *wrong), key=lambda text: derive_id("option", text))
        options = tuple(
            Option(text=escape(t))
            if t == true
            else Option(text=escape(t), distractor_kind=kind, margin=round(far(t, true), 6))
            for t in texts
        )
        return options, texts.index(true)


def _attributes(track: RowDict) -> dict[str, str]:
    """What a thing is like, in words."""
    told = loads(track["attributes_json"] or "{}")
    return {k: v for k, v in told.items() if isinstance(v, str) and v}


def _without(text: str, name: str) -> str | None:
    """A description with `it` for the thing of that name; None when it does not name it."""
    at = text.casefold().find(name.casefold())
    if at < 0:
        return None
    return masked(text, [Mention(at, at + len(name), name)]).replace(SOMETHING, "it", 1)


def _anonymous(text: str, names: Sequence[str]) -> str | None:
    """A description of another thing with `it` for the longest of the names that it says; None where it says none."""
    found = (_without(text, name) for name in sorted(names, key=lambda n: (-len(n), n)))
    return next((t for t in found if t is not None), None)


ANNOTATOR = RegionQuestions
