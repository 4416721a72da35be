"""Things of one medium with their places, as annotators about space need them: tracks with their boxes, writing with its box,
what the camera does, and where a thing is in words that a model may be shown.

One producer's tracks and boxes only, so that two trackers never mix. Words for places are coarse on purpose (nine parts of
the picture): they say which of two things is meant, and the boxes decide what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..engine.annotator import Rows
from ..engine.claims.world import world_of
from ..engine.kept import one_producer
from ..schemas.facts import Fact
from ..schemas.motion import CameraRule, measured, pool_camera
from ..schemas.objects import Placed, phrase_of, placed_track, with_article
from ..schemas.span import Span, to_us
from ..schemas.triples import CameraOver


def tracks_and_boxes(rows: Rows) -> tuple[list[Mapping[str, Any]], dict[str, list[Mapping[str, Any]]]]:
    """The tracks of one producer in order of time, and the boxes of each by track_id."""
    tracks = sorted(one_producer(rows["tracks"]), key=lambda t: (t["start_s"], t["end_s"], t["track_id"]))
    boxes: dict[str, list[Mapping[str, Any]]] = {str(t["track_id"]): [] for t in tracks}
    for box in rows["boxes"]:
        if tracks and box["producer"] == tracks[0]["producer"] and box["track_id"] in boxes:
            boxes[str(box["track_id"])].append(box)
    return tracks, boxes


def boxes_within(boxes: Iterable[Mapping[str, Any]], span: Span) -> list[Mapping[str, Any]]:
    """The boxes whose time lies in the span, in order of time."""
    low, high = to_us(span.start_s), to_us(span.end_s)
    return sorted((b for b in boxes if low <= to_us(b["t_s"]) < high), key=lambda b: b["t_s"])


def object_facts(tracks: Iterable[Mapping[str, Any]], look: Span) -> list[Fact]:
    """Tracks in order of time as facts obj1, obj2 ...; their spans are those parts that lie in `look`."""
    shown = sorted(tracks, key=lambda t: (t["start_s"], t["end_s"], t["track_id"]))
    found = []
    for number, track in enumerate(shown, start=1):
        span = span_of(track)
        text = with_article(phrase_of(track))
        found.append(Fact(f"obj{number}", "object", "tracks", track, span=span.clamp(look) or span, text=text))
    return found


def placed_fact(fact: Fact, boxes: Iterable[Mapping[str, Any]]) -> Placed | None:
    """The thing that a fact stands for: an object with those of `boxes` that are its own, or writing, which keeps its place.
    None for other facts, and for what has no box.
    """
    if fact.kind == "object":
        return placed_track(fact.row, boxes, fact.name)
    if fact.kind == "text" and fact.box is not None and fact.span is not None and fact.text:
        return Placed(
            fact.name, fact.text, "sign", fact.span, (to_us(fact.span.start_s),), (fact.box,), still=True
        )  # fmt: skip
    return None


def camera_over(rows: Rows, media: Mapping[str, Any], rule: CameraRule) -> CameraOver:
    """What the camera does over a span, a label of `schemas.motion` or `mixed`: by a composer's events where there are any
    (what is not listed does not happen), else pooled from `signals`; None where nothing is known.
    """
    world = world_of(rows, media)
    signals = sorted(one_producer(rows["signals"]), key=lambda s: s["t_s"])

    def over(span: Span) -> str | None:
        if world.camera_certain:
            moving = [
                label for label, seconds in sorted(world.camera_in(span).items()) if seconds > 0 and label != "static"
            ]
            return "static" if not moving else moving[0] if len(moving) == 1 else "mixed"
        motions = measured([s for s in signals if span.contains(s["t_s"])][1:])
        if motions is None:
            return None
        return pool_camera(motions, aspect_of(media), rule).label or "mixed"

    return over


def span_of(row: Mapping[str, Any]) -> Span:
    """`[start_s, end_s)` of a row on the microsecond grid."""
    return Span(row["start_s"], row["end_s"]).quantised()


def aspect_of(media: Mapping[str, Any]) -> float:
    """Width / height of the picture; 1 where it is unknown."""
    return media["width"] / media["height"] if media.get("width") and media.get("height") else 1.0


def layout(things: Iterable[Placed], window: Span) -> str:
    """Where each thing is, in words, one line each: `obj1: red circle, top left, later centre`."""
    lines = []
    for thing in things:
        low, high = to_us(window.start_s), to_us(window.end_s)
        seen = [box for t, box in zip(thing.times, thing.boxes, strict=True) if thing.still or low <= t < high]
        if not seen:
            continue
        first, last = seen[0].region(), seen[-1].region()
        what = f"the words “{thing.phrase}”" if thing.still else thing.phrase
        lines.append(f"{thing.name}: {what}, {first}" + (f", later {last}" if last != first else ""))
    return "\n".join(lines)
