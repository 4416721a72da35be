"""What a composed medium is made of, as a graph: pieces of sources laid out on a new clock and a new picture, and sounds on top.

A piece shows a source from an instant on, at a rate (2 twice as fast, -1 backwards, 0 held), in an area of the picture. Layers are
rows of pieces without gap or overlap that are shown at the same time. Every mapping of times and boxes, in both directions, is
exact arithmetic on fractions, so whatever is known of the sources is known of the result: see `edit_operations` for how graphs are
built and `edit_carry` for what is carried over. Limits: constant output rate, axis-aligned areas, at most one piece of a layer at
a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from .box import Box, box_or_none
from .span import MICROSECONDS_PER_SECOND, Span, from_us, span_or_none, to_us

Panel = Literal["", "top", "bottom", "left", "right", "middle"]
"""Which part of a stacked picture; '' for the whole."""


def exact(t_s: float | Fraction) -> Fraction:
    """A time as a fraction: floats through the microsecond grid."""
    return t_s if isinstance(t_s, Fraction) else Fraction(to_us(t_s), MICROSECONDS_PER_SECOND)


def seconds(t: Fraction) -> float:
    """A time as float seconds on the microsecond grid."""
    return from_us(round(t * MICROSECONDS_PER_SECOND))


def nominal_fps(fps: float) -> Fraction:
    """The frame rate that a measured one means: 29.97003 is 30000/1001. Raises ValueError unless positive."""
    if not 0 < fps < 1000:
        raise ValueError(f"a frame rate of {fps!r} is not usable; give frames per second above 0 and below 1000")
    return Fraction(fps).limit_denominator(1001)


@dataclass(frozen=True, slots=True)
class Source:
    """A medium that pieces come from. `duration` in seconds, 0 for a still; `width` 0 for sound alone."""

    media_id: str
    duration: Fraction
    fps: Fraction
    width: int
    height: int
    has_audio: bool = False

    @property
    def still(self) -> bool:
        return self.duration == 0


@dataclass(frozen=True, slots=True)
class Area:
    """Where a source's picture is put: pixels of the target picture, origin top left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of the target that show one source. At `t` seconds after its first frame it shows `start + rate * t`."""

    source: Source
    frames: int
    start: Fraction
    rate: Fraction
    area: Area
    mirrored: bool = False
    audible: bool = True
    keep_pitch: bool = False
    panel: Panel = ""
    operations: tuple[str, ...] = ()
    group: int = 0
    """Pieces of one joined part share it; see `edit_operations.join`."""

    @property
    def sounds(self) -> bool:
        """Whether its source is heard: not when played backwards or held."""
        return self.audible and self.source.has_audio and self.rate > 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """A sound mixed in from `at` on: `length` seconds of the target, from `start` of the source, at a rate."""

    source: Source
    at: Fraction
    start: Fraction
    length: Fraction
    gain_db: float = 0.0
    rate: Fraction = Fraction(1)
    keep_pitch: bool = False


@dataclass(frozen=True)
class Placed:
    """A piece where it stands: frames [first, first + piece.frames) of layer `layer`."""

    layer: int
    first: int
    piece: Piece
    fps: Fraction

    @property
    def begin(self) -> Fraction:
        """Start on the new clock, seconds."""
        return self.first / self.fps

    @property
    def end(self) -> Fraction:
        """End on the new clock, seconds."""
        return (self.first + self.piece.frames) / self.fps

    @property
    def source_end(self) -> Fraction:
        """Source time that the piece has reached at its end (smaller than `piece.start` when it runs backwards)."""
        return self.piece.start + self.piece.rate * self.piece.frames / self.fps

    @property
    def used(self) -> tuple[Fraction, Fraction]:
        """The span of the source that it shows, lower end first; empty for a held frame."""
        low, high = sorted((self.piece.start, self.source_end))
        return low, high

    def source_of(self, t: Fraction) -> Fraction:
        """Source time at time `t` of the target."""
        return self.piece.start + self.piece.rate * (t - self.begin)

    def target_of(self, t: Fraction) -> Fraction:
        """Target time at which source time `t` is shown; of a held frame its first instant."""
        return self.begin if self.piece.rate == 0 else self.begin + (t - self.piece.start) / self.piece.rate

    def image(self, start: Fraction, end: Fraction) -> tuple[Fraction, Fraction] | None:
        """The target span that shows source span [start, end), or None."""
        if self.piece.rate == 0:
            shown = self.piece.source.still or start <= self.piece.start < end
            return (self.begin, self.end) if shown else None
        low, high = max(start, self.used[0]), min(end, self.used[1])
        if low >= high:
            return None
        first, last = sorted((self.target_of(low), self.target_of(high)))
        return first, last


