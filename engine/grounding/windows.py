"""Window policies: which footage a sample shows around its evidence, as pure functions of evidence, medium
and seed.

For grounding the window's length is log-uniform, the evidence covers at most a given share of it and lies
anywhere in it with equal probability, so that neither "in the middle" nor "all of it" is a good guess. All
arithmetic is in whole microseconds: a window contains its evidence exactly and never leaves its bounds, also
after a round trip through text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.ids import seeded_fraction
from ...schemas.span import Span, from_us, to_us


class WindowPolicy(BaseModel):
    """How a grounding task chooses what a sample shows around its evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    length_s: tuple[float, float] = Field(
        default=(10.0, 300.0), description="Least and greatest length, drawn log-uniformly."
    )
    evidence_share_max: float = Field(
        default=0.5, gt=0, le=1, description="Greatest share of the window that is evidence."
    )
    within: Literal["medium", "clip"] = Field(
        default="medium", description="Whether a window may reach beyond the kept clip that holds its evidence."
    )


@dataclass(frozen=True)
class NoWindow:
    """There is no window; `reason` says why."""

    reason: str


def choose_window(
    evidence: Span,
    duration_s: float,
    length_s: tuple[float, float],
    *seed: Any,
    evidence_share_max: float = 0.5,
    bounds: Span | None = None,
) -> Span | NoWindow:
    """A window around `evidence` inside `[0, duration_s)` and inside `bounds`.

    Its length is log-uniform in `length_s` (least, most) as far as the bounds and `evidence_share_max`
    allow; its start is uniform among all starts that keep the evidence inside. `seed` decides both. Times
    are on the microsecond grid. Raises ValueError when `length_s` or the share make no sense.
    """
    least_s, most_s = length_s
    if not (0 < least_s <= most_s and 0 < evidence_share_max <= 1):
        raise ValueError(f"window length {least_s}..{most_s} s or evidence share {evidence_share_max} make no sense")
    low = to_us(bounds.start_s) if bounds else 0
    high = min(to_us(bounds.end_s), to_us(duration_s)) if bounds else to_us(duration_s)
    start, end = to_us(evidence.start_s), to_us(evidence.end_s)
    if end <= start:
        return NoWindow("the evidence is shorter than a microsecond")
    if start < low or end > high:
        return NoWindow("the evidence leaves the footage")
    shortest = max(to_us(least_s), math.ceil((end - start) / evidence_share_max))
    longest = min(to_us(most_s), high - low)
    if shortest > longest:
        if end - start > longest * evidence_share_max:
            most = f"{evidence_share_max:g} of the longest window"
            return NoWindow(f"the evidence ({(end - start) / 1e6:g} s) would fill more than {most}")
        return NoWindow(f"the footage is shorter than {least_s:g} s")
    drawn = shortest * (longest / shortest) ** seeded_fraction("window length", *seed)
    length = min(max(round(drawn), shortest), longest)
    first, last = max(low, end - length), min(start, high - length)
    begin = first + int(seeded_fraction("window start", *seed) * (last - first + 1))
    return Span(from_us(begin), from_us(begin + length))


def window_problems(
    window: Span,
    evidence: Sequence[Span],
    duration_s: float,
    length_s: tuple[float, float],
    *,
    evidence_share_max: float = 1.0,
) -> list[str]:
    """Why `window` is not one that the policy allows: past the end, too short or long, evidence outside or
    too large.

    The same conditions as `choose_window`, for checking; a microsecond of rounding is forgiven.
    """
    found = []
    length = to_us(window.end_s) - to_us(window.start_s)
    if to_us(window.end_s) > to_us(duration_s) + 1:
        found.append(f"the window ends at {window.end_s:g} s, past the end of the footage at {duration_s:g} s")
    if not to_us(length_s[0]) - 1 <= length <= to_us(length_s[1]) + 1:
        found.append(f"the window is {length / 1e6:g} s long, not {length_s[0]:g} to {length_s[1]:g} s")
    for span in evidence:
        if not window.contains_span(span):
            found.append(f"the evidence {span.start_s:g}..{span.end_s:g} s leaves the window")
        elif to_us(span.end_s) - to_us(span.start_s) > length * evidence_share_max + 1:
            found.append(f"the evidence fills more than {evidence_share_max:g} of the window")
    return found


def tile(span: Span, length_s: tuple[float, float]) -> list[Span]:
    """`span` cut into as few equal pieces as the longest length allows; none when they would be shorter than
    the least.

    The pieces touch, lie on the microsecond grid and cover the span exactly.
    """
    least, most = to_us(length_s[0]), to_us(length_s[1])
    start, end = to_us(span.start_s), to_us(span.end_s)
    pieces = max(1, -(-(end - start) // most))
    if (end - start) // pieces < least:
        return []
    edges = [start + (end - start) * i // pieces for i in range(pieces + 1)]
    return [Span(from_us(a), from_us(b)) for a, b in pairwise(edges)]
