"""Times and boxes read from an answer in the language of the package: one answer, or none.

The codecs find numbers (`schemas/timecodec.py`, `schemas/boxcodec.py`); here it is decided whether they are one answer.
Times that stand joined are a span; two times apart from each other are one too ("begins at 3 s and ends at 7 s").
Different spans where one is asked for, three times in a row, a reversed, empty or negative span, a box that is none: no
answer, never the best of them. Seconds and mm:ss are read for each other, relative tokens only as tokens. Times past the
end are cut at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...schemas.box import Box
from ...schemas.boxcodec import BoxCodec, box_codec
from ...schemas.span import Span, to_us
from ...schemas.timecodec import ClockCodec, SecondsCodec, TimeCodec, time_codec

_MINUS = re.compile(r"[-−](?=\.?\d)")
_ENDS_A_TIME = re.compile(r"(?:\d|\d\s?(?:s|secs?|seconds?|m|mins?|minutes?|h)|[)\]\"'>])\.?$", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[(]\s?-?\w[\w.+-]{0,24}\s?(?:,\s?-?\w[\w.+-]{0,24}\s?){3}[\])]")
_TIME_BEFORE = 24  # characters before a minus that are looked at


def times_of(facts: Mapping[str, Any]) -> TimeCodec:
    """The time codec of a record's reward facts."""
    settings = dict(facts["times"])
    return time_codec(settings.pop("codec"), **settings)


def boxes_of(facts: Mapping[str, Any]) -> BoxCodec:
    """The box codec of a record's reward facts."""
    settings = dict(facts["boxes"])
    return box_codec(settings.pop("codec"), **settings)


def read_spans(text: str, codec: TimeCodec, duration_s: float) -> list[Span] | None:
    """All spans that the answer names, sorted and each once; None when it names none, or what is no span."""
    runs = _runs(text, codec, duration_s)
    if runs is None or any(len(run) > 1 and len(run) % 2 for run in runs):
        return None
    times = [t_s for run in runs if len(run) > 1 for t_s in run]
    if not times:
        times = [t_s for run in runs for t_s in run]
    if not times or len(times) % 2:
        return None
    spans = [codec.span_of(start, end, duration_s) for start, end in zip(times[::2], times[1::2], strict=True)]
    found = {(to_us(s.start_s), to_us(s.end_s)): s for s in spans if s is not None}
    return None if None in spans else sorted(found.values())


def read_span(text: str, codec: TimeCodec, duration_s: float) -> Span | None:
    """The one span that the answer names."""
    spans = read_spans(text, codec, duration_s)
    return spans[0] if spans is not None and len(spans) == 1 else None


def names_time(text: str, codec: TimeCodec, duration_s: float) -> bool:
    """Whether any time stands in the answer."""
    return _runs(text, codec, duration_s) != []


def read_box(text: str, codec: BoxCodec) -> Box | None:
    """The one box that the answer names; the same box may stand there again."""
    boxes = codec.find_boxes(text)
    if len(boxes) != len(_BRACKETED.findall(text)):
        return None
    return boxes[0] if len(set(boxes)) == 1 else None


def without_boxes(text: str) -> str:
    """The answer with its boxes taken out, so that their numbers are no times."""
    return _BRACKETED.sub("", text)


def read_track(text: str, times: TimeCodec, boxes: BoxCodec, duration_s: float) -> dict[float, Box] | None:
    """Boxes by their times in seconds: every box stands behind its one time, no time twice."""
    track: dict[float, Box] = {}
    end = 0
    for found in _BRACKETED.finditer(text):
        moments = times.find_moments(text[end : found.start()], duration_s)
        box = read_box(found[0], boxes)
        if len(moments) != 1 or box is None or moments[0] in track:
            return None
        track[moments[0]] = box
        end = found.end()
    return track or None


def read_tube(text: str, times: TimeCodec, boxes: BoxCodec, duration_s: float) -> tuple[Span, dict[float, Box]] | None:
    """A span and boxes by their times. The last time before the first box is the box's; whatever stands before it, or
    behind the last box, names the one span.
    """
    found = list(_BRACKETED.finditer(text))
    if not found:
        return None
    head, tail = text[: found[0].start()], text[found[-1].end() :]
    starts = times.find_starts(head, duration_s)
    if not starts:
        return None
    own = starts[-1]
    span = read_span(f"{head[:own]} {tail}", times, duration_s)
    track = read_track(text[own : found[-1].end()], times, boxes, duration_s)
    return (span, track) if span is not None and track is not None else None


def read_places(text: str, codec: BoxCodec) -> dict[float, Box] | None:
    """Boxes by their places in the list: {0: the first, 1: the second ...}; None when one is no box."""
    boxes = codec.find_boxes(text)
    if not boxes or len(boxes) != len(_BRACKETED.findall(text)):
        return None
    return {float(i): box for i, box in enumerate(boxes)}


def _runs(text: str, codec: TimeCodec, duration_s: float) -> list[list[float]] | None:
    """Times in runs; None when one is negative. Seconds and clock times are read where the package's own are absent."""
    runs = codec.find_runs(text, duration_s)
    if not isinstance(codec, (SecondsCodec, ClockCodec)):
        return runs
    if not runs:
        other = ClockCodec() if isinstance(codec, SecondsCodec) else SecondsCodec()
        runs = other.find_runs(text, duration_s)
    return None if _negative(text) else runs


def _negative(text: str) -> bool:
    """Whether a minus sign stands before a number, and not between two times."""
    return any(
        not _ENDS_A_TIME.search(text[max(0, m.start() - _TIME_BEFORE) : m.start()].rstrip())
        for m in _MINUS.finditer(text)
    )
