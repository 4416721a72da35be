"""Which events happen, and when? All grounded events of a stretch of footage with their spans, or the spans of given events.

Events are rows of `events` of one producer: exact ones, and fused ones whose calibrated probability of being right is high
enough (or, without a calibration, on which enough families of localisers agree). The list is in order of time; given events
are asked for in an order of their own. A list of fused events is not said to be complete: what no localiser could place is not
in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.markup import escape, quote, validate
from ...schemas.matching import alike_descriptions
from ...schemas.sample import MediumRef as Shown
from ...schemas.sample import Need, Sample, TextAnswer
from ...schemas.span import Span, span_or_none, to_us, union_length_s
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    inside,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .descriptions import sentence, stretches

Kind = Literal["listed", "placed"]
EVENT_COLUMNS = ("start_s", "end_s", "text", "kind", "localiser", "agreement", "p_correct", "calibration")
_HEARD = ("sound", "speech")


class Params(BaseParams):
    """Parameters of grounded_events."""

    kinds: tuple[Kind, ...] = Field(
        ("listed", "placed"), min_length=1, description="A list of all events with their spans; spans of given events."
    )
    min_p: float = Field(0.8, ge=0, le=1, description="Least `p_correct` of fused events.")
    min_agreement: int = Field(
        2, ge=1, description="Families that must agree on fused events that have no probability."
    )
    longest_s: float = Field(300.0, gt=0, description="Longest shown footage; longer footage is cut at clips.")
    min_events: int = Field(3, ge=2, description="Events that a stretch needs at least.")
    most_events: int = Field(20, ge=2, description="And at most: a stretch that has more is cut at clips.")
    different: float = Field(
        0.9, gt=0, le=1, description="Given events must be less alike than this, or nobody knows which is meant."
    )


class GroundedEvents(Task[Params]):
    """Samples from `events` of one medium."""

    name: ClassVar[str] = "grounded_events"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", "events", "footage_groups")
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "question_only", "middle_frame", "first_frame")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A sample of each kind per stretch of kept footage. Raises `SkipUnit` without events that are sure enough."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media = medium_row(rows, media_id)
        events = [e for e in one_producer(rows["events"]) if self._sure(e)]
        if not events:
            raise SkipUnit("no event is sure enough for min_p")
        split, wordings = split_of(rows, media_id), wordings_of(self.name)

        def enough(span: Span) -> bool:
            return len(_within(events, span)) <= self.params.most_events

        for window, clips in stretches(kept_clips(rows, media_id), self.params.longest_s, enough):
            for kind in self.params.kinds:
                question, answer = wordings.choose(kind, unit.seed, media_id, window.start_s, kind, split=split)
                own = _within(events, window)
                if kind == "placed":
                    own = self._apart(own)
                    own = shuffled(own, unit.seed, self.name, media_id, key=lambda e: e["row_id"])
                try:
                    yield "samples", self._build(
                        unit.recipe, media, clips, own, window, kind, question.id, answer.id
                    ).to_row()  # fmt: skip
                except Withheld:
                    continue

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from media, clips and events, in the order in which these are cited."""

        def build() -> Sample:
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind is None:
                raise Withheld(f"unknown wording {sample.wording}")
            return self._build(
                sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), rows_of(evidence, "events"),
                sample.window, kind, sample.wording, sample.answer_form,
            )  # fmt: skip

        return rebuilt(sample, build)

    def _sure(self, event: RowDict) -> bool:
        if span_or_none(event["start_s"], event["end_s"]) is None or not str(event["text"] or "").strip():
            return False
        if event["localiser"] is None:
            return True
        if event["p_correct"] is not None:
            return bool(event["p_correct"] >= self.params.min_p)
        return bool((event["agreement"] or 0) >= self.params.min_agreement)

    def _apart(self, events: Sequence[RowDict]) -> list[RowDict]:
        """Events that no other one is much like."""

        def alone(event: RowDict) -> bool:
            others = (o for o in events if o["row_id"] != event["row_id"])
            return all(alike_descriptions(event["text"], o["text"]) < self.params.different for o in others)

        return [e for e in events if alone(e)]

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        events: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample about `window`, which the clips make up; `events` in the order in which it tells them. Raises `Withheld`."""
        if [(w.start_s, w.end_s) for w, _ in stretches(clips, window.length_s)] != [(window.start_s, window.end_s)]:
            raise Withheld("the shown window is not what the cited clips make up")
        if not self.params.min_events <= len(events) <= self.params.most_events:
            raise Withheld(f"{len(events)} events")
        if len(_within(events, window)) != len(events) or not all(self._sure(e) for e in events):
            raise Withheld("an event is not sure enough, or lies outside the window")
        if kind == "listed" and list(events) != _within(events, window):
            raise Withheld("the events are not in order of time")
        if kind == "placed" and len(self._apart(events)) != len(events):
            raise Withheld("two events are much alike")
        told = [_said(e) for e in events]
        asked = "\n".join(f"- {text}" for text in told)
        listed = "\n".join(f"{span_mark(span_of(e))} {sentence(text)}" for e, text in zip(events, told, strict=True))
        if validate(listed, media=1, windows=[window]):
            raise Withheld("an event cannot be written as markup")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        p = [e["p_correct"] for e in events if e["p_correct"] is not None]
        heard: tuple[Need, ...] = ("audio",) if any(e["kind"] in _HEARD for e in events) else ()
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(Shown(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill({"events": asked}), answer.fill({"list": listed})),
            answer=TextAnswer(text=listed),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite("events", e, EVENT_COLUMNS) for e in events),
            ),
            needs=("vision", *heard),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "events": float(len(events)),
                "covered": round(union_length_s(span_of(e) for e in events) / window.length_s, 6),
                "least_p": min(p, default=1.0),
            },
            generator=f"{self.name}@{self.version}",
        )


def _within(events: Sequence[RowDict], window: Span) -> list[RowDict]:
    """Events that lie wholly in the window, in order of time."""
    own = inside(events, window, lambda e: e["start_s"], lambda e: e["end_s"])
    return sorted(own, key=lambda e: (to_us(e["start_s"]), to_us(e["end_s"]), e["text"]))


def _said(event: RowDict) -> str:
    text = " ".join(str(event["text"]).split()).rstrip(".")
    plain = escape(text)
    return plain if not validate(plain, media=1) else quote(text)


ANNOTATOR = GroundedEvents
