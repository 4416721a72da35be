"""Policies with two fixed rates: few frames in full beside many cheap ones, the few always among the many.

`dual_rate_frame_plan` serves two encoders (DiST, arXiv 2309.07911: few frames for the spatial one, many for the temporal
one); `slow_fast_cross_attention_plan` a language model that reads pooled fast tokens and attends to slow ones (Slow-Fast
MLLM: 64 or 96 frames, pooled 4 or 6 in time).
"""

from __future__ import annotations

import math

from pydantic import Field

from .grids import endpoints
from .plan import Inputs, Plan, PlanError
from .policy import PolicyParams, frame_cost, planned
from .tokens import Cost, afford, dealt


class DualRateParams(PolicyParams):
    """Parameters of dual_rate_frame_plan."""

    dense_frames: int = Field(32, ge=1, description="Frames of the temporal encoder, evenly spaced.")
    ratio: int = Field(4, ge=1, description="One of so many is shown to the spatial encoder as well.")
    dense_side_px: int | None = Field(None, ge=16, description="Longest side of the others; null: as all.")
    dense_tokens: int = Field(16, ge=0, description="Tokens of a frame that only the temporal encoder sees (ours).")


def dual_rate_frame_plan(inputs: Inputs, params: DualRateParams) -> Plan:
    """Evenly spaced frames, every `ratio`-th of them in full (role slow), the others cheap (role fast)."""

    def tokens_of(count: int) -> list[int]:
        slow = frame_cost(inputs, params, math.ceil(count / params.ratio)).tokens
        return [slow[i // params.ratio] if i % params.ratio == 0 else params.dense_tokens for i in range(count)]

    most = min(params.dense_frames, len(inputs.times_s))
    count = afford(most, params.budget_tokens, lambda n: sum(tokens_of(n)))
    indices = endpoints(len(inputs.times_s), count)
    cost = frame_cost(inputs, params, 1)
    small = _shrunk(cost.width, cost.height, params.dense_side_px)
    roles = ["slow" if i % params.ratio == 0 else "fast" for i in range(len(indices))]
    sizes = [(cost.width, cost.height) if role == "slow" else small for role in roles]
    rates = {"slow_frames": roles.count("slow"), "dense_frames": len(roles), "ratio": params.ratio}
    return planned(inputs, params, indices, roles=roles, tokens=tokens_of(len(indices)), sizes=sizes, attributes=rates)


def _shrunk(width: int, height: int, side: int | None) -> tuple[int, int]:
    if side is None or max(width, height) <= side:
        return width, height
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


class CrossAttentionParams(PolicyParams):
    """Parameters of slow_fast_cross_attention_plan."""

    cost: Cost = Field(Cost(tokens_per_frame=144), description="Tokens of a slow frame (ours).")
    fast_frames: int = Field(128, ge=1, description="Fast frames, evenly spaced.")
    slow_frames: int = Field(64, ge=1, description="Slow frames among them.")
    fast_tokens: int = Field(16, ge=1, description="Tokens of a fast frame before pooling in time (ours).")
    fast_pool: int = Field(4, ge=1, description="Fast frames that share their tokens.")


def slow_fast_cross_attention_plan(inputs: Inputs, params: CrossAttentionParams) -> Plan:
    """Many fast frames pooled in time for the language model, a subset of them in full for cross-attention.

    The model's own context holds `ceil(fast / pool) * fast_tokens`, which are the frames' tokens; what is attended to,
    `slow * tokens`, stands in the attributes. Raises `PlanError` for more slow frames than fast ones.
    """
    if params.slow_frames > params.fast_frames:
        raise PlanError("slow_fast_cross_attention_plan: slow_frames must not exceed fast_frames")

    def total(count: int) -> int:
        return math.ceil(count / params.fast_pool) * params.fast_tokens

    count = afford(min(params.fast_frames, len(inputs.times_s)), params.budget_tokens, total)
    indices = endpoints(len(inputs.times_s), count)
    slow = set(endpoints(len(indices), params.slow_frames).tolist())
    roles = ["slow" if i in slow else "fast" for i in range(len(indices))]
    groups = [len(indices[i : i + params.fast_pool]) for i in range(0, len(indices), params.fast_pool)]
    tokens = [n for group in groups for n in dealt(params.fast_tokens, group)]
    attended = frame_cost(inputs, params, len(slow)).total
    said = {"fast_frames": len(indices), "slow_frames": len(slow), "attended_tokens": attended}
    return planned(inputs, params, indices, roles=roles, tokens=tokens, pools=params.fast_pool, attributes=said)
