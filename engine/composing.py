"""Composers of media: from material (or from nothing but a seed) to new media whose truth is known by construction.

A composer is pure: it returns drafts, each with a digest of everything that its bytes depend on, the rows that are true of the
result, and a function that writes it. The scan of a recipe with `compose:` in its sources renders the drafts that are not there
yet (their file is named by the digest), writes the truth beside each, and goes on with them as with any other footage: every
annotator, task and package works on them. The annotator `composed_truth` reads the truth back.

A composer lives in `annotators/composers/<name>.py` with `COMPOSER = TheClass` at its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic

from .annotator import P, Params


class ComposeError(ValueError):
    """The material does not do for what a recipe wants composed; the message says what is missing and what to change."""


@dataclass(frozen=True)
class Material:
    """A medium that may be cut up, with what is known of it. Times are on its presentation clock."""

    media_id: str
    uri: str
    path: Path
    media: Mapping[str, Any]
    """Its row of table `media`: kind, duration_s, fps, frames, width, height, audio_codec, licence, group_id ..."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Complete rows by table: those of its sidecar truth, manifest or import; of a dataset: those of all its annotators."""
    grades: Mapping[str, str] = field(default_factory=dict)
    """Lowest grade of the rows of a table; tables that are not named are exact."""

    @property
    def has_video(self) -> bool:
        return bool(self.media.get("frames"))

    @property
    def has_audio(self) -> bool:
        return self.media.get("audio_codec") is not None


@dataclass(frozen=True)
class Draft:
    """A medium to be made."""

    digest: str
    """`derive_id(...)` of everything that the bytes depend on: composer, version, parameters drawn, media_ids of the material."""
    suffix: str
    """.mp4, .flac, .png or .txt."""
    write: Callable[[Path], None]
    """Writes the file. Bit-exact: the same draft gives the same bytes. Raises `MediaError`."""
    duration_s: float
    """Length of what is written, seconds; 0 for pictures and text."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    """Truth on the new clock: values by column, without `row_id`, `producer`, `unit` and `media_id`."""
    sources: tuple[Material, ...] = ()
    """What it is made of: decides its licence, group and official split."""
    grades: Mapping[str, str] = field(default_factory=dict)
    """Grade of tables whose rows were carried over from rows that are not exact."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What was drawn for it, for people to read."""
    measured: Callable[[], Mapping[str, Sequence[Mapping[str, Any]]]] | None = None
    """More rows, which take the work of rendering: asked for once, after `write`. They follow from the digest alone, so a truth
    file that is there is kept."""


class MediaComposer(ABC, Generic[P]):
    """Makes media. Subclass it with typed parameters."""

    name: ClassVar[str]
    """Name in recipes (`compose: name`); equal to the file's name."""
    version: ClassVar[int] = 1
    """Raise it whenever bytes or truth may change."""
    Params: ClassVar[type[Params]] = Params
    needs_material: ClassVar[bool] = True
    """Whether `material:` or `dataset:` must be given."""
    needs_extra: ClassVar[str | None] = None
    """The extra of `pip install chronotope[...]` that it needs."""

    def __init__(self, params: P) -> None:
        self.params = params

    @abstractmethod
    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """Drafts in a stable order. Raises `ComposeError` when the material yields nothing."""
