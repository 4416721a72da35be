"""What edit graphs consist of: sources, pieces of them, where a piece stands, sounds on top, and runs without a cut.

A piece shows a source from an instant on, at a rate (2 twice as fast, -1 backwards, 0 held), in an area of the picture. Times are
fractions of seconds, so that every mapping goes there and back without loss; `edit_graph` lays pieces out on a clock and a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .span import MICROSECONDS_PER_SECOND, from_us, to_us

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
