"""Importers: annotation files of published datasets, read into rows about media that lie somewhere else.

An importer reads its files once and yields what they say of each medium by the name that they call it; the scan finds the file
of that name, keeps the rows with the place (`sources.entries_json`), and the annotator `imported` writes them to their tables
after checking them against the media: what lies past the end, what is reversed, what was counted at another frame rate.
A medium that is named but not there is a failed place of the scan, so nothing is lost silently.

An importer lives in `annotators/importers/<name>.py` with `IMPORTER = TheClass` at its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic

from .annotator import P, Params, Row


class ImportProblem(ValueError):
    """An annotation file that cannot be read; the message names the file, the place in it and the remedy."""


@dataclass
class Imported:
    """What annotation files say of one medium."""

    name: str
    """As they call it: matched with the file's name, with or without its suffix."""
    rows: list[Row] = field(default_factory=list)
    """(table, values), times in seconds on the medium's clock."""
    official_split: str | None = None
    licence: str | None = None
    group_id: str | None = None
    duration_s: float | None = None
    """Length as the annotation states it; a difference from the medium is noted."""
    fps: float | None = None
    """Frame rate at which the annotation counts frames; a difference from the medium is noted."""
    size: tuple[int, int] | None = None
    """Width and height at which it counts pixels."""
    notes: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(item, rule, detail, action) of what the reader itself did not take as written."""


class Importer(ABC, Generic[P]):
    """Reads one published layout. Subclass it with typed parameters (which files, which of their parts)."""

    name: ClassVar[str]
    """Name in recipes (`import: name`); equal to the file's name."""
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = Params
    licence: ClassVar[str | None] = None
    """Licence of the annotations, where the publisher states one."""

    def __init__(self, params: P) -> None:
        self.params = params

    @abstractmethod
    def read(self, folder: Path) -> Iterable[Imported]:
        """What the files (relative names start from `folder`) say, one `Imported` per medium. Raises `ImportProblem`."""

    def suffixes(self) -> Sequence[str]:
        """Suffixes that media may have when the annotation names them without one; empty: any."""
        return ()


def said_of(values: dict[str, Any]) -> dict[str, Any]:
    """Values without those that are not known."""
    return {k: v for k, v in values.items() if v is not None}
