"""What importers said of a medium, as it is kept with its place (`sources.entries_json`) and read back by `imported`.

An entry holds all that the rows depend on, so that an edited annotation makes exactly its media stale; of large files it holds
the digest. Entries of manifests stand beside them and are told apart by `is_import`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .importing import STRICT, Imported, ImportedRow, Importer, ImportNote, ImportProblem, Split
from .media.hashing import media_id_of
from .registry import find


def entry_of(importer: str, said: Imported, reader: Importer[Any], folder: Path) -> dict[str, Any]:
    """What an importer, as the recipe calls it, said of a medium, as an entry of `sources.entries_json`: everything that its rows
    depend on. `folder` is the recipe's.
    """
    stated = {
        "file": said.file,
        "duration_s": said.duration_s,
        "fps": said.fps,
        "fps_error": said.fps_error,
        "size": list(said.size) if said.size else None,
    }
    entry: dict[str, Any] = {
        "importer": importer,
        "written_by": reader.params.written_by,
        "stated": {k: v for k, v in stated.items() if v},
        "rows": [row._asdict() for row in said.rows],
        "notes": [note._asdict() for note in said.notes],
    }
    if said.later:
        entry["later"] = {
            "files": [{"uri": str(path), "digest": media_id_of(path)} for path in said.later],
            "settings": reader.params.model_dump(mode="json"),
            "version": type(reader).version,
            "folder": str(folder),
        }
    return entry


def is_import(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of `sources.entries_json` was written by an importer, and is no row of a manifest."""
    return "importer" in entry


def said_in(entry: Mapping[str, Any], name: str) -> Imported:
    """Reads what `entry_of` wrote, and the files that were left for later; `name` is the medium's.

    Raises `ValueError` when one of them is gone; one that cannot be read is a note.
    """
    stated = dict(entry["stated"])
    size = stated.pop("size", None)
    said = Imported(
        name,
        rows=[ImportedRow(**row) for row in entry["rows"]],
        notes=[ImportNote(**note) for note in entry["notes"]],
        size=tuple(size) if size else None,
        **stated,
    )
    later = entry.get("later")
    if later:
        kind: type[Importer[Any]] = find("importer", entry["importer"], relative_to=Path(later["folder"]))
        reader = kind(kind.Params.model_validate(later["settings"]))
        for path in (Path(file["uri"]) for file in later["files"]):
            if not path.is_file():
                raise ValueError(f"{path.name} is gone since the annotations were read; build again")
            try:
                reader.read_later(path, said)
            except (ImportProblem, OSError, ValueError, AttributeError, KeyError, TypeError) as error:
                reader.broken(path, error)
        for fault in reader.faults:
            said.leave_out(Path(fault.file).name, "unreadable", fault.why, 0)
    return said


def joined(parts: Sequence[Imported]) -> Imported:
    """The items that one file says of one medium, as one; what they state of the medium is the first that is stated."""
    whole = replace(parts[0], rows=[], notes=[])
    for part in parts:
        whole.rows += part.rows
        whole.notes += part.notes
        for name in ("official_split", "licence", "group_id", "duration_s", "fps", "size"):
            if getattr(whole, name) is None:
                setattr(whole, name, getattr(part, name))
        whole.also = tuple(dict.fromkeys((*whole.also, *part.also)))
        whole.later = tuple(dict.fromkeys((*whole.later, *part.later)))
    return whole


def strictest(parts: Sequence[Imported]) -> Split | None:
    """The official split of a medium: test before validation before train, where files contradict each other."""
    said = {part.official_split for part in parts}
    return next((split for split in STRICT if split in said), None)
