"""Any table: rows of a CSV, TSV, JSON, JSONL or Parquet file into one of our tables, by a mapping of columns.

`columns: {ours: theirs}` names where our columns come from; names that are equal need no mapping. `media` is the column with
the name of the medium. Frame numbers are converted at `fps` (a number, or their column), pixel boxes are divided by `size`
(two numbers, or their columns). Rows of `boxes` are joined to tracks by their column `track`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem, split_said
from ...schemas.ids import derive_id
from ...schemas.tables import TABLES
from .cells import Columns, box_of, said_of, typed
from .reading import as_json, csv_rows, json_objects, number, plain, read_json, seconds, shown

Target = Literal["events", "captions", "boxes", "speech", "words", "questions", "tracks", "sounds", "shots"]
FRAMES = {"start_frame": "start_s", "end_frame": "end_s", "frame": "t_s"}
"""Columns that count frames, and what they become."""
TIMES = ("start_s", "end_s", "t_s", "duration_s")
ABOUT = ("media", "split", "group_id", "duration_s", "fps", "width", "height", "item")
"""Columns about the medium or the row."""
PLACE = ("track", "label", "phrase", "box", "x", "y", "w", "h")
"""Columns about boxes that stand in no table of ours."""
MEDIA_NAMES = ("media", "video", "video_id", "vid", "path", "file", "filename", "video_path", "image")
DEFAULTS: dict[str, dict[str, Any]] = {
    "events": {"kind": "event"},
    "captions": {"model": "table"},
    "speech": {"origin": "imported"},
    "questions": {"kind": "table", "options": []},
    "shots": {"transition": "cut"},
}
NEEDED = {
    "events": ("start_s", "end_s", "text"),
    "speech": ("start_s", "end_s", "text"),
    "captions": ("text",),
    "sounds": ("start_s", "end_s", "label"),
    "shots": ("start_s", "end_s"),
}
"""Columns without which a file has nothing to give."""
STEP_S = 0.04
"""How long a track of one box lasts when no frame rate is given."""


class TableParams(ImporterParams):
    """Parameters of table."""

    table: Target = Field("events", description="table that the rows go to")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="our name: their column; ours are the columns of the table, and media, split, group_id, duration_s, "
        "start_frame, end_frame, frame, fps, width, height; of boxes also track, label, phrase, box (a list of four), x, y, w, h",
    )
    values: dict[str, Any] = Field(
        default_factory=dict, description="our column: value that all rows have, such as kind: action"
    )
    attributes: tuple[str, ...] = Field((), description="their columns to keep in attributes_json")
    fps: float | None = Field(None, gt=0, description="frame rate that frame numbers count at, for all rows")
    first_frame: int = Field(0, ge=0, description="number of the first frame: 0, or 1")
    last_frame: Literal["excluded", "included"] = Field("excluded", description="whether the span holds its end_frame")
    size: tuple[float, float] | None = Field(
        None, description="width and height in pixels that boxes count in; null: the columns, else boxes are shares"
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = [c.name for c in TABLES[self.table].columns] + [
            *ABOUT,
            *FRAMES,
            *(PLACE if self.table == "boxes" else ()),
        ]
        if unknown := [name for name in (*self.columns, *self.values) if name not in known]:
            raise ValueError(
                f"{unknown[0]!r} is no column for {self.table}; ours are {', '.join(dict.fromkeys(known))}"
            )
        if self.attributes and "attributes_json" not in known:
            raise ValueError(f"table {self.table} has no attributes_json that `attributes` could go to")
        return self


class Table(Importer[TableParams]):
    """Reads any table of annotations into one of ours."""

    name: ClassVar[str] = "table"
    Params: ClassVar[type[ImporterParams]] = TableParams

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per row; per medium and track for boxes."""
        rows = list(self._rows(path))
        if not rows:
            raise ImportProblem(f"{path.name} has no rows")
        columns = self._columns(path, {name for _, row in rows for name in row})
        if self.params.table == "boxes":
            yield from self._boxes(path, rows, columns)
            return
        for place, row in rows:
            said = self._about(path, place, row, columns)
            if said is None:
                continue
            item = f"{path.name} {said_of(row, columns, 'item') or place}"
            values = self._values(said, item, row, columns)
            if values is not None:
                said.add(self.params.table, item, **values)
            yield said

    def _rows(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        suffix = path.suffix.lower()
        if suffix in (".csv", ".tsv", ".txt"):
            yield from csv_rows(path, (), lambda where, why: self.fault(path, where, why))
        elif suffix == ".parquet":
            from pyarrow import parquet

            try:
                found = parquet.read_table(path).to_pylist()
            except pa.ArrowException as error:
                raise ImportProblem(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
            yield from ((f"row {count}", row) for count, row in enumerate(found, 1))
        elif suffix == ".json" and isinstance(found := read_json(path), dict):
            yield from self._by_medium(path, found)
        elif suffix in (".json", ".jsonl"):
            yield from json_objects(path, lambda where, why: self.fault(path, where, why))
        else:
            raise ImportProblem(f"{path.name}: unknown suffix {suffix!r}; use .csv, .tsv, .json, .jsonl or .parquet")

    def _by_medium(self, path: Path, found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows of `{medium: {...}}` or `{medium: [{...}]}`."""
        for name, value in found.items():
            for count, row in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(row, dict):
                    yield f"{name}[{count}]", {"media": name, **row}
                else:
                    self.fault(path, f"{name}[{count}]", f"expected an object {{column: value}}, found {shown(row)}")

    def _columns(self, path: Path, present: set[str]) -> Columns:
        """Their column by our name. Raises `ImportProblem` for columns that are not there."""
        ours = [c.name for c in TABLES[self.params.table].columns] + [*ABOUT, *FRAMES, *PLACE]
        wanted = [*self.params.columns.values(), *self.params.attributes]
        if lacking := [theirs for theirs in wanted if theirs not in present]:
            raise ImportProblem(
                f"{path.name}: no column {', '.join(lacking)}; its columns are {', '.join(sorted(present))}"
            )
        columns = {name: name for name in ours if name in present} | self.params.columns
        if "media" not in columns:
            guess = next((name for name in MEDIA_NAMES if name in present), None)
            if guess is None:
                raise ImportProblem(
                    f"{path.name}: which column names the medium? say `columns: {{media: ...}}`; its columns are "
                    f"{', '.join(sorted(present))}"
                )
            columns["media"] = guess
        self._needed(path, present, columns)
        return columns

    def _needed(self, path: Path, present: set[str], columns: Columns) -> None:
        """Raises `ImportProblem` for a file without a column that every row of the table needs."""
        told = {FRAMES.get(ours, ours) for ours in columns} | {
            *self.params.values,
            *DEFAULTS.get(self.params.table, {}),
        }
        if lacking := [name for name in NEEDED.get(self.params.table, ()) if name not in told]:
            raise ImportProblem(
                f"{path.name}: which column is {', '.join(lacking)}? say `columns: {{{lacking[0]}: their column}}`; its columns are "
                f"{', '.join(sorted(present))}"
            )

    def _about(self, path: Path, place: str, row: Mapping[str, Any], columns: Columns) -> Imported | None:
        """What a row says of its medium; None, and a fault, when it names none."""
        name = row.get(columns["media"])
        if name is None or not str(name).strip():
            self.fault(path, place, f"column {columns['media']!r} names no medium")
            return None
        given = (number(said_of(row, columns, "width")), number(said_of(row, columns, "height")))
        size = (given[0], given[1]) if given[0] and given[1] else None
        counted = any(frames in columns for frames in FRAMES)
        return Imported(
            str(name).strip(),
            official_split=split_said(said_of(row, columns, "split")),
            group_id=plain(said_of(row, columns, "group_id")),
            duration_s=seconds(said_of(row, columns, "duration_s")),
            fps=(number(said_of(row, columns, "fps")) or self.params.fps) if counted else None,
            size=size or self.params.size,
        )

    def _values(self, said: Imported, item: str, row: Mapping[str, Any], columns: Columns) -> dict[str, Any] | None:
        """Our columns of a row; None, with a note, when one of them cannot be read."""
        values: dict[str, Any] = {**DEFAULTS.get(self.params.table, {}), **self.params.values}
        types = {c.name: c.type for c in TABLES[self.params.table].columns}
        for ours, theirs in columns.items():
            value = row.get(theirs)
            if value is None or value == "":
                continue
            if ours in FRAMES:
                found = self._time(said, ours, value)
                ours = FRAMES[ours]
            elif ours not in types:
                continue
            elif ours in TIMES:
                found = seconds(value)
            else:
                found = typed(value, types[ours])
            if found is None:
                frames = " (frames need `fps`)" if ours in TIMES and said.fps is None else ""
                said.leave_out(
                    item, "unreadable", f"column {theirs!r} holds {shown(value)}, which is no {ours}{frames}"
                )
                return None
            values[ours] = found
        key = TABLES[self.params.table].key
        if self.params.table == "questions":
            values.setdefault("question_id", derive_id("question", values.get("question"), values.get("start_s")))
        if self.params.attributes:
            values["attributes_json"] = as_json({name: row.get(name) for name in self.params.attributes})
        made = ("media_id", "level", "position") if self.params.table in ("captions", "words") else ("media_id",)
        spans = ("start_s", "end_s") if self.params.table == "captions" else ()
        if lacking := [name for name in key if values.get(name) is None and name not in (*made, *spans)]:
            said.leave_out(item, "missing_key", f"no {', '.join(lacking)}; map a column to it")
            return None
        return values

    def _time(self, said: Imported, ours: str, value: Any) -> float | None:
        """Seconds of a frame number: when it begins to be shown, or of an included last frame, when it ends."""
        frame = number(value)
        if frame is None or said.fps is None:
            return None
        past = 1 if ours == "end_frame" and self.params.last_frame == "included" else 0
        return (frame - self.params.first_frame + past) / said.fps

    def _boxes(self, path: Path, rows: list[tuple[str, dict[str, Any]]], columns: Columns) -> Iterator[Imported]:
        """Boxes, and a track for those of one medium and `track`."""
        if "track" not in columns:
            raise ImportProblem(f"{path.name}: which boxes are of one thing? say `columns: {{track: ...}}`")
        found: dict[tuple[str, str], list[tuple[float, Mapping[str, Any], Imported]]] = {}
        for place, row in rows:
            said = self._about(path, place, row, columns)
            if said is None:
                continue
            item = f"{path.name} {place}"
            frame, t_s = said_of(row, columns, "frame"), seconds(said_of(row, columns, "t_s"))
            t_s = self._time(said, "frame", frame) if frame is not None else t_s
            track, box = said_of(row, columns, "track"), box_of(row, columns, said.size)
            if t_s is None:
                said.leave_out(item, "no_time", "no `t_s`, and no `frame` with an `fps`")
            elif track is None or box is None:
                said.leave_out(
                    item,
                    "missing_key",
                    "no `track`" if track is None else "no box: x1, y1, x2, y2, or x, y, w, h, or box",
                )
            else:
                track_id = derive_id("track", path.name, said.name, str(track))
                values = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
                said.add("boxes", item, track_id=track_id, t_s=t_s, **values)
                found.setdefault((said.name, str(track)), []).append((t_s, row, said))
            yield said
        for (name, track), boxes in found.items():
            times = sorted({t for t, *_ in boxes})
            rate = boxes[0][2].fps
            step = 1 / rate if rate else min((b - a for a, b in itertools.pairwise(times)), default=STEP_S)
            first = boxes[0][1]
            said = Imported(name)
            said.add(
                "tracks", f"{path.name} track {track}", track_id=derive_id("track", path.name, name, track), start_s=times[0],
                end_s=times[-1] + step, label=plain(said_of(first, columns, "label")) or self.params.values.get("label", "thing"),
                phrase=plain(said_of(first, columns, "phrase")), score=1.0, attributes_json=json.dumps({"track": track}),
            )  # fmt: skip
            yield said


IMPORTER = Table
