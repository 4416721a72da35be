"""The rows that `evaluate` compares: of a table of the dataset, or of a file (JSON, JSON lines or CSV) that names its media.

A file says of each row which medium it is about (`media_id`, or the file's name under `media`, `name`, `file` or `video`) and
gives the columns of the table; `start`, `end`, `query`, `caption` are understood too. Rows about media that the dataset does
not have are counted, not compared.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.tables import TABLES
from .console import UsageError

RowDict = dict[str, Any]
TOLD = ("composed_truth", "imported", "manifest_captions")
"""Producers whose rows are true by what they are made from."""
_ALIASES = {
    "start": "start_s", "end": "end_s", "query": "text", "caption": "text", "sentence": "text", "t": "t_s", "question_id": "question_id",
    "answer": "answer_text",
}  # fmt: skip
_MEDIA = ("media_id", "media", "name", "file", "video", "title")

_TIMES = frozenset({"start_s", "end_s", "t_s"})


@dataclass
class Side:
    """One side of a comparison."""

    rows: list[RowDict]
    said: str
    """Where the rows are from, for people."""
    unknown_media: int = 0
    """Rows of a file about media that the dataset does not have."""
    producers: tuple[str, ...] = ()


@dataclass(frozen=True)
class MediaNames:
    """Media by identifier and by file name, with their lengths in seconds."""

    lengths: Mapping[str, float]
    by_name: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog) -> MediaNames:
        """Of a dataset. A file name that several media have names none of them."""
        lengths: dict[str, float] = {}
        names: dict[str, set[str]] = {}
        for row in catalog.rows("SELECT media_id, title, duration_s FROM media ORDER BY media_id"):
            lengths[row["media_id"]] = row["duration_s"] or 0.0
            for name in {str(row["title"]), Path(str(row["title"])).stem}:
                names.setdefault(name, set()).add(row["media_id"])
        return cls(lengths, {name: next(iter(ids)) for name, ids in names.items() if len(ids) == 1})

    def find(self, row: Mapping[str, Any]) -> str | None:
        """The medium that a row of a file is about."""
        for key in _MEDIA:
            said = str(row.get(key) or "")
            last = said.replace("\\", "/").rsplit("/", 1)[-1]
            for name in (said, last, last.rsplit(" ", 1)[-1]):
                if name in self.lengths:
                    return name
                if name in self.by_name:
                    return self.by_name[name]
        return None


def file_side(path: Path, names: MediaNames, *, true: bool = False) -> Side:
    """Rows of a file. Raises `UsageError` when it cannot be read, none of its media are in the dataset, or what is to be true has
    times that are none; predictions with such times are answers that could not be read.
    """
    try:
        items = _items(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path.name}: {str(error).splitlines()[0]}") from None
    if not items:
        raise UsageError(f"{path.name} has no rows; a row has media, start_s, end_s, text ...")
    rows: list[RowDict] = []
    unknown = 0
    for number, item in enumerate(items, 1):
        media_id = names.find(item)
        if media_id is None:
            unknown += 1
            continue
        row = {_ALIASES.get(key, key): _number(value) for key, value in item.items() if key not in _MEDIA}
        for name in _TIMES & row.keys():
            if row[name] is not None and not _is_number(row[name]):
                if true:
                    raise UsageError(f"{path.name}, row {number}: {row[name]!r} is no time in seconds; correct it")
                row[name] = None
        rows.append({**row, "media_id": media_id})
    if not rows:
        raise UsageError(
            f"{path.name}: none of its {len(items)} rows is about a medium of this dataset; rows name media by media_id or file name"
        )
    return Side(rows, path.name, unknown)


def table_side(
    catalog: Catalog, table: str, producer: str | None, *, without: Sequence[str] = (), only: Sequence[str] = ()
) -> Side:
    """Rows of a table: of `producer`, else of those among `only`, else of all but `without`. Raises `UsageError` naming
    the producers that there are.
    """
    if table not in TABLES or not TABLES[table].annotation:
        known = ", ".join(name for name, t in TABLES.items() if t.annotation)
        raise UsageError(f"no table {table!r} of annotations; there are {known}")
    there = [r["producer"] for r in catalog.rows(f"SELECT DISTINCT producer FROM {table} ORDER BY producer")]
    if producer is not None:
        chosen = [p for p in there if p == producer]
    else:
        chosen = [p for p in there if p in only] if only else [p for p in there if p not in without]
    if not chosen:
        asked = f"of producer {producer!r}" if producer else "to compare"
        hint = " (name one with --producer, or --truth-producer where it is the truth)" if there else ""
        raise UsageError(f"table {table} has no rows {asked}; its producers are: {', '.join(there) or 'none'}{hint}")
    marks = ", ".join("?" for _ in chosen)
    rows = catalog.rows(f"SELECT * FROM {table} WHERE producer IN ({marks}) ORDER BY media_id, row_id", list(chosen))
    return Side(rows, f"{table} of {', '.join(chosen)}", producers=tuple(chosen))


def described_side(catalog: Catalog, producer: str | None) -> Side:
    """What people, composers and importers say happens when: captions of levels clip and event, and exact events."""
    marks = "" if producer is None else " AND producer = $producer"
    given = {} if producer is None else {"producer": producer}
    rows = catalog.rows(
        "SELECT media_id, row_id, start_s, end_s, text, level AS kind, producer FROM captions WHERE level IN ('clip', 'event')" + marks
        + " UNION ALL BY NAME SELECT media_id, row_id, start_s, end_s, text, kind, producer FROM events WHERE localiser IS NULL" + marks
        + " ORDER BY media_id, row_id",
        given or None,
    )  # fmt: skip
    if not rows:
        raise UsageError(
            "no described event is known to be true here; give --truth FILE, or --against TABLE --truth-producer NAME"
        )
    made = tuple(sorted({r["producer"] for r in rows}))
    return Side(rows, f"described events of {', '.join(made)}", producers=made)


def _items(path: Path) -> list[RowDict]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    if path.suffix == ".jsonl":
        return [_object(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = json.loads(text)
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), None)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("a list of objects is wanted, or an object that holds one")
    return found


def _object(line: str, number: int) -> RowDict:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number} is no JSON: {error.msg}") from None
    if not isinstance(found, dict):
        raise ValueError(f"line {number}: each line is an object {{column: value}}")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value or None
