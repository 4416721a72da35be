"""Finding footage: expands what a recipe says into places, and gives each place the identity of its content.

A place whose (uri, size, mtime or entity tag) is unchanged keeps its content hash without being read; anything else is
read once. A place that cannot be read is a failed ledger entry of the scan, and the rest of the run goes on.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .digest import RowDigest
from .local_media import local_media
from .media.container import MediaError
from .media.fetch import stat
from .media.hashing import media_id_of
from .results import Outcome, UnitKey, UnitResult

SUBTITLE_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
SIDECAR_SUFFIXES = (*SUBTITLE_SUFFIXES, ".truth.json")
"""Files that belong to the medium of the same name: subtitles, and the truth of a composed film."""
HASH_THREADS = 4


@dataclass
class Place:
    """A uri with everything that the recipe's sources say about it."""

    uri: str
    licence: str | None = None
    group_id: str | None = None
    official_split: str | None = None
    origin: str = "real"
    entries: list[dict[str, Any]] = field(default_factory=list)
    """Manifest rows {start_s, end_s, caption, user}, and what importers read (`engine/import_entries.py`)."""
    make: Callable[[], None] | None = None
    """Of a composed medium: writes it with its truth, unless it is there already."""
    problem: str | None = None
    """Why it cannot be scanned, found when the sources were expanded: annotated footage that is not there."""

    def merge(self, other: Place) -> None:
        """Add what a further source says; the first word on licence, group and split stands."""
        self.licence = self.licence or other.licence
        self.group_id = self.group_id or other.group_id
        self.official_split = self.official_split or other.official_split
        self.entries += [e for e in other.entries if e not in self.entries]
        self.problem = self.problem or other.problem


@dataclass(frozen=True)
class Scanned:
    """A place with its row of table `sources`, or why it has none."""

    result: UnitResult
    row: dict[str, Any] | None


def scan(
    places: Sequence[Place],
    known: Mapping[str, Mapping[str, Any]],
    producer: str,
    root: Path,
    *,
    rehash: bool = False,
) -> Iterator[Scanned]:
    """Rows of `sources` for all places, in order. `known` are the stored rows by uri."""

    def one(place: Place) -> Scanned:
        return _scan_one(place, known.get(place.uri), producer, root, rehash)

    with ThreadPoolExecutor(HASH_THREADS) as pool:
        yield from pool.map(one, places)


def _scan_one(place: Place, before: Mapping[str, Any] | None, producer: str, root: Path, rehash: bool) -> Scanned:
    size, etag = None, ""
    try:
        if place.problem is not None:
            with suppress(MediaError):
                size, etag = stat(place.uri)
            raise ValueError(place.problem)
        if place.make is not None:
            place.make()
        size, etag = stat(place.uri)
        sidecars = sidecars_of(place.uri)
        if size == 0:
            raise ValueError(f"{place.uri}: the file is empty (0 bytes); copy or download it again")
        same = before is not None and before["size"] == size and before["etag"] == etag and before["media_id"]
        if same and not rehash and before is not None:
            media_id = str(before["media_id"])
        else:
            with local_media(place.uri, root) as path:
                media_id = media_id_of(path)
    except Exception as error:
        key = UnitKey(producer, place.uri, None, "source", unreadable(place.uri, size, etag))
        return Scanned(UnitResult(key, Outcome.of(error)), None)
    row = TABLES["sources"].complete(
        {
            "uri": place.uri,
            "size": size,
            "etag": etag,
            "licence": place.licence,
            "group_id": place.group_id,
            "official_split": place.official_split,
            "origin": place.origin,
            "entries_json": json.dumps(place.entries, sort_keys=True, default=str) if place.entries else None,
            "sidecars_json": json.dumps(sidecars, sort_keys=True) if sidecars else None,
            "last_seen": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        producer,
        place.uri,
        media_id,
    )
    digest = RowDigest(TABLES["sources"]).add([row])
    said = {c.name: row[c.name] for c in TABLES["sources"].columns if not c.volatile}
    key = UnitKey(producer, place.uri, media_id, "source", derive_id("source", media_id, said))
    return Scanned(UnitResult(key, Outcome(), rows=1, digest=digest.hex()), row)


def unreadable(uri: str, size: int | None, etag: str) -> str:
    """Fingerprint of a place that could not be read: a changed file is tried again."""
    return derive_id("unreadable", uri, size, etag)


def sidecars_of(uri: str) -> list[dict[str, Any]]:
    """Files that belong to a local medium, with their digests: {uri, size, digest}."""
    if "://" in uri:
        return []
    path = Path(uri)
    found = []
    for file in sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")):
        belongs = file.name[len(path.stem) :].startswith(".")
        if belongs and file.name.lower().endswith(SIDECAR_SUFFIXES) and file.is_file():
            found.append({"uri": str(file), "size": file.stat().st_size, "digest": media_id_of(file)})
    return found
