"""What a motion sample looks at: a window inside a kept clip with the signals measured in it, or the same in
an edited twin.

A sample on a twin (mirrored, reversed) rests on the source's signals and on the row of `edits` that says how
the twin was made: its answer is arithmetic, not a second measurement. Window and evidence are the same for
both, and so is their `pair_id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pydantic import Field

from ...engine.annotator import Params, Rows
from ...engine.grounding.windows import tile
from ...engine.kept import kept_clips, medium_row, one_producer
from ...engine.task import EvidenceRow
from ...schemas.ids import derive_id
from ...schemas.motion import SIGNAL_COLUMNS, Edit, Motion, measured
from ...schemas.sample import Evidence, Sample
from ...schemas.span import Span, from_us, span_or_none, to_us
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    only_row,
    rows_of,
    span_of,
)

EDIT_COLUMNS = (
    "step",
    "operation",
    "source_media_id",
    "source_clip_id",
    "start_s",
    "end_s",
    "time_scale",
    "time_offset_s",
    "box_affine",
)
TWIN_TOLERANCE_S = 0.1
"""How far a twin's window may reach over the clip: cuts fall on frames."""


class ClipParams(Params):
    """Parameters of tasks whose window is a clip or a piece of one."""

    per_clip: int = Field(1, ge=1, description="Samples per kept clip, at most.")
    per_medium: int = Field(6, ge=1, description="Samples per medium, at most; rare answers first. Twins come on top.")
    length_s: tuple[float, float] = Field(
        (1.0, 12.0), description="Shortest and longest window; a longer clip is cut into equal pieces."
    )


@dataclass(frozen=True)
class Shown:
    """A window of a medium with its evidence. `window` is on the clock of `media`, times of `signals` on the
    source's.
    """

    media: RowDict
    clip: RowDict
    window: Span
    signals: Sequence[RowDict]
    edit: RowDict | None = None

    @property
    def aspect(self) -> float:
        """Width / height of the picture. Raises `Withheld` without pictures."""
        if not self.media["width"] or not self.media["height"]:
            raise Withheld("no pictures")
        return float(self.media["width"] / self.media["height"])

    @property
    def pair_id(self) -> str:
        """Equal for a window and its twins."""
        first, last = self.signals[0]["row_id"], self.signals[-1]["row_id"]
        return derive_id("pair", self.clip["clip_id"], first, last)

    def motions(self) -> list[Motion]:
        """The measured motions in the window, as they are in `media`, in its time order.

        Raises `Withheld` when the window leaves clip or footage, holds a cut, or the measurements do not
        fill it.
        """
        if to_us(self.window.end_s) > to_us(self.media["duration_s"]) + 1:
            raise Withheld(f"the window ends at {self.window.end_s:g} s, past the end of the footage")
        mapping = Edit.from_row(self.edit) if self.edit is not None else None
        seen = self._source_window(mapping)
        tolerance = 0.0 if self.edit is None else TWIN_TOLERANCE_S
        clip = span_of(self.clip)
        if seen.start_s < clip.start_s - tolerance or seen.end_s > clip.end_s + tolerance:
            raise Withheld("the window leaves its clip")
        source = self.media["media_id"] if self.edit is None else self.edit["source_media_id"]
        if any(row["media_id"] != source for row in (self.clip, *self.signals)):
            raise Withheld("evidence of another medium is cited")
        self._require_filled(seen)
        motions = measured(self.signals)
        if motions is None:
            raise Withheld("the window holds a cut or unmeasured frames")
        return sorted((mapping.motion(m) for m in motions), key=lambda m: m.t_s) if mapping else motions

    def _source_window(self, mapping: Edit | None) -> Span:
        if mapping is None:
            return self.window
        ends = sorted(mapping.source_time(t) for t in (self.window.start_s, self.window.end_s))
        return Span(max(0.0, ends[0]), ends[1])

    def _require_filled(self, seen: Span) -> None:
        times = [row["t_s"] for row in self.signals]
        if len(times) < 3 or any(b <= a for a, b in pairwise(times)):
            raise Withheld("fewer than three measured frames in time order")
        step = median(b - a for a, b in pairwise(times))
        if times[0] < seen.start_s - TWIN_TOLERANCE_S or times[-1] > seen.end_s + TWIN_TOLERANCE_S:
            raise Withheld("a measured frame lies outside the window")
        slack = TWIN_TOLERANCE_S if self.edit is not None else 0.0
        holes = [times[0] - seen.start_s - step, *(b - a for a, b in pairwise(times)), seen.end_s - times[-1]]
        if max(holes) > 1.6 * step + slack:
            raise Withheld("the measured frames do not fill the window")


