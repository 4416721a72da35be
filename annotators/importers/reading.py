"""Reading annotation files: JSON, JSON lines, CSV and the times in them, with errors that name the file, the place and the cure.

What a whole file lacks raises `ImportProblem`; what one item lacks is for the importer to leave out with a note. Files are read
as UTF-8, with or without a byte order mark.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...engine.importing import Importer, ImportProblem

Wrong = Callable[[str, str], None]
"""Told of a line that cannot be read: (place, why)."""


def read_json(path: Path) -> Any:
    """The document in a JSON file."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ImportProblem(
            f"{path.name}, line {error.lineno}: not valid JSON: {error.msg}; download or export it again"
        ) from None


def read_mapping(path: Path, expected: str) -> dict[str, Any]:
    """The object in a JSON file; `expected` says what it should be in the error."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ImportProblem(f"{path.name}: expected {expected}, found {_kind(found)}; is it the right file?")
    return found


def json_objects(path: Path, wrong: Wrong) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of JSON lines or of a JSON list, whatever the file is called; lines that are no object go to `wrong`."""
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        found = read_json(path)
        for number, value in enumerate(found, 1):
            if isinstance(value, dict):
                yield f"item {number}", value
            else:
                wrong(f"item {number}", f"expected an object {{name: value}}, found {_kind(value)}")
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            wrong(f"line {number}", f"not valid JSON: {error.msg}")
            continue
        if isinstance(value, dict):
            yield f"line {number}", value
        else:
            wrong(f"line {number}", f"expected an object {{name: value}}, found {_kind(value)}")


def csv_rows(path: Path, needed: Sequence[str], wrong: Wrong) -> Iterator[tuple[str, dict[str, str]]]:
    """(place, values by column) of a file with a header, separated by commas, semicolons, tabs or bars.

    Raises `ImportProblem` for a missing column; a row with too few or too many values goes to `wrong`.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        lines = csv.reader(file, delimiter=max(",;\t|", key=header.count))
        names = [name.strip() for name in next(lines, [])]
        if lacking := [name for name in needed if name not in names]:
            raise ImportProblem(
                f"{path.name}: no column {', '.join(lacking)}; its columns are {', '.join(names) or '(none)'}: "
                "is it the right file?"
            )
        for values in lines:
            if not values:
                continue
            place = f"line {lines.line_num}"
            if len(values) != len(names):
                wrong(place, f"{len(values)} values for {len(names)} columns")
                continue
            yield place, dict(zip(names, values, strict=True))


def other_rows(
    importer: Importer[Any], folder: Path, files: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[Path, dict[str, str]]]:
    """(file, values by column) of CSV files that an importer reads beside its own; what cannot be read is a fault of it."""
    for path in importer.others(folder, files):

        def wrong(where: str, why: str, path: Path = path) -> None:
            importer.fault(path, where, why)

        try:
            for _, row in csv_rows(path, needed, wrong):
                yield path, row
        except (ImportProblem, OSError, UnicodeDecodeError) as error:
            importer.broken(path, error)


def parts_of(
    value: Any, key: str, wrong: Callable[[str], None], *, optional: bool = False
) -> Iterator[tuple[int, Any]]:
    """(place, part) of the list under a key of an object; what is no list, or is not there (unless `optional`), goes to `wrong`."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, list):
        yield from enumerate(found)
    elif found is not None or not optional:
        wrong(f"needs a list `{key}`, has {shown(value if found is None else found)}")


def number(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def seconds(value: Any) -> float | None:
    """Seconds from a number or from `hh:mm:ss.ss` or `mm:ss`; None for anything else."""
    if not isinstance(value, str) or ":" not in value:
        return number(value)
    parts = [number(part) for part in value.strip().replace(",", ".").split(":")]
    if len(parts) > 3 or any(part is None or part < 0 for part in parts):
        return None
    total = 0.0
    for part in parts:
        assert part is not None
        total = total * 60 + part
    return total


def sentence(value: Any) -> str | None:
    """A description on one line without the full stop at its end; None when nothing is said."""
    if not isinstance(value, str):
        return None
    text = " ".join(value.split())
    return (text[:-1].rstrip() if text.endswith(".") and not text.endswith("...") else text) or None


def plain(value: Any) -> str | None:
    """A text on one line as it is; None when it is empty or no text."""
    return (" ".join(value.split()) or None) if isinstance(value, str) else None


def as_json(values: Mapping[str, Any]) -> str | None:
    """What is known of `values` as JSON with sorted names; None when nothing is."""
    known = {k: v for k, v in values.items() if v is not None}
    return json.dumps(known, sort_keys=True, ensure_ascii=False) if known else None


def shown(value: Any) -> str:
    """A value as a message shows it, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: Any) -> str:
    return {list: "a list", dict: "an object", str: "a text", type(None): "null"}.get(type(value), "a number")
