"""Material of a composer: media that are there, with everything that is known of them.

Of plain sources that is what stands beside the footage: the truth of composed media, captions of a manifest, rows of an import,
subtitles. Of a built dataset it is what its annotators found, each table with the lowest grade of its producers. Facts of files
are remembered below the dataset root, so that material is hashed and probed once. A file that cannot be read is a failed place of
the scan, and the rest is composed without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..engine.annotator import Grade, Rows, SkipUnit, Unit, UnitAnnotator
from ..engine.bundle import distinct
from ..engine.catalog import Catalog
from ..engine.check import lowest_grade
from ..engine.composing import ComposeError, Material
from ..engine.media.container import MediaError
from ..engine.media.fetch import is_remote
from ..engine.media.hashing import media_id_of
from ..engine.media.probe import probe
from ..engine.media_index import medium_of
from ..engine.producer import RecipeError
from ..engine.registry import UnknownName, find
from ..engine.scan import Place, sidecars_of
from ..engine.store import Store
from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .recipe_sources import Source
from .run_record import latest_runs

BESIDE = ("composed_truth", "carried_truth", "imported", "imported_from_models", "manifest_captions", "subtitles")
"""Annotators that read what stands beside footage."""
USED = (
    "clips", "shots", "captions", "events", "words", "speech", "text_regions", "tracks", "boxes", "sounds", "questions",
    "aspects", "episodes", "fixations",
)  # fmt: skip
"""Tables that composers are given."""
REMEMBERED = "material.json"


def material_of(
    source: Source, folder: Path, work: Path, unread: list[Place] | None = None, root: Path | None = None
) -> list[Material]:
    """The material of an entry of sources, ordered by media_id. Raises `ComposeError` when there is none.

    What cannot be read is added to `unread`, as places with their `problem`; what lies below `root` is passed over.
    """
    unread = [] if unread is None else unread
    places = _of_dataset(source.dataset, folder) if source.dataset else _of_sources(source, folder, work, unread, root)
    found = list(places)
    if not found:
        why = f" that can be read: {unread[0].problem}" if unread else ""
        from .places import said_of

        named = "; ".join(said_of(entry) for entry in source.material)
        said = f"dataset {source.dataset}" if source.dataset else f"the material ({named})"
        raise ComposeError(f"compose {source.composer}: {said} holds no media{why}")
    return sorted({m.media_id: m for m in found}.values(), key=lambda m: m.media_id)


def _of_sources(source: Source, folder: Path, work: Path, unread: list[Place], root: Path | None) -> Iterator[Material]:
    from .places import footage_of, is_inside

    known = _Remembered(work / REMEMBERED)
    places: dict[str, Place] = {}
    for entry in source.material:
        if entry.composer is not None:
            raise ComposeError(
                "material is footage that is there; compose it in a recipe of its own and name its dataset"
            )
        for place in footage_of(entry, folder):
            if is_inside(place.uri, root):
                continue  # what an earlier build wrote
            if (
                place.problem is not None
            ):  # of an import: annotated footage that is not there, files that cannot be read
                unread.append(place)
            elif place.uri in places:
                places[place.uri].merge(place)  # questions of one import, subtitles of another
            else:
                places[place.uri] = place
    for place in places.values():
        try:
            yield _material(place, known)
        except ComposeError:
            raise
        except (MediaError, ValueError) as error:  # no media, or a sidecar that says something else
            unread.append(Place(place.uri, problem=str(error)))
    known.save()


def _material(place: Place, known: _Remembered) -> Material:
    if is_remote(place.uri):
        raise ComposeError(f"material must lie on this machine; copy {place.uri} first")
    path = Path(place.uri)
    try:
        media_id, facts = known.facts(path)
    except OSError as error:
        raise MediaError(str(path), error.strerror or str(error), "correct the material") from None
    media = TABLES["media"].complete(
        {
            **facts,
            "title": path.name,
            "origin": place.origin,
            "licence": place.licence,
            "group_id": place.group_id,
            "official_split": place.official_split,
        },
        "probe",
        media_id,
        media_id,
    )
    row = {
        "uri": place.uri,
        "size": path.stat().st_size,
        "entries_json": json.dumps(place.entries, sort_keys=True, default=str) if place.entries else None,
        "sidecars_json": json.dumps(sidecars_of(place.uri), sort_keys=True) or None,
        "origin": place.origin,
    }
    said = Rows({"media": [media], "sources": [TABLES["sources"].complete(row, "sources", place.uri, media_id)]})
    rows: dict[str, list[dict[str, Any]]] = {}
    grades: dict[str, list[str]] = {}
    for name in BESIDE:
        for table, full in _rows_beside(name, media, place.uri, path, said):
            rows.setdefault(table, []).append(full)
            grades.setdefault(table, []).append(find("annotator", name).grade)
    ordered = {table: in_order(table, distinct(table, mine)) for table, mine in rows.items()}
    return Material(media_id, place.uri, path, media, ordered, {t: lowest_grade(g) for t, g in grades.items()})


def _rows_beside(
    name: str, media: Mapping[str, Any], uri: str, path: Path, said: Rows
) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        kind: type[UnitAnnotator[Any]] = find("annotator", name)
    except UnknownName:
        return
    medium = medium_of(str(media["media_id"]), uri, dict(media))
    medium = type(medium)(**{**medium.__dict__, "path": path})
    unit = Unit(medium.media_id, "medium", medium, "", 0, None, name)
    try:
        for table, values in kind(kind.Params()).annotate(unit, said):
            if table in USED:
                yield table, TABLES[table].complete(values, name, medium.media_id, medium.media_id)
    except SkipUnit:
        return


def in_order(table: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of their table's key, as annotators get them."""
    key = TABLES[table].key
    return sorted(rows, key=lambda r: tuple((r[k] is not None, r[k]) for k in key))


