"""Places of an `import:` entry: the media that annotation files name, each with what they say of it.

A name is matched with the files under `media:` by file name, with or without its suffix, then by as much of its folder as it
says. Annotated media that are not there, names that fit several files, and annotation files that cannot be read are places
that the scan records as failed, so that the rest goes on; media without annotation are left out. One line says how many.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from ..engine.folder_importing import FolderImporter
from ..engine.import_entries import entry_of, joined, strictest
from ..engine.importing import Imported, Importer, ImporterParams, ImportNote, ImportProblem
from ..engine.media.fetch import AUDIO_SUFFIXES, IMAGE_SUFFIXES, MEDIA_SUFFIXES, VIDEO_SUFFIXES, list_files
from ..engine.producer import RecipeError, explain
from ..engine.registry import UnknownName, find
from ..engine.scan import SIDECAR_SUFFIXES, Place
from .places import absolute
from .recipe_sources import Source

_log = logging.getLogger(__name__)
MANY = 3
"""As many names stand in a message."""


def imported_places(source: Source, folder: Path, told: Callable[[str], None] | None = None) -> Iterator[Place]:
    """Places of an entry of sources with `import:`; relative names start from `folder`.

    `told` gets one line about what is not there or not annotated (default: the log). Raises `RecipeError` for unknown importers
    and parameters, `ImportProblem` when no annotation can be read at all.
    """
    importer = importer_of(source, folder)
    media = _Media(source.media, folder, importer.suffixes())
    found: dict[str, dict[str, list[Imported]]] = defaultdict(lambda: defaultdict(list))
    for said in importer.read(folder):
        found[said.name][said.file].append(said)
    if not found:
        why = "; ".join(fault.why for fault in importer.faults[:MANY]) or "its files are empty"
        raise ImportProblem(f"import {source.importer}: nothing can be read: {why}")
    torn = _torn(parts for by_file in found.values() for parts in by_file.values())
    places: dict[str, Place] = {}
    absent: list[Place | None] = []
    for name in sorted(found):
        parts = [joined(mine) for mine in found[name].values()]
        matches = media.named((name, *(also for part in parts for also in part.also)))
        if len(matches) == 1:
            place = _place(
                matches[0], source, parts, torn, lambda part: entry_of(str(source.importer), part, importer, folder)
            )
            if place.uri in places:
                places[place.uri].merge(place)
            else:
                places[place.uri] = place
        elif importer.params.missing == "fail" or matches:
            problem = _why(name, matches, parts, source)
            absent.append(Place(media.expected(name, bool(matches)), problem=problem))
        else:
            absent.append(None)
    unreadable = _unreadable(importer)
    (told or _log.warning)(
        _summary(source, importer, len(places), len(absent), media.count - len(places), len(unreadable))
    )
    yield from places.values()
    yield from (place for place in absent if place is not None)
    yield from unreadable


def importer_of(source: Source, folder: Path) -> Importer[Any]:
    """The importer of an entry, with its parameters. Raises `RecipeError`."""
    assert source.importer is not None
    try:
        kind: type[Importer[Any]] = find("importer", source.importer, relative_to=folder)
        if issubclass(kind, FolderImporter):
            raise RecipeError(
                f"sources: import {source.importer} makes films of folders, which cannot be material: build them first"
            )
        if source.media is None:
            raise RecipeError(f"sources: import {source.importer}: say where the media lie with `media:`")
        params: ImporterParams = kind.Params.model_validate(source.settings)
    except UnknownName as error:
        raise RecipeError(f"sources: {error}") from None
    except ValidationError as error:
        said = explain(error, kind.Params, source.settings)
        raise RecipeError(f"sources: import {source.importer}: {said}") from None
    return kind(params)


def _torn(said: Iterable[Sequence[Imported]]) -> set[str]:
    """Groups whose media the publisher put into different splits."""
    splits: dict[str, set[str | None]] = defaultdict(set)
    for parts in said:
        for part in parts:
            if part.group_id:
                splits[part.group_id].add(part.official_split)
    return {group for group, found in splits.items() if len(found) > 1}


def _place(
    uri: str,
    source: Source,
    parts: Sequence[Imported],
    torn: Container[str],
    entry: Callable[[Imported], dict[str, Any]],
) -> Place:
    """The place of a medium. The publisher's split stands before groups: a group that it tears is one group in each split."""
    split = strictest(parts)
    group = next((p.group_id for p in parts if p.group_id), None)
    if group in torn:
        group = f"{group} ({split})"
    if len({p.official_split for p in parts if p.official_split}) > 1:
        said = ", ".join(f"{p.official_split} in {p.file}" for p in parts if p.official_split)
        count = sum(len(p.rows) for p in parts)
        parts[0].notes.append(ImportNote(parts[0].name, "official_split", f"{said}; taken as {split}", "noted", count))
    return Place(
        uri,
        licence=source.licence or next((p.licence for p in parts if p.licence), None),
        group_id=source.group_id or group,
        official_split=source.official_split or split,
        origin=source.origin,
        entries=[entry(part) for part in parts],
    )


