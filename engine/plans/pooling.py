"""Policies of fewer tokens for the same frames: pooling in time and space (STORM), fixed tokens and repeated stills (PVC),
and what each kind of compression would cost (the survey's columns)."""

from __future__ import annotations

import math

from pydantic import Field

from .grids import endpoints, fps_grid
from .plan import STILL, Inputs, Plan, PlannedFrame, tiled
from .policy import PolicyParams, frame_cost, planned
from .tokens import Cost, afford, audio_tokens, dealt


class PoolParams(PolicyParams):
    """Parameters of temporal_pool_reduction."""

    frames: int = Field(128, ge=1, description="Dense frames, evenly spaced (ours).")
    pool_t: int = Field(4, ge=1, description="Frames that share their tokens.")
    pool_s: int = Field(1, ge=1, description="Patches that share one token.")
    stride: int = Field(1, ge=1, description="At test time every so many frames only.")


def temporal_pool_reduction(inputs: Inputs, params: PoolParams) -> Plan:
    """Dense frames whose tokens are pooled in time and space; those of the test-time stride have the role slow.

    A group of `pool_t` frames has `ceil(frames / pool_t)` times the pooled tokens of one frame, dealt out to its frames.
    """

    def each(count: int) -> int:
        return math.ceil(frame_cost(inputs, params, count).tokens[0] / params.pool_s)

    def total(count: int) -> int:
        return math.ceil(count / params.pool_t) * each(count)

    count = afford(min(params.frames, len(inputs.times_s)), params.budget_tokens, total)
    indices = endpoints(len(inputs.times_s), count)
    groups = [len(indices[i : i + params.pool_t]) for i in range(0, len(indices), params.pool_t)]
    tokens = [t for group in groups for t in dealt(each(len(indices)), group)]
    tested = math.ceil(len(indices) / params.stride)
    return planned(
        inputs,
        params,
        indices,
        roles=["slow" if i % params.stride == 0 else "context" for i in range(len(indices))],
        tokens=tokens,
        pools=params.pool_t * params.pool_s,
        attributes={"dense_tokens": frame_cost(inputs, params, len(indices)).total, "test_frames": tested,
                    "test_tokens": total(tested)},
    )  # fmt: skip


class StillParams(PolicyParams):
    """Parameters of progressive_static_video."""

    cost: Cost = Field(Cost(tokens_per_frame=64), description="64 tokens a frame.")
    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(96, ge=1, description="Frames at most; more are thinned evenly (ours).")
    repeat: int = Field(4, ge=1, description="How often a picture is repeated.")


def progressive_static_video(inputs: Inputs, params: StillParams) -> Plan:
    """A fixed number of tokens per frame; a picture becomes a video of itself, the same frame `repeat` times."""
    if inputs.image:
        count = afford(params.repeat, params.budget_tokens, lambda n: frame_cost(inputs, params, 1).total * n)
        cost, t_s = frame_cost(inputs, params, 1), float(inputs.times_s[0])
        frames = (PlannedFrame(t_s, STILL, 0, cost.width, cost.height, 1, cost.total),) * count
        return Plan(frames, tiled(inputs, [t_s] * count, [0]), params.budget_tokens, {"repeat": count})
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    most = min(len(grid), params.max_frames)
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    return planned(inputs, params, grid[endpoints(len(grid), count)], attributes={"repeat": 1})


class BudgetParams(PolicyParams):
    """Parameters of token_budget_columns."""

    cost: Cost = Field(Cost(profile="qwen2.5-vl-2fps"), description="What a frame costs.")
    fps: float = Field(2.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(768, ge=1, description="Frames at most; more are thinned evenly.")
    pool_s: int = Field(4, ge=1, description="Transform-based: patches that share one token.")
    merge_above: float = Field(0.9, gt=0, le=1, description="Similarity-based: frames more alike are one.")
    attention_share: float = Field(0.5, gt=0, le=1, description="Attention-based: share of the tokens that are kept.")
    query_tokens: int = Field(32, ge=1, description="Query-based: tokens of each frame.")
    audio_tokens_per_s: float = Field(25.0, ge=0, description="Tokens of a second of sound.")


def token_budget_columns(inputs: Inputs, params: BudgetParams) -> Plan:
    """Dense frames with what they cost (`dense`), and what each kind of compression would leave of that.

    `transform` pools patches, `similarity` keeps a frame only where it is unlike the last kept one, `attention` a share of
    all tokens, `query` a number per frame; `similarity` is null without features, `audio` 0 without sound.
    """
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    most = min(len(grid), params.max_frames)
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    indices = grid[endpoints(len(grid), count)]
    tokens = frame_cost(inputs, params, len(indices)).tokens
    alike = None
    if inputs.likeness is not None:
        looks = inputs.looks(inputs.times_s[indices], "token_budget_columns")
        kept = [0]
        for i in range(1, len(looks)):
            if looks.between(kept[-1], i) <= params.merge_above:
                kept.append(i)
        alike = sum(tokens[i] for i in kept)
    said = {
        "dense": sum(tokens),
        "transform": sum(math.ceil(t / params.pool_s) for t in tokens),
        "similarity": alike,
        "attention": math.ceil(sum(tokens) * params.attention_share),
        "query": sum(min(t, params.query_tokens) for t in tokens),
        "audio": audio_tokens(inputs.length_s, params.audio_tokens_per_s) if inputs.sound else 0,
    }
    return planned(inputs, params, indices, attributes={"tok": said})
