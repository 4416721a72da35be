"""Frame plans of samples: which frames of a sample's window each policy would show, and how much of its evidence they meet.

Only on request (`checks: {sample_plans: {plans: [...]}}`), since every sample gets a row per policy. Policies that follow a
query may be given the evidence itself as the query: an upper bound, and the target of whoever trains a selector; its plans
say so (`oracle`). Samples that show stills have their frames already and get no plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.answering.evidence_spans import evidence_spans
from ...engine.kept import stored_samples
from ...engine.plans.plan import Inputs, PlanError, Scores
from ...schemas.span import Span, span_or_none
from ..temporal.plan_inputs import COLUMNS, PlanParams, inputs_of, plan_rows, scores_of, with_scores


class SamplePlansParams(PlanParams):
    """Parameters of `sample_plans`."""

    query: Literal["evidence", "prompts"] = Field(
        "evidence", description="What policies with a query follow: the sample's evidence (an oracle), or clip_scores."
    )


class SamplePlans(UnitAnnotator[SamplePlansParams]):
    """Writes `sampling_plans` of the samples of one medium."""

    name: ClassVar[str] = "sample_plans"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = SamplePlansParams
    reads: ClassVar[tuple[str, ...]] = (
        "samples", "media", "shots", "embeddings", "signals", "frames", "clip_scores", "cameras", "depths",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = reads[2:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("sampling_plans",)
    grade: ClassVar[Grade] = "exact"
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True
    on_request: ClassVar[bool] = True
    """Left out of recipes that do not name it."""

    def dynamic_reads(self) -> tuple[str, ...]:
        """Features only where a policy asks for them."""
        tables = self.params.tables()
        return (
            "samples",
            "media",
            "shots",
            *(t for t in tables if t != "clip_scores" or self.params.query == "prompts"),
        )

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per sample that shows footage, and policy. Coverage is over the sample's evidence."""
        media = {str(row["media_id"]): row for row in rows["media"]}
        prompts = scores_of(rows, None)
        found = False
        for sample_id, sample in stored_samples(rows):
            ref = sample.media[0]
            if ref.kind != "video" or ref.frame_times or ref.media_id not in media:
                continue
            found = True
            evidence = [span for number, span in evidence_spans(sample) if number == 0]
            window = span_or_none(ref.start_s, ref.end_s)
            try:
                inputs = inputs_of(media[ref.media_id], rows, window, self.params, seed=unit.seed, evidence=evidence)
            except PlanError:
                continue  # a window between two frames shows nothing; its verdict says so
            oracle = self.params.query == "evidence"
            inputs = with_scores(inputs, oracle_scores(inputs, evidence) if oracle else prompts)
            for row in plan_rows(inputs, self.params, "sample", sample_id, evidence, oracle=oracle):
                yield "sampling_plans", {"media_id": ref.media_id, **row}
        if not found:
            raise SkipUnit("no samples that show footage")


def oracle_scores(inputs: Inputs, evidence: list[Span]) -> Scores:
    """1 inside the evidence, elsewhere 0.4 falling by 0.01 a second of distance, at least 0."""
    times = inputs.times_s
    away = np.full(len(times), np.inf)
    for span in evidence:
        away = np.minimum(away, np.maximum(np.maximum(span.start_s - times, times - span.end_s + 1e-6), 0.0))
    return Scores(times, np.where(away == 0, 1.0, np.clip(0.4 - 0.01 * away, 0.0, None)), "evidence")


ANNOTATOR = SamplePlans
