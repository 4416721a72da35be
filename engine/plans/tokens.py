"""What frames cost: visual tokens by patch arithmetic, by a fixed number, or by a trainer profile; sound by its rate.

`ceil(h / p / m) * ceil(w / p / m) / pool` is the spec's formula (p patch, m merge); profiles (`engine/answering`) restate the
processors of Qwen2.5-VL, LLaVA-Video and LLaMA-Factory, whose frames may share tokens in pairs. All counts are exact
integers; what frames share is dealt out evenly, so that sums stay true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from ..answering.resizing import frame_tokens, resized
from ..answering.trainer_profiles import Profile, load_profile, profile_names
from .plan import PlanError


class Cost(BaseModel):
    """How a frame becomes visual tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_per_frame: int | None = Field(None, ge=1, description="A fixed number; null: by profile or patches.")
    profile: str | None = Field(None, description="Trainer profile whose resizing and patches count.")
    patch_px: int = Field(14, ge=1, description="Side of a patch.")
    merge: int = Field(2, ge=1, description="Patches per token along each side.")
    max_side_px: int | None = Field(None, ge=16, description="Longest side of a frame; never enlarged.")


@dataclass(frozen=True)
class Costed:
    """Frames at their size with the tokens of each, in order."""

    width: int
    height: int
    tokens: tuple[int, ...]

    @property
    def total(self) -> int:
        """Tokens of all."""
        return sum(self.tokens)


def costed(cost: Cost, width: int, height: int, count: int, *, image: bool = False) -> Costed:
    """What `count` frames of `width` x `height` px cost. Raises `PlanError` for a size that the profile refuses."""
    if cost.profile is not None:
        profile = _profile(cost.profile)
        rule = profile.stills if image else profile.video
        try:
            size = resized(width, height, rule.resize, count)
        except ValueError as error:
            raise PlanError(f"profile {cost.profile}: {error}") from None
        dealt = frame_tokens(size.width, size.height, rule.tokens, count)
        return Costed(size.width, size.height, tuple(dealt))
    if cost.max_side_px is not None and max(width, height) > cost.max_side_px:
        scale = cost.max_side_px / max(width, height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    each = cost.tokens_per_frame or patch_tokens(width, height, cost.patch_px, cost.merge)
    return Costed(width, height, (each,) * count)


def _profile(name: str) -> Profile:
    """The profile; shipped ones are read once, a file of one's own may change."""
    return _shipped(name) if name in profile_names() else load_profile(name)


@cache
def _shipped(name: str) -> Profile:
    return load_profile(name)


def patch_tokens(width: int, height: int, patch_px: int = 14, merge: int = 1, pool: int = 1) -> int:
    """Tokens of one picture: patches, merged along each side, `pool` of them sharing one token."""
    rows, columns = (math.ceil(side / patch_px / merge) for side in (height, width))
    return math.ceil(rows * columns / pool)


def audio_tokens(seconds: float, per_second: float) -> int:
    """Tokens of sound at a rate."""
    return math.ceil(round(seconds * per_second, 9))


def dealt(total: int, count: int) -> list[int]:
    """`total` tokens dealt out evenly to `count` frames, the first ones more."""
    return [total // count + (i < total % count) for i in range(count)] if count else []


def afford(most: int, budget: int | None, total: Callable[[int], int]) -> int:
    """The greatest count up to `most` whose `total` stays within the budget. Raises `PlanError` when none does.

    `total` must not fall as the count grows, but for rounding.
    """
    if budget is None or total(most) <= budget:
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if total(middle) <= budget else (low, middle)
    if low == 0:
        raise PlanError(f"one frame takes {total(1)} tokens, more than the budget of {budget}")
    return low
