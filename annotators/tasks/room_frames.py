"""The frames of a room that a set of questions is asked about: those that together see most of it, by depth and poses.

The choice is `space_aware_sampling`'s (Spatial-MLLM), made before anything is asked, so that a question is only about what these
frames show. It needs depth maps at times of cameras; without them there are no such frames.
"""

from __future__ import annotations

from ...engine.annotator import Rows, SkipUnit
from ...engine.plans.plan import Inputs, PlanError
from ...engine.plans.space_aware import SpaceAwareParams, space_aware_sampling
from ...schemas.span import from_us, to_us
from ..temporal.plan_inputs import seen_in
from .common import RowDict


def covering_times(rows: Rows, media: RowDict, frames: int) -> tuple[float, ...]:
    """Times of at most `frames` frames that see most of the room. Raises `SkipUnit` without depth and poses."""
    seen = seen_in(rows, 0.0, float(media["duration_s"]))
    if seen is None:
        raise SkipUnit("no depth maps at times of cameras to choose frames by")
    shown = Inputs(0.0, float(media["duration_s"]), seen.times_s, int(media["width"]), int(media["height"]), seen=seen)
    try:
        plan = space_aware_sampling(shown, SpaceAwareParams(frames=frames))
    except PlanError as error:
        raise SkipUnit(str(error)) from None
    return tuple(from_us(to_us(t)) for t in plan.times_s)