def pieces_of(clip: RowDict, media: RowDict, length_s: tuple[float, float]) -> list[Span]:
    """The windows that a clip gives: itself, or equal pieces of a long one; none for a short one."""
    held = span_or_none(clip["start_s"], min(clip["end_s"], media["duration_s"]))
    return tile(held, length_s) if held else []


def windows_of(rows: Rows, media_id: str, length_s: tuple[float, float]) -> list[Shown]:
    """A `Shown` for each kept clip of a medium, or for each equal piece of a long one, in time order.

    The first frame of a window is not cited: it was measured against a frame outside.
    """
    media = medium_row(rows, media_id)
    signals = one_producer([s for s in rows["signals"] if s["media_id"] == media_id])
    signals.sort(key=lambda s: s["t_s"])
    found = []
    for clip in kept_clips(rows, media_id):
        for window in pieces_of(clip, media, length_s):
            inside = [s for s in signals if window.contains(s["t_s"])][1:]
            if len(inside) >= 3:
                found.append(Shown(media, clip, window, inside))
    return found


def twins_of(shown: Shown, rows: Rows) -> list[Shown]:
    """The same window in each edited twin of its clip that holds all of it, in the order of the twins'
    identifiers.
    """
    media = {m["media_id"]: m for m in rows["media"]}
    edits: dict[str, list[RowDict]] = {}
    for edit in rows["edits"]:
        if edit["source_clip_id"] == shown.clip["clip_id"]:
            edits.setdefault(edit["media_id"], []).append(edit)
    found = []
    for twin_id, steps in sorted(edits.items()):
        if len(steps) != 1 or twin_id not in media:
            continue
        mapping, twin = Edit.from_row(steps[0]), media[twin_id]
        ends = sorted(mapping.time(t) for t in (shown.window.start_s, shown.window.end_s))
        start, end = max(0, to_us(ends[0])), min(to_us(ends[1]), to_us(twin["duration_s"]))
        missing_s = from_us(to_us(shown.window.end_s) - to_us(shown.window.start_s) - (end - start))
        if end > start and missing_s <= TWIN_TOLERANCE_S:
            found.append(Shown(twin, shown.clip, Span(from_us(start), from_us(end)), shown.signals, steps[0]))
    return found


def shown_by(sample: Sample, evidence: Sequence[EvidenceRow]) -> Shown:
    """What a stored sample looks at, from its evidence. Raises `Withheld` when media, clip or edit are not
    cited.
    """
    edits = rows_of(evidence, "edits")
    if len(edits) > 1:
        raise Withheld("more than one edit is cited")
    media = only_row(evidence, "media")
    if edits and edits[0]["media_id"] != media["media_id"]:
        raise Withheld("the edit made another medium")
    return Shown(media, only_row(evidence, "clips"), sample.window, rows_of(evidence, "signals"), *edits)


def evidence_of(shown: Shown) -> tuple[Evidence, ...]:
    """Media, clip, signals and edit, with the values used."""
    edits = () if shown.edit is None else (cite("edits", shown.edit, EDIT_COLUMNS),)
    return (
        cite("media", shown.media, MEDIA_COLUMNS),
        cite("clips", shown.clip, CLIP_COLUMNS),
        *edits,
        *(cite("signals", row, SIGNAL_COLUMNS) for row in shown.signals),
    )
