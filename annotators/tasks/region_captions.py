"""Captions of single objects, generated, reviewed and refined by three models, each tied to a region (VideoRefer's data engine).

Tracks that pass the engine's filters are shown, cut out of a stored picture, to `captioner`; `checker` is shown the same region
with the description and says whether it is of that thing; what it does not confirm is rejected. `writer` merges the description
with what is described to happen to the thing. A share of descriptions is also reviewed on another thing's region, where only
`other` is right: proposals with the rule `control` say how well the reviewer rejects. Captions are words of models: `unchecked`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.claims.nouns import COLOURS, colour
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.llm.ask import Answered, Ask, Still
from ...engine.llm.crops import region_still
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver
from ...schemas.box import Box, iou
from ...schemas.facts import Facts
from ...schemas.ids import seeded_fraction
from ...schemas.markup import BoxAt, render
from ...schemas.metrics import normalise_words
from ...schemas.objects import phrase_of
from ...schemas.sample import MediumRef, Sample, TextAnswer
from ...schemas.slots import resolve
from ...schemas.span import Span, overlap_s
from ...schemas.tubes import around_times
from ...schemas.verifying import Check
from ..placed_things import object_facts
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
    rebuilt,
    rows_of,
    shuffled,
    span_of,
    wordings_of,
)
from .event_words import words_of
from .named_objects import BOX_COLUMNS, TRACK_COLUMNS, Objects, objects_in
from .sight import captions_of


class RegionCaptionReply(BaseModel):
    """What a region shows."""

    model_config = ConfigDict(extra="forbid")

    phrase: str = Field(description="the shortest noun phrase that names the thing")
    description: str = Field(description="one or two sentences about its appearance")


class RegionReviewReply(BaseModel):
    """Whether a description is of the thing in a region."""

    model_config = ConfigDict(extra="forbid")

    seen: str = Field(description="what the picture shows, in a few words")
    verdict: Literal["same", "other", "unsure"] = Field(description="whether the description is of that thing")


class RegionRefineReply(BaseModel):
    """The caption of a thing."""

    model_config = ConfigDict(extra="forbid")

    caption: str = Field(description="one to three sentences")


class RegionProposal(BaseModel):
    """What three models said of one region."""

    model_config = ConfigDict(extra="forbid")

    track_id: str
    phrase: str
    description: str
    seen: str = ""
    verdict: str = ""
    caption: str = ""
    control: bool = False
    """Whether the review was of another thing's region, on purpose."""


class Params(BaseParams):
    """Parameters of region_captions."""

    captioner: str = Field("captioner", description="role of `models:` that describes regions")
    checker: str = Field("checker", description="role that reviews, better another model")
    writer: str = Field("writer", description="role that refines")
    per_medium: int = Field(8, ge=1, description="Regions of a medium, at most.")
    min_score: float = Field(
        0.35, ge=0, le=1, description="Least certainty of a track (VideoRefer's engine: detector score)."
    )
    area: tuple[float, float] = Field((0.005, 0.6), description="Least and greatest share of the picture.")
    min_visibility: float = Field(0.7, ge=0, le=1, description="Least visible share of the thing, where it is known.")
    steady_share: float = Field(0.8, ge=0, le=1, description="Least share of a track's boxes with that visibility.")
    min_cycle_iou: float = Field(
        0.75, ge=0, le=1, description="Least IoU after propagation forth and back, where a tracker says it."
    )
    merge_iou: float = Field(0.8, ge=0, le=1, description="Tracks that overlap more than this are one thing.")
    frames: int = Field(
        16, ge=1, description="Boxes of a region's track that are cited, at most: the masks of packages."
    )
    window_s: float = Field(30.0, gt=0, description="Longest window.")
    controls: float = Field(
        0.2, ge=0, le=1, description="Share of descriptions that are also reviewed on another region."
    )


@dataclass(frozen=True)
class _Region:
    """A track in a stored picture."""

    track: RowDict
    box: RowDict
    still: Still
    boxes: tuple[RowDict, ...]


