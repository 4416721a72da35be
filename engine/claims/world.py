"""What is recorded about a medium, in the form that the checkers of claims ask: writing, speech, objects, camera.

One producer's rows of each table, so that two recognisers are never mixed. `certain` says that the rows are the truth (of a
composer or of people) and complete: only then does the absence of something contradict a claim.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...schemas.box import box_or_none
from ...schemas.motion import CAMERA_LABELS
from ...schemas.objects import Placed, placed_track
from ...schemas.readings import Reading, merge_readings
from ...schemas.span import Span, overlap_s, span_or_none
from ..annotator import Rows
from ..captions import told_rows
from ..grounding.localising import Line, Spoken, Written, line
from ..kept import one_producer
from .nouns import colour, vocabulary


@dataclass(frozen=True)
class Thing:
    """A track with its colour, if that is known."""

    placed: Placed
    label: str
    colour: str | None


@dataclass(frozen=True)
class World:
    """What is recorded. A sense without rows is None or empty: nobody looked, or nothing was there."""

    written: Written | None
    written_certain: bool
    spoken: Spoken | None
    spoken_certain: bool
    things: tuple[Thing, ...]
    things_certain: bool
    labels: frozenset[str]
    """Labels that claims may be about; see `nouns.vocabulary`."""
    camera: tuple[tuple[Span, str], ...]
    """Spans in which the camera is known to do something (a label of `schemas.motion.CAMERA_LABELS`)."""
    camera_certain: bool
    aspect: float = 1.0
    """Width / height of the picture."""

    def seen(self, span: Span, slack_s: float = 0.0) -> tuple[Thing, ...]:
        """Things in the picture at some time of the span, widened by `slack_s` on both sides."""
        wide = Span(max(0.0, span.start_s - slack_s), span.end_s + slack_s)
        return tuple(t for t in self.things if overlap_s(t.placed.span, wide) > 0)

    def camera_in(self, span: Span) -> dict[str, float]:
        """Seconds of the span by what the camera does, as far as that is known."""
        found: dict[str, float] = {}
        for when, label in self.camera:
            common = overlap_s(when, span)
            if common > 0:
                found[label] = found.get(label, 0.0) + common
        return found


def world_of(rows: Rows, media: Mapping[str, Any]) -> World:
    """The world of one medium, from the rows of its unit."""
    regions = one_producer(rows["text_regions"])
    words = one_producer(rows["words"])
    speech = one_producer(rows["speech"])
    tracks = one_producer(rows["tracks"])
    boxes = [b for b in rows["boxes"] if tracks and b["producer"] == tracks[0]["producer"]]
    things = tuple(_things(tracks, boxes))
    camera, camera_certain = _camera(rows)
    spoken = sorted(words, key=lambda w: w["position"]) or sorted(speech, key=lambda s: (s["start_s"], s["end_s"]))
    said = [line(r, r["word"] if words else r["text"]) for r in spoken if r["end_s"] > r["start_s"]]
    width, height = media.get("width") or 0, media.get("height") or 0
    return World(
        Written(_lines(regions)) if regions else None,
        bool(regions) and all(_sure(r["confidence"]) for r in regions),
        Spoken(said) if said else None,
        bool(speech) and all(s["origin"] == "composed" for s in speech),
        things,
        bool(tracks) and all(_sure(t["score"]) for t in tracks),
        vocabulary({t.label for t in things}),
        camera,
        camera_certain,
        width / height if width and height else 1.0,
    )


def _things(tracks: Sequence[Mapping[str, Any]], boxes: Sequence[Mapping[str, Any]]) -> list[Thing]:
    by_track: dict[str, list[Mapping[str, Any]]] = {}
    for box in boxes:
        by_track.setdefault(str(box["track_id"]), []).append(box)
    found = []
    for track in sorted(tracks, key=lambda t: (t["start_s"], t["end_s"], t["track_id"])):
        placed = placed_track(track, by_track.get(str(track["track_id"]), []))
        if placed is not None:
            shade = json.loads(track["attributes_json"] or "{}").get("colour")
            found.append(Thing(placed, str(track["label"]).lower(), colour(shade) if isinstance(shade, str) else None))
    return found


def _lines(regions: Sequence[Mapping[str, Any]]) -> list[Line]:
    readings = []
    for r in regions:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is not None and r["end_s"] > r["start_s"]:
            sure = 1.0 if r["confidence"] is None else r["confidence"]
            readings.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, sure))
    return [Line(Span(a.start_s, a.end_s).quantised(), a.text, a.members) for a in merge_readings(readings)]


FOLLOWS = "follows"
"""Camera label of a camera that follows something: it moves, and what it follows stays where it is in the picture."""
_EVENTS = {
    "the camera pans to the left": "pan_left", "the camera pans to the right": "pan_right",
    "the camera whips to the left": "pan_left", "the camera whips to the right": "pan_right",
    "the camera tilts up": "tilt_up", "the camera tilts down": "tilt_down",
    "the camera zooms in": "zoom_in", "the camera zooms out": "zoom_out",
    "the camera rolls clockwise": "roll_cw", "the camera rolls counterclockwise": "roll_ccw",
}  # fmt: skip
"""How a composer's events tell of cameras."""


def _camera(rows: Rows) -> tuple[tuple[tuple[Span, str], ...], bool]:
    """Camera motions: a composer's events where there are any (certain: what is not listed does not happen), else signals."""
    events = one_producer(
        [c for c in told_rows(rows["captions"]) if c["level"] == "event" and c["model"] == "composer"]
    )
    if events:
        return tuple(sorted(_told_camera(events))), True
    signals = sorted(one_producer(rows["signals"]), key=lambda r: r["t_s"])
    found = []
    for row, after in pairwise(signals):
        span = span_or_none(row["t_s"], after["t_s"])
        if span and row["camera"] in CAMERA_LABELS:
            found.append((span, str(row["camera"])))
    return tuple(found), False


def _told_camera(events: Sequence[Mapping[str, Any]]) -> list[tuple[Span, str]]:
    found = []
    for event in events:
        span = span_or_none(event["start_s"], event["end_s"])
        label = _EVENTS.get(str(event["text"]))
        if str(event["text"]).startswith("the camera follows"):
            label = FOLLOWS
        if span and label:
            found.append((span, label))
    return found


def _sure(confidence: float | None) -> bool:
    return confidence is None or confidence >= 1.0
