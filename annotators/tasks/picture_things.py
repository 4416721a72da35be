"""What stands in one picture: tracked things with their boxes at a moment of a clip, or in an image, and the still that shows it.

A picture is asked about at the moment at which most things have a known place. A thing whose place there lies between two
stored boxes cites both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...schemas.box import Box
from ...schemas.objects import phrase_of
from ...schemas.relations import Relation
from ...schemas.sample import MediumRef
from ...schemas.span import Span, from_us, to_us
from ...schemas.tubes import around_times
from .common import RowDict, Withheld, grid, span_of
from .named_objects import Objects, may_be_called
from .spatial_scene import box_times, busiest

STILL_S = 0.2
"""Window of a still, seconds: the time for which its picture stands at most."""
SAID: dict[Relation, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left side of"),
    "right of": ("to the right of", "right of", "on the right side of"),
    "above": ("above", "higher in the picture than"),
    "below": ("below", "lower in the picture than"),
}
"""How a sentence says a direction; the first is the usual way."""


@dataclass(frozen=True)
class Thing:
    """A thing in a picture."""

    track: RowDict
    box: Box
    rows: tuple[RowDict, ...]
    """The boxes that its place follows from."""

    @property
    def name(self) -> str:
        return phrase_of(self.track)

    @property
    def label(self) -> str:
        return str(self.track["label"])

    @property
    def crowd(self) -> bool:
        """Whether it is many things under one box (COCO's iscrowd)."""
        return bool(json.loads(self.track["attributes_json"] or "{}").get("iscrowd"))


def moments(media: RowDict, clips: Sequence[RowDict], objects: Objects) -> Iterator[tuple[RowDict | None, float]]:
    """(clip, moment) of each picture that may be asked about: one per clip; of an image without clips the image."""
    placed = list(objects.placed.values())
    for clip in clips:
        span = span_of(clip)
        times = [t for t in box_times(placed) if span.contains(t)]
        if times:
            yield clip, grid(busiest(times, placed))
    if not clips and media["kind"] == "image" and placed:
        yield None, 0.0


def things_at(objects: Objects, t_s: float, max_gap_s: float = 1.0) -> list[Thing]:
    """All things whose place at a moment is known, in order of their tracks."""
    found = []
    for track in objects.tracks:
        box = objects.at(track, t_s, max_gap_s)
        if box is not None:
            rows = around_times(objects.boxes[str(track["track_id"])], [t_s])
            found.append(Thing(track, box, tuple(rows)))
    return found


def pair_cited(objects: Objects, t_s: float) -> tuple[Thing, Thing]:
    """The two things whose tracks are cited first. Raises `Withheld` unless both have a place at the moment."""
    found = {str(t.track["track_id"]): t for t in things_at(objects, t_s)}
    pair = [found.get(str(t["track_id"])) for t in objects.tracks[:2]]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        raise Withheld("two things with a place are not cited")
    return pair[0], pair[1]


def picture_ref(media: RowDict, t_s: float, medium: str | None = None) -> MediumRef:
    """The still of a medium at a moment. Raises `Withheld` where the footage ends there."""
    duration_s = media["duration_s"] if media["kind"] != "image" else None
    end = grid(min(t_s + STILL_S, duration_s)) if duration_s else grid(t_s + STILL_S)
    if not t_s < end:
        raise Withheld("the still lies at the very end of its footage")
    return MediumRef(media_id=medium or media["media_id"], kind="image", start_s=t_s, end_s=end)


def instant(t_s: float) -> Span:
    """A moment as the shortest span."""
    return Span(t_s, from_us(to_us(t_s) + 1))


def only_ones(a: Thing, b: Thing, near: Sequence[RowDict]) -> bool:
    """Whether both names mean one thing each among the tracks that are near in time."""
    for thing in (a, b):
        if sum(may_be_called(thing.name, phrase_of(t)) for t in near) != 1:
            return False
    return not may_be_called(a.name, b.name)


def sentence(a: str, relation: Relation, b: str, way: int = 0) -> str:
    """`the red circle is to the left of the blue square`, without a full stop."""
    ways = SAID[relation]
    return f"the {a} is {ways[way % len(ways)]} the {b}"
