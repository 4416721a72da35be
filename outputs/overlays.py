"""Boxes, masks and tracks that a sample rests on, drawn on its frames: outline, a light tint, a name, and where it came from.

A box is drawn at the time of its row; between two rows of a track that follow closely its place is interpolated, as the table
says. The tint is light and the name stands outside the box, so that what is asked about can still be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..engine.catalog import Catalog
from ..schemas.masks import decode_mask
from ..schemas.sample import Sample
from . import pen as p
from .asked_space import INKS, AskedSpace
from .pen import Pen, Rect

CLOSE_S = 0.6
"""Rows of one track that lie further apart are not joined."""
STANDS_S = 0.11
"""A row holds for so long before and after its time where no other is near."""
TRAIL_S = 2.0
_MOST = 8
_TINT = 0.2

Row = Mapping[str, Any]


@dataclass(frozen=True)
class MarkedTrack:
    """A track to be drawn."""

    name: str
    ink: str
    rows: tuple[Row, ...]
    """Rows of `boxes` in order of time."""

    def place(self, t_s: float) -> tuple[float, float, float, float] | None:
        """Its box at a time; None where it is not known."""
        before = [r for r in self.rows if r["t_s"] <= t_s + 1e-6]
        after = [r for r in self.rows if r["t_s"] > t_s + 1e-6]
        if before and after and after[0]["t_s"] - before[-1]["t_s"] <= CLOSE_S:
            a, b = before[-1], after[0]
            part = (t_s - a["t_s"]) / (b["t_s"] - a["t_s"])
            x1, y1, x2, y2 = (float(a[k] + (b[k] - a[k]) * part) for k in ("x1", "y1", "x2", "y2"))
            return x1, y1, x2, y2
        near = min((*before[-1:], *after[:1]), key=lambda r: abs(r["t_s"] - t_s), default=None)
        if near is None or abs(near["t_s"] - t_s) > STANDS_S:
            return None
        return float(near["x1"]), float(near["y1"]), float(near["x2"]), float(near["y2"])

    def mask(self, t_s: float) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Its mask at a time, where a row has one there."""
        near = min(self.rows, key=lambda r: abs(r["t_s"] - t_s), default=None)
        if near is None or abs(near["t_s"] - t_s) > 0.06 or not near.get("mask"):
            return None
        return decode_mask(near["mask"])

    def trail(self, t_s: float) -> list[tuple[float, float]]:
        """Centres of its boxes during the last seconds, oldest first."""
        rows = [r for r in self.rows if t_s - TRAIL_S <= r["t_s"] <= t_s + 1e-6]
        return [((r["x1"] + r["x2"]) / 2, (r["y1"] + r["y2"]) / 2) for r in rows]


def marked_tracks(catalog: Catalog, sample: Sample, asked: AskedSpace | None) -> dict[str, tuple[MarkedTrack, ...]]:
    """The tracks that a sample rests on, by medium: those it cites, and those of the objects it asks about."""
    cited = [e.row_id for e in sample.evidence if e.table in ("boxes", "tracks")]
    objects = list(asked.objects) if asked is not None else []
    if not cited and not objects:
        return {}
    found = catalog.rows(
        """SELECT DISTINCT t.media_id, t.track_id, t.label, t.phrase, coalesce(t.object_id, t.track_id) AS object_id
        FROM tracks t LEFT JOIN boxes b ON b.track_id = t.track_id AND b.media_id = t.media_id
        AND list_contains(?, b.row_id)
        WHERE list_contains(?, t.media_id) AND (b.row_id IS NOT NULL OR list_contains(?, t.row_id)
        OR list_contains(?, coalesce(t.object_id, t.track_id))) ORDER BY t.media_id, t.track_id""",
        [cited, sorted({m.media_id for m in sample.media}), cited, objects],
    )
    found.sort(
        key=lambda r: (objects.index(r["object_id"]) if r["object_id"] in objects else len(objects), r["track_id"])
    )
    if objects:
        found = [r for r in found if r["object_id"] in objects] or found
    tracks: dict[str, list[MarkedTrack]] = {}
    for number, row in enumerate(found[:_MOST]):
        rows = catalog.rows(
            "SELECT t_s, x1, y1, x2, y2, mask FROM boxes WHERE media_id = ? AND track_id = ? ORDER BY t_s",
            [row["media_id"], row["track_id"]],
        )
        ink = (asked.ink(row["object_id"]) if asked is not None else None) or INKS[number % len(INKS)]
        tracks.setdefault(row["media_id"], []).append(MarkedTrack(row["phrase"] or row["label"], ink, tuple(rows)))
    return {media_id: tuple(found) for media_id, found in tracks.items()}


