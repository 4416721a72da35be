"""Timed triples of a clip: which thing stands how to which other, which way it moves, when it comes and goes.

Without a model (`model: null`) triples follow from tracks alone, and each is linked to the caption that says the same. A
model proposes further ones over the names of tracks; boxes then say whether each is true and from when to when, so that a
model writes no time. What boxes cannot judge (a predicate of the model's own) stays `unchecked`, and what they refute is
kept as `contradicted`: choosing is SQL. That a thing itself moves is only said where the camera is known to be at rest, by
`signals` or a composer's events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Stage, Unit
from ...engine.asking import Asking
from ...engine.kept import kept_clips, medium_row
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.facts import Facts
from ...schemas.motion import CameraRule
from ...schemas.motion_phrases import read_motions, typed_predicate
from ...schemas.object_motion import MOTIONS
from ...schemas.objects import Placed, placed_track
from ...schemas.relation_phrases import read_sentence
from ...schemas.relations import INVERSE
from ...schemas.span import Span, overlap_s, span_or_none
from ...schemas.triples import Judged, TripleRule, judge, triples_of
from ..placed_things import aspect_of, camera_over, layout, object_facts, placed_fact, span_of, tracks_and_boxes


class TripleReply(BaseModel):
    """One statement of a reply."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(description="name of a thing, such as obj1")
    predicate: str = Field(description="how it stands to the object, or what it does")
    object: str | None = Field(description="name of the other thing, or null")
    said_by: str | None = Field(description="name of the description that says it, or null")


class TriplesReply(BaseModel):
    """The triples of one clip."""

    model_config = ConfigDict(extra="forbid")

    triples: list[TripleReply]


class TriplesParams(Params):
    """Parameters of `triples`."""

    model: str | None = Field("writer", description="role of `models:` that proposes; null: triples of tracks alone")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )
    per_clip: int = Field(60, ge=1, description="triples of one clip that follow from tracks, at most")
    proposed: int = Field(20, ge=1, description="triples of one clip that a model may propose")
    rule: TripleRule = Field(TripleRule(), description="which triples are stated, and when they are true")
    camera: CameraRule = Field(CameraRule(), description="when the camera stands still")


_MOST_WORDS = 6
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


