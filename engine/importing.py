"""Importers: annotation files of published datasets, read into rows about media that lie somewhere else.

An importer reads its files once and yields what they say of each medium by the name that they call it; the scan finds the file
of that name, keeps the rows with the place (`sources.entries_json`), and the annotator `imported` writes them to their tables
after checking them against the media: what lies past the end, what is reversed, what was counted at another frame rate.
A medium that is named but not there is a failed place of the scan, and so is an annotation file that cannot be read, so that
nothing is lost silently and the rest goes on.

An importer lives in `annotators/importers/<name>.py` with `IMPORTER = TheClass` at its end.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from pydantic import Field, field_validator

from .annotator import Params

Split = Literal["train", "validation", "test"]
STRICT: tuple[Split, ...] = ("test", "validation", "train")
Action = Literal["cut", "left_out", "noted"]
_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip


class ImportProblem(ValueError):
    """An annotation file that cannot be read; the message names the file, the place in it and the remedy."""


class ImportedRow(NamedTuple):
    """A row for a table; times in seconds on the medium's clock."""

    table: str
    values: dict[str, Any]
    item: str
    """What it is in its file, for notes: `train.json v_abc[3]`."""


class ImportNote(NamedTuple):
    """What was not taken as it is written: a row of `import_notes`."""

    item: str
    rule: str
    detail: str
    action: Action
    items: int = 1
    """How many rows it is about."""


@dataclass
class Imported:
    """What annotation files say of one medium."""

    name: str
    """As they call it: matched with the file's name, with or without its suffix and folder."""
    also: tuple[str, ...] = ()
    """Other names that its file may have, tried in order after `name`."""
    rows: list[ImportedRow] = field(default_factory=list)
    official_split: Split | None = None
    licence: str | None = None
    group_id: str | None = None
    duration_s: float | None = None
    """Length as the annotation states it; a difference from the medium is noted."""
    fps: float | None = None
    """Frame rate at which the annotation counts frames; a difference from the medium is noted."""
    fps_error: float = 0.0
    """How far `fps` may be off, as a share of it, where it was itself computed from rounded times."""
    size: tuple[float, float] | None = None
    """Width and height at which it counts pixels."""
    notes: list[ImportNote] = field(default_factory=list)
    """What the reader itself did not take as written."""
    file: str = ""
    """Name of the annotation file; filled in by `Importer.read`."""
    later: tuple[Path, ...] = ()
    """Files about this medium alone that are large: `imported` has them read (`Importer.read_later`) when it writes its rows."""

    def add(self, table: str, item: str, **values: Any) -> None:
        """Add a row; values that are None are left out, which stores NULL."""
        self.rows.append(ImportedRow(table, {k: v for k, v in values.items() if v is not None}, item))

    def leave_out(self, item: str, rule: str, detail: str, items: int = 1) -> None:
        """Say that an item was not taken at all, and why."""
        self.notes.append(ImportNote(item, rule, detail, "left_out", items))


class Fault(NamedTuple):
    """What could not be read and belongs to no medium."""

    file: str
    why: str


