"""`space_aware_sampling` (Spatial-MLLM): the frames that together see most of a room, from depth and poses of any source.

Cells are a twentieth of the smallest side of the seen cloud; frames are taken greedily by the cells that they add, at most 16 of
128 evenly spaced ones, until nothing new is left; the rest is filled with the frames farthest in time (`sa_sampling.py`; ties,
filling and the recorded coverage are ours). Where evenly spaced frames happen to see more than the greedy ones, they are taken,
so that it never sees less. The source drops the less certain half of VGGT's points; stored depth has no certainty, so the
outermost points are dropped instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...schemas.geometry.cover import cell_edge, cells_seen, greedy_cover
from ...schemas.ids import derive_id
from .grids import endpoints
from .plan import Inputs, Plan, PlanError, Times, standing
from .policy import PolicyParams, frame_cost, planned
from .tokens import afford

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeenPoints:
    """What pictures of a medium see: surface points in one world frame, whatever its unit."""

    times_s: Times
    """float64 [n], ascending."""
    clouds: tuple[Floats, ...]
    """Points [m, 3] of each."""

    @cached_property
    def digest(self) -> str:
        """Digest of all points."""
        parts = [np.ascontiguousarray(c.astype(np.float32)).tobytes() for c in self.clouds]
        return derive_id("seen points", self.times_s.round(6).tobytes(), parts)


class SpaceAwareParams(PolicyParams):
    """Parameters of space_aware_sampling."""

    frames: int = Field(16, ge=1, description="Frames at most.")
    candidates: int = Field(128, ge=1, description="Evenly spaced frames that are weighed at most.")
    parts: int = Field(20, ge=1, description="Cells along the smallest side of what is seen.")
    trim: float = Field(
        0.01, ge=0, lt=0.5, description="Share of points left out at each end of each axis, ours; 0 leaves none out."
    )


def space_aware_sampling(inputs: Inputs, params: SpaceAwareParams) -> Plan:
    """The frames that see most cells. `attributes` say the share of all cells that they see, and that evenly spaced ones would."""
    seen = inputs.seen
    if seen is None or not len(seen.times_s):
        raise PlanError("space_aware_sampling looks at space: it needs depths and cameras of one producer")
    some = endpoints(len(seen.times_s), params.candidates)
    shown = standing(inputs.times_s, seen.times_s[some])
    places, first = np.unique(shown, return_index=True)
    clouds = _trimmed([seen.clouds[some[i]] for i in first], params.trim)
    filled = [c for c in clouds if len(c)]
    if not filled:
        raise PlanError("space_aware_sampling: no depth is known in any of the frames")
    try:
        edge = cell_edge(np.concatenate(filled), params.parts)
    except ValueError as error:
        raise PlanError(f"space_aware_sampling: {error}") from None
    keys = cells_seen(clouds, edge)
    most = min(params.frames, len(places))
    count = afford(most, params.budget_tokens, lambda n: frame_cost(inputs, params, n).total)
    cover = greedy_cover(keys, count, [float(t) for t in inputs.times_s[places]])
    even = endpoints(len(places), count)
    evenly = _share(keys, even.tolist(), cover.total)
    chosen = list(cover.frames) if cover.share >= evenly else even.tolist()
    return planned(
        inputs,
        params,
        places[chosen],
        attributes={
            "space_coverage": round(max(cover.share, evenly), 6),
            "even_coverage": round(evenly, 6),
            "filled": count - len(cover.greedy) if cover.share >= evenly else 0,
            "greedy": bool(cover.share >= evenly),
            "cells": cover.total,
            "cell_edge": float(f"{edge:.6g}"),
            "candidates": len(places),
        },
    )


def _trimmed(clouds: Sequence[Floats], share: float) -> list[Floats]:
    """The clouds without what lies outside the quantiles of all of them along any axis."""
    filled = [c for c in clouds if len(c)]
    if not filled or share == 0:
        return list(clouds)
    low, high = np.quantile(np.concatenate(filled), (share, 1 - share), axis=0)
    return [c[((c >= low) & (c <= high)).all(axis=1)] for c in clouds]


def _share(keys: Sequence[NDArray[np.int64]], frames: Sequence[int], total: int) -> float:
    """Share of `total` cells that some frames see."""
    return len(np.unique(np.concatenate([keys[i] for i in frames]))) / total if total else 1.0