class Triples(Asking[TriplesParams]):
    """Writes `triples` of the kept clips of one medium, and with a model `proposals`."""

    name: ClassVar[str] = "triples"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = TriplesParams
    stage: ClassVar[Stage] = "enrich"
    reads: ClassVar[tuple[str, ...]] = (
        "media",
        "clips",
        "selection",
        "frames",
        "tracks",
        "boxes",
        "signals",
        "captions",
        "claims",
    )
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"frames": ("t_s",)}
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "frames", "signals", "captions", "claims")
    writes: ClassVar[tuple[str, ...]] = ("triples", "proposals")

    def roles(self) -> tuple[str, ...]:
        """The role that proposes, if any."""
        return (self.params.model,) if self.params.model else ()

    def dynamic_writes(self) -> tuple[str, ...]:
        """Without a model there are no proposals."""
        return self.writes if self.params.model else ("triples",)

    def prompts(self) -> Sequence[Prompt]:
        """Its prompt, unless no model is asked."""
        return (read_prompt("triples", self.params.prompt, self.folder),) if self.params.model else ()

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Triples of tracks alone. Raises `NoModel` where a role is named that has no endpoint."""
        return super().annotate(unit, rows) if self.params.model else self._of_tracks(unit, rows)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Triples of each clip from tracks, and those of a model. Raises `SkipUnit` for a medium without tracks."""
        stated = self._of_tracks(unit, rows)
        if not self.params.model:
            return stated
        known = _Known(unit, rows, self.params.camera)
        landing = Landing(unit, self.name)
        clips = [clip for clip in known.clips if known.things_in(clip)]

        async def one(clip: Mapping[str, Any]) -> list[Row]:
            return await self._asked(clip, known, models, landing)

        proposed = await models.each(clips, one)
        return [*stated, *(row for rows_of_clip in proposed for row in rows_of_clip), *landing.rows()]

    def _of_tracks(self, unit: Unit, rows: Rows) -> list[Row]:
        known = _Known(unit, rows, self.params.camera)
        made: list[Row] = []
        for clip in known.clips:
            span, things = span_of(clip), known.things_in(clip)
            said = known.said_in(span, things)
            found = triples_of(things, span, self.params.rule, known.aspect, known.camera)
            for t in found[: self.params.per_clip]:
                judged = Judged("supported", t.reason, t.span, t.checked_by)
                caption = said.get((t.subject.name, t.predicate, t.other.name if t.other else ""))
                made.append(_row(t.subject, t.predicate, t.other, judged, span, clip, caption))
        return made

    async def _asked(self, clip: Mapping[str, Any], known: _Known, models: Models, landing: Landing) -> list[Row]:
        """The triples that a model proposes about one clip, each judged."""
        assert self.params.model is not None
        span = span_of(clip)
        objects = object_facts((t for t in known.tracks if overlap_s(span_of(t), span) > 0), span)
        said = facts_of(known.rows, span, ("event", "caption"))
        things = {f.name: p for f in objects if (p := placed_fact(f, known.boxes_of(f.row))) is not None}
        facts = Facts((*said.values(), *objects))
        if not things:
            return []
        user = self.prompts()[0].fill(
            things=layout(things.values(), span), evidence=said.listing() or "none", most=str(self.params.proposed)
        )
        ask = Ask(
            role=self.params.model,
            prompt=self.prompts()[0],
            parts=(user, *models.stills(self.params.model, clip["media_id"], span)),
            reply=TriplesReply,
            about=str(clip["clip_id"]),
            typical=lambda: _typical(tuple(things), self.params.proposed),
            check=lambda reply: next(filter(None, (_complaint(t, things, facts) for t in reply.triples)), ""),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask, clip["clip_id"])
            return []
        made: dict[tuple[str, str, str], Row] = {}
        if not answered.value.triples:
            landing.nothing(answered, facts, clip["clip_id"])
        for item, triple in enumerate(answered.value.triples):
            row = landing.proposal(answered, item, triple, facts, clip["clip_id"])
            key = (triple.subject, triple.predicate.lower(), triple.object or "")
            problem = _complaint(triple, things, facts)
            if not problem and key in made:
                problem = "repeated: said twice in one reply"
            if not problem and item >= self.params.proposed:
                problem = f"too_many: more than {self.params.proposed}"
            if problem:
                landing.reject(row, *problem.split(": ", 1))
                continue
            judged = self._judged(triple, things, span, known)
            caption = facts[triple.said_by].row["row_id"] if triple.said_by else None
            other = things[triple.object] if triple.object else None
            predicate = typed_predicate(triple.predicate) or " ".join(triple.predicate.split()).lower()
            source = {"request_hash": answered.request_hash, "model": answered.model}
            made[key] = _row(things[triple.subject], predicate, other, judged, span, clip, caption, source)
            landing.keep(row)
        return list(made.values())

    def _judged(self, triple: TripleReply, things: Mapping[str, Placed], span: Span, known: _Known) -> Judged:
        predicate = typed_predicate(triple.predicate)
        if predicate is None:
            return Judged("unchecked", "no rule for this predicate", None)
        other = things[triple.object] if triple.object else None
        return judge(
            things[triple.subject], predicate, other, tuple(things.values()), span, self.params.rule, known.aspect, known.camera
        )  # fmt: skip


