"""Is what a chain cites to be perceived in what the sample shows? One pure function over the chain, the sample and its rows.

Cited rows must lie in the window (on a twin: through its edit), words must be heard where the sample is to be heard, what
stills are to prove must be in the stills, and writing must be large enough to be read at the footage's own size. What a
trainer's own sampling leaves of that is for `frame_plans` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...schemas.chain import Locate, Read, Step
from ...schemas.motion import Edit
from ...schemas.sample import Sample
from ...schemas.span import to_us
from .answerable import AUDIBLE

HEARD = frozenset({"words", "speech", "sounds"})
NOT_OBSERVED = frozenset({"media", "clips", "edits", "samples", "proposals", "questions"})
"""Tables whose rows are no observation at a time."""
TWIN_TOLERANCE_S = 0.1
"""Cuts of twins fall on frames."""


def why_imperceptible(
    steps: Sequence[Step], sample: Sample, evidence: Mapping[str, Mapping[str, Any]], *, min_text_px: float
) -> str:
    """The first cited thing that a reader of the sample cannot perceive, and why; empty when there is none.

    `evidence` are all rows that the sample cites, by identifier.
    """
    shown = sample.media[0]
    edit = next((r for r in evidence.values() if "box_affine" in r and r["media_id"] == shown.media_id), None)
    heights = {str(r["media_id"]): r["height"] for r in evidence.values() if "duration_s" in r and "height" in r}
    named = _named(steps)
    for step in steps:
        if not isinstance(step, Locate | Read) or step.table in NOT_OBSERVED:
            continue
        if step.table in HEARD and (shown.kind == "image" or not AUDIBLE & set(sample.needs)):
            return f"{step.name} hears something, but the sample is to be answered by sight"
        if step.table not in HEARD and shown.kind == "audio":
            return f"{step.name} sees something, but the sample shows no picture"
        for row_id in step.rows:
            row = evidence[row_id]
            why = _why_outside(row, sample, edit, exact=step.name in named)
            if not why and step.table == "text_regions" and row.get("y2") is not None:
                why = _why_small(row, heights.get(str(row["media_id"])), min_text_px)
            if why:
                return f"{step.name}: {step.table} row {row_id} {why}"
    return ""


def _named(steps: Sequence[Step]) -> frozenset[str]:
    """Steps whose moments stills must show: all that are located by a moment."""
    return frozenset(s.name for s in steps if isinstance(s, Locate) and s.by == "moment")


def _why_outside(row: Mapping[str, Any], sample: Sample, edit: Mapping[str, Any] | None, *, exact: bool) -> str:
    shown = sample.media[0]
    start, end = (row["t_s"], row["t_s"]) if row.get("t_s") is not None else (row.get("start_s"), row.get("end_s"))
    if start is None or end is None:
        return ""
    slack = 0
    if row["media_id"] != shown.media_id:
        if edit is None or edit["source_media_id"] != row["media_id"]:
            return "is of footage that the sample does not show"
        mapping = Edit.from_row(edit)
        start, end = sorted((mapping.time(start), mapping.time(end)))
        slack = to_us(TWIN_TOLERANCE_S)
    if exact and shown.frame_times:
        near = any(abs(to_us(t) - to_us(start)) <= 1 for t in shown.frame_times)
        return "" if near else f"lies at {start:g} s, between the stills"
    if to_us(end) < to_us(shown.start_s) - slack or to_us(start) > to_us(shown.end_s) + slack:
        return f"lies at {start:g}..{end:g} s, outside of what is shown"
    return ""


def _why_small(row: Mapping[str, Any], height: int | None, min_text_px: float) -> str:
    if not height:
        return ""
    px = (row["y2"] - row["y1"]) * height
    return "" if px >= min_text_px else f"is writing of {px:.1f} px, smaller than can be read"
