"""From the `sources` of a recipe to places: folders, globs, lists and manifests, local or in an object store.

A manifest names columns by `columns: {ours: theirs}`; names that equal ours need no mapping, and every other column is
kept as a user column. A row without a file is an error that names the row; a file that is missing is found by the scan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..engine.local_media import local_media
from ..engine.media.fetch import list_files
from ..engine.producer import RecipeError
from ..engine.scan import Place
from .recipe import Manifest, Recipe, Source

OURS = ("uri", "start_s", "end_s", "caption", "licence", "group_id", "official_split", "origin")
COMMON_NAMES = {"uri": ("path", "video", "file", "filename", "url", "video_path", "filepath")}


def places_of(recipe: Recipe, limit: int | None = None) -> list[Place]:
    """All places of a recipe in a stable order, each once. Raises `RecipeError` for sources that yield nothing."""
    found: dict[str, Place] = {}
    for number, source in enumerate(recipe.model.sources, start=1):
        count = 0
        for place in _of_source(source, recipe.folder):
            count += 1
            if place.uri in found:
                found[place.uri].merge(place)
            else:
                found[place.uri] = place
        if not count:
            raise RecipeError(
                f"sources, entry {number}: no media found by {_said(source)}; check the path and the suffixes"
            )
    ordered = [found[uri] for uri in sorted(found)]
    return ordered[:limit] if limit else ordered


def _said(source: Source) -> str:
    return ", ".join(f"{k}: {v}" for k, v in source.model_dump(exclude_none=True, exclude={"origin"}).items())


def _of_source(source: Source, folder: Path) -> Iterator[Place]:
    if source.manifest is not None:
        for place in read_manifest(source.manifest, folder):
            yield _with(place, source)
        return
    if source.list_file is not None:
        uri = absolute(source.list_file, folder)
        with local_media(uri, folder) as path:
            lines = [line.strip() for line in path.read_text().splitlines()]
        for line in lines:
            if line and not line.startswith("#"):
                yield _with(Place(absolute(line, _parent(uri))), source)
        return
    patterns: tuple[str, ...]
    if source.folder is not None:
        patterns = (source.folder.rstrip("/"),)
    else:
        patterns = (source.videos,) if isinstance(source.videos, str) else tuple(source.videos or ())
    for pattern in patterns:
        for file in list_files(absolute(pattern, folder)):
            yield _with(Place(file.uri), source)


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
        raise RecipeError(f"manifest {manifest.file} has no rows")
    columns = _mapping(manifest, list(rows[0]))
    for number, row in enumerate(rows, start=1):
        where = f"manifest {manifest.file}, row {number}"
        path = row.get(columns["uri"])
        if not isinstance(path, str) or not path.strip():
            raise RecipeError(f"{where}: column {columns['uri']!r} holds no path")
        values = {ours: row.get(theirs) for ours, theirs in columns.items()}
        start, end = _seconds(values.get("start_s"), where), _seconds(values.get("end_s"), where)
        if start is not None and end is not None and not start < end:
            raise RecipeError(f"{where}: the clip ends at {end:g} s, before it starts at {start:g} s")
        user = {k: _plain(v) for k, v in row.items() if k not in columns.values() and _plain(v) is not None}
        entry = {"start_s": start, "end_s": end, "caption": _plain(values.get("caption")), "user": user}
        keep = start is not None or end is not None or entry["caption"] or user
        yield Place(
            absolute(path.strip(), base),
            licence=_text(values.get("licence")),
            group_id=_text(values.get("group_id")),
            official_split=_text(values.get("official_split")),
            origin=_text(values.get("origin")) or "real",
            entries=[entry] if keep else [],
        )


def manifest_rows(uri: str, folder: Path) -> list[dict[str, Any]]:
    """Rows of a CSV, TSV, JSONL, JSON or Parquet file. Raises `RecipeError` when it cannot be read."""
    import duckdb

    readers = {
        ".csv": "read_csv(?, header=true)",
        ".tsv": "read_csv(?, header=true, delim='\t')",
        ".jsonl": "read_json(?, format='newline_delimited')",
        ".json": "read_json(?)",
        ".parquet": "read_parquet(?)",
    }
    suffix = Path(uri.split("?")[0]).suffix.lower()
    if suffix not in readers:
        raise RecipeError(f"manifest {uri}: unknown suffix {suffix!r}; use one of {', '.join(readers)}")
    try:
        with local_media(uri, folder) as path, duckdb.connect() as connection:
            relation = connection.execute(f"SELECT * FROM {readers[suffix]}", [str(path)])
            names = [d[0] for d in relation.description or ()]
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    except (duckdb.Error, OSError) as error:
        raise RecipeError(f"manifest {uri}: {str(error).splitlines()[0]}") from None


def _mapping(manifest: Manifest, present: list[str]) -> dict[str, str]:
    for ours, theirs in manifest.columns.items():
        if ours not in OURS:
            raise RecipeError(f"manifest {manifest.file}: columns maps {ours!r}, which is none of {', '.join(OURS)}")
        if theirs not in present:
            raise RecipeError(f"manifest {manifest.file}: no column {theirs!r}; its columns are {', '.join(present)}")
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


def absolute(uri: str, base: Path | str) -> str:
    """A uri as it is, or a local path made absolute against `base` (a folder or a URI prefix)."""
    if "://" in uri:
        return uri
    if "://" in str(base):
        return f"{str(base).rstrip('/')}/{uri.lstrip('/')}"
    path = Path(uri).expanduser()
    return str(path if path.is_absolute() else Path(base) / path)


def _parent(uri: str) -> str:
    return uri.rpartition("/")[0] or "/"


def _seconds(value: Any, where: str) -> float | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        parts = str(value).split(":")
        try:
            seconds = sum(float(p) * 60**i for i, p in enumerate(reversed(parts)))
        except ValueError:
            raise RecipeError(f"{where}: {value!r} is not a time in seconds or hh:mm:ss") from None
    if seconds < 0:
        raise RecipeError(f"{where}: a time cannot be negative ({value!r})")
    return seconds


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, (str, int, float, bool, list, dict)) else str(value)


def _text(value: Any) -> str | None:
    plain = _plain(value)
    return None if plain is None or plain == "" else str(plain)