def _of_dataset(name: str | None, folder: Path) -> Iterator[Material]:
    root = Path(str(name)).expanduser()
    root = root if root.is_absolute() else folder / root
    if not Store.is_root(root):
        raise RecipeError(f"sources: dataset {name} is no built dataset; build it first, or correct the path")
    with Catalog(root) as catalog:
        grades = _grades(catalog)
        places = catalog.rows(
            "SELECT media_id, min(uri) AS uri FROM sources WHERE producer LIKE 'sources:%' GROUP BY media_id ORDER BY media_id"
        )
        facts = {r["media_id"]: r for r in catalog.rows("SELECT * FROM media WHERE producer = 'probe'")}
        by_table = {table: _by_medium(catalog, table) for table in USED}
        for place in places:
            media_id, path = place["media_id"], Path(place["uri"])
            path = path if path.is_absolute() else root / path
            if media_id not in facts or is_remote(place["uri"]) or not path.is_file():
                continue
            rows = {table: found[media_id] for table, found in by_table.items() if media_id in found}
            lowest = {t: lowest_grade([grades.get(r["producer"], "judge") for r in mine]) for t, mine in rows.items()}
            yield Material(media_id, place["uri"], path, facts[media_id], rows, lowest)


def _by_medium(catalog: Catalog, table: str) -> dict[str, list[dict[str, Any]]]:
    kept = " WHERE clip_id IN (SELECT clip_id FROM selection WHERE kept)" if table == "clips" else ""
    if kept and not catalog.rows("SELECT 1 AS one FROM selection LIMIT 1"):
        kept = ""
    order = ", ".join(dict.fromkeys(("media_id", *TABLES[table].key, "row_id")))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in catalog.rows(f"SELECT * FROM {table}{kept} ORDER BY {order}"):
        found.setdefault(str(row["media_id"]), []).append(row)
    return found


def _grades(catalog: Catalog) -> dict[str, Grade]:
    """Producer -> grade of its rows, from what the newest build of each recipe says."""
    found: dict[str, Grade] = {}
    for run in latest_runs(catalog):
        for name, settings in json.loads(run["producers_json"] or "{}").items():
            try:
                found[name] = find("annotator", settings["annotator"]).grade
            except (UnknownName, AttributeError, ImportError):
                continue
    return found


class _Remembered:
    """media_id and facts of files by path, size and modification time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.entries: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.entries = {}
        self.changed = False

    def facts(self, path: Path) -> tuple[str, dict[str, Any]]:
        """media_id and the values of `media` that the file itself tells. Raises `OSError`, `MediaError`."""
        state = path.stat()
        key = derive_id("material", str(path), state.st_size, state.st_mtime_ns)
        if key not in self.entries:
            self.entries[key] = {"media_id": media_id_of(path), "facts": probe(path)}
            self.changed = True
        entry = self.entries[key]
        return str(entry["media_id"]), dict(entry["facts"])

    def save(self) -> None:
        """Keep them for the next time, where the folder is there already (a build makes it)."""
        if self.changed and self.file.parent.is_dir():
            self.file.write_text(json.dumps(self.entries, sort_keys=True), encoding="utf-8")
