"""Boxes of single pictures become tracks: a Kalman filter per thing and the best assignment by overlap (Norfair).

Each shot is tracked by itself and each label by itself. A track holds the boxes that were detected, none that the filter only
predicts. Method: SORT (A. Bewley et al.) as the library Norfair implements it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...schemas.box import Box, iou


@dataclass(frozen=True)
class Seen:
    """A detection of one picture; `number` counts the pictures of the shot."""

    number: int
    t_s: float
    label: str
    query: str
    box: Box
    score: float


def link(
    pictures: int, seen: Iterable[Seen], least_iou: float, patience: int, high_score: float
) -> list[tuple[Seen, ...]]:
    """Tracks of one shot with `pictures` pictures, each in order of time.

    A box joins a track whose predicted place has at least `least_iou` with it; a track that was not seen for more than `patience`
    pictures ends; detections below `high_score` continue tracks but begin none (as in ByteTrack).
    """
    from norfair import Detection, Tracker

    by_picture: dict[int, list[Seen]] = {}
    for one in seen:
        by_picture.setdefault(one.number, []).append(one)
    # Norfair keeps an object alive while its counter is positive: it falls by one per picture and rises by one more when seen
    tracker = Tracker("iou", 1.0 - least_iou, hit_counter_max=patience + 1, initialization_delay=0, pointwise_hit_counter_max=patience + 1)  # fmt: skip
    grown: dict[int, list[Seen]] = {}
    alive: list[Any] = []
    for number in range(pictures):
        mine = sorted(by_picture.get(number, ()), key=lambda s: (-s.score, s.label, s.box))
        tracker.update([Detection(_corners(s.box), scores=np.full(2, s.score), data=s, label=s.label) for s in mine])
        for thing in tracker.tracked_objects:
            last = thing.last_detection.data
            if last.number != number:
                continue
            if id(thing) not in grown:
                alive.append(thing)  # kept, so that no identifier of an object is given twice
                grown[id(thing)] = []
            grown[id(thing)].append(last)
    found = [tuple(grown[id(thing)]) for thing in alive]
    return [track for track in found if max(s.score for s in track) >= high_score]


def bridged(tracks: Sequence[tuple[Seen, ...]], most_pictures: int, least_iou: float) -> list[tuple[Seen, ...]]:
    """Tracks of one label joined where one ends and another begins at the same place within `most_pictures` pictures."""
    joined: list[tuple[Seen, ...]] = []
    for track in sorted(tracks, key=lambda t: (t[0].number, t[0].label, t[0].box)):
        fitting = [
            k
            for k, other in enumerate(joined)
            if other[-1].label == track[0].label
            and 0 < track[0].number - other[-1].number <= most_pictures
            and iou(other[-1].box, track[0].box) >= least_iou
        ]
        if fitting:
            best = max(fitting, key=lambda k: (iou(joined[k][-1].box, track[0].box), -k))
            joined[best] = (*joined[best], *track)
        else:
            joined.append(track)
    return joined


def _corners(box: Box) -> Any:
    return np.asarray([[box.x1, box.y1], [box.x2, box.y2]], np.float64)
