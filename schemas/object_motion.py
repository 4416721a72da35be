"""What a track does in the picture, from its boxes: it moves one way, stays still, appears or disappears.

All of it is about the picture: under a moving camera things that stand still move through it, so whoever says that a thing
itself moves has to know that the camera stands still. What begins or ends together with other tracks, or near a clip's
end, neither appears nor disappears: that is what cuts and dissolves look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from .objects import Placed
from .span import Span, from_us, to_us

Motion = Literal["moves left", "moves right", "moves up", "moves down", "stays still", "appears", "disappears"]
MOTIONS: tuple[Motion, ...] = get_args(Motion)


class MotionRule(BaseModel):
    """When a track moves one way through the picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_travel: float = Field(0.08, gt=0, description="least way of the centre, in picture heights")
    max_still: float = Field(0.02, gt=0, description="greatest way of something that stays still, in picture heights")
    max_across: float = Field(0.25, ge=0, description="greatest way across, as a share of the way along")
    min_forth: float = Field(
        0.9, gt=0.5, le=1, description="least net way as a share of the whole way: no turning back"
    )
    edge_s: float = Field(
        0.6, gt=0, description="least time between a clip's end and what appears or disappears in it, seconds"
    )
    together_s: float = Field(
        0.3, ge=0, description="tracks that begin or end within this time of each other say that the picture changed"
    )


def motion_of(thing: Placed, span: Span, rule: MotionRule, aspect: float = 1.0) -> tuple[Motion | None, str]:
    """Which way it moves through the picture over the span, or None, and why."""
    low, high = to_us(span.start_s), to_us(span.end_s)
    boxes = [box for t, box in zip(thing.times, thing.boxes, strict=True) if low <= t < high]
    if thing.still or len(boxes) < 2:
        return None, "its place is known too seldom"
    centres = [(box.centre[0] * aspect, box.centre[1]) for box in boxes]
    dx, dy = centres[-1][0] - centres[0][0], centres[-1][1] - centres[0][1]
    way = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(centres))
    if way <= rule.max_still:
        return "stays still", f"its centre stays within {way:.3f} picture heights"
    along, across = max(abs(dx), abs(dy)), min(abs(dx), abs(dy))
    if along < rule.min_travel:
        return None, f"it moves by {along:.3f} picture heights only"
    if across > rule.max_across * along or hypot(dx, dy) < rule.min_forth * way:
        return None, "it does not move one way"
    if abs(dx) > abs(dy):
        motion: Motion = "moves right" if dx > 0 else "moves left"
    else:
        motion = "moves down" if dy > 0 else "moves up"
    return motion, f"its centre moves by {along:.2f} picture heights"


def comes_and_goes(thing: Placed, others: Sequence[Placed], clip: Span, rule: MotionRule) -> tuple[Motion, ...]:
    """Whether it appears or disappears inside the clip, alone: well away from the clip's ends, and no other track begins or
    ends with it, which is what a cut or a dissolve looks like.
    """
    found: list[Motion] = []
    starts = [o.span.start_s for o in others if o.name != thing.name]
    ends = [o.span.end_s for o in others if o.name != thing.name]
    at = thing.span.start_s
    if at - clip.start_s >= rule.edge_s and all(abs(s - at) > rule.together_s for s in (*starts, *ends)):
        found.append("appears")
    at = thing.span.end_s
    if clip.end_s - at >= rule.edge_s and all(abs(e - at) > rule.together_s for e in (*ends, *starts)):
        found.append("disappears")
    return tuple(found)


def moment_span(thing: Placed, motion: Motion) -> Span:
    """The span of an appearance or disappearance: between the first, or the last, two known places."""
    if len(thing.times) < 2:
        return thing.span
    pair = thing.times[:2] if motion == "appears" else thing.times[-2:]
    return Span(from_us(pair[0]), from_us(pair[1]))
