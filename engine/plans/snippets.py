"""Policies of equal temporal segments: a picture and a stack of flow from each (TS-LSTM), and the curriculum of frames (Frozen in Time)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...schemas.ids import seeded_fraction
from .plan import Indices, Inputs, Plan, PlanError, PlannedFrame, PlannedSegment
from .policy import PolicyParams, frame_cost
from .tokens import afford


class RgbFlowParams(PolicyParams):
    """Parameters of temporal_segment_rgb_flow."""

    segments: int = Field(3, ge=1, description="Equal parts of the span.")
    flow_frames: int = Field(10, ge=1, description="Flow fields of a snippet, between neighbouring frames.")


def temporal_segment_rgb_flow(inputs: Inputs, params: RgbFlowParams) -> Plan:
    """Equal segments, each with one picture (role rgb) and a snippet of neighbouring frames for flow after it.

    Snippets lie in the middle of their segment; a segment with fewer frames has a shorter one. Frames for flow take no
    tokens of a language model. Raises `PlanError` when a segment has no frame.
    """
    parts = _equal_parts(inputs, params.segments, "temporal_segment_rgb_flow")
    chosen: list[tuple[int, int, str]] = []
    for number, part in enumerate(parts):
        length = min(params.flow_frames + 1, len(part))
        first = part[0] + (len(part) - length) // 2
        chosen += [(number, int(first + k), "snippet" if k else "rgb") for k in range(length)]
    fields = [sum(n == number for n, _, _ in chosen) - 1 for number in range(len(parts))]
    return _plan(inputs, params, chosen, len(parts), {"flow_fields": fields}, charged="rgb")


class CurriculumParams(PolicyParams):
    """Parameters of frame_curriculum."""

    stages: tuple[int, ...] = Field((1, 4, 8), min_length=1, description="Frames of each stage of training.")
    stage: int = Field(0, ge=0, description="Which stage, from 0.")
    middle: bool = Field(False, description="The middle frame of each segment, as at test time; else a seeded draw.")


def frame_curriculum(inputs: Inputs, params: CurriculumParams) -> Plan:
    """As many equal segments as the stage has frames, one drawn frame of each; a picture is a video of one frame."""
    if params.stage >= len(params.stages):
        raise PlanError(f"frame_curriculum: stage {params.stage} does not exist; there are {len(params.stages)}")
    wanted = min(params.stages[params.stage], len(inputs.times_s))
    count = afford(wanted, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    parts = _equal_parts(inputs, 1 if inputs.image else count, "frame_curriculum")
    chosen = []
    for number, part in enumerate(parts):
        drawn = 0.5 if params.middle else seeded_fraction("curriculum", inputs.seed, inputs.digest, count, number)
        chosen.append((number, int(part[int(drawn * len(part))]), "frame"))
    return _plan(inputs, params, chosen, len(parts), {"stage": params.stage}, charged="frame")


def _equal_parts(inputs: Inputs, count: int, policy: str) -> list[Indices]:
    """The frames of each of `count` equal parts of the span."""
    edges = _edges(inputs, count)
    firsts = np.searchsorted(inputs.times_s, edges[:-1])
    parts = np.split(np.arange(len(inputs.times_s)), firsts[1:])
    if not all(len(part) for part in parts):
        raise PlanError(f"{policy}: {count} equal segments of {len(inputs.times_s)} frames leave one without a frame")
    return parts


def _edges(inputs: Inputs, count: int) -> NDArray[np.float64]:
    return np.linspace(inputs.start_s, inputs.end_s, count + 1)


def _plan(
    inputs: Inputs,
    params: PolicyParams,
    chosen: list[tuple[int, int, str]],
    count: int,
    attributes: dict[str, object],
    charged: str,
) -> Plan:
    cost = frame_cost(inputs, params, sum(role == charged for _, _, role in chosen))
    if params.budget_tokens is not None and cost.total > params.budget_tokens:
        raise PlanError(f"{len(cost.tokens)} frames take {cost.total} tokens, more than {params.budget_tokens}")
    left = iter(cost.tokens)
    frames = tuple(
        PlannedFrame(
            float(inputs.times_s[i]), role, number, cost.width, cost.height, 1, next(left) if role == charged else 0
        )
        for number, i, role in chosen
    )
    edges = [float(e) for e in _edges(inputs, count)]
    held = [sum(number == k for number, _, _ in chosen) for k in range(count)]
    segments = tuple(PlannedSegment(a, b, n) for a, b, n in zip(edges, edges[1:], held, strict=False))
    return Plan(frames, segments, params.budget_tokens, attributes)
