"""Objects of the picture as pure values: what a track is called, and where it is at any time of its span.

Between two stored boxes that follow closely the place is interpolated linearly, edge by edge; over a longer gap it is
unknown. A text that stands in the picture is an object as well, with one box for its whole time.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .box import Box, box_or_none
from .span import Span, from_us, to_us

MAX_GAP_S = 1.0
"""Longest time between two boxes of a track over which its place is interpolated."""


def phrase_of(track: Mapping[str, Any]) -> str:
    """How a sentence calls a row of `tracks`, without an article: its phrase, else its attributes and its label. The attribute
    `track` is the source's identifier (imported tables), no word.
    """
    if track.get("phrase"):
        return str(track["phrase"])
    attributes = json.loads(track.get("attributes_json") or "{}")
    words = [v for name, v in sorted(attributes.items()) if name != "track" and isinstance(v, str) and v]
    return " ".join((*words, str(track["label"])))


def with_article(phrase: str) -> str:
    """`a red circle`, `an orange star`."""
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


@dataclass(frozen=True)
class Placed:
    """An object and its places: `times` in order (integer microseconds on the source clock), one box each."""

    name: str
    """How it is cited: obj1, e4 ..., or its track_id."""
    phrase: str
    """How a sentence calls it, without an article; of a text the quoted text."""
    label: str
    span: Span
    times: tuple[int, ...]
    boxes: tuple[Box, ...]
    still: bool = False
    """Whether the one box holds for the whole span (writing)."""
    track_id: str = ""
    """The track that it is; "" for writing."""
    depths: tuple[float | None, ...] = ()
    """How far it is at each of `times`, metres or units of the scene; None, or no tuple at all, where that is unknown."""

    def at(self, t_s: float, max_gap_s: float = MAX_GAP_S) -> Box | None:
        """Its box at a time; None where it is not known to be."""
        t = to_us(t_s)
        if self.still:
            return self.boxes[0] if self.span.contains(from_us(t)) else None
        i = bisect_left(self.times, t)
        if i < len(self.times) and self.times[i] == t:
            return self.boxes[i]
        if i == 0 or i == len(self.times) or self.times[i] - self.times[i - 1] > to_us(max_gap_s):
            return None
        share = (t - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        before, after = self.boxes[i - 1].edges, self.boxes[i].edges
        return box_or_none(*(a + share * (b - a) for a, b in zip(before, after, strict=True)))

    def depth_at(self, t_s: float, max_gap_s: float = MAX_GAP_S) -> float | None:
        """How far it is at a time; None where that is unknown, at the time or at one of the times around it."""
        t = to_us(t_s)
        i = bisect_left(self.times, t)
        if not self.depths or i == len(self.times):
            return None
        if self.times[i] == t:
            return self.depths[i]
        if i == 0 or self.times[i] - self.times[i - 1] > to_us(max_gap_s):
            return None
        before, after = self.depths[i - 1], self.depths[i]
        share = (t - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        return None if before is None or after is None else before + share * (after - before)


def object_of(track: Mapping[str, Any]) -> str:
    """The object that a track shows: the track stands for itself where no other is named."""
    return str(track["object_id"] or track["track_id"])


def placed_track(track: Mapping[str, Any], boxes: Iterable[Mapping[str, Any]], name: str = "") -> Placed | None:
    """The object of a row of `tracks`, from those of `boxes` that are its own; None when it has no box."""
    mine = sorted((b for b in boxes if b["track_id"] == track["track_id"]), key=lambda b: b["t_s"])
    known = [(to_us(b["t_s"]), box_or_none(b["x1"], b["y1"], b["x2"], b["y2"]), b.get("depth_m")) for b in mine]
    seen = [(t, box, depth) for t, box, depth in known if box is not None]
    if not seen:
        return None
    span = Span(track["start_s"], track["end_s"]).quantised()
    times, places, depths = zip(*seen, strict=True)
    track_id = str(track["track_id"])
    return Placed(
        name or track_id, phrase_of(track), str(track["label"]), span, times, places, track_id=track_id, depths=depths
    )


def common_times(a: Placed, b: Placed, span: Span, step_s: float = 0.2) -> tuple[float, ...]:
    """Times of the span at which both may be compared: those of their boxes, or every `step_s` where both stand still."""
    low, high = to_us(span.start_s), to_us(span.end_s)
    if a.still and b.still:
        both = a.span.intersection(b.span)
        both = both.intersection(span) if both else None
        if both is None:
            return ()
        return tuple(from_us(t) for t in range(to_us(both.start_s), to_us(both.end_s), to_us(step_s)))
    stored = {t for one in (a, b) if not one.still for t in one.times if low <= t < high}
    return tuple(from_us(t) for t in sorted(stored))