class _Known:
    """What is known of one medium. Raises `SkipUnit` for one without tracks."""

    def __init__(self, unit: Unit, rows: Rows, rule: CameraRule) -> None:
        media = medium_row(rows, unit.unit)
        self.rows = rows
        self.aspect = aspect_of(media)
        self.clips = kept_clips(rows, unit.unit)
        self.camera = camera_over(rows, media, rule)
        self.tracks, self._boxes = tracks_and_boxes(rows)
        if not self.tracks:
            raise SkipUnit("no tracks")
        placed = (placed_track(t, self.boxes_of(t)) for t in self.tracks)
        self._things = [p for p in placed if p is not None]

    def boxes_of(self, track: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The boxes of a track."""
        return self._boxes.get(str(track["track_id"]), ())

    def things_in(self, clip: Mapping[str, Any]) -> tuple[Placed, ...]:
        """The tracks that are in the picture during a clip, named by their track_id."""
        return tuple(p for p in self._things if overlap_s(p.span, span_of(clip)) > 0)

    def said_in(self, span: Span, things: Sequence[Placed]) -> dict[tuple[str, str, str], str]:
        """What captions about a part of the span say about the things: (subject, predicate, object) -> row of `captions`."""
        said: dict[tuple[str, str, str], str] = {}
        for row in sorted(self.rows["captions"], key=lambda c: (c["start_s"], c["end_s"], c["row_id"])):
            when = span_or_none(row["start_s"], row["end_s"])
            common = overlap_s(when, span) if when else 0.0
            if when is None or common < 0.5 * when.length_s:
                continue
            seen = [t for t in things if overlap_s(t.span, when) > 0]
            for sentence in _SENTENCES.split(row["text"]):
                for stated in read_sentence(sentence, seen).stated:
                    said.setdefault((stated.a, stated.relation, stated.b), row["row_id"])
                    said.setdefault((stated.b, INVERSE[stated.relation], stated.a), row["row_id"])
                for name, motion in read_motions(sentence, seen):
                    said.setdefault((name, motion, ""), row["row_id"])
        return said


def _row(
    subject: Placed,
    predicate: str,
    other: Placed | None,
    judged: Judged,
    span: Span,
    clip: Mapping[str, Any],
    caption: str | None,
    source: Mapping[str, str] | None = None,
) -> Row:
    """A row of `triples`; what was judged for no span of its own is about the whole clip."""
    when = judged.span or span
    return (
        "triples",
        {
            "start_s": when.start_s,
            "end_s": when.end_s,
            "subject": subject.phrase,
            "predicate": predicate,
            "object_text": other.phrase if other else "",
            "subject_track": subject.track_id,
            "object_track": other.track_id if other else "",
            "status": judged.status,
            "checked_by": list(judged.checked_by),
            "reason": judged.reason,
            "clip_id": clip["clip_id"],
            "caption_id": caption,
            **(source or {"request_hash": None, "model": ""}),
        },
    )


def _complaint(triple: TripleReply, things: Mapping[str, Placed], facts: Facts) -> str:
    """What is wrong with a proposed triple: `rule: what`, or nothing."""
    for name in (triple.subject, triple.object):
        if name is not None and name not in things:
            return f"unknown_evidence: {name!r} is none of the things {', '.join(things)}"
    if triple.said_by is not None and (triple.said_by not in facts or triple.said_by in things):
        return f"unknown_evidence: {triple.said_by!r} is no description of the list"
    if triple.subject == triple.object:
        return f"no_triple: {triple.subject} stands in no relation to itself"
    words = triple.predicate.split()
    if not 1 <= len(words) <= _MOST_WORDS or any(c.isdigit() or c in "{}<>" for c in triple.predicate):
        return f"no_predicate: {triple.predicate!r}; write one to {_MOST_WORDS} words without numbers"
    predicate = typed_predicate(triple.predicate)
    if predicate is not None and (predicate in MOTIONS) != (triple.object is None):
        needs = "needs no object" if predicate in MOTIONS else "needs an object"
        return f"no_triple: {predicate!r} {needs}"
    return ""


def _typical(names: Sequence[str], most: int) -> TriplesReply:
    """A reply of usual length: neighbours of the list stand beside each other."""
    pairs = list(combinations(names, 2))[: max(1, min(most, 6))]
    found = [TripleReply(subject=a, predicate="left of", object=b, said_by=None) for a, b in pairs]
    return TriplesReply(
        triples=found or [TripleReply(subject=names[0], predicate="stays still", object=None, said_by=None)]
    )


ANNOTATOR = Triples
