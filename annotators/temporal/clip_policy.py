"""How a medium is cut into clips: whole, by shots, by merged shots, or by windows. Pure functions of
spans.

All work on whole microseconds, so that neighbouring clips share their border exactly. Limits on length
hold for every policy: what is too long is cut into equal parts, what is too short gives no clip.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal

from ...schemas.span import Span, from_us, to_us

Tail = Literal["keep", "drop", "shift"]
_NEIGHBOURS_US = 1_000
"""Shots this close follow each other without a gap."""


def shots_of(shots: Iterable[tuple[float, float]], duration_s: float) -> list[Span]:
    """Shots cut at the end of the medium, in order; the whole medium when there are none."""
    end_us = to_us(duration_s)
    cut = sorted((max(0, to_us(a)), min(end_us, to_us(b))) for a, b in shots)
    spans = [_span(a, b) for a, b in cut if a < b]
    return spans or [_span(0, end_us)]


def merged(shots: Sequence[Span], min_length_s: float, max_length_s: float | None) -> list[Span]:
    """Neighbouring shots joined until a clip is at least `min_length_s` long, never beyond `max_length_s`.

    A rest that is too short joins the clip before it when that stays within the limit. No footage is lost.
    """
    short_us, long_us = to_us(min_length_s), None if max_length_s is None else to_us(max_length_s)
    clips: list[tuple[int, int]] = []
    for shot in shots:
        start, end = to_us(shot.start_s), to_us(shot.end_s)
        if clips and clips[-1][1] - clips[-1][0] < short_us and _may_join(clips[-1], (start, end), long_us):
            clips[-1] = (clips[-1][0], end)
        else:
            clips.append((start, end))
    if len(clips) > 1 and clips[-1][1] - clips[-1][0] < short_us and _may_join(clips[-2], clips[-1], long_us):
        clips[-2:] = [(clips[-2][0], clips[-1][1])]
    return [_span(a, b) for a, b in clips]


def windows(duration_s: float, length_s: float, stride_s: float, tail: Tail) -> list[Span]:
    """Windows of `length_s` every `stride_s` from the start.

    What is left at the end: `keep` gives a shorter window, `shift` moves the last window back so that it
    ends with the medium, `drop` gives none. A medium shorter than one window is one clip, except with
    `drop`.
    """
    end, length, stride = to_us(duration_s), to_us(length_s), to_us(stride_s)
    spans = [(a, a + length) for a in range(0, end - length + 1, stride)]
    covered = spans[-1][1] if spans else 0
    if covered < end and tail != "drop":
        start = max(0, end - length) if tail == "shift" else (spans[-1][0] + stride if spans else 0)
        if start < end:
            spans.append((start, end))
    return [_span(a, b) for a, b in spans]


def limited(spans: Iterable[Span], min_length_s: float, max_length_s: float | None) -> list[Span]:
    """Spans longer than `max_length_s` cut into equal parts; what is shorter than `min_length_s` is left
    out.
    """
    kept: list[Span] = []
    for span in spans:
        start, end = to_us(span.start_s), to_us(span.end_s)
        parts = 1 if max_length_s is None else max(1, -(-(end - start) // to_us(max_length_s)))
        edges = [start + (end - start) * i // parts for i in range(parts + 1)]
        kept += [_span(a, b) for a, b in itertools.pairwise(edges) if b - a >= to_us(min_length_s)]
    return kept


def _may_join(first: tuple[int, int], second: tuple[int, int], long_us: int | None) -> bool:
    near = abs(second[0] - first[1]) <= _NEIGHBOURS_US
    return near and (long_us is None or second[1] - first[0] <= long_us)


def _span(start_us: int, end_us: int) -> Span:
    return Span(from_us(start_us), from_us(end_us))