def _why(name: str, matches: Sequence[str], parts: Sequence[Imported], source: Source) -> str:
    files = ", ".join(dict.fromkeys(part.file for part in parts))
    if matches:
        return (
            f"{name} is annotated in {files}, and {len(matches)} files of that name lie under media ({', '.join(matches[:MANY])}); "
            "name the right folder with `media:`"
        )
    return (
        f"{name} is annotated in {files}, but no file of that name lies under media: {_written(source)}; put it there, correct "
        "`media:`, or set `missing: leave_out` under `with:`"
    )


def _written(source: Source) -> str:
    return source.media if isinstance(source.media, str) else ", ".join(source.media or ())


def _unreadable(importer: Importer[Any]) -> list[Place]:
    """One place per annotation file with faults."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for fault in importer.faults:
        by_file[fault.file].append(fault.why)
    places = []
    for file, why in by_file.items():
        more = f" (and {len(why) - 1} more items of this file)" if len(why) > 1 else ""
        places.append(Place(file, problem=f"{why[0]}{more}"))
    return places


def _summary(source: Source, importer: Importer[Any], found: int, absent: int, unnamed: int, unreadable: int) -> str:
    said = [f"{found} of {found + absent} annotated media found under media"]
    if unnamed:
        said.append(f"files there without annotation, left out: {unnamed}")
    said += [f"{what}, passed over: {count}" for what, count in importer.passed_over.items()]
    if unreadable:
        said.append(f"annotation files with unreadable items: {unreadable}")
    return f"import {source.importer}: {'; '.join(said)}"


class _Media:
    """The files under `media:`, by their names."""

    def __init__(self, media: str | tuple[str, ...] | None, folder: Path, suffixes: Sequence[str]) -> None:
        patterns = (media,) if isinstance(media, str) else tuple(media or ())
        self.patterns = [absolute(pattern, folder) for pattern in patterns]
        self.suffixes = tuple(suffixes)
        self.by_name: dict[str, list[str]] = defaultdict(list)
        self.by_stem: dict[str, list[str]] = defaultdict(list)
        uris = {file.uri for pattern in self.patterns for file in list_files(pattern)}
        wanted = sorted(uri for uri in uris if not uri.lower().endswith(SIDECAR_SUFFIXES))
        self.count = len(wanted)
        for uri in wanted:
            path = PurePosixPath(uri)
            self.by_name[path.name].append(uri)
            self.by_stem[path.stem].append(uri)

    def named(self, names: Iterable[str]) -> list[str]:
        """The files that the first fitting name fits; several where nothing tells them apart."""
        for name in dict.fromkeys(names):
            wanted = PurePosixPath(name)
            hits = self.by_name.get(wanted.name) or self._of_stem(wanted.name)
            if not hits and wanted.suffix.lower() in MEDIA_SUFFIXES:
                hits = self._of_stem(wanted.stem)
            if len(hits) > 1:
                hits = _nearest(hits, wanted)
            if hits:
                return hits
        return []

    def _of_stem(self, stem: str) -> list[str]:
        hits = self.by_stem.get(stem, [])
        if self.suffixes:
            hits = [uri for uri in hits if uri.lower().endswith(self.suffixes)]
        if len({PurePosixPath(uri).parent for uri in hits}) == 1:  # of x.mp4, x.wav and x.jpg in one folder, the video
            for kind in (VIDEO_SUFFIXES, AUDIO_SUFFIXES, IMAGE_SUFFIXES):
                of_kind = [uri for uri in hits if PurePosixPath(uri).suffix.lower() in kind]
                if of_kind:
                    return of_kind
        return hits

    def expected(self, name: str, several: bool) -> str:
        """Where a medium that is not there would lie: in the folder of the first pattern."""
        pattern = self.patterns[0]
        fixed = pattern.split("*")[0].split("?")[0].split("[")[0]
        base = fixed.rpartition("/")[0] if fixed != pattern or Path(pattern).suffix else pattern.rstrip("/")
        last = PurePosixPath(name).name
        if several or PurePosixPath(last).suffix.lower() in MEDIA_SUFFIXES:
            return f"{base}/{name if not several else last + ' (several)'}"
        suffix = PurePosixPath(pattern).suffix.lower()
        return f"{base}/{name}{suffix if suffix in MEDIA_SUFFIXES else '.mp4'}"


def _nearest(hits: list[str], wanted: PurePosixPath) -> list[str]:
    """Of files with the right name, those whose folders agree with what the name says of its own."""
    parts = wanted.parent.parts
    for length in range(len(parts), 0, -1):
        folders = "/".join(parts[len(parts) - length :])
        near = [uri for uri in hits if str(PurePosixPath(uri).parent).endswith(f"/{folders}")]
        if near:
            return near
    return hits
