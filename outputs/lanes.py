"""Bars on lanes: the parts of a timeline as data, their places, and how bars that would overlap go onto lanes below each other.

A bar takes the room of its span and, where its label stands beside it, of the label. What rows of tables are called on a
bar is said here too (`row_bar`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..schemas.heard import heard_words
from . import pen as p

LEFT, RIGHT = 136, 1168
"""Where the window begins and ends on a card, px."""
LETTER_PX = 17
MOST_LABELS = 6
"""With more bars than this, labels that do not fit are left out instead of standing beside their bars."""
_ENDS = {"sound": "ends in silence", "picture": "ends with a change", "limit": "as long as allowed", "end": "the end"}


@dataclass(frozen=True)
class Axis:
    """From seconds on the clock of the first medium to px."""

    start_s: float
    end_s: float

    def x(self, t_s: float) -> float:
        """Place of a time; times outside the window lie on its edge."""
        share = (t_s - self.start_s) / max(self.end_s - self.start_s, 1e-9)
        return LEFT + min(max(share, 0.0), 1.0) * (RIGHT - LEFT)


@dataclass(frozen=True)
class Bar:
    """A span on a lane, or a moment (`start_s == end_s`)."""

    start_s: float
    end_s: float
    label: str
    tint: str
    ink: str = p.INK
    whole: bool = False
    """Whether the label is shown only where all of it fits, and only on lanes where most labels fit."""
    outside: bool = False
    """Whether a label that does not fit stands beside the bar."""
    short: str = ""
    """What is written where the label does not fit."""


@dataclass(frozen=True)
class Lane:
    """Bars that do not overlap much, with a name."""

    name: str
    bars: tuple[Bar, ...]


def fits(axis: Axis, bar: Bar) -> bool:
    """Whether all of the label fits into the bar."""
    return p.text_width(bar.label, LETTER_PX) <= axis.x(bar.end_s) - axis.x(bar.start_s) - 8


def room(axis: Axis, bar: Bar) -> tuple[float, float]:
    """From where to where a bar and its label reach, px."""
    x1, x2 = axis.x(bar.start_s), axis.x(bar.end_s)
    if not bar.label or not bar.outside or fits(axis, bar):
        return x1, x2
    width = p.text_width(bar.label, LETTER_PX) + 10
    return (x1, x2 + width) if x2 + width <= RIGHT else (x1 - width, x2)


def packed(name: str, bars: Iterable[Bar], axis: Axis) -> list[Lane]:
    """The bars on as many lanes as they need not to overlap; only the first lane has the name."""
    found = sorted(bars, key=lambda b: (b.start_s, b.end_s, b.label))
    if len(found) > MOST_LABELS:
        found = [replace(b, outside=False, whole=True) if b.outside else b for b in found]
    lanes: list[list[Bar]] = []
    for bar in found:
        left, right = room(axis, bar)
        free = next((lane for lane in lanes if _free(lane, left, right, axis)), None)
        if free is None:
            lanes.append(free := [])
        free.append(bar)
    return [Lane(name if i == 0 else "", tuple(lane)) for i, lane in enumerate(lanes)]


def _free(lane: Sequence[Bar], left: float, right: float, axis: Axis) -> bool:
    """Whether nothing on the lane reaches between these px."""
    return all(b <= left + 0.01 or a >= right - 0.01 for a, b in (room(axis, bar) for bar in lane))


def row_label(table: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """What a row is called on its bar, and the same in short."""
    match table:
        case "sounds":
            label = str(values.get("label") or "")
            return (heard_words({"attributes_json": None, **values}), label) if label else ("", "")
        case "aspects":
            return f"{values.get('subject', '')}: {values.get('value', '')}", str(values.get("value", ""))
        case "episodes":
            return _ENDS.get(str(values.get("boundary")), "episode"), "episode"
        case "questions":
            return str(values.get("question") or ""), ""
    return str(values.get("text") or values.get("phrase") or values.get("label") or ""), ""


def row_bar(table: str, values: Mapping[str, Any], start_s: float, end_s: float, *, cited: bool) -> Bar:
    """A row as a bar: orange when the sample rests on it; rows without words are solid."""
    label, short = row_label(table, values)
    tint, ink = (p.EVIDENCE_TINT, p.EVIDENCE) if cited else (p.SHOT_TINTS[0], p.MUTED)
    return Bar(start_s, end_s, label, tint if label or not cited else p.EVIDENCE, ink, short=short)
