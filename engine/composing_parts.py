"""Which parts of the material composers work with: described spans, clips, shots, or equal windows where nothing is known.

A described part carries its sentence. Parts are on the source's clock, in order; nothing is drawn here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..schemas.edit_pieces import nominal_fps
from ..schemas.span import Span, from_us, to_us
from .composing import Material
from .composing_graph import known_of, span_in

Units = Literal["auto", "described", "clips", "shots", "windows"]
_SEEN = ("event", "query", "narration", "step", "action", "needle")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Part:
    """A span of a medium; `text` is what is described to happen in it, by a row of `table` (captions or events)."""

    material: Material
    span: Span
    text: str | None = None
    table: str | None = None

    @property
    def grade(self) -> str:
        """Grade of its description; exact without one."""
        return "exact" if self.table is None else str(self.material.grades.get(self.table, "exact"))

    @property
    def key(self) -> tuple[str, int, int, str]:
        """Tells it from other parts; stable across machines."""
        return self.material.media_id, to_us(self.span.start_s), to_us(self.span.end_s), self.text or ""

    def overlaps(self, other: Part) -> bool:
        """Whether both show some of the same footage."""
        return self.material.media_id == other.material.media_id and self.span.intersection(other.span) is not None


def parts_of(material: Sequence[Material], length_s: tuple[float, float], units: Units = "auto") -> list[Part]:
    """Parts of at least and at most these lengths, ordered by medium and time.

    `auto`: per medium the first of described spans, clips, shots and windows that gives any. Longer clips, shots and windows are
    cut to the greatest length from their start on; described spans never are, so that they stay whole.
    """
    found: list[Part] = []
    for medium in sorted((m for m in material if m.has_video), key=lambda m: m.media_id):
        kinds: tuple[Units, ...] = ("described", "clips", "shots", "windows") if units == "auto" else (units,)
        for kind in kinds:
            mine = _parts(medium, length_s, kind)
            if mine:
                found += mine
                break
    return found


def described(material: Material) -> list[dict[str, Any]]:
    """Rows of `captions` and `events` that say what is seen in a part of a medium or in all of it, in order of time, each text and span once, with
    their `table`.
    """
    known = known_of(material)
    told = [{**r, "table": "captions"} for r in known["captions"]]
    told += [{**r, "table": "events"} for r in known["events"] if (r.get("kind") or "event") in _SEEN]
    once: dict[tuple[int, int, str], dict[str, Any]] = {}
    for row in told:
        text = str(row["text"])
        if _WORD.search(text) and not text.rstrip().endswith("?"):
            once.setdefault((to_us(row["start_s"]), to_us(row["end_s"]), plain(text)), row)
    return [once[key] for key in sorted(once)]


def plain(text: str) -> str:
    """A sentence as its words alone, to tell whether two say the same."""
    return " ".join(_WORD.findall(text.lower()))


def _parts(medium: Material, length_s: tuple[float, float], kind: Units) -> list[Part]:
    duration_s = float(medium.media["duration_s"])
    shortest, longest = length_s
    if kind == "described":
        spans = [(span_in(r, duration_s), r) for r in described(medium)]
        fit = [(s, r) for s, r in spans if s is not None and shortest <= s.length_s <= longest]
        return [Part(medium, s, str(r["text"]), str(r["table"])) for s, r in fit]
    if kind == "windows":
        count = int(duration_s // longest) or int(duration_s >= shortest)
        step = min(longest, duration_s)
        return [Part(medium, Span(from_us(to_us(i * step)), from_us(to_us((i + 1) * step)))) for i in range(count)]
    rows = medium.rows.get("clips", ()) if kind == "clips" else known_of(medium)["shots"]
    whole = sorted(s for r in rows if (s := span_in(r, duration_s)) is not None)
    cut = [Span(s.start_s, min(s.end_s, s.start_s + longest)) for s in dict.fromkeys(whole)]
    frame_s = float(1 / nominal_fps(float(medium.media.get("fps") or 25)))
    return [Part(medium, s) for s in cut if s.length_s >= max(shortest, 2 * frame_s)]
