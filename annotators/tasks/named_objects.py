"""The tracked objects of a medium by the names that a question may call them: who is where, and who else might be meant.

A question names a thing by its phrase (`red circle`). It means one thing only where no other track that could be called the
same is in the picture, or about to be: a tracker, and a composer, begins a track a little after the thing is first seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...engine.annotator import Rows
from ...engine.claims.objects import SLACK_S
from ...schemas.box import Box, iou
from ...schemas.metrics import normalise_words
from ...schemas.objects import Placed, phrase_of, placed_track
from ...schemas.span import Span, from_us, overlap_s, to_us
from ..placed_things import tracks_and_boxes
from .common import RowDict, span_of

TRACK_COLUMNS = ("track_id", "object_id", "start_s", "end_s", "label", "phrase", "attributes_json")
BOX_COLUMNS = ("track_id", "t_s", "x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class Objects:
    """Tracks of one producer in order of time, with their boxes."""

    tracks: tuple[RowDict, ...]
    boxes: Mapping[str, Sequence[RowDict]]

    @cached_property
    def placed(self) -> Mapping[str, Placed]:
        """Every track that has a box, by track_id."""
        found = (
            (str(t["track_id"]), placed_track({**t, "end_s": there(t).end_s}, self.boxes.get(str(t["track_id"]), ())))
            for t in self.tracks
        )
        return {track_id: placed for track_id, placed in found if placed is not None}

    def at(self, track: RowDict, t_s: float, max_gap_s: float = 1.0) -> Box | None:
        """Where a track is at a time; None where that is unknown."""
        placed = self.placed.get(str(track["track_id"]))
        return placed.at(t_s, max_gap_s) if placed else None

    def near(self, span: Span, slack_s: float = SLACK_S) -> list[RowDict]:
        """Tracks that are in the picture during the span, or a little before or after it."""
        look = widened(span, slack_s)
        return [t for t in self.tracks if overlap_s(there(t), look) > 0]


def objects_in(rows: Rows) -> Objects:
    """The objects of the delivered rows."""
    tracks, boxes = tracks_and_boxes(rows)
    return Objects(tuple(tracks), boxes)


def objects_of(tracks: Iterable[RowDict], boxes: Iterable[RowDict]) -> Objects:
    """The objects of cited rows, in the order in which they are cited."""
    found: dict[str, list[RowDict]] = {}
    for box in boxes:
        found.setdefault(str(box["track_id"]), []).append(box)
    return Objects(tuple(tracks), found)


def may_be_called(name: str, other: str) -> bool:
    """Whether a thing of one name could be meant by the other: all words of one stand in the other."""
    a, b = set(normalise_words(name)), set(normalise_words(other))
    return a <= b or b <= a


def same_object(a: RowDict, b: RowDict) -> bool:
    """Whether two tracks are known to show one thing."""
    return bool(a["track_id"] == b["track_id"] or (a["object_id"] and a["object_id"] == b["object_id"]))


def rivals(track: RowDict, others: Iterable[RowDict]) -> list[RowDict]:
    """Those of other things that could be meant by the name of a track."""
    name = phrase_of(track)
    return [o for o in others if not same_object(track, o) and may_be_called(name, phrase_of(o))]


def clear_of(name: str, box: Box, t_s: float, objects: Objects, most_iou: float) -> bool:
    """Whether nothing that could be called `name` stands where `box` is at a time, as far as tracks tell."""
    moment = Span(t_s, from_us(to_us(t_s) + 1))
    for other in objects.near(moment):
        if may_be_called(name, phrase_of(other)):
            place = objects.at(other, t_s)
            if place is None or iou(place, box) > most_iou:
                return False
    return True


def there(track: RowDict) -> Span:
    """When a thing is in the picture; the tracks of an image have no length, and stand for a moment."""
    if track["end_s"] > track["start_s"]:
        return span_of(track)
    return Span(track["start_s"], from_us(to_us(track["start_s"]) + 1))


def widened(span: Span, by_s: float) -> Span:
    """A span with some time before and after it."""
    return Span(from_us(max(0, to_us(span.start_s) - to_us(by_s))), from_us(to_us(span.end_s) + to_us(by_s)))
