"""Places of an `import:` entry whose importer reads folders: one film per folder, below the dataset root, with its rows beside it.

A film is named by the importer, its parameters and the folder's name; beside it, `.scan.json` remembers what the folder looked
like, so that a folder that has not changed is not read again, and one that failed its checks fails again without being read.
The folder's own video is linked instead of written.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..engine.composing import Draft
from ..engine.extras import installed
from ..engine.folder_importing import FolderImporter, FolderMedium, fingerprint
from ..engine.importing import ImportProblem
from ..engine.producer import RecipeError, explain
from ..engine.registry import UnknownName, find
from ..engine.scan import Place
from ..schemas.composed import ComposedFacts
from ..schemas.ids import derive_id
from .composed_places import make, written_rows
from .recipe_sources import Source

STAMP = ".scan.json"
BROKEN: tuple[type[Exception], ...] = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, struct.error, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What files raise that are cut short or of another layout."""


def reads_folders(source: Source, folder: Path) -> bool:
    """Whether the entry's importer reads folders, and not annotation files about media elsewhere."""
    if source.importer is None:
        return False
    try:
        return issubclass(find("importer", source.importer, relative_to=folder), FolderImporter)
    except UnknownName as error:
        raise RecipeError(f"sources: {error}") from None


def folder_places(source: Source, folder: Path, target: Path) -> list[Place]:
    """One place per folder that the entry names; films go to `target`, relative names start from `folder`.

    Raises `RecipeError` for wrong parameters and missing modules, `ImportProblem` where nothing is found.
    """
    importer = folder_importer_of(source, folder)
    settings = importer.params.model_dump(mode="json", exclude={"split", "splits", "licence", *importer.naming})
    places = []
    for name, at in importer.folders():
        video = importer.video(at)
        stem = derive_id(importer.name, type(importer).version, settings, name)
        file = target / f"{stem}{video.suffix if video else '.mp4'}"
        places.append(
            Place(
                str(file),
                licence=source.licence or importer.params.licence or importer.licence,
                group_id=source.group_id or importer.group(name, at),
                official_split=source.official_split or importer.split_of(name, at),
                origin=source.origin,
                make=partial(_make, importer, name, at, file),
            )
        )
    return places


def folder_importer_of(source: Source, folder: Path) -> FolderImporter[Any]:
    """The importer of an entry, with its parameters. Raises `RecipeError`."""
    assert source.importer is not None
    kind: type[FolderImporter[Any]] = find("importer", source.importer, relative_to=folder)
    if source.media is not None:
        raise RecipeError(f"sources: import {source.importer} makes media of its own folders; take `media:` away")
    try:
        params = kind.Params.model_validate(source.settings)
    except ValidationError as error:
        said = explain(error, kind.Params, source.settings)
        raise RecipeError(f"sources: import {source.importer}: {said}") from None
    if lacking := [module for module in kind.needs if not installed(module)]:
        raise RecipeError(
            f"sources: import {source.importer} needs {', '.join(lacking)}; pip install 'chronotope[scans]'"
        )
    return kind(params, folder)


def _write(importer: FolderImporter[Any], medium: FolderMedium, name: str, at: Path, file: Path) -> None:
    """Write the film and the rows of a folder. Raises `ImportProblem`: most pictures are read only here."""
    rows = {**medium.rows, "import_notes": [note._asdict() for note in medium.notes]}
    facts = ComposedFacts(
        composer=f"{importer.name}@{type(importer).version}",
        digest=file.stem,
        duration_s=medium.duration_s,
        imported=True,
        parameters={"name": name, **medium.told},
        rows=written_rows(rows),
    )
    video = importer.video(at)
    if video is not None:
        file.symlink_to(video)
    write = medium.write or (lambda path: None)
    make(Draft(file.stem, file.suffix, write, medium.duration_s, {}), facts, file)


def _make(importer: FolderImporter[Any], name: str, at: Path, file: Path) -> None:
    """Read a folder, unless it is as it was, and write its film and rows. Raises `ImportProblem` with what is wrong with it."""
    stamp, truth = file.with_name(file.stem + STAMP), file.with_name(file.stem + ".truth.json")
    now = fingerprint(importer, at)
    before = json.loads(stamp.read_text(encoding="utf-8")) if stamp.exists() else {}
    if before.get("files") == now:
        if before["problem"]:
            raise ImportProblem(before["problem"])
        if file.exists() and truth.exists():
            return
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in (stamp, truth, file):
        old.unlink(missing_ok=True)

    def failed(error: ImportProblem) -> ImportProblem:
        stamp.write_text(json.dumps({"files": now, "problem": f"{name}: {error}"}), encoding="utf-8")
        return ImportProblem(f"{name}: {error}")

    try:
        medium = importer.read(name, at)
    except ImportProblem as error:
        raise failed(error) from None
    except BROKEN as error:
        said = f"{type(error).__name__}: {error}"
        raise ImportProblem(
            f"{name} is not laid out as {importer.name} expects ({said}); is the folder whole and unedited?"
        ) from None
    try:
        _write(importer, medium, name, at, file)
    except ImportProblem as error:
        raise failed(error) from None
    stamp.write_text(json.dumps({"files": now, "problem": None}), encoding="utf-8")