@dataclass(frozen=True)
class Run:
    """Pieces that follow each other without a cut: one source, going on where the piece before stopped, in one direction."""

    pieces: tuple[Placed, ...]

    @property
    def source(self) -> Source:
        return self.pieces[0].piece.source

    @property
    def begin(self) -> Fraction:
        return self.pieces[0].begin

    @property
    def end(self) -> Fraction:
        return self.pieces[-1].end

    @property
    def used(self) -> tuple[Fraction, Fraction]:
        """The span of the source that it shows, lower end first."""
        return min(p.used[0] for p in self.pieces), max(p.used[1] for p in self.pieces)

    @property
    def backwards(self) -> bool:
        return any(p.piece.rate < 0 for p in self.pieces)

    @property
    def mirrored(self) -> bool:
        return self.pieces[0].piece.mirrored

    @property
    def panel(self) -> Panel:
        return self.pieces[0].piece.panel

    def showing(self, start: Fraction, end: Fraction) -> tuple[Placed, ...]:
        """Its pieces that show some of source span [start, end)."""
        return tuple(p for p in self.pieces if p.image(start, end) is not None)

    def image(self, start: Fraction, end: Fraction) -> tuple[Fraction, Fraction] | None:
        """The target span from the first to the last moment that shows source span [start, end), or None."""
        found = [image for p in self.pieces if (image := p.image(start, end)) is not None]
        return (min(a for a, _ in found), max(b for _, b in found)) if found else None


