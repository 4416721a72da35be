"""Which spans of a medium are selected, annotated and packaged: its clips.

Manifest rows with a span are clips by themselves, unless they only describe an event; other media are cut by a policy. Clips never reach past
the end of their medium and have identifiers that derive from the medium's content and the span alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...engine.annotator import Grade, Medium, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.ids import clip_id
from ...schemas.span import Span, from_us, to_us
from ..manifest_rows import manifest_rows
from .clip_policy import Tail, limited, merged, shots_of, windows


class ClipsParams(Params):
    """Parameters of `clips`."""

    policy: Literal["whole", "shot", "merged", "window"] = Field(
        default="shot",
        description="whole: one clip per medium; shot: one per shot; merged: neighbouring shots joined until "
        "min_length_s; window: windows of length_s every stride_s",
    )
    min_length_s: float = Field(default=0.0, ge=0, description="shorter clips are left out (merged: joined until)")
    max_length_s: float | None = Field(
        default=None, gt=0, description="longer clips are cut into equal parts; null: no limit"
    )
    length_s: float = Field(default=10.0, gt=0, description="policy window: length of a window")
    stride_s: float | None = Field(
        default=None, gt=0, description="policy window: from start to start; null: the length, without overlap"
    )
    tail: Tail = Field(
        default="keep",
        description="policy window: what is left at the end is kept as a shorter window, dropped, or "
        "covered by "
        "a window shifted back",
    )
    also_policy: bool = Field(
        default=False, description="cut media with manifest clips by the policy as well, not by their rows only"
    )
    strict: bool = Field(
        default=True, description="a manifest row without footage fails the medium; false: it is left out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_length_s is not None and self.max_length_s < self.min_length_s:
            raise ValueError(f"max_length_s {self.max_length_s:g} is below min_length_s {self.min_length_s:g}")
        if self.policy == "merged" and self.min_length_s == 0:
            raise ValueError("policy merged joins shots until min_length_s: give one above 0, or use policy shot")
        return self


class Clips(UnitAnnotator[ClipsParams]):
    """Writes `clips` of one medium."""

    name: ClassVar[str] = "clips"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ClipsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "shots", "sources")
    writes: ClassVar[tuple[str, ...]] = ("clips",)
    grade: ClassVar[Grade] = "exact"
    """A clip says which footage is meant, whatever cut it."""
    light: ClassVar[bool] = True

    def dynamic_reads(self) -> tuple[str, ...]:
        """Shots are read by the policies that cut at them."""
        return self.reads if self.params.policy in ("shot", "merged") else ("media", "sources")

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Clips in order of their start; skips a medium without duration (a still)."""
        p, medium = self.params, unit.medium
        assert medium is not None
        if to_us(medium.duration_s or 0.0) <= 0:
            raise SkipUnit("no duration")
        entries = manifest_rows(rows["sources"], medium.duration_s, str(medium), p.strict)
        made: dict[tuple[float, float], dict[str, object]] = {}
        for entry in entries:
            if entry.has_span and not entry.is_event:
                row = _row(medium, Span(entry.start_s, entry.end_s), "manifest", entry.user_json)
                made.setdefault((entry.start_s, entry.end_s), row)
        if not made or p.also_policy:
            policy = p.policy if p.policy not in ("shot", "merged") or rows["shots"] else "whole"
            for span in self._spans(medium, rows):
                made.setdefault((span.start_s, span.end_s), _row(medium, span, policy, None))
        return [("clips", made[key]) for key in sorted(made)]

    def _spans(self, medium: Medium, rows: Rows) -> list[Span]:
        p, duration_s = self.params, medium.duration_s
        if p.policy == "window":
            spans = windows(duration_s, p.length_s, p.stride_s or p.length_s, p.tail)
        elif p.policy == "whole":
            spans = [Span(0.0, from_us(to_us(duration_s)))]
        else:
            spans = shots_of(((r["start_s"], r["end_s"]) for r in rows["shots"]), duration_s)
            if p.policy == "merged":
                spans = merged(spans, p.min_length_s, p.max_length_s)
        return limited(spans, p.min_length_s, p.max_length_s)


def _row(medium: Medium, span: Span, policy: str, user_json: str | None) -> dict[str, object]:
    return {
        "clip_id": clip_id(medium.media_id, span.start_s, span.end_s),
        "start_s": span.start_s,
        "end_s": span.end_s,
        "policy": policy,
        "user_json": user_json,
    }


ANNOTATOR = Clips
