"""Importers of footage that lies as folders of frames: scans with poses and depth, sequences with masks.

A folder becomes one medium: a film of its pictures at their true times, written below the dataset root with what the folder
says beside it, or, where the folder holds a video, that video itself. Naming the folders is cheap and reads no picture; the
scan of a build reads what is new or changed. A folder that cannot be read, or that fails a check of its geometry, is a failed
place whose message says why, and the rest goes on.

Such an importer lives beside the others in `annotators/importers/<name>.py` with `IMPORTER = TheClass` at its end.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field, field_validator

from .annotator import Params
from .importing import ImportNote, ImportProblem, Split, split_in_name, split_said


@dataclass(frozen=True)
class FolderMedium:
    """What a folder becomes."""

    duration_s: float
    """Length of the film, seconds."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    """Values by table, without the columns that the engine fills in; times on the film's clock."""
    notes: tuple[ImportNote, ...] = ()
    write: Callable[[Path], None] | None = None
    """Writes the film, bit-exact; None where the folder's own video is the medium."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """More about it, for people to read."""


class FolderParams(Params):
    """What every importer of folders is told."""

    split: Split | None = Field(
        None, description="official split of all of them; null: by `splits`, else by the names of their folders"
    )
    splits: dict[str, str] = Field(
        default_factory=dict,
        description="files with one name per line, by split: {train: scannetv2_train.txt, validation: scannetv2_val.txt}",
    )
    licence: str | None = Field(None, description="licence; null: the one that the publisher states")
    max_frames: int | None = Field(
        None, ge=1, description="take at most so many frames of each, evenly spread; null: all"
    )
    every: int = Field(1, ge=1, description="take every so manyth frame; times stay as they are")
    longest_side_px: int | None = Field(
        None, ge=32, description="scale larger pictures down to this longest side, and what counts in pixels with them"
    )
    crf: int = Field(18, ge=0, le=40, description="quality of H.264 for films that are written: 0 is lossless")

    @field_validator("splits")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := [name for name in value if split_said(name) is None]:
            raise ValueError(f"{unknown[0]!r} is no split; use train, validation and test")
        return value


P = TypeVar("P", bound=FolderParams)


class FolderImporter(ABC, Generic[P]):
    """Reads one layout of folders. Subclass it with typed parameters."""

    name: ClassVar[str]
    """Name in recipes (`import: name`); equal to the file's name."""
    version: ClassVar[int] = 1
    """Raise it whenever the film or its rows may change."""
    Params: ClassVar[type[FolderParams]] = FolderParams
    licence: ClassVar[str | None] = None
    """Licence, where the publisher states one."""
    naming: ClassVar[tuple[str, ...]] = ("scenes",)
    """Parameters that say which folders are meant, and nothing of what becomes of them."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Modules that it needs beyond the installation's core."""

    def __init__(self, params: P, base: Path | None = None) -> None:
        self.params = params
        self.base = base or Path.cwd()
        """Folder that relative names start from."""

    @abstractmethod
    def patterns(self) -> Sequence[str]:
        """Names or globs of the folders."""

    @abstractmethod
    def read(self, name: str, folder: Path) -> FolderMedium:
        """What a folder says. Raises `ImportProblem` where it cannot be read or must not be used."""

    def video(self, folder: Path) -> Path | None:
        """The video in the folder that is the medium; None: a film of its pictures is written."""
        return None

    def group(self, name: str, folder: Path) -> str | None:
        """What must stay in one split with it: the room or the place that was visited."""
        return None

    def files(self, folder: Path) -> Iterable[Path]:
        """The files that its rows depend on."""
        return [Path(at) / name for at, _, names in os.walk(folder, followlinks=True) for name in names]

    def folders(self) -> list[tuple[str, Path]]:
        """(name, folder) of each folder that the patterns fit, in order of name; names tell folders apart.

        Raises `ImportProblem` for a pattern that fits nothing.
        """
        found: dict[Path, str] = {}
        for pattern in self.patterns():
            path = Path(os.path.normpath(self.base / Path(pattern).expanduser()))
            parts = path.parts
            fixed = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), None)
            start = Path(*parts[:fixed]) if fixed is not None else path.parent
            matches = [p for p in sorted(start.glob(str(path.relative_to(start)))) if p.is_dir()]
            if not matches:
                raise ImportProblem(f"there is no folder {pattern}; relative names start from the recipe's folder")
            for match in matches:
                found.setdefault(match, str(match.relative_to(start)))
        names = list(found.values())
        return sorted(
            (name if names.count(name) == 1 else "/".join(path.parts[1:]), path) for path, name in found.items()
        )

    def split_of(self, name: str, folder: Path) -> str | None:
        """Official split of a folder: as `split` says, as a list of `splits` says, or as a folder above it is called."""
        if self.params.split:
            return self.params.split
        known = {name, folder.name, *name.split("/")}
        for split, file in self.params.splits.items():
            if known & set(self.lines(file)):
                return split_said(split)
        return next((s for s in map(split_in_name, reversed(folder.parent.parts)) if s), None)

    def lines(self, file: str) -> list[str]:
        """The words of a text file of the recipe, one per line. Raises `ImportProblem`."""
        path = self.base / Path(file).expanduser()
        try:
            return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise ImportProblem(
                f"{file} cannot be read: {error}; relative names start from the recipe's folder"
            ) from None


def fingerprint(importer: FolderImporter[Any], folder: Path) -> list[list[Any]]:
    """What the files of a folder look like from outside: relative name, size and time of change of each."""
    stamps = []
    for path in importer.files(folder):
        try:
            said = path.stat()
        except OSError:
            continue
        stamps.append([os.path.relpath(path, folder), said.st_size, said.st_mtime_ns])
    return sorted(stamps)
