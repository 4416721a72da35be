"""Texts that were said or shown, as options: those near the asked one in time, and those from elsewhere in the footage.

Both are true of another moment, so neither their wording nor their look gives them away: whoever has to choose must
know when. Proposals come nearest first; whether one is wrong is decided by `falsity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...schemas.span import Span, from_us, to_us
from .vocabulary import ELSEWHERE, NEAR_IN_TIME, Distractor


@dataclass(frozen=True)
class Told:
    """A text with the span in which it is said or shown, and the identifiers of the rows that say so."""

    text: str
    span: Span
    rows: tuple[str, ...] = ()


def gap_s(a: Span, b: Span) -> float:
    """Seconds between two spans; 0 when they touch or overlap. Exact to the microsecond."""
    return from_us(max(0, to_us(b.start_s) - to_us(a.end_s), to_us(a.start_s) - to_us(b.end_s)))


def near_in_time(truth: Told, told: Iterable[Told], min_gap_s: float) -> list[Distractor[Told]]:
    """What else is told, at least `min_gap_s` before or after `truth`; nearest first. The margin is that gap."""
    return _by_gap(truth, told, min_gap_s, NEAR_IN_TIME)


def elsewhere(truth: Told, told: Sequence[Told], window: Span) -> list[Distractor[Told]]:
    """What is told outside `window`, nearest to `truth` first. The margin is the gap to it, seconds."""
    outside = [t for t in told if gap_s(t.span, window) > 0]
    return _by_gap(truth, outside, 0.0, ELSEWHERE)


def _by_gap(truth: Told, told: Iterable[Told], min_gap_s: float, kind: str) -> list[Distractor[Told]]:
    found = [(gap_s(truth.span, t.span), t) for t in told if t != truth]
    found = [(gap, t) for gap, t in found if gap > 0 and to_us(gap) >= to_us(min_gap_s)]
    return [Distractor(t, kind, gap) for gap, t in sorted(found, key=lambda p: (p[0], p[1].span, p[1].text, p[1].rows))]
