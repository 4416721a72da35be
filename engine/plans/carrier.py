"""`frame_carrier_stream` (VideoScan): one token per past frame in a bank of bounded size, the most redundant thrown out.

Frames arrive in order; when the bank is full, the frame that is most like its neighbour in the bank goes, the older of the
two. The log of what was thrown out, why and when, is part of the plan, and the survivors follow from replaying it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from .grids import endpoints, fps_grid
from .likeness import Likeness
from .plan import Inputs, Plan, PlanError
from .policy import PolicyParams, planned


class CarrierParams(PolicyParams):
    """Parameters of frame_carrier_stream."""

    fps: float = Field(1.0, gt=0, description="Frames per second of footage.")
    max_frames: int = Field(3600, ge=1, description="Frames of the stream at most; more are thinned evenly (ours).")
    bank: int = Field(64, ge=1, description="Frames that are kept at most (ours: 64 or 128).")
    carrier_tokens: int = Field(1, ge=1, description="Tokens of a kept frame.")


def frame_carrier_stream(inputs: Inputs, params: CarrierParams) -> Plan:
    """The frames left in the bank at the end; `evictions` lists (frame, evicted when frame, likeness)."""
    bank = params.bank
    if params.budget_tokens is not None:
        bank = min(bank, params.budget_tokens // params.carrier_tokens)
    if bank < 1:
        raise PlanError(f"frame_carrier_stream: {params.budget_tokens} tokens do not hold one carrier")
    grid = fps_grid(inputs.times_s, inputs.start_s, params.fps)
    grid = grid[endpoints(len(grid), params.max_frames)]
    looks = inputs.looks(inputs.times_s[grid], "frame_carrier_stream")
    log = evictions(looks, bank)
    kept = survivors(len(grid), log)
    return planned(
        inputs,
        params,
        grid[kept],
        roles="carrier",
        tokens=[params.carrier_tokens] * len(kept),
        attributes={"bank": bank, "seen": len(grid), "evictions": log, "compared": looks.model},
    )


def evictions(looks: Likeness, bank: int) -> list[dict[str, Any]]:
    """What a bank of this size throws out, in order: {frame, at, likeness}, frames by their place in the stream."""
    held: list[int] = []
    alike: list[float] = []  # of held[k] and held[k + 1]
    log = []
    for i in range(len(looks)):
        if held:
            alike.append(looks.between(held[-1], i))
        held.append(i)
        if len(held) <= bank:
            continue
        k = int(np.argmax(np.round(alike, 9))) if alike else 0
        log.append({"frame": held[k], "at": i, "likeness": round(alike[k], 6) if alike else 1.0})
        del held[k]
        if alike:
            del alike[k]
            if 0 < k < len(held):
                alike[k - 1] = looks.between(held[k - 1], held[k])
    return log


def survivors(seen: int, log: Sequence[Mapping[str, Any]]) -> list[int]:
    """The frames that a replayed log leaves of a stream. Raises ValueError for a log that throws out what is not held."""
    held: dict[int, None] = {}
    steps = {int(entry["at"]): entry for entry in log}
    for i in range(seen):
        held[i] = None
        if i in steps:
            frame = int(steps[i]["frame"])
            if frame not in held:
                raise ValueError(f"frame {frame} is thrown out at frame {i}, but is not in the bank")
            del held[frame]
    return list(held)
