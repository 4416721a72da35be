"""`text_conditioned_balanced_tokens` (B-VLLM): the frames that fit a query best, near duplicates merged, tokens capped exactly.

Two frames are merged when (cosine + 1) / 2 exceeds 0.75 (the default of `bvlm/model/merge.py`, 32 frames by the training
script); the better scored one stays. With likenesses that are no cosines (hashes, patches) the likeness itself is compared.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from .grids import fps_grid
from .likeness import Likeness, VectorLikeness
from .plan import Inputs, Plan
from .policy import PolicyParams, frame_cost, planned
from .tokens import dealt


class TextConditionedParams(PolicyParams):
    """Parameters of text_conditioned_balanced_tokens."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage that are scored.")
    frames: int = Field(32, ge=1, description="Frames at most.")
    merge_above: float = Field(0.75, ge=0, le=1, description="Frames more alike than this are merged.")


def text_conditioned_balanced_tokens(inputs: Inputs, params: TextConditionedParams) -> Plan:
    """The best frames of a query, each unlike all better ones, in order of time; tokens are cut evenly to the budget.

    Of equal scores the earlier frame wins. Where the budget is below one token a frame, the worst scored are dropped.
    """
    name = "text_conditioned_balanced_tokens"
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    scores = inputs.scored(name).at(inputs.times_s[grid])
    looks = inputs.looks(inputs.times_s[grid], name)
    most = min(params.frames, params.budget_tokens or params.frames)
    kept: list[int] = []
    merged = 0
    for i in np.argsort(-scores.round(9), kind="stable").tolist():
        if len(kept) == most:
            break
        if any(_alike(looks, i, j) > params.merge_above for j in kept):
            merged += 1
        else:
            kept.append(i)
    full = frame_cost(inputs, params, len(kept)).tokens
    total = min(sum(full), params.budget_tokens or sum(full))
    shares = dict(zip(kept, _shared(full, total), strict=True))
    kept.sort()
    return planned(
        inputs,
        params,
        grid[kept],
        roles="key",
        tokens=[shares[i] for i in kept],
        attributes={
            "query": inputs.scored(name).name,
            "scores": [round(float(scores[i]), 6) for i in kept],
            "merged": merged,
            "compared": looks.model,
        },
    )


def _alike(looks: Likeness, i: int, j: int) -> float:
    if isinstance(looks, VectorLikeness):
        return float((looks.vectors[i] @ looks.vectors[j] + 1) / 2)
    return looks.between(i, j)


def _shared(full: tuple[int, ...], total: int) -> list[int]:
    """`total` tokens for frames that may have at most `full` each, evenly, the better scored (first) ones more."""
    if total == sum(full):
        return list(full)
    even = dealt(total, len(full))
    if all(a <= b for a, b in zip(even, full, strict=True)):
        return even
    left, shares = total, []
    for place, most in enumerate(full):
        shares.append(min(most, -(-left // (len(full) - place))))
        left -= shares[-1]
    return shares
