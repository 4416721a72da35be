"""`density_cubes` (Quicksviewer): a video at 1 fps is cut into cubes where it changes most, every cube with the same tokens.

The change of a frame is taken with momentum, `m_i = 0.8 d_i + 0.2 m_(i-1)`, and the K greatest open a cube, K = max(round(n /
5) - 1, 1); frame 0 always does (`quicksviewer/quicksviewer: multimodal_cubing/cubing_momentum.py`). There the score is
learned; here it is the change itself, and what hardly changes opens nothing, so that a still is one cube.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from .grids import endpoints, fps_grid
from .plan import Inputs, Plan
from .policy import PolicyParams, planned
from .tokens import afford, dealt


class CubesParams(PolicyParams):
    """Parameters of density_cubes."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(420, ge=1, description="Frames at most; more are thinned evenly.")
    frames_per_cube: float = Field(5.0, gt=0, description="Mean frames of a cube, which sets how many there are.")
    max_cubes: int | None = Field(None, ge=1, description="Cubes at most, instead of by frames_per_cube.")
    momentum: float = Field(0.2, ge=0, lt=1, description="Share of the change before that is carried on.")
    min_change: float = Field(0.02, ge=0, le=1, description="Least change, 0..1, that opens a cube (ours).")
    tokens_per_cube: int = Field(64, ge=1, description="Tokens of every cube (ours).")


def density_cubes(inputs: Inputs, params: CubesParams) -> Plan:
    """Cubes that tile the span, opened by the greatest changes; ties broken by index. Tokens are cubes times a constant."""
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    grid = grid[endpoints(len(grid), params.max_frames)]
    n = len(grid)
    unlike = 1 - inputs.looks(inputs.times_s[grid], "density_cubes").adjacent()
    change = carried(unlike, params.momentum)
    most = max(round(n / params.frames_per_cube) - 1, 1) + 1 if params.max_cubes is None else params.max_cubes
    cubes = afford(min(most, n), params.budget_tokens, lambda k: k * params.tokens_per_cube)
    changed = np.flatnonzero(unlike > params.min_change)
    most_changed = changed[np.argsort(-change[changed].round(9), kind="stable")[: cubes - 1]]
    firsts = [0, *sorted((most_changed + 1).tolist())]
    lengths = np.diff([*firsts, n])
    tokens = [t for length in lengths for t in dealt(params.tokens_per_cube, int(length))]
    said = {"cubes": len(firsts), "most_cubes": cubes, "tokens_per_cube": params.tokens_per_cube}
    return planned(inputs, params, grid, roles="cube", firsts=firsts, tokens=tokens, attributes=said)


def carried(unlike: NDArray[np.float64], momentum: float) -> NDArray[np.float64]:
    """float64 [n - 1]: changes of all pictures but the first with momentum; the first change carries none."""
    found = np.array(unlike, np.float64)
    for i in range(1, len(found)):
        found[i] = (1 - momentum) * unlike[i] + momentum * found[i - 1]
    return found
