"""From rows to what policies look at: frame times, features, scores and cuts of a span of a medium, and back to rows.

Frame times are `k / fps` at a constant rate, true to the container's tick; at a variable rate they are the times of stored
rows (signals, embeddings or frames), which are true but few. Features come from one producer and one model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...engine.annotator import Params, Rows, SkipUnit
from ...engine.depth_maps import depth_of, pixel_grid
from ...engine.kept import one_producer
from ...engine.plans.likeness import HashLikeness, Likeness, PatchRule, PictureLikeness, VectorLikeness
from ...engine.plans.plan import Inputs, Plan, PlanError, Scores, Times, coverage, standing
from ...engine.plans.policies import POLICIES, configured, make_plan
from ...engine.plans.policy import Policy, PolicyParams
from ...engine.plans.space_aware import SeenPoints
from ...schemas.geometry.camera import camera_of
from ...schemas.ids import derive_id
from ...schemas.span import Span, span_or_none, to_us

Given = str | Mapping[str, Mapping[str, Any] | None]
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "embeddings": ("t_s", "model", "vector"),
    "signals": ("t_s", "phash", "luma"),
    "frames": ("t_s", "frame_set", "jpeg"),
    "clip_scores": ("t_s", "name", "model", "value"),
    "shots": ("start_s", "end_s"),
    "cameras": ("t_s", "width", "height", "fx", "fy", "cx", "cy", "pose"),
    "depths": ("t_s", "png", "unit_m", "model"),
}
"""What is read of tables with many rows."""
MOST_SEEN = 4096
"""Points per picture that are looked at, about."""


class PlanParams(Params):
    """Which plans to make, and from what."""

    plans: tuple[Given, ...] | None = Field(
        None, description="Policies, each a name or `name: {parameters}`; null: all of them at their sources' values."
    )
    features: Literal["auto", "embeddings", "signals", "frames"] = Field(
        "auto", description="What pictures are compared by; auto: embeddings, else signals. frames: patch by patch."
    )
    model: str | None = Field(None, description="Model of the embeddings, where there are several; null: the first.")
    patch_rule: PatchRule = Field(
        "hsv_cosine", description="How patches of frames are compared: as Keye-VL does, or by colour difference (ours)."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.configured()
        return self

    def configured(self) -> tuple[tuple[Policy, PolicyParams], ...]:
        """The policies with their parameters. Raises `PlanError` for unknown names and wrong parameters."""
        if self.plans is None:
            return tuple(configured(name) for name in POLICIES)
        made = []
        for entry in self.plans:
            if isinstance(entry, str):
                made.append(configured(entry))
            elif len(entry) == 1:
                made += [configured(name, params) for name, params in entry.items()]
            else:
                raise PlanError(f"a plan is a name or `name: {{parameters}}`, not {entry!r}")
        return tuple(made)

    def tables(self) -> tuple[str, ...]:
        """Tables of features and scores that the policies look at, and signals for the true times of variable rates."""
        needed = {need for policy, _ in self.configured() for need in policy.needs}
        also = {"token_budget_columns", "memory_propagated_clip_stream"} & {p.name for p, _ in self.configured()}
        looks = ("embeddings", "signals") if self.features == "auto" else (self.features,)
        found = (
            *(looks if "likeness" in needed or also else ()),
            *(("clip_scores",) if "scores" in needed or also else ()),
        )
        space = ("cameras", "depths") if "space" in needed else ()
        return tuple(dict.fromkeys((*found, "signals", *space)))


def inputs_of(
    medium: Mapping[str, Any],
    rows: Rows,
    span: Span | None,
    params: PlanParams,
    *,
    seed: int,
    scores: Scores | None = None,
    evidence: Sequence[Span] = (),
) -> Inputs:
    """What policies may look at of a span (None: all) of a medium.

    `medium` is its row of table `media`. Raises `SkipUnit` for media without pictures, and for those of a variable rate of
    which no row tells true times.
    """
    image = medium["kind"] == "image"
    duration = float(medium["duration_s"] or 0.0)
    if medium["kind"] == "audio" or not medium["width"]:
        raise SkipUnit("no pictures")
    start, end = (span.start_s, span.end_s) if span is not None else (0.0, duration)
    if image:
        start, end, times = 0.0, max(duration, 1e-6), np.zeros(1)
    else:
        times = frame_times(medium, rows)
        times = times[(times >= start - 1e-6) & (times < end)]
        times = np.maximum(times, start)
    likeness = likeness_of(rows, params)
    if likeness is not None:
        near = standing(likeness.times_s, np.array([start, max(start, end - 1e-3)]))
        likeness = likeness.take(np.arange(near[0], near[1] + 1))
    shots = one_producer(rows["shots"])
    cuts = sorted({float(s["start_s"]) for s in shots if start < float(s["start_s"]) < end})
    spatial = any("space" in policy.needs for policy, _ in params.configured())
    return Inputs(
        start, end, times, int(medium["width"]), int(medium["height"]), likeness, scores, tuple(cuts), tuple(evidence),
        image, medium["audio_codec"] is not None, seed, seen_in(rows, start, end) if spatial else None,
    )  # fmt: skip


def frame_times(medium: Mapping[str, Any], rows: Rows) -> Times:
    """Presentation times of a video's frames. Raises `SkipUnit` where nothing tells them."""
    duration, fps = float(medium["duration_s"] or 0.0), float(medium["fps"] or 0.0)
    if not medium["variable_fps"] and fps > 0:
        count = int(medium["frames"] or 0) or int(duration * fps)
        times = np.round(np.arange(count) / fps, 6)
        return times[times < duration]
    told = max(({float(r["t_s"]) for r in rows[t]} for t in ("signals", "frames", "embeddings")), key=len)
    if not told:
        raise SkipUnit("variable frame rate, and no signals, frames or embeddings that tell true frame times")
    return np.array(sorted(told))


