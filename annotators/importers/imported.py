"""What importers read about a medium, written to its tables after a check against the medium itself; graded `exact`.

A span that runs past the end is cut there, one that begins past it, is empty or reversed is left out, and so are boxes of a
picture of another shape; a stated frame rate or length that the medium contradicts is noted. Every row that was read is a
written row or counts in a note of `import_notes` whose action is left_out, so that nothing is lost silently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ...engine.annotator import Grade, Medium, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.import_entries import is_import, said_in
from ...engine.importing import Imported, ImportedRow, ImportNote
from ...schemas.composed import ComposedFacts, read_row
from ...schemas.span import from_us, to_us
from ...schemas.tables import TABLES
from .checking import (
    Checked,
    Finding,
    checked_box,
    checked_box3d,
    checked_camera,
    checked_moment,
    checked_span,
    checked_time,
    other_length,
    other_rate,
    other_shape,
)
from .composed_truth import read_truth

KNOWN = (
    "shots", "captions", "events", "speech", "words", "text_regions", "tracks", "boxes", "sounds", "questions",
    "scenes", "cameras", "depths", "points", "boxes3d", "fixations",
)  # fmt: skip
"""Tables that importers may fill."""


class ImportedParams(Params):
    """Parameters of `imported`."""

    tables: tuple[str, ...] | None = Field(
        None, description=f"write these tables only; null: all of {', '.join(KNOWN)}"
    )
    past_the_end: Literal["cut", "leave_out"] = Field(
        "cut", description="spans that begin on the medium and end past it"
    )
    duration_tolerance_s: float = Field(1.0, ge=0, description="a stated length that differs by more is noted")
    rate_tolerance: float = Field(
        0.0005, ge=0, description="a stated frame rate that differs by a larger share is noted"
    )
    shape_tolerance: float = Field(
        0.02, ge=0, description="boxes of a picture whose width to height differs by a larger share are left out"
    )
    other_shape: Literal["leave_out", "keep"] = Field(
        "leave_out", description="such boxes: leave out, or keep with a note"
    )

    @field_validator("tables")
    @classmethod
    def _known(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if unknown := [name for name in value or () if name not in KNOWN]:
            raise ValueError(f"importers fill no table {unknown[0]!r}; they fill {', '.join(KNOWN)}")
        return value


class ImportedAnnotator(UnitAnnotator[ImportedParams]):
    """Writes what the recipe's `import:` sources say of a medium, and notes about what was not taken as written."""

    name: ClassVar[str] = "imported"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = ImportedParams
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = (*KNOWN, "import_notes")
    grade: ClassVar[Grade] = "exact"
    light: ClassVar[bool] = True
    written_by: ClassVar[str] = "people"
    """Whose words it takes."""

    def dynamic_writes(self) -> tuple[str, ...]:
        """The tables asked for, and the notes."""
        return (*(self.params.tables or KNOWN), "import_notes")

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows and notes of a medium; skips one that nothing was imported for."""
        medium = unit.medium
        assert medium is not None
        entries = _entries(rows, self.written_by)
        if self.written_by == "people":
            entries += _beside(rows)
        if not entries:
            raise SkipUnit(f"nothing that {self.written_by} wrote was imported for it")
        work = _Work(self.params, medium)
        for entry in entries:
            work.take(entry)
        return list(work.result())


def _entries(rows: Rows, written_by: str) -> list[Imported]:
    """What importers said of what people or models wrote, in order of place; equal words about two copies of one content count once."""
    found: dict[str, Imported] = {}
    for source in sorted(rows["sources"], key=lambda s: str(s["uri"])):
        for entry in json.loads(source["entries_json"] or "[]"):
            if is_import(entry) and entry["written_by"] == written_by:
                words = json.dumps(entry, sort_keys=True)
                found[words] = found.get(words) or said_in(entry, str(source["uri"]).rsplit("/", 1)[-1])
    return list(found.values())


def _beside(rows: Rows) -> list[Imported]:
    """What an importer of folders wrote beside the film that it made."""
    try:
        truth, name = read_truth(rows)
    except SkipUnit:
        return []
    if not isinstance(truth, ComposedFacts) or not truth.imported:
        return []
    said = Imported(str(truth.parameters["name"]), file=name)
    for table, found in truth.rows.items():
        if table == "import_notes":
            said.notes += [ImportNote(**row) for row in found]
        else:
            said.rows += [ImportedRow(table, read_row(row), f"{said.name} {table}[{n}]") for n, row in enumerate(found)]
    return [said]


class _Work:
    """Checks the rows about one medium and collects what is written."""

    def __init__(self, params: ImportedParams, medium: Medium) -> None:
        self.params, self.medium = params, medium
        self.tables = set(params.tables or KNOWN)
        self.rows: dict[str, tuple[str, Row]] = {}
        """By key: the item that it comes from, and the row."""
        self.notes: dict[tuple[str, str, str], ImportNote] = {}
        self.used: set[tuple[str, str]] = set()

    def take(self, said: Imported) -> None:
        """Check and keep what one file said."""
        medium, params = self.medium, self.params
        wanted = [row for row in said.rows if row.table in self.tables or row.table not in KNOWN]
        for note in said.notes:
            self._note(note)
        about = f"{said.file} about {said.name}"
        if why := other_length(said.duration_s, medium.duration_s, params.duration_tolerance_s):
            self._note(ImportNote(about, "duration", why, "noted", len(wanted)))
        if why := other_rate(said.fps, said.fps_error, medium.fps, medium.duration_s, params.rate_tolerance):
            self._note(ImportNote(about, "frame_rate", why, "noted", len(wanted)))
        elif said.fps and medium.row.get("variable_fps"):
            why = "frames were counted, but the medium's have unequal lengths: times may be off"
            self._note(ImportNote(about, "frame_rate", why, "noted", len(wanted)))
        shape = other_shape(said.size, medium.width, medium.height, params.shape_tolerance)
        boxes = [row for row in wanted if row.table == "boxes"]
        if shape and boxes:
            leave = params.other_shape == "leave_out"
            self._note(ImportNote(about, "size", shape, "left_out" if leave else "noted", len(boxes)))
            wanted = [row for row in wanted if row.table != "boxes"] if leave else wanted
        for row in _numbered(wanted):
            self._row(row)

    def result(self) -> Iterator[Row]:
        """All rows, then the notes."""
        yield from (row for _, row in self.rows.values())
        for note in self.notes.values():
            yield "import_notes", note._asdict()

    def _row(self, row: ImportedRow) -> None:
        if row.table not in KNOWN:
            raise ValueError(f"{row.item}: importers may not write table {row.table!r}; use one of {', '.join(KNOWN)}")
        checked = self._checked(row)
        if checked.finding is not None:
            self._note(ImportNote(row.item, *checked.finding))
        if checked.values is None:
            return
        key = TABLES[row.table].row_id("", {**checked.values, "media_id": self.medium.media_id})
        found: Row = (row.table, checked.values)
        if self.rows.setdefault(key, (row.item, found)) != (row.item, found):
            self._note(
                ImportNote(row.item, *Finding("duplicate", "a row with the same key was read before", "left_out"))
            )

    def _checked(self, row: ImportedRow) -> Checked:
        duration_s, cut = self.medium.duration_s, self.params.past_the_end == "cut"
        if row.table in ("scenes", "points"):
            return Checked(dict(row.values))
        if row.table == "boxes3d":
            return checked_box3d(row.values, duration_s)
        if row.table == "cameras":
            return checked_camera(row.values, duration_s)
        if row.table == "depths":
            return checked_time(row.values, duration_s, "depth map")
        if row.table == "fixations":
            # of a picture they are timed on the looking, which its clock knows nothing of
            return checked_time(row.values if duration_s else {**row.values, "t_s": 0.0}, duration_s, "fixation")
        if row.table == "boxes":
            return checked_box(row.values, duration_s)
        if row.table == "tracks" and not duration_s:
            return Checked({**row.values, "start_s": 0.0, "end_s": 0.0})
        if row.table == "questions":
            return checked_moment(row.values, duration_s, cut)
        values = row.values
        if row.table == "captions":
            whole = values.get("start_s") is None and values.get("end_s") is None
            span = {"start_s": 0.0, "end_s": from_us(to_us(duration_s))} if whole else {}
            values = {"level": "medium" if whole else "event", **values, **span}
            if whole and not duration_s:
                return Checked(values)
        return checked_span(values, duration_s, cut)

    def _note(self, note: ImportNote) -> None:
        """Keep a note; those of one item, rule and action are one."""
        key = (note.item, note.rule, note.action)
        before = self.notes.get(key)
        if before is not None:
            self.notes[key] = before._replace(items=before.items + note.items)
            return
        other = key[:2] in self.used
        self.used.add(key[:2])
        self.notes[key] = note._replace(item=f"{note.item} ({note.action})") if other else note


def _numbered(rows: list[ImportedRow]) -> list[ImportedRow]:
    """Words without a position are given one, in order of time."""
    words = sorted(
        (r for r in rows if r.table == "words"),
        key=lambda r: (r.values.get("start_s", 0.0), r.values.get("end_s", 0.0)),
    )
    place: dict[int, Any] = {id(row): count for count, row in enumerate(words)}
    return [
        row._replace(values={"position": place[id(row)], **row.values}) if row.table == "words" else row for row in rows
    ]


ANNOTATOR = ImportedAnnotator