class ImporterParams(Params):
    """What every importer is told."""

    files: tuple[str, ...] = Field(
        description="annotation files or globs; relative names start from the recipe's folder"
    )
    split: Split | None = Field(
        None,
        description="official split of all its media; null: as the file says, in it or in its name (`..._val.json`)",
    )
    licence: str | None = Field(None, description="licence of the annotations; null: the one that the publisher states")
    written_by: Literal["people", "model"] = Field(
        "people",
        description="who wrote what the files say; rows that a model wrote are graded model, and written by `imported_from_models`",
    )
    missing: Literal["fail", "leave_out"] = Field(
        "fail",
        description="media that are annotated but not there: a failed entry of the scan each, or left out with one line in all",
    )

    @field_validator("files", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


P = TypeVar("P", bound=ImporterParams)


class Importer(ABC, Generic[P]):
    """Reads one published layout. Subclass it with typed parameters (which files, which of their parts)."""

    name: ClassVar[str]
    """Name in recipes (`import: name`); equal to the file's name."""
    version: ClassVar[int] = 1
    Params: ClassVar[type[ImporterParams]] = ImporterParams
    licence: ClassVar[str | None] = None
    """Licence of the annotations, where the publisher states one."""

    def __init__(self, params: P) -> None:
        self.params = params
        self.faults: list[Fault] = []
        """What could not be read; complete after `read` is exhausted."""
        self.passed_over: Counter[str] = Counter()
        """Items that are not for this table, by what they are: no faults, but counted."""

    @abstractmethod
    def read_file(self, path: Path) -> Iterable[Imported]:
        """What one file says, an `Imported` per medium or per item (those of one name are joined).

        Raises `ImportProblem` where nothing more of the file can be read; an item that cannot be read is left out with a note,
        or, when it names no medium, told by `fault`.
        """

    def read(self, folder: Path) -> Iterator[Imported]:
        """What all files say (relative names start from `folder`); those that cannot be read are in `faults` afterwards."""
        for path in self.files(folder):
            try:
                for said in self.read_file(path):
                    self.complete(said, path.name)
                    yield said
            except (ImportProblem, OSError, ValueError, AttributeError, KeyError, TypeError) as error:
                self.broken(path, error)

    def read_later(self, path: Path, said: Imported) -> None:
        """Add what one of `said.later` says to the rows of the medium, after those of its annotation file. Raises `ImportProblem`."""
        raise NotImplementedError(f"importer {self.name} names files to read later, and does not read them")

    def complete(self, said: Imported, file: str) -> None:
        """Fill in the file, the split and the licence of what a file said."""
        said.file = file
        said.official_split = self.params.split or said.official_split or split_in_name(file)
        said.licence = self.params.licence or said.licence or self.licence

    def broken(self, path: Path, error: Exception) -> None:
        """Tell of a file, or the rest of one, that cannot be read."""
        why = str(error)
        if isinstance(error, OSError):
            why = f"{path.name} cannot be read: {error.strerror or error}"
        elif isinstance(error, UnicodeDecodeError):
            why = f"{path.name} is no UTF-8 text (byte {error.start}); convert it"
        elif not isinstance(error, ImportProblem):
            said = f"{type(error).__name__}: {error}"
            why = f"{path.name} is not laid out as {self.name} expects ({said}); is it the right file, whole and unedited?"
        self.faults.append(Fault(str(path), why))

    def fault(self, path: Path, where: str, why: str) -> None:
        """Tell of an item that cannot be read and names no medium."""
        self.faults.append(Fault(str(path), f"{path.name}, {where}: {why}"))

    def files(self, folder: Path) -> list[Path]:
        """The annotation files, each once, in the order that the recipe gives. A name without a file is a fault."""
        return self.others(folder, self.params.files)

    def others(self, folder: Path, patterns: Sequence[str]) -> list[Path]:
        """The files of some names or globs, each once. A name without a file is a fault."""
        found: dict[Path, None] = {}
        for pattern in patterns:
            path = Path(pattern).expanduser()
            path = Path(os.path.normpath(path if path.is_absolute() else folder / path))
            if path.is_file():
                found[path] = None
                continue
            base = Path(path.anchor)
            matches = sorted(p for p in base.glob(str(path.relative_to(base))) if p.is_file())
            if not matches:
                self.faults.append(
                    Fault(
                        str(path),
                        f"there is no annotation file {pattern}; relative names start from the recipe's folder",
                    )
                )
            found |= dict.fromkeys(matches)
        return list(found)

    def suffixes(self) -> Sequence[str]:
        """Suffixes that media may have when the annotation names them without one; empty: any."""
        return ()


def split_in_name(name: str) -> Split | None:
    """The official split that a file's name says: `charades_sta_test.txt` -> test; None when it says none or several."""
    words = re.split(r"[^a-z]+", name.lower())
    found = {_SPLITS[word] for word in words if word in _SPLITS}
    return found.pop() if len(found) == 1 else None


def split_said(value: Any) -> Split | None:
    """The official split that a word says: `val` -> validation; None for anything else."""
    return _SPLITS.get(str(value).strip().lower()) if value is not None else None