def likeness_of(rows: Rows, params: PlanParams) -> Likeness | None:
    """The features that are there, of one producer and model; None without any."""
    for table in ("embeddings", "signals") if params.features == "auto" else (params.features,):
        found = [dict(r) for r in one_producer(rows[table])]
        if table == "embeddings":
            models = sorted({str(r["model"]) for r in found})
            model = params.model if params.model is not None else next(iter(models), None)
            found = _ascending([r for r in found if r["model"] == model])
            if found:
                return VectorLikeness(_times(found), np.array([r["vector"] for r in found], np.float64), str(model))
        elif table == "signals":
            found = _ascending([r for r in found if r["phash"] is not None])
            if found:
                hashes = np.array([r["phash"] for r in found], np.int64)
                return HashLikeness(_times(found), hashes, np.array([r["luma"] or 0.0 for r in found], np.float64))
        else:
            sets = sorted({str(r["frame_set"]) for r in found})
            most = max(sets, key=lambda s: sum(r["frame_set"] == s for r in found), default=None)
            found = _ascending([r for r in found if r["frame_set"] == most])
            if found:
                return PictureLikeness(_times(found), [bytes(r["jpeg"]) for r in found], params.patch_rule)
    return None


def seen_in(rows: Rows, start_s: float, end_s: float) -> SeenPoints | None:
    """Points that pictures of a span see, from depths and cameras of one producer at the same times; None without any.

    Depth and poses of different producers have different units, so the producer of the cameras must have told the depth too.
    """
    held = [r for r in one_producer(rows["cameras"]) if start_s - 1e-6 <= float(r["t_s"]) < end_s]
    posed = {to_us(camera.t_s): camera for camera in map(camera_of, held) if camera is not None}
    teller = held[0]["producer"] if held else None
    told = [r for r in rows["depths"] if r["producer"] == teller and to_us(float(r["t_s"])) in posed]
    models = sorted({str(r["model"]) for r in told})
    clouds: dict[float, np.ndarray] = {}
    for row in (r for r in told if r["model"] == models[0]):
        camera, depth = posed[to_us(float(row["t_s"]))], depth_of(row)
        step = max(1, int(np.ceil(np.sqrt(np.isfinite(depth).sum() / MOST_SEEN))))
        pixels, depth = pixel_grid(depth, camera.width, camera.height)[::step, ::step], depth[::step, ::step]
        known = np.isfinite(depth)
        clouds[camera.t_s] = camera.back_project(pixels[known], depth[known])
    times = sorted(clouds)
    return SeenPoints(np.array(times), tuple(clouds[t] for t in times)) if times else None


