"""Policies of fixed chunks of frames: chunks with an index (Mavors), overlapping windows (LRCN), clips with memory (VideoStreaming)."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from ...schemas.span import Span
from .grids import endpoints, fps_grid
from .plan import Inputs, Plan, PlanError, PlannedFrame, tiled
from .policy import PolicyParams, frame_cost, planned
from .tokens import afford, dealt


class ChunkedParams(PolicyParams):
    """Parameters of chunked_multigranular."""

    fps: float = Field(2.0, gt=0, description="Frames per second of footage (ours).")
    max_frames: int = Field(512, ge=1, description="Frames at most; more are thinned evenly (ours).")
    chunk: int = Field(16, ge=1, description="Frames of a chunk.")
    tiles: int = Field(4, ge=1, description="Parts that a picture is cut into, at most; they are shown as frames.")


def chunked_multigranular(inputs: Inputs, params: ChunkedParams) -> Plan:
    """Chunks of a fixed number of frames, the last one padded (`mask`); a picture becomes tiles and itself, as frames.

    Padding has no frames and no tokens here: `padding` says how many frames a trainer repeats.
    """
    if inputs.image:
        return _tiled_picture(inputs, params)
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    most = min(len(grid), params.max_frames)
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    indices = grid[endpoints(len(grid), count)]
    chunks = math.ceil(len(indices) / params.chunk)
    padding = chunks * params.chunk - len(indices)
    said = {
        "chunks": chunks,
        "chunk": params.chunk,
        "padding": padding,
        "mask": [True] * (params.chunk - padding) + [False] * padding,
    }
    firsts = range(0, len(indices), params.chunk)
    return planned(inputs, params, indices, firsts=firsts, attributes=said)


def _tiled_picture(inputs: Inputs, params: ChunkedParams) -> Plan:
    """A grid of tiles as near to squares as the number allows, and the whole picture last, each as a frame."""
    grids = [(c, r) for c in range(1, params.tiles + 1) for r in range(1, params.tiles + 1) if c * r <= params.tiles]
    columns, rows = min(
        grids, key=lambda g: (abs(math.log(inputs.width / g[0] * g[1] / inputs.height)), -g[0] * g[1], g)
    )
    boxes = [
        [round(x / columns, 6), round(y / rows, 6), round((x + 1) / columns, 6), round((y + 1) / rows, 6)]
        for y in range(rows)
        for x in range(columns)
    ]
    pictures = [*boxes, [0.0, 0.0, 1.0, 1.0]] if len(boxes) > 1 else boxes

    def total(count: int) -> int:
        return frame_cost(inputs, params, 1).total * count

    count = afford(len(pictures), params.budget_tokens, total)
    shown = pictures if count == len(pictures) else [[0.0, 0.0, 1.0, 1.0]]
    cost = frame_cost(inputs, params, 1)
    t_s = float(inputs.times_s[0])
    frames = tuple(PlannedFrame(t_s, "still", 0, cost.width, cost.height, 1, cost.total) for _ in shown)
    return Plan(frames, tiled(inputs, [t_s] * len(shown), [0]), params.budget_tokens, {"tiles": shown})


class SlidingParams(PolicyParams):
    """Parameters of sliding_clip_16x8."""

    fps: float | None = Field(None, gt=0, description="Frames per second of footage; null: every frame.")
    length: int = Field(16, ge=1, description="Frames of a clip.")
    stride: int = Field(8, ge=1, description="Frames from one clip to the next.")
    tail: Literal["keep", "drop", "shift"] = Field(
        "drop", description="What is left at the end: a shorter clip, nothing, or a clip shifted back."
    )


def sliding_clip_16x8(inputs: Inputs, params: SlidingParams) -> Plan:
    """Overlapping clips of frames, clip i from frame `stride * i` on; each frame is planned once.

    A span shorter than a clip is one clip, whatever `tail` says.
    """
    if params.stride > params.length:
        raise PlanError("sliding_clip_16x8: stride must not exceed length, or frames between clips are lost")
    n = len(inputs.times_s)
    grid = np.arange(n) if params.fps is None else fps_grid(inputs.times_s, inputs.start_s, params.fps)
    n = afford(len(grid), params.budget_tokens, lambda count: frame_cost(inputs, params, count).total)
    firsts = list(range(0, max(1, n - params.length + 1), params.stride))
    clips = [[first, min(first + params.length, n)] for first in firsts]
    if clips[-1][1] < n:
        follows = firsts[-1] + params.stride
        if params.tail == "keep":
            clips.append([follows, n])
        elif params.tail == "shift":
            clips.append([n - params.length, n])
    past = clips[-1][1]
    said = {"clips": clips, "length": params.length, "stride": params.stride, "left_over": n - past}
    return planned(inputs, params, grid[:past], roles="snippet", attributes=said)


class MemoryParams(PolicyParams):
    """Parameters of memory_propagated_clip_stream."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(256, ge=1, description="Frames at most; more are thinned evenly (ours).")
    clip: int = Field(16, ge=1, description="Frames of a clip.")
    selected: int = Field(4, ge=1, description="Clips whose memory is read for a question (ours).")
    memory_tokens: int = Field(64, ge=1, description="Tokens of a clip's memory, whatever its length (ours).")


def memory_propagated_clip_stream(inputs: Inputs, params: MemoryParams) -> Plan:
    """Clips one after the other with a memory of constant size; a constant number is read for a question (role key).

    Read are the clips with the best scores, the earlier of equals, or evenly spaced ones without scores. Clips that touch
    known evidence stand in `evidence_clips`, for supervision.
    """
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    indices = grid[endpoints(len(grid), params.max_frames)]
    firsts = list(range(0, len(indices), params.clip))
    lengths = [len(indices[i : i + params.clip]) for i in firsts]
    slots = afford(min(params.selected, len(firsts)), params.budget_tokens, lambda n: n * params.memory_tokens)
    values = None if inputs.scores is None else inputs.scores.at(inputs.times_s[indices])
    if values is None:
        chosen = endpoints(len(firsts), slots).tolist()
    else:
        best = np.array([values[i : i + params.clip].max() for i in firsts])
        chosen = np.sort(np.argsort(-best.round(9), kind="stable")[:slots]).tolist()
    tokens = [t for k, n in enumerate(lengths) for t in dealt(params.memory_tokens if k in chosen else 0, n)]
    roles = ["key" if k in chosen else "context" for k, n in enumerate(lengths) for _ in range(n)]
    edges = tiled(inputs, [float(inputs.times_s[i]) for i in indices], firsts)
    said: dict[str, Any] = {
        "selected_clips": chosen,
        "slots": slots,
        "memory_tokens": params.memory_tokens,
        "query": None if inputs.scores is None else inputs.scores.name,
    }
    if inputs.evidence:
        spans = [Span(s.start_s, s.end_s) for s in edges]
        said["evidence_clips"] = [i for i, s in enumerate(spans) if any(s.intersection(e) for e in inputs.evidence)]
    return planned(inputs, params, indices, roles=roles, firsts=firsts, tokens=tokens, attributes=said)
