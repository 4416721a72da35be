"""`tstar_keyframe_search` (T*, LV-Haystack): search a long video for what a query asks, looking at few of its frames.

Seconds are drawn in rounds of a grid (8 x 8) from a distribution that follows what was found: the best quarter of the drawn
ones spreads `score / (distance + 1)` to five seconds around, a spline through the scores is squashed by a sigmoid, and the
search stops when a score reaches the confidence or a tenth of the seconds (at most 1000) were looked at. Source:
`mll-lab-nu/TStar: TStar/interface_searcher.py`. The scores of an open-vocabulary detector there are the query's scores
here, so that the plan can be made again from stored rows; only the drawn ones are looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...schemas.ids import derive_id
from .grids import fps_grid
from .plan import Inputs, Plan
from .policy import PolicyParams, frame_cost, planned
from .tokens import afford

Floats = NDArray[np.float64]


class TStarParams(PolicyParams):
    """Parameters of tstar_keyframe_search."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage that can be looked at.")
    frames: int = Field(8, ge=1, description="Frames that are returned.")
    round_frames: int = Field(64, ge=1, description="Frames that are looked at in one round (a grid of 8 x 8).")
    confidence: float = Field(0.5, description="A score that ends the search.")
    look_share: float = Field(0.1, gt=0, le=1, description="Share of the frames that may be looked at.")
    most_looks: int = Field(1000, ge=1, description="Frames that may be looked at, at most.")
    spread_s: float = Field(5.0, ge=0, description="How far a good score reaches.")
    spread_share: float = Field(0.25, gt=0, le=1, description="Share of the drawn scores that are spread.")


def tstar_keyframe_search(inputs: Inputs, params: TStarParams) -> Plan:
    """The best frames that a seeded search finds, in order of time; what it looked at stands in the attributes."""
    scored = inputs.scored("tstar_keyframe_search")
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    scores = scored.at(inputs.times_s[grid])
    looks = min(len(grid), params.most_looks, max(params.frames, int(len(grid) * params.look_share)))
    chance = np.random.default_rng(int(derive_id("tstar", inputs.seed, inputs.digest)[:15], 16))
    seen = np.zeros(len(grid), bool)
    belief = np.ones(len(grid))
    rounds = 0
    while seen.sum() < looks:
        weight = np.where(seen, 0.0, belief)
        count = int(min(params.round_frames, looks - seen.sum(), np.count_nonzero(weight)))
        drawn = chance.choice(len(grid), count, replace=False, p=weight / weight.sum())
        seen[drawn] = True
        rounds += 1
        belief = believed(seen, scores, params.spread_share, round(params.spread_s * params.fps))
        if scores[seen].max() >= params.confidence:
            break
    count = afford(min(params.frames, len(grid)), params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    best = np.sort(np.argsort(-belief.round(9), kind="stable")[:count])
    said = {
        "query": scored.name,
        "looked_at": int(seen.sum()),
        "rounds": rounds,
        "found": bool(scores[seen].max() >= params.confidence),
    }
    return planned(inputs, params, grid[best], roles="key", attributes=said)


def believed(seen: NDArray[np.bool_], scores: Floats, share: float, reach: int) -> Floats:
    """float64 [n] > 0: where to look next, and what to return, from the scores of the frames that were seen."""
    from scipy.interpolate import UnivariateSpline

    at = np.flatnonzero(seen)
    known = np.zeros(len(seen))
    known[at] = scores[at]
    best = at[np.argsort(-scores[at], kind="stable")[: max(1, round(len(at) * share))]]
    for i in best:
        low, high = max(0, i - reach), min(len(seen), i + reach + 1)
        near = np.arange(low, high)
        known[near] = np.maximum(known[near], scores[i] / (np.abs(near - i) + 1))
    if len(at) > 3:
        curve = UnivariateSpline(at, scores[at], s=0.5)(np.arange(len(seen)))
        known = np.maximum(known, np.clip(curve, None, scores[at].max()))
    spread = float(known.std()) or 1.0
    return np.asarray(1 / (1 + np.exp(-np.clip((known - known.mean()) / spread, -30, 30))) + 1e-6)