def scores_of(rows: Rows, name: str | None) -> Scores | None:
    """The similarity of pictures and a prompt, or the best of all prompts; None where nothing was scored."""
    found = [r for r in one_producer(rows["clip_scores"]) if name in (None, r["name"]) and r["value"] is not None]
    if not found:
        return None
    best: dict[float, float] = {}
    for row in found:
        best[float(row["t_s"])] = max(float(row["value"]), best.get(float(row["t_s"]), -1.0))
    called = name or f"best of {', '.join(sorted({str(r['name']) for r in found}))}"
    times = sorted(best)
    return Scores(np.array(times), np.array([best[t] for t in times]), f"{called} ({found[0]['model']})")


def plan_rows(
    inputs: Inputs, params: PlanParams, scope: str, scope_id: str, spans: Sequence[Span], **also: Any
) -> Iterator[dict[str, Any]]:
    """A row of `sampling_plans` for each policy; one that lacks what it needs has no frames and says so (`left_out`).

    `spans` are what coverage is counted over.
    """
    for policy, settings in params.configured():
        try:
            plan = make_plan(policy, settings, inputs)
        except PlanError as error:
            plan = Plan((), (), settings.budget_tokens, {"left_out": str(error)})
        digest, mark = inputs.digest, policy.params_hash(settings)
        compared = inputs.likeness.model if inputs.likeness is not None and "compared" in plan.attributes else None
        if compared is None and "likeness" in policy.needs and inputs.likeness is not None:
            compared = inputs.likeness.model
        yield {
            "plan_id": derive_id("plan", mark, scope, scope_id, inputs.start_s, inputs.end_s, digest, inputs.seed),
            "policy": policy.name,
            "scope": scope,
            "scope_id": scope_id,
            "start_s": inputs.start_s,
            "end_s": inputs.end_s,
            "params_json": json.dumps(settings.model_dump(mode="json"), sort_keys=True),
            "params_hash": mark,
            "inputs_digest": digest,
            "feature_model": compared,
            "frames": [
                {
                    "t_s": f.t_s,
                    "role": f.role,
                    "segment": f.segment,
                    "width": f.width,
                    "height": f.height,
                    "pool": f.pool,
                    "tokens": f.tokens,
                }
                for f in plan.frames
            ],
            "segments": [{"start_s": s.start_s, "end_s": s.end_s, "frames": s.frames} for s in plan.segments],
            "tokens": plan.tokens,
            "budget_tokens": plan.budget_tokens,
            "coverage": coverage(plan.times_s, spans) if plan.frames else None,
            "attributes_json": json.dumps({**also, **plan.attributes}, sort_keys=True),
        }


def shot_spans(inputs: Inputs) -> list[Span]:
    """The shots of the span; none where no cuts are known."""
    if not inputs.cuts_s:
        return []
    edges = [inputs.start_s, *inputs.cuts_s, inputs.end_s]
    return [s for a, b in pairwise(edges) if (s := span_or_none(a, b)) is not None]


def with_scores(inputs: Inputs, scores: Scores | None) -> Inputs:
    """The same with a query's scores."""
    return replace(inputs, scores=scores)


def _ascending(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per time, in order of time."""
    by_time: dict[float, dict[str, Any]] = {}
    for row in rows:
        by_time.setdefault(float(row["t_s"]), row)
    return [by_time[t] for t in sorted(by_time)]


def _times(rows: Sequence[Mapping[str, Any]]) -> Times:
    return np.array([float(r["t_s"]) for r in rows])
