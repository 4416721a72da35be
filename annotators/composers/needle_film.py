"""The film around needles: its edit graph, the rows that are true of what was put in, and its rendering.

Cards and frames are inserted into the haystack, so that it is interrupted; words and badges are drawn over its frames. A card
or frame without a tone is silent, which is a fact of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...engine.composing import Material
from ...engine.composing_graph import source_of
from ...schemas.edit_graph import Graph
from ...schemas.edit_operations import insert, overlay, take
from ...schemas.edit_pieces import Source, exact, seconds
from ...schemas.ids import derive_id
from ...schemas.needles import KIND, Insert, attributes, lettering_of
from .haystack import held


@dataclass(frozen=True)
class Look:
    """Rate and size of the film, and the side of badges, px."""

    fps: int
    width: int
    height: int
    badge_px: int


@dataclass(frozen=True)
class Planned:
    """A needle and where it goes."""

    insert: Insert
    text: str
    first: int
    """Its first frame in the film."""
    frames: int
    words: tuple[str, str] = ("", "")
    donor: Material | None = None
    at_s: float = 0.0
    """Of a frame of other footage: its time there."""
    others: tuple[str, ...] = ()
    pitch_hz: float | None = None
    left: float = 0.0
    top: float = 0.0
    """Of a badge: place of its upper left corner, px."""


def film_graph(base: Graph, planned: Sequence[Planned], look: Look) -> tuple[Graph, dict[str, Any], dict[str, Any]]:
    """The film as a graph, with the pictures and sounds that exist in memory only, by media_id."""
    graph, pictures, sounds = base, {}, {}
    for n in sorted(planned, key=lambda n: n.first):
        at = float(Fraction(n.first, look.fps))
        if n.insert == "picture":
            name = f"card:{'-'.join(n.words)}"
            pictures[name] = ("card", n.words)
            still = Source(name, Fraction(0), Fraction(look.fps), look.width, look.height)
            shown = take(still, base.fps, (look.width, look.height), hold_s=n.frames / look.fps)
            graph = insert(graph, shown, at)
        elif n.insert == "own_frame" and n.donor is not None:
            source = source_of(n.donor)
            shown = held(source, n.at_s, n.frames / look.fps, base.fps, (look.width, look.height))
            graph = insert(graph, shown, at)
    for n in planned:
        if n.pitch_hz is not None:
            name = f"tone:{n.pitch_hz:g}"
            sounds[name] = n.pitch_hz
            length = exact(n.frames / look.fps)
            heard = Source(name, length, Fraction(look.fps), 0, 0, True)
            graph = overlay(graph, heard, float(Fraction(n.first, look.fps)), length_s=float(length))
    return graph, pictures, sounds


def needle_rows(graph: Graph, planned: Sequence[Planned], look: Look) -> dict[str, list[dict[str, Any]]]:
    """What is true of the needles."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for n in planned:
        start, end = (seconds(Fraction(n.first + k, look.fps)) for k in (0, n.frames))
        depth = (n.first + n.frames / 2) / graph.frames
        told = attributes(n.insert, n.first, n.frames, depth, n.others)
        rows.setdefault("events", []).append(
            {"start_s": start, "end_s": end, "text": n.text, "kind": KIND, "attributes_json": told}
        )
        if n.pitch_hz is not None:
            rows.setdefault("sounds", []).append(
                {"start_s": start, "end_s": end, "label": "tone", "pitch_hz": n.pitch_hz, "confidence": None}
            )
        elif graph.has_sound and n.insert in ("picture", "own_frame"):
            rows.setdefault("sounds", []).append({"start_s": start, "end_s": end, "label": "silence"})
        if n.insert == "subtitle":
            from .needle_drawing import words

            text = lettering_of(*n.words)
            box = dict(zip(("x1", "y1", "x2", "y2"), words(text, look.width, look.height)[3], strict=True))
            rows.setdefault("text_regions", []).append(
                {"start_s": start, "end_s": end, "text": text, "confidence": 1.0, **box}
            )
        if n.insert == "object":
            track, boxes = _track(n, look, start, end)
            rows.setdefault("tracks", []).append(track)
            rows.setdefault("boxes", []).extend(boxes)
    return rows


def _track(n: Planned, look: Look, start: float, end: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    size = look.badge_px
    edges = (n.left / look.width, n.top / look.height, (n.left + size) / look.width, (n.top + size) / look.height)
    place = dict(zip(("x1", "y1", "x2", "y2"), (min(1.0, round(v, 6)) for v in edges), strict=True))
    track_id = derive_id("needle", n.text, n.first, n.left, n.top)
    track = {
        "track_id": track_id, "start_s": start, "end_s": end, "label": "badge", "phrase": n.text.removeprefix("a "),
        "attributes_json": None, "score": 1.0,
    }  # fmt: skip
    times = sorted({start, seconds(Fraction(n.first + n.frames - 1, look.fps))})
    return track, [{"track_id": track_id, "t_s": t, **place, "visibility": 1.0} for t in times]


def identity(n: Planned) -> list[Any]:
    """What the bytes depend on."""
    return [n.insert, n.text, n.first, n.frames, n.left, n.top, n.at_s, n.pitch_hz]


Overlay = tuple[int, int, Insert, tuple[str, str], float, float]
"""First frame, past the last, kind, words, left, top."""


def overlays_of(planned: Sequence[Planned]) -> list[Overlay]:
    """The needles that are drawn over frames."""
    return [
        (n.first, n.first + n.frames, n.insert, n.words, n.left, n.top)
        for n in planned
        if n.insert in ("subtitle", "object")
    ]


def write_film(
    graph: Graph,
    material: Sequence[Material],
    pictures: Mapping[str, Any],
    sounds: Mapping[str, float],
    overlays: Sequence[Overlay],
    badge_px: int,
    crf: int,
    sound_rate: int,
    path: Path,
) -> None:
    """Render the film. Raises `MediaError`."""
    from ...engine.media.render import Sound, render
    from .needle_drawing import badge, card, laid, tone, words

    sources: dict[str, Any] = {m.media_id: m.path for m in material}
    sources |= {name: card(said[0], said[1], graph.width, graph.height) for name, (_, said) in pictures.items()}
    length = max((o.length for o in graph.overlays), default=Fraction(0))
    sources |= {name: Sound(tone(hz, float(length), sound_rate), sound_rate) for name, hz in sounds.items()}
    put: list[tuple[int, int, Any, float, float]] = []
    for first, past, kind, said, left, top in overlays:
        if kind == "subtitle":
            sprite, x, y, _ = words(lettering_of(said[0], said[1]), graph.width, graph.height)
            put.append((first, past, sprite, x, y))
        else:
            put.append((first, past, badge(said[0], said[1], badge_px), left, top))

    def draw(index: int, picture: Any) -> Any:
        for first, past, sprite, left, top in put:
            if first <= index < past:
                picture = laid(picture, sprite, left, top)
        return picture

    render(graph, sources, path, sound_rate=sound_rate, crf=crf, draw=draw if put else None)