def draw_marks(pen: Pen, rect: Rect, t_s: float, tracks: Sequence[MarkedTrack], *, trails: bool = False) -> None:
    """Draw tracks on a picture that fills `rect` and shows the time `t_s`."""
    for track in tracks:
        mask = track.mask(t_s)
        if mask is not None:
            _tint(pen, rect, mask, track.ink)
    named: list[Rect] = []
    boxes: list[tuple[Rect, MarkedTrack]] = []
    for track in tracks:
        place = track.place(t_s)
        if place is None:
            continue
        if trails:
            _trail(pen, rect, [*track.trail(t_s), ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)], track.ink)
        box = _on(rect, place)
        pen.frame(_within(box, rect, 2), track.ink, 2)
        boxes.append((box, track))
    for box, track in boxes:  # over all outlines
        _name(pen, rect, box, track, named)


def _name(pen: Pen, rect: Rect, box: Rect, track: MarkedTrack, named: list[Rect]) -> None:
    """The name above, below or inside the box: where there is room in the picture and no other name."""
    size = 12 if rect[2] - rect[0] < 300 else 15
    text = p.clipped(track.name, rect[2] - rect[0] - 8, size)
    width, height = p.text_width(text, size) + 6, size + 5
    x = min(max(box[0] - 2, rect[0]), rect[2] - width)
    for y in (box[1] - height - 2, box[3] + 2, box[1] + 2, box[3] - height - 2):
        place = (x, y, x + width, y + height)
        inside = rect[1] <= y and y + height <= rect[3]
        if inside and not any(p.overlap(place, other) for other in named):
            pen.fill(place, track.ink)
            pen.text(x + 3, y + 1, text, size, p.PAPER)
            named.append(place)
            return


def _tint(pen: Pen, rect: Rect, mask: np.ndarray[Any, np.dtype[np.bool_]], ink: str) -> None:
    x1, y1, x2, y2 = (round(v) for v in rect)
    alpha = Image.fromarray((mask * np.uint8(round(255 * _TINT))).astype(np.uint8)).resize(
        (x2 - x1, y2 - y1), Image.Resampling.BILINEAR
    )
    pen.picture.paste(Image.new("RGB", alpha.size, ink), (x1, y1), alpha)


def _trail(pen: Pen, rect: Rect, places: Sequence[tuple[float, float]], ink: str) -> None:
    points = [(rect[0] + x * (rect[2] - rect[0]), rect[1] + y * (rect[3] - rect[1])) for x, y in places]
    if len(points) > 1:
        pen.draw.line(points, fill=p.PAPER, width=5)
        pen.draw.line(points, fill=ink, width=2)


def _on(rect: Rect, box: Sequence[float]) -> Rect:
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    return rect[0] + box[0] * width, rect[1] + box[1] * height, rect[0] + box[2] * width, rect[1] + box[3] * height


def _within(box: Rect, rect: Rect, by: float) -> Rect:
    """The box so that its outline stays in the picture."""
    return max(box[0], rect[0] + by), max(box[1], rect[1] + by), min(box[2], rect[2] - by), min(box[3], rect[3] - by)
