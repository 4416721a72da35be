"""The things that a spatial caption may be about: tracks with their boxes and writing with its box, as facts with names.

Names follow from the rows alone (objects by their times, texts likewise), so that they come out the same when a sample is
checked. A thing whose boxes are not among the rows still has its name, but no place: nothing can be said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...schemas.facts import Fact, Facts
from ...schemas.objects import Placed, phrase_of, placed_track
from ...schemas.readings import Appearance, merge_readings, normalised
from ...schemas.span import Span, from_us, overlap_s, to_us
from ..placed_things import boxes_within, object_facts, placed_fact
from .common import RowDict, span_of
from .sight import readings_of

STEADY = 0.7
"""Least share of the hull of all its readings that each reading of a text fills, if the text is to stand still."""


@dataclass(frozen=True)
class SpatialScene:
    """Things of a window, in the rows that show them."""

    look: Span
    """Time whose boxes count: the window, or what is around the moment of a still."""
    tracks: tuple[RowDict, ...]
    boxes: tuple[RowDict, ...]
    regions: tuple[RowDict, ...]
    facts: Facts
    things: Mapping[str, Placed]

    def boxes_of(self, names: Iterable[str]) -> list[RowDict]:
        """The boxes of the named objects."""
        wanted = {self.things[name].track_id for name in names}
        return [b for b in self.boxes if b["track_id"] in wanted]


def spatial_scene(
    look: Span, tracks: Iterable[RowDict], boxes: Iterable[RowDict], regions: Sequence[RowDict]
) -> SpatialScene:
    """The scene of the given rows; boxes outside `look` are left out."""
    seen = sorted(boxes_within(boxes, look), key=lambda b: (b["track_id"], b["t_s"]))
    facts = object_facts(tracks, look)
    shown = [fact.row for fact in facts]
    things: dict[str, Placed] = {}
    for fact in facts:
        span, label, track_id = span_of(fact.row), str(fact.row["label"]), str(fact.row["track_id"])
        nowhere = Placed(fact.name, phrase_of(fact.row), label, span, (), (), track_id=track_id)
        things[fact.name] = placed_track(fact.row, seen, fact.name) or nowhere
    by_id = {str(r["row_id"]): r for r in regions}
    for number, text in enumerate(_texts(regions), start=1):
        members = tuple(("text_regions", by_id[m]) for m in text.members)
        span = Span(text.start_s, text.end_s).quantised()
        fact = Fact(
            f"e{number}", "text", "text_regions", members[0][1], span.clamp(look) or span, None, text.text, text.box, members
        )  # fmt: skip
        facts.append(fact)
        placed = placed_fact(fact, ())
        assert placed is not None
        things[fact.name] = placed
    return SpatialScene(look, tuple(shown), tuple(seen), tuple(regions), Facts(facts), things)


def most_shown(
    look: Span, tracks: Iterable[RowDict], regions: Sequence[RowDict], objects: int, texts: int, min_letters: int
) -> tuple[list[RowDict], list[RowDict]]:
    """The tracks, and the readings of the texts, that are in the picture for the longest part of the span."""
    seen = [t for t in tracks if overlap_s(span_of(t), look) > 0]
    seen.sort(key=lambda t: (-overlap_s(span_of(t), look), t["start_s"], t["track_id"]))
    read = [a for a in _texts(regions) if overlap_s(Span(a.start_s, a.end_s), look) > 0]
    read = [a for a in read if len(normalised(a.text)) >= min_letters]
    read.sort(key=lambda a: (-overlap_s(Span(a.start_s, a.end_s), look), a.start_s, a.text))
    members = {m for a in read[:texts] for m in a.members}
    return seen[:objects], [r for r in regions if r["row_id"] in members]


def busiest(times: Sequence[float], things: Iterable[Placed]) -> float:
    """The time at which most things have a place; among equals that nearest to the middle of the times."""
    middle = (times[0] + times[-1]) / 2
    known = list(things)
    return max(times, key=lambda t: (sum(p.at(t) is not None for p in known), -abs(t - middle), -t))


def box_times(things: Iterable[Placed]) -> list[float]:
    """All times of boxes, in order."""
    return [from_us(t) for t in sorted({t for p in things for t in p.times})]


def around(at_s: float, by_s: float) -> Span:
    """The time around a moment in which boxes are interpolated."""
    return Span(from_us(max(0, to_us(at_s) - to_us(by_s))), from_us(to_us(at_s) + to_us(by_s) + 1))


def _texts(regions: Sequence[RowDict]) -> list[Appearance]:
    """What is written, in order of time; without what moves or grows, whose place at a time is not known."""
    readings = {r.row_id: r for r in readings_of(regions)}
    steady = [
        text
        for text in merge_readings(readings.values())
        if all(readings[m].box.area >= STEADY * text.box.area for m in text.members)
    ]
    return sorted(steady, key=lambda a: (a.start_s, a.end_s, a.text, a.box.edges))