class RegionCaptions(AskingTask[Params]):
    """Samples and proposals from `tracks`, `boxes`, `frames` and described events of one medium."""

    name = "region_captions"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "frames", "tracks", "boxes", "captions", "events", "footage_groups")
    columns: ClassVar[dict[str, tuple[str, ...]]] = {"frames": ("t_s",)}
    optional_reads = ("selection", "frames", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ()

    def roles(self) -> tuple[str, ...]:
        """Who describes, who reviews, who refines."""
        return self.params.captioner, self.params.checker, self.params.writer

    def prompts(self) -> Sequence[Prompt]:
        """Its three prompts."""
        return tuple(read_prompt(name) for name in ("region_caption", "region_review", "region_refine"))

    def code_digest(self) -> str:
        """Digest of prompts and wordings."""
        return f"{super().code_digest()} {wordings_of(self.name).digest}"

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """A caption is what models said."""
        return "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """A caption per region that passes the filters and the review. Raises `SkipUnit` without tracks."""
        media = medium_row(rows, unit.unit)
        objects = objects_in(rows)
        if not objects.placed:
            raise SkipUnit("no tracks with boxes")
        landing = Landing(unit, self.name)
        regions = self._regions(objects, media, models, unit.seed)
        world = _World(unit, media, kept_clips(rows, unit.unit), captions_of(rows), split_of(rows, unit.unit))

        async def one(number: int) -> None:
            others = [r for r in regions if _differ(r.track, regions[number].track)]
            await self._caption(world, regions[number], 2 * number, others, models, landing)

        await models.each(range(len(regions)), one)
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from the cited proposal and region."""

        def build() -> Sample:
            tracks, boxes = rows_of(evidence, "tracks"), rows_of(evidence, "boxes")
            if len(tracks) != 1 or not boxes:
                raise Withheld("one track with boxes is not cited")
            media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
            return self._built(
                sample.recipe, media, clips, tracks[0], boxes, sample.window, only_row(evidence, "proposals"),
                sample.wording, sample.answer_form,
            )  # fmt: skip

        return rebuilt(sample, build)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _regions(self, objects: Objects, media: RowDict, models: Models, seed: int) -> list[_Region]:
        """Tracks that pass the filters, each in the stored picture nearest to its middle; of two that are one thing the first."""
        p = self.params
        found: list[_Region] = []
        for track in shuffled(objects.tracks, seed, self.name, key=lambda t: t["row_id"]):
            if len(found) == p.per_medium:
                break
            boxes = objects.boxes.get(str(track["track_id"]), ())
            if not boxes or self._unfit(track, boxes):
                continue
            span = span_of(track)
            stills = models.stills(p.captioner, str(media["media_id"]), span, at=[span.centre_s], most=1)
            for still in stills:
                named = around_times(boxes, [still.t_s])[:1]
                if (
                    named
                    and abs(named[0]["t_s"] - still.t_s) <= 0.5
                    and not self._twin(track, named[0], found, objects)
                ):
                    found.append(_Region(track, named[0], still, self._shown(named[0], boxes)))
        return found

    def _unfit(self, track: RowDict, boxes: Sequence[RowDict]) -> str:
        """Which filter a track fails; "" for none."""
        p = self.params
        areas = [(b["x2"] - b["x1"]) * (b["y2"] - b["y1"]) if b["area"] is None else b["area"] for b in boxes]
        seen = [b["visibility"] is None or b["visibility"] >= p.min_visibility for b in boxes]
        cycle = json.loads(track["attributes_json"] or "{}").get("cycle_iou")
        if track["score"] is not None and track["score"] < p.min_score:
            return "score"
        if not p.area[0] <= sorted(areas)[len(areas) // 2] <= p.area[1]:
            return "area"
        if sum(seen) < p.steady_share * len(seen):
            return "hidden"
        return "cycle" if isinstance(cycle, int | float) and cycle < p.min_cycle_iou else ""

    def _twin(self, track: RowDict, row: RowDict, found: Sequence[_Region], objects: Objects) -> bool:
        """Whether a region that was taken is the same thing under another name."""
        for other in found:
            place = objects.at(other.track, row["t_s"])
            if place is not None and iou(place, _box(row)) > self.params.merge_iou:
                return True
        return False

    def _shown(self, named: RowDict, boxes: Sequence[RowDict]) -> tuple[RowDict, ...]:
        """The named box first, then others of its track inside the longest window, evenly spread."""
        half = self.params.window_s / 2
        rest = [b for b in boxes if b is not named and abs(b["t_s"] - named["t_s"]) < half]
        most = self.params.frames - 1
        return (named, *(rest if len(rest) <= most else [rest[int(i * len(rest) / most)] for i in range(most)]))

    # -- asking -----------------------------------------------------------------------------------------------------

    async def _caption(
        self, world: _World, region: _Region, item: int, others: Sequence[_Region], models: Models, landing: Landing
    ) -> None:
        """Describe, review, refine, and land or reject; and review on another region where the control is drawn.

        `item` tells the proposals of regions apart that got the same words; that of the control is the next one.
        """
        p, track = self.params, region.track
        clip = next((c for c in world.clips if span_of(c).contains(region.box["t_s"])), None)
        fact = Facts(object_facts([track], span_of(track)))
        about = str(track["track_id"])
        try:
            described = await models.ask(
                Ask(
                    role=p.captioner,
                    prompt=self.prompts()[0],
                    parts=(self.prompts()[0].fill(label="r1"), self._crop(region, "r1")),
                    reply=RegionCaptionReply,
                    about=about,
                    typical=lambda: RegionCaptionReply(
                        phrase=phrase_of(track), description=f"It is a {phrase_of(track)}."
                    ),
                    check=lambda reply: _fault(reply.description, fact, span_of(track)),
                )
            )
            review = await self._review(region, described.value, models)
            told = RegionProposal(
                track_id=about, phrase=described.value.phrase, description=described.value.description,
                seen=review.value.seen, verdict=review.value.verdict,
            )  # fmt: skip
            if others and seeded_fraction(world.unit.seed, self.name, "control", about) < p.controls:
                wrong = shuffled(others, world.unit.seed, self.name, about, key=lambda r: r.track["track_id"])[0]
                control = await self._review(wrong, described.value, models)
                again = told.model_copy(
                    update={"seen": control.value.seen, "verdict": control.value.verdict, "control": True}
                )
                row = landing.proposal(control, item + 1, again, fact, clip["clip_id"] if clip else None)
                landing.reject(row, "control", f"another region was called {control.value.verdict}")
            if review.value.verdict != "same":
                row = landing.proposal(review, item, told, fact, clip["clip_id"] if clip else None)
                landing.reject(row, "reviewed", f"{review.value.verdict}: the reviewer saw {review.value.seen!r}")
                return
            refined = await self._refine(world, region, told, fact, models)
        except ReplyRejected as error:
            landing.rejected_reply(error, self._shell(error), clip["clip_id"] if clip else None)
            return
        told = told.model_copy(update={"caption": refined.value.caption})
        row = landing.proposal(refined, item, told, fact, clip["clip_id"] if clip else None)
        question, form = wordings_of(self.name).choose("caption", world.unit.seed, about, split=world.split)
        window = self._window(region, world.media)
        held = covering(world.clips, [window]) or ([clip] if clip else [])
        try:
            sample = self._built(
                world.unit.recipe, world.media, held, track, region.boxes, window, row, question.id, form.id
            )  # fmt: skip
            landing.land(row, sample)
        except Withheld as reason:
            landing.reject(row, "contradicted", str(reason))

    async def _review(
        self, region: _Region, described: RegionCaptionReply, models: Models
    ) -> Answered[RegionReviewReply]:
        return await models.ask(
            Ask(
                role=self.params.checker,
                prompt=self.prompts()[1],
                parts=(
                    self.prompts()[1].fill(label="r1", description=described.description),
                    self._crop(region, "r1"),
                ),
                reply=RegionReviewReply,
                about=str(region.track["track_id"]),
                typical=lambda: RegionReviewReply(seen=described.phrase, verdict="same"),
            )
        )

    async def _refine(
        self, world: _World, region: _Region, told: RegionProposal, fact: Facts, models: Models
    ) -> Answered[RegionRefineReply]:
        name = phrase_of(region.track).casefold()
        happens = [
            f"- {words_of(e)}"
            for e in world.events
            if name in words_of(e).casefold() and overlap_s(span_of(e), self._window(region, world.media)) > 0
        ]
        user = self.prompts()[2].fill(
            description=told.description, seen=told.seen, happens="\n".join(happens) or "- nothing is known"
        )  # fmt: skip
        return await models.ask(
            Ask(
                role=self.params.writer,
                prompt=self.prompts()[2],
                parts=(user,),
                reply=RegionRefineReply,
                about=told.track_id,
                typical=lambda: RegionRefineReply(caption=told.description),
                check=lambda reply: _fault(reply.caption, fact, span_of(region.track)),
            )
        )

    def _crop(self, region: _Region, label: str) -> Still:
        return region_still(region.still, _box(region.box), region.box["mask"], label)

    def _shell(self, error: ReplyRejected) -> Ask[RegionRefineReply]:
        """What names the prompt in the row of a reply that could not be used."""
        return Ask(role=self.params.writer, prompt=self.prompts()[2], parts=(), reply=RegionRefineReply)

    # -- building ---------------------------------------------------------------------------------------------------

    def _window(self, region: _Region, media: RowDict) -> Span:
        """The track's span, cut around the named box where it is long."""
        span, at, half = span_of(region.track), region.box["t_s"], self.params.window_s / 2
        start = grid(max(span.start_s, at - half))
        end = grid(min(span.end_s, at + half, media["duration_s"]))
        return Span(start, max(end, grid(start + 0.2)))

    def _built(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        track: RowDict,
        boxes: Sequence[RowDict],
        window: Span,
        proposal: RowDict,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of a caption that was confirmed. Raises `Withheld`."""
        try:
            told = RegionProposal.model_validate(json.loads(proposal["proposal_json"]))
        except (ValueError, ValidationError):
            raise Withheld("the cited proposal is none of a region") from None
        if told.control or told.verdict != "same" or told.track_id != track["track_id"]:
            raise Withheld("the cited proposal was not confirmed for this region")
        facts = Facts(object_facts([track], span_of(track)))
        fault = _fault(told.caption, facts, span_of(track)) or _other_colour(told.caption, track)
        if fault:
            raise Withheld(fault)
        if any(not window.contains(b["t_s"]) for b in boxes[:1]) or not clips:
            raise Withheld("the region lies outside the window, or in no kept clip")
        question, answer = (
            wordings_of(self.name).question("caption", wording),
            wordings_of(self.name).answer("caption", form),
        )
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        text = resolve(told.caption, facts, span_of(track)).text
        place = render([BoxAt(grid(boxes[0]["t_s"]), *_box(boxes[0]).edges)])
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill({"place": place}), answer.fill({"caption": text})),
            answer=TextAnswer(text=text),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                cite("tracks", track, TRACK_COLUMNS),
                *(cite("boxes", b, BOX_COLUMNS) for b in boxes),
                cite("proposals", proposal, ("proposal_json",)),
            ),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={"boxes": float(len(boxes)), "words": float(len(normalise_words(told.caption)))},
            generator=f"{self.name}@{self.version}",
        )


@dataclass(frozen=True)
class _World:
    """What is known of one medium while its regions are asked about."""

    unit: Unit
    media: RowDict
    clips: Sequence[RowDict]
    events: Sequence[RowDict]
    split: str


def _differ(a: RowDict, b: RowDict) -> bool:
    """Whether two tracks are of things that nobody would describe alike: their names have no word in common."""
    return not set(normalise_words(phrase_of(a))) & set(normalise_words(phrase_of(b)))


def _box(row: RowDict) -> Box:
    return Box(*(round(row[k], 6) for k in ("x1", "y1", "x2", "y2")))


def _fault(text: str, facts: Facts, span: Span) -> str:
    """What a caption may not say: times, places, slots that are none."""
    if not text.strip():
        return "the text is empty"
    return resolve(text, facts, span).reason


def _other_colour(text: str, track: RowDict) -> str:
    """Whether a caption names colours, and none of them is the thing's, where that is known."""
    known = json.loads(track["attributes_json"] or "{}").get("colour")
    named = {colour(w) for w in normalise_words(text) if w in COLOURS}
    if isinstance(known, str) and colour(known) in COLOURS and named and colour(known) not in named:
        return f"the caption calls a {known} thing {' and '.join(sorted(named))}"
    return ""


ANNOTATOR = RegionCaptions
