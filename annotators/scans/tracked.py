"""Tracks and boxes of objects that were seen in some of a film's annotated frames: a track ends where its object is not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.ids import derive_id
from ...schemas.span import to_us

Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """One object in one annotated frame."""

    place: int
    """Which annotated frame; neighbours follow each other."""
    t_s: float
    end_s: float
    """When the frame ends."""
    values: Mapping[str, Any]
    """Columns of `boxes`."""


def tracked(object_id: str, seen: Sequence[Seen], about: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    """Rows of `tracks` and of `boxes` of an object, in order of time; `about` are further columns of its tracks."""
    runs: list[list[Seen]] = []
    for sighting in seen:
        if runs and sighting.place == runs[-1][-1].place + 1:
            runs[-1].append(sighting)
        else:
            runs.append([sighting])
    tracks: list[Row] = []
    boxes: list[Row] = []
    for run in runs:
        track_id = derive_id("track", object_id, to_us(run[0].t_s))
        span = {"start_s": run[0].t_s, "end_s": run[-1].end_s}
        tracks.append({"track_id": track_id, **span, "score": 1.0, "object_id": object_id, **about})
        boxes += [{"track_id": track_id, "t_s": s.t_s, **s.values} for s in run]
    return tracks, boxes
