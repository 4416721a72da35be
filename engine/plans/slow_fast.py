"""`slow_fast_similarity` (Keye-VL 1.5): a frame that is unlike the last slow one is slow, the others are fast and cheap.

Comparing with the last slow frame, not with the one before, also catches a slow drift. The tokens of a slow frame are found
by binary search so that slow and fast frames together keep to the budget. Sources: the technical report (95% likeness, fast
at 30%), `keye-vl-utils` and the public processors (0.90, 2 fps, 65,536 tokens in all, at most 768 a frame).
"""

from __future__ import annotations

from pydantic import Field

from .grids import endpoints, fps_grid
from .plan import Inputs, Plan, PlanError
from .policy import PolicyParams, planned
from .tokens import costed


class SlowFastParams(PolicyParams):
    """Parameters of slow_fast_similarity."""

    budget_tokens: int = Field(65536, ge=1, description="Visual tokens at most.")
    fps: float = Field(2.0, gt=0, description="Frames per second of footage that are looked at.")
    max_frames: int = Field(1024, ge=1, description="Frames at most; more are thinned evenly (ours).")
    threshold: float = Field(
        0.95, gt=0, le=1, description="Less like the last slow frame than this is slow; 0.90 in code."
    )
    fast_share: float = Field(0.3, gt=0, le=1, description="Tokens of a fast frame as a share of a slow one's.")
    min_fast_tokens: int = Field(4, ge=1, description="Tokens of a fast frame at least (ours).")
    max_frame_tokens: int = Field(768, ge=1, description="Tokens of a slow frame at most.")
    min_frame_tokens: int = Field(16, ge=1, description="Tokens of a slow frame at least (ours).")


def slow_fast_similarity(inputs: Inputs, params: SlowFastParams) -> Plan:
    """Slow and fast frames at a rate; each slow frame opens a segment. Thinned evenly where the budget is too small."""
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    count = min(len(grid), params.max_frames)
    looks = inputs.looks(inputs.times_s[grid], "slow_fast_similarity")
    while True:
        kept = endpoints(len(grid), count)
        some = looks.take(kept)
        slow = [0]
        for i in range(1, len(some)):
            if some.between(slow[-1], i) < params.threshold:
                slow.append(i)
        each = _most(len(slow), len(kept) - len(slow), params, _dearest(inputs, params))
        if each is not None:
            break
        if count == 1:
            raise PlanError(
                f"slow_fast_similarity: the budget of {params.budget_tokens} tokens does not hold one frame"
            )
        count //= 2
    fast = _fast(each, params)
    opens = set(slow)
    slow_size = _size(inputs, params, each)
    fast_size = _size(inputs, params, fast)
    return planned(
        inputs,
        params,
        grid[kept],
        roles=["slow" if i in opens else "fast" for i in range(len(kept))],
        firsts=slow,
        tokens=[each if i in opens else fast for i in range(len(kept))],
        sizes=[slow_size if i in opens else fast_size for i in range(len(kept))],
        attributes={
            "frame_types": [0 if i in opens else 1 for i in range(len(kept))],
            "slow_tokens": each,
            "fast_tokens": fast,
            "slow_share": round(len(slow) / len(kept), 6),
            "compared": looks.model,
        },
    )


def _dearest(inputs: Inputs, params: SlowFastParams) -> int:
    """Tokens that a frame has at its full size, within the limits."""
    (full,) = costed(params.cost, inputs.width, inputs.height, 1).tokens
    return max(params.min_frame_tokens, min(full, params.max_frame_tokens))


def _fast(each: int, params: SlowFastParams) -> int:
    return min(each, max(int(params.fast_share * each), params.min_fast_tokens))


def _most(slow: int, fast: int, params: SlowFastParams, most: int) -> int | None:
    """The greatest tokens per slow frame that keep to the budget; None when not even the least do."""

    def fits(each: int) -> bool:
        return slow * each + fast * _fast(each, params) <= params.budget_tokens

    low, high = params.min_frame_tokens, most
    if not fits(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _size(inputs: Inputs, params: SlowFastParams, tokens: int) -> tuple[int, int]:
    """The largest size, in whole merged patches and not enlarged, that has at most these tokens."""
    unit = params.cost.patch_px * params.cost.merge
    scale = min(1.0, (tokens * unit * unit / (inputs.width * inputs.height)) ** 0.5)
    columns, rows = (max(1, int(side * scale / unit + 1e-9)) for side in (inputs.width, inputs.height))
    return columns * unit, rows * unit
