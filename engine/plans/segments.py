"""`temporal_dynamic_context` (TDC): segments cut at the lowest likenesses of neighbours, a static frame in full, the rest in few tokens.

The rule is a count, not a threshold: the 24 lowest of the neighbours' likenesses end a segment (`Hoar012/TDC-Video:
tdc/cambrian_arch.py`), and up to 25 frames are a segment each. Inside a segment frames are taken in chunks of 8: the first
is static (144 tokens), each other one gets 16.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from .grids import fps_grid, stride
from .plan import Inputs, Plan
from .policy import PolicyParams, planned
from .tokens import afford, audio_tokens


class TdcParams(PolicyParams):
    """Parameters of temporal_dynamic_context."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(224, ge=1, description="Frames at most; more are thinned evenly, cut down.")
    boundaries: int = Field(24, ge=1, description="How many of the lowest likenesses of neighbours end a segment.")
    chunk: int = Field(8, ge=1, description="Frames of which the first is static.")
    static_per: Literal["chunk", "segment"] = Field(
        "chunk", description="A static frame for each chunk, or one for each segment."
    )
    static_tokens: int = Field(144, ge=1, description="Tokens of a static frame.")
    context_tokens: int = Field(16, ge=1, description="Tokens of every other frame.")
    audio_tokens_per_s: float = Field(50 / 8, ge=0, description="Tokens of the sound beside them, 50 for 8 frames.")


def temporal_dynamic_context(inputs: Inputs, params: TdcParams) -> Plan:
    """Segments between the least alike neighbours, ties broken by index; fewer frames where the budget asks for it."""
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)

    def cut(count: int) -> tuple[list[int], list[str]]:
        indices = grid[stride(len(grid), count)]
        firsts = list(range(len(indices)))
        if len(indices) > params.boundaries + 1:
            looks = inputs.looks(inputs.times_s[indices], "temporal_dynamic_context")
            lowest = np.argsort(looks.adjacent().round(9), kind="stable")[: params.boundaries]
            firsts = [0, *sorted((lowest + 1).tolist())]
        roles = []
        for first, past in zip(firsts, [*firsts[1:], len(indices)], strict=True):
            every = params.chunk if params.static_per == "chunk" else past - first
            roles += ["static" if k % every == 0 else "context" for k in range(past - first)]
        return firsts, roles

    def total(count: int) -> int:
        return sum(map(tokens.__getitem__, cut(count)[1]))

    tokens = {"static": params.static_tokens, "context": params.context_tokens}
    count = afford(min(len(grid), params.max_frames), params.budget_tokens, total)
    firsts, roles = cut(count)
    heard = audio_tokens(inputs.length_s, params.audio_tokens_per_s) if inputs.sound else 0
    return planned(
        inputs,
        params,
        grid[stride(len(grid), count)],
        roles=roles,
        firsts=firsts,
        tokens=[tokens[role] for role in roles],
        attributes={"static_frames": roles.count("static"), "audio_tokens": heard},
    )
