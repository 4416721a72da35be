"""Policies that look at nothing: evenly spaced frames, a rate, the middle of each shot, and frames with their printed times."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field

from .grids import SAMPLERS, Sampler, endpoints, fps_grid
from .plan import Inputs, Plan, PlanError
from .policy import PolicyParams, frame_cost, planned
from .tokens import afford


class UniformParams(PolicyParams):
    """Parameters of uniform."""

    frames: int = Field(32, ge=1, description="Frames at most.")
    sampler: Sampler = Field("endpoints", description="endpoints: rounded linspace; stride: cut down; bin_centre.")


def uniform(inputs: Inputs, params: UniformParams) -> Plan:
    """Evenly spaced frames, fewer where the budget asks for it."""
    most = min(params.frames, len(inputs.times_s))
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    indices = SAMPLERS[params.sampler](len(inputs.times_s), count)
    return planned(inputs, params, indices, attributes={"sampler": params.sampler})


class FpsParams(PolicyParams):
    """Parameters of fps."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int | None = Field(None, ge=1, description="Frames at most; more are thinned evenly. null: no limit.")


def fps(inputs: Inputs, params: FpsParams) -> Plan:
    """The first frame at or after each multiple of 1/fps; thinned evenly where they are too many or too dear."""
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    most = min(len(grid), params.max_frames or len(grid))
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    return planned(inputs, params, grid[endpoints(len(grid), count)])


class KeyframeParams(PolicyParams):
    """Parameters of keyframe."""

    of: Literal["shot", "span"] = Field("shot", description="The middle frame of each shot, or of the whole span.")
    max_frames: int | None = Field(None, ge=1, description="Frames at most; more are thinned evenly. null: no limit.")


def keyframe(inputs: Inputs, params: KeyframeParams) -> Plan:
    """The frame that stands in the middle of each shot, or of the span; shots thinned evenly where they are too many."""
    edges = [inputs.start_s, *(inputs.cuts_s if params.of == "shot" else ()), inputs.end_s]
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    places = np.unique(np.searchsorted(inputs.times_s, np.array(middles) + 1e-4, side="right").clip(min=1) - 1)
    most = min(len(places), params.max_frames or len(places))
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    return planned(inputs, params, places[endpoints(len(places), count)], roles="key")


class TimestampParams(FpsParams):
    """Parameters of interleaved_timestamps."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    decimals: int = Field(1, ge=0, le=6, description="Digits behind the point; more where they are too coarse.")
    text: str = Field("{t}s", description="What stands before a frame, with {t}.")


def interleaved_timestamps(inputs: Inputs, params: TimestampParams) -> Plan:
    """Frames at a rate, each with its printed time, true to half a frame: digits are added until that holds."""
    if "{t}" not in params.text:
        raise PlanError(f"interleaved_timestamps: text {params.text!r} has no {{t}}")
    plan = fps(inputs, params)
    half = 0.5 / inputs.fps
    decimals = next((d for d in range(params.decimals, 7) if 0.5 * 10.0**-d <= half), 6)
    texts = [params.text.replace("{t}", f"{t:.{decimals}f}") for t in plan.times_s]
    worst = max(abs(float(f"{t:.{decimals}f}") - t) for t in plan.times_s)
    said = {"timestamps": texts, "decimals": decimals, "greatest_error_s": round(worst, 6), "half_frame_s": half}
    if math.isfinite(half) and worst > half + 1e-9:
        raise PlanError(f"interleaved_timestamps: a printed time is {worst:g} s off, more than half a frame")
    return Plan(plan.frames, plan.segments, plan.budget_tokens, said)
