"""What a composed medium is made of, as a graph: pieces of sources laid out on a new clock and a new picture, and sounds on top.

Layers are rows of pieces (`edit_pieces`) without gap or overlap that are shown at the same time. Every mapping of times and boxes,
in both directions, is exact arithmetic on fractions, so whatever is known of the sources is known of the result: see
`edit_operations` for how graphs are built and `edit_carry` for what is carried over. Limits: constant output rate, axis-aligned
areas, at most one piece of a layer at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from .box import Box, box_or_none
from .edit_pieces import Overlay, Piece, Placed, Run, exact, seconds
from .span import Span, span_or_none


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
