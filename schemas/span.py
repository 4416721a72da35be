"""Half-open time spans and the integer-microsecond grid that every time of Chronotope lives on.

A span is `[start_s, end_s)` in seconds on the presentation clock of its medium (first presented frame = 0).
Times are kept as float64 seconds; wherever two of them are compared or printed they are first rounded (half
to even) to whole microseconds, so that a time survives text, Parquet and arithmetic unchanged (tested up to 100
days; float64 resolves microseconds for decades).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MICROSECONDS_PER_SECOND = 1_000_000


def to_us(t_s: float) -> int:
    """Seconds to the nearest whole microsecond, half to even. Raises ValueError when not finite."""
    if not math.isfinite(t_s):
        raise ValueError(f"time {t_s!r} is not finite; give seconds as an ordinary number")
    return round(t_s * MICROSECONDS_PER_SECOND)


def from_us(t_us: int) -> float:
    """Whole microseconds to the nearest float64 seconds; `to_us` restores the integer."""
    return t_us / MICROSECONDS_PER_SECOND


def seconds_text(t_s: float) -> str:
    """Shortest decimal text that restores the integer microsecond: `12.4`, `3`, `0.000001`."""
    t_us = to_us(t_s)
    whole, fraction = divmod(abs(t_us), MICROSECONDS_PER_SECOND)
    text = f"{whole}.{fraction:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if t_us < 0 else text


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open span `[start_s, end_s)` in seconds. Sorts by start, then end.

    Raises ValueError unless both are finite and 0 <= start_s < end_s.
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise ValueError(f"span {self.start_s!r}..{self.end_s!r} s is not finite")
        if not 0 <= self.start_s < self.end_s:
            raise ValueError(
                f"span {self.start_s!r}..{self.end_s!r} s must satisfy 0 <= start_s < end_s; "
                "use span_or_none() for spans that may be empty or reversed"
            )

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def centre_s(self) -> float:
        return self.start_s + self.length_s / 2

    def contains(self, t_s: float) -> bool:
        """True when `start_s <= t_s < end_s`."""
        return self.start_s <= t_s < self.end_s

    def contains_span(self, other: Span) -> bool:
        """True when no part of `other` lies outside, compared in whole microseconds."""
        return to_us(self.start_s) <= to_us(other.start_s) and to_us(other.end_s) <= to_us(self.end_s)

    def intersection(self, other: Span) -> Span | None:
        """The common part, or None when there is none (touching spans share nothing)."""
        return span_or_none(max(self.start_s, other.start_s), min(self.end_s, other.end_s))

    def shift(self, by_s: float) -> Span:
        """The span moved by `by_s` seconds; raises ValueError when it would start before 0."""
        return Span(self.start_s + by_s, self.end_s + by_s)

    def clamp(self, window: Span) -> Span | None:
        """The part inside `window`, or None; the same as `intersection`, named for the reader."""
        return self.intersection(window)

    def quantised(self) -> Span:
        """Both ends on the microsecond grid; raises ValueError when that leaves nothing."""
        return Span(from_us(to_us(self.start_s)), from_us(to_us(self.end_s)))


def span_or_none(start_s: float, end_s: float) -> Span | None:
    """`Span(start_s, end_s)`, or None when that is no span: for clipped spans and for what a model said."""
    if math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s:
        return Span(start_s, end_s)
    return None


def overlap_s(a: Span, b: Span) -> float:
    """Length of the common part in seconds, 0 when there is none."""
    return max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))


def tiou(a: Span, b: Span) -> float:
    """Temporal intersection over union, 0..1."""
    common_s = overlap_s(a, b)
    return common_s / (a.length_s + b.length_s - common_s)


def iop(predicted: Span, truth: Span) -> float:
    """Intersection over prediction (NExT-GQA): the share of `predicted` that lies in `truth`, 0..1."""
    return overlap_s(predicted, truth) / predicted.length_s


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same set of times as sorted, disjoint spans; overlapping and touching spans become one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_s <= merged[-1].end_s:
            merged[-1] = Span(merged[-1].start_s, max(merged[-1].end_s, span.end_s))
        else:
            merged.append(span)
    return tuple(merged)


def union_length_s(spans: Iterable[Span]) -> float:
    """Seconds covered by at least one of the spans."""
    return math.fsum(span.length_s for span in merge(spans))


def intersection_of_sets(a: Iterable[Span], b: Iterable[Span]) -> tuple[Span, ...]:
    """The times covered by both sets, as sorted disjoint spans."""
    left, right = merge(a), merge(b)
    common: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        part = left[i].intersection(right[j])
        if part is not None:
            common.append(part)
        if left[i].end_s <= right[j].end_s:
            i += 1
        else:
            j += 1
    return tuple(common)


def tiou_sets(a: Iterable[Span], b: Iterable[Span]) -> float:
    """tIoU of two sets of spans: each merged into disjoint spans, then |A n B| / |A u B|; 0 when both are
    empty.
    """
    left, right = merge(a), merge(b)
    union_s = union_length_s((*left, *right))
    return min(1.0, union_length_s(intersection_of_sets(left, right)) / union_s) if union_s > 0 else 0.0
