"""From the `sources` of a recipe to places: folders, globs, lists and manifests, local or in an object store.

A manifest names columns by `columns: {ours: theirs}`; names that equal ours need no mapping, and every other column is
kept as a user column. Values of CSV files stay as written, except numbers that read back the same. A row without a file
is an error that names the row; a file that is missing is found by the scan. Rows are counted from 1, after the header.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import logging
import math
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..engine.composing import ComposeError
from ..engine.importing import ImportProblem
from ..engine.local_media import local_media
from ..engine.media.container import MediaError
from ..engine.media.fetch import is_remote, list_files
from ..engine.producer import RecipeError
from ..engine.scan import Place
from .composed_places import COMPOSED, composed_places
from .folder_places import folder_places, reads_folders
from .recipe import Recipe
from .recipe_sources import Manifest, Source
from .unheard import unheard

_log = logging.getLogger(__name__)
OURS = ("uri", "start_s", "end_s", "caption", "licence", "group_id", "official_split", "origin")
COMMON_NAMES = {"uri": ("path", "video", "file", "filename", "url", "video_path", "filepath")}
ORIGINS = ("real", "composed", "rendered")
SPLIT_NAMES = ("train", "validation", "test", "training", "val", "valid", "dev", "testing")


def places_of(recipe: Recipe, limit: int | None = None, root: Path | None = None) -> list[Place]:
    """All places of a recipe in a stable order, each once; what lies below the dataset root is no footage, but for what
    composers make there: such media are named here and written by the scan.

    Raises `RecipeError` for sources that yield nothing.
    """
    for line in unheard(recipe):
        _log.warning(line)
    found: dict[str, Place] = {}
    for number, source in enumerate(recipe.model.sources, start=1):
        count = 0
        try:
            if source.composer is not None:
                folder = (root or recipe.folder) / COMPOSED / recipe.name / f"{number}-{Path(source.composer).stem}"
                work = (root or recipe.folder) / "work"
                expanded = list(composed_places(source, recipe.folder, folder, work, recipe.model.seed, root))
            elif reads_folders(source, recipe.folder):
                folder = (root or recipe.folder) / COMPOSED / recipe.name / f"{number}-{source.importer}"
                expanded = folder_places(source, recipe.folder, folder)
            else:
                expanded = list(footage_of(source, recipe.folder))
        except (MediaError, ComposeError, ImportProblem) as error:
            raise RecipeError(f"sources, entry {number}: {error}") from None
        for place in expanded:
            if place.make is None and is_inside(place.uri, root):
                continue
            count += 1
            if place.uri in found:
                found[place.uri].merge(place)
            else:
                found[place.uri] = place
        if not count:
            raise RecipeError(
                f"sources, entry {number}: no media found by {said_of(source)}; check the path and the suffixes"
            )
    ordered = [found[uri] for uri in sorted(found)]
    return ordered[:limit] if limit else ordered


def is_inside(uri: str, root: Path | None) -> bool:
    """Whether a place lies below a dataset root: what a build wrote is no footage of its own."""
    return root is not None and "://" not in uri and Path(uri).is_relative_to(root)


def said_of(source: Source) -> str:
    """An entry of sources as it is written."""
    said = source.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True, exclude={"origin"})
    return ", ".join(f"{k}: {v}" for k, v in said.items())


def footage_of(source: Source, folder: Path) -> Iterator[Place]:
    """Places of an entry that names footage which is there; relative names start from `folder`."""
    if source.importer is not None:
        from .imported_places import imported_places

        for place in imported_places(source, folder):
            yield _with(place, source)
        return
    if source.manifest is not None:
        for place in read_manifest(source.manifest, folder):
            yield _with(place, source)
        return
    if source.list_file is not None:
        uri = absolute(source.list_file, folder)
        for line in _text_of(uri, folder).splitlines():
            if line.strip() and not line.strip().startswith("#"):
                yield _with(Place(absolute(line.strip(), _parent(uri))), source)
        return
    patterns: tuple[str, ...]
    if source.folder is not None:
        patterns = (source.folder.rstrip("/"),)
    else:
        patterns = (source.videos,) if isinstance(source.videos, str) else tuple(source.videos or ())
    for pattern in patterns:
        for file in list_files(absolute(pattern, folder)):
            yield _with(Place(file.uri), source)


def _text_of(uri: str, folder: Path) -> str:
    """A text file of a source, local or remote. Raises `RecipeError` saying which and why."""
    _must_exist(uri)
    try:
        with local_media(uri, folder) as path:
            return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecipeError(f"sources: {uri} cannot be read: {said}") from None


def _must_exist(uri: str) -> None:
    if not is_remote(uri) and not Path(uri).is_file():
        raise RecipeError(f"sources: there is no file {uri}; relative names start from the recipe's folder")


def _with(place: Place, source: Source) -> Place:
    place.licence = place.licence or source.licence
    place.group_id = place.group_id or source.group_id
    place.official_split = place.official_split or source.official_split
    if place.origin == "real":
        place.origin = source.origin
    return place


def read_manifest(manifest: Manifest, folder: Path) -> Iterator[Place]:
    """Places of a manifest, one per row. Raises `RecipeError` naming the row or the column."""
    uri = absolute(manifest.file, folder)
    base = absolute(manifest.base, folder) if manifest.base else _parent(uri)
    rows = manifest_rows(uri, folder)
    if not rows:
        raise RecipeError(f"manifest {manifest.file} has no rows; it needs a header and a row per video or clip")
    columns = _mapping(manifest, list(rows[0]))
    for number, row in enumerate(rows, start=1):
        where = f"manifest {manifest.file}, row {number}"
        path = row.get(columns["uri"])
        if not isinstance(path, str) or not path.strip():
            raise RecipeError(
                f"{where}: column {columns['uri']!r} holds no path ({path!r}); fill it in or drop the row"
            )
        values = {ours: row.get(theirs) for ours, theirs in columns.items()}
        start, end = _seconds(values.get("start_s"), where), _seconds(values.get("end_s"), where)
        if start is not None and end is not None and not start < end:
            raise RecipeError(
                f"{where}: the clip must end after it starts, not run from {start:g} to {end:g} s; correct it"
            )
        split, origin = _text(values.get("official_split")), _text(values.get("origin")) or "real"
        _one_of(split, SPLIT_NAMES, "official_split", where)
        _one_of(origin, ORIGINS, "origin", where)
        user = {k: _user(v) for k, v in row.items() if k not in columns.values() and _plain(v) is not None}
        entry = {"start_s": start, "end_s": end, "caption": _plain(values.get("caption")), "user": user}
        if manifest.spans == "captions":
            if not _text(entry["caption"]):
                raise RecipeError(
                    f"{where}: no caption; with `spans: captions` each row describes a part of the footage: say which column "
                    "does, for example `columns: {caption: sentence}`"
                )
            entry["level"] = "event"
        keep = start is not None or end is not None or entry["caption"] or user
        yield Place(
            absolute(path.strip(), base),
            licence=_text(values.get("licence")),
            group_id=_text(values.get("group_id")),
            official_split=split,
            origin=origin,
            entries=[entry] if keep else [],
        )


def manifest_rows(uri: str, folder: Path) -> list[dict[str, Any]]:
    """Rows of a CSV, TSV, JSONL, JSON or Parquet file; texts of CSV as written. Raises `RecipeError` naming file and line."""
    suffix = Path(uri.split("?")[0]).suffix.lower()
    if suffix in (".csv", ".tsv"):
        return _csv_rows(_text_of(uri, folder), uri)
    if suffix in (".jsonl", ".json"):
        return _json_rows(_text_of(uri, folder), suffix, uri)
    if suffix != ".parquet":
        raise RecipeError(f"manifest {uri}: unknown suffix {suffix!r}; use .csv, .tsv, .jsonl, .json or .parquet")
    _must_exist(uri)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with local_media(uri, folder) as path:
            rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
            return rows
    except (pa.ArrowException, OSError) as error:
        raise RecipeError(f"manifest {uri} cannot be read: {str(error).splitlines()[0]}") from None


def _csv_rows(text: str, uri: str) -> list[dict[str, Any]]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    names = [name.strip() for name in lines[0]] if lines else []
    for number, line in enumerate(lines[1:], start=1):
        if len(line) != len(names):
            raise RecipeError(
                f"manifest {uri}, row {number}: {len(line)} values for {len(names)} columns; put quotes around values with "
                f"{delimiter!r} inside"
            )
    return [{name: value or None for name, value in zip(names, line, strict=True)} for line in lines[1:]]


def _json_rows(text: str, suffix: str, uri: str) -> list[dict[str, Any]]:
    rows: list[Any] = []
    pieces = [text] if suffix == ".json" else text.split("\n")
    for number, piece in enumerate(pieces):
        try:
            value = json.loads(piece) if piece.strip() else []
        except json.JSONDecodeError as error:
            raise RecipeError(f"manifest {uri}, line {number + error.lineno}: not valid JSON: {error.msg}") from None
        rows += value if suffix == ".json" and isinstance(value, list) else [value] if piece.strip() else []
    if bad := next((i for i, row in enumerate(rows, start=1) if not isinstance(row, dict)), None):
        raise RecipeError(f"manifest {uri}, row {bad}: each row is an object {{column: value}}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def _mapping(manifest: Manifest, present: list[str]) -> dict[str, str]:
    for ours, theirs in manifest.columns.items():
        if ours not in OURS:
            raise RecipeError(
                f"manifest {manifest.file}: `columns` maps {ours!r}, which is none of our names{_close(ours, OURS)}; they are "
                f"{', '.join(OURS)} (write `our name: their column`)"
            )
        if theirs not in present:
            raise RecipeError(
                f"manifest {manifest.file}: no column {theirs!r}{_close(theirs, present)}; its columns are {', '.join(present)}"
            )
    columns = dict(manifest.columns)
    for ours in OURS:
        if ours not in columns and ours in present:
            columns[ours] = ours
    if "uri" not in columns:
        guess = next((c for c in COMMON_NAMES["uri"] if c in present), None)
        if guess is None:
            raise RecipeError(
                f"manifest {manifest.file}: which column holds the path? say `columns: {{uri: ...}}`; "
                f"its columns are {', '.join(present)}"
            )
        columns["uri"] = guess
    return columns


def _close(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def absolute(uri: str, base: Path | str) -> str:
    """An object-store URI as it is, or a local path made absolute against `base` (a folder or a URI prefix)."""
    if uri.startswith("file://"):
        uri = unquote(uri.removeprefix("file://"))
    if "://" in uri:
        return uri
    if "://" in str(base):
        return f"{str(base).rstrip('/')}/{uri.lstrip('/')}"
    path = Path(uri).expanduser()
    return os.path.normpath(path if path.is_absolute() else Path(base) / path)


def _parent(uri: str) -> str:
    return uri.rpartition("/")[0] or "/"


def _seconds(value: Any, where: str) -> float | None:
    """Seconds from a number, or from mm:ss or hh:mm:ss with a point or comma before the fraction."""
    if _plain(value) is None or value == "":
        return None
    wrong = RecipeError(f"{where}: {value!r} is not a time; write seconds or hh:mm:ss")
    text = str(value).strip()
    parts = text.replace(",", ".").split(":") if ":" in text else [text]
    try:
        numbers = [float(p) for p in parts]
    except ValueError:
        raise wrong from None
    if len(numbers) > 3 or not all(math.isfinite(n) for n in numbers) or any(n >= 60 for n in numbers[1:]):
        raise wrong
    if any(n < 0 for n in numbers) or text.startswith("-"):
        raise RecipeError(f"{where}: a time cannot be negative ({value!r})")
    return sum(n * 60**i for i, n in enumerate(reversed(numbers)))


def _user(value: Any) -> Any:
    """A user column's value; texts that are numbers become numbers when nothing is lost (`007` stays a text)."""
    plain = _plain(value)
    if isinstance(plain, str):
        for kind, pattern in ((int, r"-?\d{1,18}"), (float, r"-?\d+\.\d+")):
            if re.fullmatch(pattern, plain) and str(kind(plain)) == plain:
                return kind(plain)
    return plain


def _one_of(value: str | None, known: tuple[str, ...], column: str, where: str) -> None:
    if value is not None and value.lower() not in known:
        raise RecipeError(f"{where}: {column} {value!r} is unknown; use one of {', '.join(known)}")


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _text(value: Any) -> str | None:
    plain = _plain(value)
    return None if plain is None or plain == "" else str(plain)
