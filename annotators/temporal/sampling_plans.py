"""Frame plans of media and clips: which frames each policy would show, as rows that any packager and any query can read.

Plans are pure functions of stored rows, so they can be made again and compared; pixels are neither read nor copied. A policy
that lacks its input (features, a query's scores) leaves a row without frames that says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import kept_clips, medium_row
from ...engine.plans.plan import PlanError
from ...schemas.span import Span, span_or_none
from .plan_inputs import COLUMNS, PlanParams, inputs_of, plan_rows, scores_of, shot_spans


class SamplingPlansParams(PlanParams):
    """Parameters of `sampling_plans`."""

    scopes: tuple[Literal["medium", "clip"], ...] = Field(
        ("medium",),
        min_length=1,
        description="What is planned: whole media, clips (under `enrich`: kept ones), or both.",
    )
    query: str | None = Field(
        None, description="The prompt of clip_scores that policies with a query follow; null: the best of all prompts."
    )


class SamplingPlans(UnitAnnotator[SamplingPlansParams]):
    """Writes `sampling_plans` of one medium and its clips."""

    name: ClassVar[str] = "sampling_plans"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = SamplingPlansParams
    reads: ClassVar[tuple[str, ...]] = (
        "media", "shots", "clips", "selection", "embeddings", "signals", "frames", "clip_scores", "cameras", "depths",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = reads[1:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("sampling_plans",)
    grade: ClassVar[Grade] = "exact"
    """A plan says which frames are meant, whatever it followed."""
    light: ClassVar[bool] = True

    def dynamic_reads(self) -> tuple[str, ...]:
        """Features and scores only where a policy asks for them, clips only where they are planned."""
        clips = ("clips", "selection") if "clip" in self.params.scopes else ()
        return ("media", "shots", *clips, *self.params.tables())

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per policy for the medium and for each of its clips. Skips sound, and media without known frame times."""
        p, media_id = self.params, unit.unit
        medium = medium_row(rows, media_id)
        scores = scores_of(rows, p.query)
        places: list[tuple[str, str, Span | None]] = []
        if "medium" in p.scopes:
            places.append(("medium", media_id, None))
        if "clip" in p.scopes:
            places += [
                ("clip", str(clip["clip_id"]), span_or_none(clip["start_s"], clip["end_s"]))
                for clip in kept_clips(rows, media_id)
            ]
        for scope, scope_id, span in places:
            try:
                inputs = inputs_of(medium, rows, span, p, seed=unit.seed, scores=scores)
            except PlanError as error:
                raise SkipUnit(str(error)) from None
            for row in plan_rows(inputs, p, scope, scope_id, shot_spans(inputs)):
                yield "sampling_plans", row


ANNOTATOR = SamplingPlans
