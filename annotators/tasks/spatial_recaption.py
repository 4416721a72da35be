"""A caption that tells how things stand to each other, proposed by a model, kept as far as boxes bear it out (after SPRIGHT).

The model sees pictures of a kept clip and a list of the things that are meant: tracked objects, and writing, whose box is
known wherever text is read. Each sentence states typed relations; code reads the sentence again, judges every relation by
the boxes over the whole window (or at the moment of a still), and drops what is contradicted, unverifiable or says something
else than was declared. A general caption of the clip, where there is one, is kept beside it in the evidence of the proposal,
and the numbers of spatial phrases before and after are factors. Left and right are the viewer's: `flip_safe` is 0 for a caption that a mirror makes false.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver
from ...schemas.facts import Fact, Facts
from ...schemas.objects import Placed
from ...schemas.relation_phrases import spatial_phrases
from ...schemas.relations import RELATIONS, RelationRule
from ...schemas.sample import MediumRef, Need, Sample, TextAnswer
from ...schemas.span import Span
from ...schemas.verifying import Check
from ..placed_things import aspect_of, layout, tracks_and_boxes
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    grid,
    kind_of,
    only_row,
    rebuilt,
    rows_of,
    span_of,
    wordings_of,
)
from .spatial_scene import SpatialScene, around, box_times, busiest, most_shown, spatial_scene
from .spatial_sentences import (
    Judge,
    JudgedSentence,
    SpatialClaimReply,
    SpatialRecaptionReply,
    SpatialSentenceReply,
)

TRACK_COLUMNS = ("track_id", "start_s", "end_s", "label", "phrase", "attributes_json")
BOX_COLUMNS = ("track_id", "t_s", "x1", "y1", "x2", "y2", "depth_m")
TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
BESIDE = "c1"
"""Name of the general caption in the evidence of a proposal."""
_GENERAL = ("dense", "clip", "brief")
"""Levels of captions that may stand beside, best first."""
_STILL_S = 0.2
"""Window of a still, seconds: the time for which its picture stands at most."""


class Params(BaseParams):
    """Parameters of spatial_recaption."""

    model: str = Field("captioner", description="role of `models:` that writes the caption")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )
    shown: Literal["clip", "frame"] = Field("clip", description="what the sample shows: the clip, or one still of it")
    objects: int = Field(12, ge=2, description="Objects of one scene, at most.")
    texts: int = Field(4, ge=0, description="Texts of one scene, at most.")
    min_letters: int = Field(3, ge=1, description="Least number of letters and digits of a text.")
    sentences: tuple[int, int] = Field(
        (1, 8), description="Fewest sentences that must hold, and most that are asked for."
    )
    max_free_words: int = Field(
        8, ge=0, description="Most words of a sentence beyond things and relations; a sample with any is `unchecked`."
    )
    rule: RelationRule = Field(RelationRule(), description="When a relation holds.")


class SpatialRecaption(AskingTask[Params]):
    """Samples, proposals and claims from `tracks`, `boxes` and `text_regions` of one medium."""

    name = "spatial_recaption"
    version = 2
    Params = Params
    reads = (
        "media", "clips", "selection", "frames", "tracks", "boxes", "text_regions", "captions", "footage_groups",
    )  # fmt: skip
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"frames": ("t_s",)}
    optional_reads = ("selection", "frames", "tracks", "boxes", "text_regions", "captions", "footage_groups")
    writes: ClassVar[tuple[str, ...]] = ("samples", "proposals", "claims")
    must_hurt: ClassVar[tuple[Solver, ...]] = ()

    def roles(self) -> tuple[str, ...]:
        """The role that writes."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """Its prompt."""
        return (read_prompt("spatial_recaption", self.params.prompt, self.folder),)

    def code_digest(self) -> str:
        """Digest of prompt and wordings."""
        return f"{super().code_digest()} {wordings_of(self.name).digest}"

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """A caption of nothing but things and relations follows from the boxes."""
        return "recomputed" if not sample.difficulty.get("free_words") else "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """One caption per kept clip with two things or more. Raises `SkipUnit` for a medium in which nothing has a place."""
        media = medium_row(rows, unit.unit)
        tracks, boxes = tracks_and_boxes(rows)
        regions = one_producer(rows["text_regions"])
        if not tracks and not regions:
            raise SkipUnit("neither tracks nor text on screen")
        world = _World(media, tracks, [b for of_one in boxes.values() for b in of_one], regions, rows)
        landing = Landing(unit, self.name)

        async def one(clip: RowDict) -> list[Row]:
            return await self._caption(unit, clip, world, models, landing)

        claims = await models.each(kept_clips(rows, unit.unit), one)
        return [*landing.rows(), *(row for of_clip in claims for row in of_clip)]

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Judge the cited proposal by the cited boxes again and rebuild the sample."""

        def build() -> Sample:
            media, clip = only_row(evidence, "media"), only_row(evidence, "clips")
            shown = wordings_of(self.name).kind_of(sample.wording)
            at_s = sample.media[0].start_s if shown == "frame" else None
            look = span_of(clip) if at_s is None else around(at_s, self.params.rule.max_gap_s)
            scene = spatial_scene(
                look, rows_of(evidence, "tracks"), rows_of(evidence, "boxes"), rows_of(evidence, "text_regions")
            )  # fmt: skip
            proposal = only_row(evidence, "proposals")
            return self._built(sample.recipe, media, clip, scene, at_s, proposal, sample.wording, sample.answer_form)

        return rebuilt(sample, build)

    async def _caption(self, unit: Unit, clip: RowDict, world: _World, models: Models, landing: Landing) -> list[Row]:
        """Asks about one clip, lands or rejects the sample, and returns the claims."""
        p, role = self.params, self.params.model
        scene, at_s, stills = self._scene(clip, world, models)
        placed = [t for t in scene.things.values() if t.times]
        if len(placed) < 2:
            return []
        caption = world.general(span_of(clip))
        judge = self._judge(span_of(clip), at_s, world.media)
        user = self.prompts()[0].fill(
            things=layout(placed, scene.look), evidence=scene.facts.listing(), caption=caption["text"] if caption else "none",
            shown="the clip" if at_s is None else "the picture", most=str(p.sentences[1]),
        )  # fmt: skip
        pictures = stills if at_s is not None else models.footage(role, clip["media_id"], span_of(clip))
        ask = Ask(
            role=role,
            prompt=self.prompts()[0],
            parts=(user, *pictures),
            reply=SpatialRecaptionReply,
            about=str(clip["clip_id"]),
            typical=lambda: _typical(scene, judge, p.sentences[1]),
            check=lambda reply: _complaint(judge.sentences(reply, scene.facts, scene.things)),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask, clip["clip_id"])
            return []
        beside = () if caption is None else (Fact(BESIDE, "caption", "captions", caption, text=caption["text"]),)
        listed = Facts((*scene.facts.values(), *beside))
        row = landing.proposal(answered, 0, answered.value, listed, clip["clip_id"])
        question, form = wordings_of(self.name).choose(
            p.shown, unit.seed, clip["clip_id"], split=split_of(world.rows, unit.unit)
        )
        judged = judge.sentences(answered.value, scene.facts, scene.things)
        try:
            sample = self._built(unit.recipe, world.media, clip, scene, at_s, row, question.id, form.id)
            landing.land(row, sample)
        except Withheld as reason:
            first = next((s for s in judged if s.rule), None)
            landing.reject(row, first.rule if first else "no_sentence", first.reason if first else str(reason))
        return _claims(judged, scene, row, judge)

    def _scene(self, clip: RowDict, world: _World, models: Models) -> tuple[SpatialScene, float | None, list[Any]]:
        """The things of a clip; with `shown: frame` the moment of the still that shows most of them, and the still."""
        p, window = self.params, span_of(clip)
        limits = (p.objects, p.texts, p.min_letters)
        whole = spatial_scene(window, *self._shown(window, world, limits))
        if p.shown == "clip":
            return whole, None, []
        stills = models.stills(p.model, clip["media_id"], window)
        times = [s.t_s for s in stills if window.contains(s.t_s)] or box_times(whole.things.values())
        at_s = grid(busiest(times or [window.centre_s], whole.things.values()))
        look = around(at_s, p.rule.max_gap_s)
        scene = spatial_scene(look, *self._shown(Span(at_s, grid(at_s + _STILL_S)), world, limits))
        return scene, at_s, [s for s in stills if grid(s.t_s) == at_s]

    def _shown(
        self, span: Span, world: _World, limits: tuple[int, int, int]
    ) -> tuple[list[RowDict], list[RowDict], list[RowDict]]:
        tracks, regions = most_shown(span, world.tracks, world.regions, *limits)
        ids = {t["track_id"] for t in tracks}
        return tracks, [b for b in world.boxes if b["track_id"] in ids], regions

    def _judge(self, window: Span, at_s: float | None, media: RowDict) -> Judge:
        return Judge(window, at_s, self.params.rule, aspect_of(media), self.params.max_free_words)

    def _built(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        scene: SpatialScene,
        at_s: float | None,
        proposal: RowDict,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of the sentences that hold. Raises `Withheld`."""
        try:
            reply = SpatialRecaptionReply.model_validate(json.loads(proposal["proposal_json"]))
        except (ValueError, ValidationError):
            raise Withheld("the cited proposal is no spatial caption") from None
        judged = self._judge(span_of(clip), at_s, media).sentences(reply, scene.facts, scene.things)
        kept = [s for s in judged if not s.rule]
        if len(kept) < self.params.sentences[0]:
            raise Withheld(f"{len(kept)} of {len(judged)} sentences hold")
        shown = "clip" if at_s is None else "frame"
        question = wordings_of(self.name).question(shown, wording)
        answer = wordings_of(self.name).answer(shown, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        text = " ".join(s.text for s in kept)
        named = tuple(dict.fromkeys(name for s in kept for name in s.names))
        factors = {
            "things": float(len(named)),
            "sentences": float(len(kept)),
            "dropped": float(len(judged) - len(kept)),
            "relations": float(sum(len(s.claims) for s in kept)),
            "free_words": float(sum(s.free_words for s in kept)),
            "spatial_phrases": float(spatial_phrases(text)),
            "flip_safe": float(not any(s.sided for s in kept)),
        }
        general = _beside(proposal)
        if general is not None:
            factors["general_spatial_phrases"] = float(spatial_phrases(general))
        needs: tuple[Need, ...] = ("vision",)
        if any(scene.things[name].still for name in named):
            needs = ("vision", "on_screen_text")
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(_medium(media, clip, at_s),),
            turns=dialogue("<video>" if at_s is None else "<image>", question.text, answer.fill({"caption": text})),
            answer=TextAnswer(text=text),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                *(cite("tracks", t, TRACK_COLUMNS) for t in scene.tracks),
                *(cite("text_regions", r, TEXT_COLUMNS) for r in scene.regions),
                *(cite("boxes", b, BOX_COLUMNS) for b in scene.boxes_of(named)),
                cite("proposals", proposal, ("proposal_json",)),
            ),
            needs=needs,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=factors,
            generator=f"{self.name}@{self.version}",
        )


class _World:
    """What is known of one medium while its captions are asked for."""

    def __init__(
        self,
        media: RowDict,
        tracks: Sequence[RowDict],
        boxes: Sequence[RowDict],
        regions: Sequence[RowDict],
        rows: Rows,
    ) -> None:
        self.media, self.tracks, self.boxes, self.regions, self.rows = media, tracks, boxes, regions, rows

    def general(self, window: Span) -> RowDict | None:
        """The general caption of a span: of the best level, the one with most of the span, if it is about most of it."""
        best: tuple[float, float, str] | None = None
        found: RowDict | None = None
        for row in self.rows["captions"]:
            if row["level"] not in _GENERAL or not row["end_s"] > row["start_s"]:
                continue
            both = span_of(row).intersection(window)
            share = both.length_s / max(window.length_s, span_of(row).length_s) if both else 0.0
            key = (-float(_GENERAL.index(row["level"])), share, str(row["row_id"]))
            if share >= 0.5 and (best is None or key > best):
                best, found = key, row
        return found


def _medium(media: RowDict, clip: RowDict, at_s: float | None) -> MediumRef:
    if at_s is None:
        span = span_of(clip)
        return MediumRef(media_id=media["media_id"], kind=kind_of(media), start_s=span.start_s, end_s=span.end_s)
    end = grid(min(at_s + _STILL_S, media["duration_s"]))
    if not at_s < end:
        raise Withheld("the still lies at the very end of its footage")
    return MediumRef(media_id=media["media_id"], kind="image", start_s=at_s, end_s=end)


def _beside(proposal: RowDict) -> str | None:
    """The general caption that a proposal's row keeps, if there was one."""
    for shown in proposal["evidence"] or ():
        values = json.loads(shown["values_json"])
        if shown["source_table"] == "captions" and values["name"] == BESIDE:
            return str(values["text"])
    return None


def _complaint(judged: Sequence[JudgedSentence]) -> str:
    """What is wrong with the form of a reply; what boxes say is not told, or the next reply would be its echo."""
    told = ("contradicted", "unverified", "repeated")
    faults = [f"{s.rule}: {s.reason}" for s in judged if s.rule and s.rule not in told]
    return "; ".join(faults[:4])


def _claims(
    judged: Sequence[JudgedSentence], scene: SpatialScene, proposal: Mapping[str, Any], judge: Judge
) -> list[Row]:
    """Rows of `claims`: every relation that was read, whether its sentence was kept or not."""
    rows: list[Row] = []
    span = judge.window if judge.at_s is None else Span(judge.at_s, grid(judge.at_s + _STILL_S))
    for number, sentence in enumerate(judged):
        for claim in sentence.claims:
            a, b = scene.things[claim.stated.a], scene.things[claim.stated.b]
            who = sorted({"text" if thing.still else "tracks" for thing in (a, b)})
            arguments = {
                "a": a.phrase, "relation": claim.stated.relation, "b": b.phrase,
                "a_track": a.track_id, "b_track": b.track_id, "kept": not sentence.rule,
            }  # fmt: skip
            rows.append(
                (
                    "claims",
                    {
                        "caption_id": proposal["row_id"],
                        "sentence": number,
                        "position": len(rows),
                        "start_s": span.start_s,
                        "end_s": span.end_s,
                        "kind": "relation",
                        "claim": f"{a.phrase} {claim.stated.relation} {b.phrase}",
                        "quote": claim.stated.quote,
                        "arguments_json": json.dumps(arguments, sort_keys=True),
                        "status": claim.status,
                        "checked_by": who,
                        "reason": claim.reason,
                        "model": proposal["model"],
                    },
                )
            )
    return rows


def _typical(scene: SpatialScene, judge: Judge, most: int) -> SpatialRecaptionReply:
    """A caption of usual length: for pairs of things one relation that holds."""
    found: list[SpatialSentenceReply] = []
    for a, b in combinations([t for t in scene.things.values() if t.times], 2):
        all_held = judge.stands(a, b).held
        held = [r for r in all_held if r in RELATIONS[:4]] or list(all_held[:1])
        if held and len(found) < most:
            text = f"The {_named(a)} is {' and '.join(held)} the {_named(b)}."
            claims = [SpatialClaimReply(subject=a.name, relation=r, object=b.name) for r in held]
            found.append(SpatialSentenceReply(text=text, claims=claims))
    return SpatialRecaptionReply(sentences=found)


def _named(thing: Placed) -> str:
    return f"sign {{{thing.name}.text}}" if thing.still else f"{{{thing.name}.label}}"


ANNOTATOR = SpatialRecaption
