"""When does it happen, and where is the thing meanwhile: spatio-temporal grounding of described events (ST-Align, VidSTG).

`stvg` asks for the span and a box in a fixed rhythm, `svg` gives the span and asks for the boxes, `elc` gives the start and
the first box and asks what happens, until when, and where. A description is looked for once in the window: nothing else that
is described there is like it. The words of an `elc` answer are those of the row; rewards score its span and boxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, Unit
from ...engine.described import described_of
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.markup import BoxAt, escape, quote, render
from ...schemas.matching import quoted_parts
from ...schemas.sample import MediumRef, Sample
from ...schemas.span import Span, overlap_s
from ...schemas.tubes import moved
from ...schemas.verifying import Check
from .chain_of_grounding import window_of
from .common import (
    RowDict,
    Withheld,
    covering,
    dialogue,
    moment,
    only_row,
    placement,
    rebuilt,
    rows_of,
    span_mark,
    span_of,
    wordings_of,
)
from .event_tubes import EventTube, TubeParams, asked_in_turn, evidence_of, require_alone, tube_in
from .named_objects import Objects, objects_of

Kind = Literal["stvg", "svg", "elc"]
TOGETHER_S = 1.0
"""Events of one thing that begin within this time cannot be told apart by their start."""


class Params(TubeParams):
    """Parameters of spatio_temporal_grounding."""

    kinds: tuple[Kind, ...] = Field(("stvg", "svg", "elc"), min_length=1, description="What is asked, event by event.")


class SpatioTemporalGrounding(Task[Params]):
    """Samples from described events, `tracks` and `boxes` of one medium."""

    name = "spatio_temporal_grounding"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "tracks", "boxes", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "question_only", "fixed_interval")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` events, each asked about once in every kind that fits."""
        return asked_in_turn(
            unit, rows, self.name, self.params.per_medium,
            lambda t, event: self._asked(unit, t.media, t.clips, t.objects, t.events, event, t.split),
        )  # fmt: skip

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from the cited descriptions, tracks and boxes."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When the event is described, and where the boxes of its track are at the asked times."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _asked(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        objects: Objects,
        events: Sequence[RowDict],
        event: RowDict,
        split: str,
    ) -> Iterable[Sample]:
        window = choose_window(
            span_of(event), media["duration_s"], self.params.window_s, unit.seed, self.name, event["row_id"],
            evidence_share_max=self.params.evidence_share_max,
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return
        others = [e for e in events if e["row_id"] != event["row_id"] and overlap_s(span_of(e), window) > 0]
        try:
            tube = tube_in(event, objects, window, self.params)
        except Withheld:
            return
        there = [t for t in objects.tracks if t is not tube.track and overlap_s(span_of(t), tube.span) > 0]
        first = [b for t in there for b in objects.boxes[str(t["track_id"])][:1]]
        held = covering(clips, [tube.span]) or []
        for kind in self.params.kinds:
            question, form = wordings_of(self.name).choose(kind, unit.seed, event["row_id"], split=split)
            try:
                yield self._build(
                    unit.recipe, media, held, (event, *others), (tube.track, *there), (*tube.boxes, *first), window, kind,
                    question.id, form.id,
                )  # fmt: skip
            except Withheld:
                continue

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), described_of(evidence),
            rows_of(evidence, "tracks"), rows_of(evidence, "boxes"), sample.window,
            wordings_of(self.name).kind_of(sample.wording) or "", sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        events: Sequence[RowDict],
        tracks: Sequence[RowDict],
        boxes: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about the first of `events`, the others being all that is described in the window. Raises `Withheld`."""
        if not events:
            raise Withheld("no description is cited")
        tube = tube_in(events[0], objects_of(tracks, boxes), window, self.params)
        if not tracks or tracks[0]["track_id"] != tube.track["track_id"]:
            raise Withheld("the cited track is not that of the event")
        require_alone(tube.text, events[1:], window, self.params.different)
        for problem in window_problems(
            window,
            [tube.span],
            media["duration_s"],
            self.params.window_s,
            evidence_share_max=self.params.evidence_share_max,
        ):
            raise Withheld(problem)
        if not clips or list(clips) != covering(clips, [tube.span]):
            raise Withheld("the event is not inside kept clips")
        if kind == "elc":
            self._require_known_by_start(tube, events[1:])
        question = answer = None
        if kind in wordings_of(self.name).kinds:
            question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        typed = tube.answer("boxes" if kind == "svg" else "both")
        if trail is not None:
            self._chain(trail, tube, window, typed.said)
        slots = self._slots(tube)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots)),
            answer=typed,
            rationale=(
                f"I look for what is described as {slots['quote']}.",
                f"It happens in {slots['span']}.",
                f"The {slots['thing']} is then first at {slots['place']}.",
            ),
            evidence=evidence_of(media, clips, events, tracks, boxes),
            needs=("vision", "on_screen_text") if quoted_parts(tube.text) else ("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=placement(window, tube.span)
            | {"boxes": float(len(tube.places)), "moved": moved(tube.places), "cited_boxes": float(len(boxes))}
            | {"other_events": float(len(events) - 1), "other_things": float(len(tracks) - 1)},
            generator=f"{self.name}@{self.version}",
        )

    def _slots(self, tube: EventTube) -> dict[str, str]:
        return {
            "quote": quote(tube.text),
            "text": escape(tube.text[:1].upper() + tube.text[1:]),
            "thing": escape(tube.name),
            "rhythm": self.params.rhythm_words,
            "span": span_mark(tube.span),
            "start": moment(tube.span.start_s),
            "place": render([BoxAt(*tube.places[0])]),
            "track": " ".join(render([BoxAt(*place)]) for place in tube.places),
        }

    def _require_known_by_start(self, tube: EventTube, others: Sequence[RowDict]) -> None:
        """Raises `Withheld` where another event that names the thing begins at about the same time."""
        for other in others:
            near = abs(span_of(other).start_s - tube.span.start_s) < TOGETHER_S
            if near and tube.name.casefold() in str(other["text"]).casefold():
                raise Withheld("two events of the thing begin together")

    def _chain(self, trail: Trail, tube: EventTube, window: Span, said: str) -> None:
        table = str(tube.event["table"])
        told = trail.read(table, [tube.event], "text", note="What is seen is {@.text}.")
        trail.require(trail.compute("least_alike", told, query=tube.text, like="description"), "at_least", 1.0)
        span = trail.locate(table, [tube.event], note="It happens in {@}.")
        trail.require(span, "within", window_of(window))
        records = trail.read("boxes", tube.boxes, "t_s", "x1", "y1", "x2", "y2")
        times = [t for t, *_ in tube.places]
        places = trail.compute("tube", records, times=times, max_gap_s=self.params.max_gap_s)
        trail.conclude("tube", span, places, unit=said)


ANNOTATOR = SpatioTemporalGrounding