@dataclass(frozen=True)
class Graph:
    """A medium to be made: rate, size in px (even), layers of pieces of equal length, sounds on top.

    Raises ValueError when layers differ in length, a size is odd, or an area leaves the picture.
    """

    fps: Fraction
    width: int
    height: int
    layers: tuple[tuple[Piece, ...], ...]
    overlays: tuple[Overlay, ...] = ()

    def __post_init__(self) -> None:
        lengths = {sum(p.frames for p in layer) for layer in self.layers}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(f"layers of {sorted(lengths)} frames; a graph needs layers of one length above 0")
        if self.width < 2 or self.height < 2 or self.width % 2 or self.height % 2:
            raise ValueError(f"a picture of {self.width}x{self.height} px cannot be encoded; use even sizes")
        for piece in (p for layer in self.layers for p in layer):
            area = piece.area
            inside = area.x >= 0 and area.y >= 0 and area.width > 0 and area.height > 0
            if not inside or area.x + area.width > self.width or area.y + area.height > self.height or piece.frames < 1:
                raise ValueError(
                    f"a piece of {piece.frames} frames at {area} does not fit {self.width}x{self.height} px"
                )

    @property
    def frames(self) -> int:
        return sum(p.frames for p in self.layers[0])

    @property
    def duration(self) -> Fraction:
        """Length in seconds: frames / fps."""
        return self.frames / self.fps

    @property
    def duration_s(self) -> float:
        return seconds(self.duration)

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """All pieces, layer by layer, in order of time."""
        found = []
        for number, layer in enumerate(self.layers):
            first = 0
            for piece in layer:
                found.append(Placed(number, first, piece, self.fps))
                first += piece.frames
        return tuple(found)

    @property
    def media_ids(self) -> tuple[str, ...]:
        """Sources of pieces and overlays, sorted."""
        return tuple(
            sorted({p.piece.source.media_id for p in self.placed} | {o.source.media_id for o in self.overlays})
        )

    @property
    def has_sound(self) -> bool:
        return bool(self.overlays) or any(p.piece.sounds for p in self.placed)

    def runs(self, media_id: str | None = None, *, through_holds: bool = True) -> tuple[Run, ...]:
        """Uncut runs of pieces (of one source), layer by layer; `through_holds`: a held frame does not end a run."""
        found: list[list[Placed]] = []
        for placed in self.placed:
            if found and self._goes_on(found[-1], placed, through_holds):
                found[-1].append(placed)
            else:
                found.append([placed])
        runs = (Run(tuple(pieces)) for pieces in found)
        return tuple(r for r in runs if media_id is None or r.source.media_id == media_id)

    def _goes_on(self, run: list[Placed], new: Placed, through_holds: bool) -> bool:
        last, a, b = run[-1], run[-1].piece, new.piece
        alike = (last.layer, a.source, a.area, a.mirrored, a.group) == (
            new.layer,
            b.source,
            b.area,
            b.mirrored,
            b.group,
        )
        if not alike or a.source.still or (not through_holds and 0 in (a.rate, b.rate)):
            return False
        directions = {p.piece.rate > 0 for p in (*run, new) if p.piece.rate}
        missing = abs(b.start - last.source_end)
        held = Fraction(1) / a.source.fps if 0 in (a.rate, b.rate) else Fraction(0)
        return len(directions) <= 1 and missing <= max(abs(a.rate), abs(b.rate)) / self.fps + held

    # -- the two ways ---------------------------------------------------------------------------------------------------

    def to_target(self, media_id: str, span: Span) -> tuple[Span, ...]:
        """Where a span of a source is seen on the new clock: one span per uncut run that shows some of it, in order."""
        found = []
        for run in self.runs(media_id):
            image = run.image(exact(span.start_s), exact(span.end_s))
            if image is not None and (shown := span_or_none(seconds(image[0]), seconds(image[1]))) is not None:
                found.append(shown)
        return tuple(sorted(found))

    def to_source(self, t_s: float) -> tuple[tuple[str, float], ...]:
        """(media_id, source time) shown at a time of the new clock, one per layer; none outside of it."""
        return tuple((p.piece.source.media_id, seconds(p.source_of(exact(t_s)))) for p in self._at(t_s))

    def box_to_target(self, media_id: str, t_s: float, box: Box) -> tuple[tuple[float, Box], ...]:
        """(time, box) of every place where a box of a source at a time of its clock is seen."""
        at, found = exact(t_s), []
        for p in self.placed:
            if p.piece.source.media_id == media_id and _shows(p, at):
                moved = self.place(p.piece, box)
                if moved is not None:
                    found.append((seconds(p.target_of(at)), moved))
        return tuple(found)

    def box_to_source(self, t_s: float, box: Box) -> tuple[tuple[str, float, Box], ...]:
        """(media_id, source time, box) of what a box of the new picture shows, one per layer that it lies in."""
        found = []
        for p in self._at(t_s):
            a, _, c, _, e, f = self.affine(p.piece)
            x1, x2 = sorted(((box.x1 - c) / a, (box.x2 - c) / a))
            back = box_or_none(*_clamped(x1, (box.y1 - f) / e, x2, (box.y2 - f) / e))
            if back is not None:
                found.append((p.piece.source.media_id, seconds(p.source_of(exact(t_s))), back))
        return tuple(found)

    def affine(self, piece: Piece) -> tuple[float, float, float, float, float, float]:
        """a, b, c, d, e, f with x_new = a x + b y + c and y_new = d x + e y + f, in shares of the pictures."""
        area = piece.area
        a, c = Fraction(area.width, self.width), Fraction(area.x, self.width)
        if piece.mirrored:
            a, c = -a, a + c
        e, f = Fraction(area.height, self.height), Fraction(area.y, self.height)
        return float(a), 0.0, float(c), 0.0, float(e), float(f)

    def place(self, piece: Piece, box: Box) -> Box | None:
        """A box of a piece's source in the new picture."""
        a, _, c, _, e, f = self.affine(piece)
        x1, x2 = sorted((a * box.x1 + c, a * box.x2 + c))
        return box_or_none(*_clamped(x1, e * box.y1 + f, x2, e * box.y2 + f))

    def _at(self, t_s: float) -> Iterator[Placed]:
        t = exact(t_s)
        return (p for p in self.placed if p.begin <= t < p.end)

    # -- as data --------------------------------------------------------------------------------------------------------

    def key(self) -> list[Any]:
        """Everything that the result depends on besides the sources' bytes, as JSON-ready values."""
        pieces = [
            [p.layer, p.first, p.piece.frames, p.piece.source.media_id, str(p.piece.start), str(p.piece.rate),
             p.piece.area.x, p.piece.area.y, p.piece.area.width, p.piece.area.height, p.piece.mirrored, p.piece.sounds,
             p.piece.keep_pitch]
            for p in self.placed
        ]  # fmt: skip
        over = [
            [o.source.media_id, str(o.at), str(o.start), str(o.length), o.gain_db, str(o.rate), o.keep_pitch]
            for o in self.overlays
        ]
        return [str(self.fps), self.width, self.height, pieces, over]

    def edit_rows(self) -> list[dict[str, Any]]:
        """Rows of `edits`: one per piece, then one per sound on top (operation `overlay`)."""
        rows = []
        for p in self.placed:
            piece, scale = p.piece, 1 / p.piece.rate if p.piece.rate else None
            low, high = p.used
            said: dict[str, Any] = {"rate": float(piece.rate), "layer": p.layer, "audible": piece.sounds}
            said |= {"panel": piece.panel} if piece.panel else {}
            said |= {"mirrored": True} if piece.mirrored else {}
            said |= {"keep_pitch": True} if piece.keep_pitch else {}
            said |= {"group": piece.group} if piece.group else {}
            rows.append(
                {
                    "operation": "+".join(piece.operations) or "cut",
                    "source_media_id": piece.source.media_id,
                    "start_s": seconds(low),
                    "end_s": seconds(high),
                    "target_start_s": seconds(p.begin),
                    "target_end_s": seconds(p.end),
                    "time_scale": None if scale is None else float(scale),
                    "time_offset_s": None if scale is None else float(p.begin - scale * piece.start),
                    "box_affine": list(self.affine(piece)),
                    "parameters_json": json.dumps(said, sort_keys=True),
                }
            )
        for o in self.overlays:
            rows.append(
                {
                    "operation": "overlay",
                    "source_media_id": o.source.media_id,
                    "start_s": seconds(o.start),
                    "end_s": seconds(o.start + o.length * o.rate),
                    "target_start_s": seconds(o.at),
                    "target_end_s": seconds(o.at + o.length),
                    "time_scale": float(1 / o.rate),
                    "time_offset_s": float(o.at - o.start / o.rate),
                    "parameters_json": json.dumps({"gain_db": o.gain_db, "rate": float(o.rate)}, sort_keys=True),
                }
            )
        return [{"step": step, "source_clip_id": None, "box_affine": None} | row for step, row in enumerate(rows)]


def _shows(placed: Placed, at: Fraction) -> bool:
    if placed.piece.rate == 0:
        return placed.piece.source.still or placed.piece.start == at
    return placed.begin <= placed.target_of(at) < placed.end


def _clamped(*edges: float) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (min(max(v, 0.0), 1.0) for v in edges)
    return x1, y1, x2, y2
