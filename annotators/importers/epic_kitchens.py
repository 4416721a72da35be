"""EPIC-KITCHENS-100: `EPIC_100_train.csv` and `EPIC_100_validation.csv`, a row per action with its verb and noun classes.

Times are taken from the timestamps. The frame numbers beside them were counted on extracted frames, often at 60 per second of
videos that run at 59.94: a row whose frames and timestamps disagree is noted, and so is a medium that runs at another rate than
`video_info` (`EPIC_100_video_info.csv`) says, or, without it, than its frame numbers tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportNote
from .reading import as_json, csv_rows, number, other_rows, seconds, sentence, shown

NEEDED = ("narration_id", "video_id", "start_timestamp", "stop_timestamp", "start_frame", "stop_frame", "narration")
CLASSES = ("verb", "verb_class", "noun", "noun_class", "all_nouns", "all_noun_classes")
ROUNDING_S = 0.01
"""Timestamps are written to hundredths of a second."""
SLACK_FRAMES = 2.0
"""Frames and timestamps of a row agree within this many frames, beside the rounding."""


class EpicKitchensParams(ImporterParams):
    """Parameters of epic_kitchens."""

    video_info: str | None = Field(
        None, description="EPIC_100_video_info.csv, for lengths and frame rates; null: the rate follows from the rows"
    )


class _Action(NamedTuple):
    item: str
    start_s: float | None
    end_s: float | None
    start_frame: float | None
    stop_frame: float | None
    row: dict[str, str]


class EpicKitchens(Importer[EpicKitchensParams]):
    """Reads EPIC-KITCHENS-100 (Damen et al. 2021) into `events` of kind action."""

    name: ClassVar[str] = "epic_kitchens"
    Params: ClassVar[type[ImporterParams]] = EpicKitchensParams
    licence: ClassVar[str | None] = "CC BY-NC 4.0"

    def read(self, folder: Path) -> Iterator[Imported]:
        """Actions of all files, checked against the frame rates of `video_info` where it is given."""
        files = (self.params.video_info,) if self.params.video_info else ()
        found = other_rows(self, folder, files, ("video_id", "duration", "fps"))
        self._info = {row["video_id"]: row for _, row in found}
        yield from super().read(folder)

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per video, in order of their first row."""
        videos: dict[str, list[_Action]] = {}
        for place, row in csv_rows(path, NEEDED, lambda where, why: self.fault(path, where, why)):
            if not row["video_id"]:
                self.fault(path, place, "no `video_id`")
                continue
            item = f"{path.name} {row['narration_id'] or place}"
            start_s, end_s = seconds(row["start_timestamp"]), seconds(row["stop_timestamp"])
            action = _Action(item, start_s, end_s, number(row["start_frame"]), number(row["stop_frame"]), row)
            videos.setdefault(row["video_id"], []).append(action)
        for name, actions in videos.items():
            yield self._video(name, actions)

    def _video(self, name: str, actions: list[_Action]) -> Imported:
        info = self._info.get(name, {})
        said = Imported(name, duration_s=number(info.get("duration")), fps=number(info.get("fps")))
        rate, error = _rate(actions)
        if said.fps is None:
            said.fps, said.fps_error = rate, error
        elif rate is not None and abs(rate - said.fps) > error * rate:
            why = f"frame numbers are counted at {rate:.2f} per second, video_info says {said.fps:.2f}; times are taken"
            said.notes.append(ImportNote(name, "frame_rate", why, "noted", len(actions)))
        for action in actions:
            _action(said, action, rate, error)
        return said


def _rate(actions: list[_Action]) -> tuple[float | None, float]:
    """Frames per second that the rows count at, and how far that may be off, as a share of it."""
    late = [a for a in actions if a.stop_frame and a.end_s and a.end_s >= 1.0]
    if not late:
        return None, 0.0
    last = max(float(a.end_s or 0.0) for a in late)
    longest = [a for a in late if float(a.end_s or 0.0) >= last / 2]
    rate = median(
        (float(a.stop_frame or 0.0) + 0.5) / float(a.end_s or 1.0) for a in longest
    )  # frames are rounded down
    return rate, (1.0 + ROUNDING_S * rate) / (rate * last / 2)


def _action(said: Imported, action: _Action, rate: float | None, error: float) -> None:
    row: dict[str, Any] = dict(action.row)
    if action.start_s is None or action.end_s is None:
        times = {k: row[k] for k in ("start_timestamp", "stop_timestamp")}
        said.leave_out(action.item, "no_time", f"{shown(times)} are no hh:mm:ss")
        return
    if (text := sentence(row["narration"])) is None:
        said.leave_out(action.item, "no_text", "the narration is empty")
        return
    for edge, t_s, frame in (("start", action.start_s, action.start_frame), ("stop", action.end_s, action.stop_frame)):
        if rate is None or frame is None:
            continue
        apart = abs(frame - t_s * rate)
        if apart > SLACK_FRAMES + ROUNDING_S * rate + error * frame:
            why = f"{edge}_frame {frame:g} is {apart:.0f} frames from {t_s:g} s at {rate:.2f} frames per second; the time is taken"
            said.notes.append(ImportNote(action.item, "frame_rate", why, "noted"))
            break
    attributes = {"narration_id": row["narration_id"], **{k: _value(row.get(k)) for k in CLASSES}}
    attributes |= {"start_frame": action.start_frame, "stop_frame": action.stop_frame}
    said.add(
        "events", action.item, start_s=action.start_s, end_s=action.end_s, text=text, kind="action",
        attributes_json=as_json(attributes),
    )  # fmt: skip


def _value(text: str | None) -> Any:
    """Numbers and lists as they are written in the CSV: `3`, `['door', 'tap']`, `[3, 8]`."""
    if not text:
        return None
    if text.startswith("[") and text.endswith("]"):
        return [_value(part.strip().strip("'\"")) for part in text[1:-1].split(",") if part.strip()]
    return int(text) if text.isdecimal() else text


IMPORTER = EpicKitchens
