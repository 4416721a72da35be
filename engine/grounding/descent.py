"""From the whole to a leaf: the way a search takes that always goes on with the part that shows most of what is looked for.

A window has three parts of half its length: the first half, the middle, the second half. Because they overlap, what fits into a
quarter of a window lies wholly in one of them, so the way always ends in a leaf whose tIoU with the event is at least 0.5, after
at most `log2(whole / leaf)` levels, three windows each. Pure arithmetic on the microsecond grid.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...schemas.span import Span, from_us, overlap_s, tiou, to_us

LEAF_TIOU = 0.5
"""tIoU with the event from which a window is a leaf."""


@dataclass(frozen=True, slots=True)
class Level:
    """A window on the way, its parts, and the one to go on with."""

    window: Span
    parts: tuple[Span, ...]
    best: Span


def parts_of(window: Span) -> tuple[Span, ...]:
    """First half, middle and second half; none of a window shorter than four microseconds."""
    start, end = to_us(window.start_s), to_us(window.end_s)
    half, quarter = (end - start) // 2, (end - start) // 4
    if quarter == 0:
        return ()
    ends = ((start, start + half), (start + quarter, start + quarter + half), (end - half, end))
    return tuple(Span(from_us(a), from_us(b)) for a, b in ends)


def descent(whole: Span, event: Span, least: float = LEAF_TIOU) -> tuple[Level, ...]:
    """The levels from `whole`, which holds `event`, to a leaf (the last `best`); none when `whole` is one.

    The best part shows most of the event; of equals the one that it fills most evenly.
    """
    found: list[Level] = []
    window = whole
    while tiou(window, event) < least:
        parts = parts_of(window)
        best = max(parts, key=lambda p: (overlap_s(p, event), -abs(p.centre_s - event.centre_s)), default=None)
        if best is None or overlap_s(best, event) <= 0:
            break
        found.append(Level(window, parts, best))
        window = best
    return tuple(found)
