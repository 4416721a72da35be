"""What importers of sequences share: folders of numbered pictures that become films, with objects over time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field, field_validator

from ...engine.folder_importing import FolderImporter, FolderMedium, FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ...schemas.evenly import evenly
from ...schemas.ids import derive_id
from ...schemas.span import from_us, to_us
from .film import end_of, film_size, write_film
from .pictures import PICTURES, picture, picture_size
from .tracked import Seen, tracked


class SequenceParams(FolderParams):
    """Parameters of importers of sequences."""

    sequences: tuple[str, ...] = Field(
        description="folders of sequences, or globs; relative names start from the recipe's folder"
    )

    @field_validator("sequences", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


@dataclass
class FrameSequence:
    """A sequence as its source lists it."""

    pictures: Mapping[int, Path]
    """By number of frame."""
    fps: float
    """Numbers per second."""
    seen: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """By object and number of frame: columns of `boxes`."""
    labels: dict[str, str] = field(default_factory=dict)
    annotated: frozenset[int] = frozenset()
    """Numbers of the frames that were annotated."""
    notes: list[ImportNote] = field(default_factory=list)


P = TypeVar("P", bound=SequenceParams)


class SequenceImporter(FolderImporter[P], Generic[P]):
    """Reads one layout of sequences. Subclass it with `sequence`."""

    Params: ClassVar[type[FolderParams]] = SequenceParams
    naming: ClassVar[tuple[str, ...]] = ("sequences",)

    def patterns(self) -> Sequence[str]:
        """The sequences."""
        return self.params.sequences

    @abstractmethod
    def sequence(self, name: str, folder: Path) -> FrameSequence:
        """The sequence as its source lists it. Raises `ImportProblem`."""

    def read(self, name: str, folder: Path) -> FolderMedium:
        """Film, tracks and boxes of a sequence."""
        p = self.params
        told = self.sequence(name, folder)
        numbers = evenly(sorted(told.pictures)[:: p.every], p.max_frames)
        if not numbers:
            raise ImportProblem("no picture was found; is it the right folder?")
        times = {n: from_us(to_us((n - numbers[0]) / told.fps)) for n in numbers}
        end_s = from_us(to_us(end_of(list(times.values()), told.fps)))
        ends = dict(zip(numbers, [*(times[n] for n in numbers[1:]), end_s], strict=True))
        annotated = {n: place for place, n in enumerate(sorted(told.annotated & set(numbers)))}
        rows: dict[str, list[dict[str, Any]]] = {"tracks": [], "boxes": []}
        for key, by_frame in sorted(told.seen.items()):
            seen = [
                Seen(annotated[n], times[n], ends[n], values)
                for n, values in sorted(by_frame.items())
                if n in annotated
            ]
            tracks, boxes = tracked(derive_id("object", self.name, name, key), seen, {"label": told.labels[key]})
            rows["tracks"] += tracks
            rows["boxes"] += boxes
        size = film_size(*picture_size(told.pictures[numbers[0]]), p.longest_side_px)
        write = partial(_write, [told.pictures[n] for n in numbers], list(times.values()), end_s, size, p.crf)
        return FolderMedium(end_s, rows, tuple(told.notes), write, {"frames": len(numbers)})


def numbered_pictures(folder: Path) -> dict[int, Path]:
    """Pictures of a folder that are called by their number."""
    return {int(p.stem): p for p in folder.glob("*") if p.stem.isdigit() and p.suffix.lower() in PICTURES}


def _write(files: list[Path], times: list[float], end_s: float, size: tuple[int, int], crf: int, path: Path) -> None:
    write_film((picture(f) for f in files), times, end_s, size, crf, path)
