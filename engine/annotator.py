"""The annotator contract: what a producer of rows declares, and the few shapes in which it is handed its input.

An annotator is a class with typed parameters that turns footage or rows into rows. It knows nothing of Ray, of storage or
of other annotators: the engine opens media, feeds it, writes its rows and turns its exceptions into ledger entries.
Adding one is adding a file `annotators/<floor>/<name>.py` with a class and `ANNOTATOR = TheClass` at its end.

Rows are `(table name, {column: value})` pairs; the engine adds `row_id`, `producer`, `unit` and `media_id`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from .media.audio import AudioPiece
    from .media.frame import Frame
    from .models import ModelRef

Row = tuple[str, dict[str, Any]]
"""(table, values by column)."""
Grain = Literal["source", "medium", "clip", "corpus"]
Stage = Literal["annotate", "enrich", "task"]
Grade = Literal["exact", "two_source", "model", "judge"]


class Params(BaseModel):
    """Base of every annotator's parameters: frozen, and an unknown name is an error that lists the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Params)


class SkipUnit(Exception):
    """Raised by an annotator for a unit that it has nothing to say about. The message is the rule: `no audio stream`."""


class UndecidedUnit(Exception):
    """Raised when a rule cannot be decided for want of data. The message is the rule and what is missing."""

    passing = False
    """Whether the next build may decide it: it is then tried again."""


class TransientError(Exception):
    """A failure that may pass (a busy endpoint, a network): the next build tries the unit again."""


@dataclass(frozen=True)
class Medium:
    """A medium as annotators see it. Times are on its presentation clock (first presented frame = 0)."""

    media_id: str
    uri: str
    path: Path | None
    """Local file, present only where an annotator may open it (scratch copy for remote footage)."""
    kind: str
    duration_s: float
    fps: float | None
    frames: int | None
    width: int | None
    height: int | None
    has_video: bool
    has_audio: bool
    start_pts_s: float = 0.0
    row: Mapping[str, Any] = field(default_factory=dict)
    """The medium's full row of table `media`."""

    def __str__(self) -> str:
        return self.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class FrameSet:
    """Pictures taken from a video: at `fps`, longest side at most `max_side_px`, as JPEG of `quality` (1..100).

    With `min_change` > 0 a picture is left out while the mean absolute difference (of luma at 32 px, share of full
    scale) from the last one kept stays below it; the kept one then stands for the longer time.
    """

    fps: float = 1.0
    max_side_px: int = 512
    quality: int = 90
    min_change: float = 0.0

    @property
    def name(self) -> str:
        """Name under which the pictures are stored in `frames.frame_set`."""
        tail = f"_c{self.min_change:g}" if self.min_change else ""
        return f"fps{self.fps:g}_px{self.max_side_px}_q{self.quality}{tail}"


@dataclass(frozen=True)
class Picture:
    """One JPEG picture of a frame set, the only form in which pixels leave the decoding process."""

    media_id: str
    t_s: float
    until_s: float
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True)
class Sampling:
    """Which frames a frame annotator wants: all (`fps=None`) or the first frame at or after each multiple of 1/fps."""

    fps: float | None = None


@dataclass(frozen=True)
class Resources:
    """What one worker of this annotator needs. `gpus` > 0 puts batch annotators into a GPU pool of their own,
    and is what each group of units of a unit annotator holds."""

    cpus: float = 0.5
    gpus: float = 0.0


class Annotator(ABC, Generic[P]):
    """Common to all shapes. Subclass one of the shapes below, not this."""

    name: ClassVar[str]
    """Name in recipes; equal to the file's name."""
    version: ClassVar[int] = 1
    """Raise it whenever the rows may change; a test compares the code with a lock file."""
    Params: ClassVar[type[Params]] = Params
    reads: ClassVar[tuple[str, ...]] = ()
    """Tables whose rows about a unit are its input (media-layer annotators read none)."""
    optional_reads: ClassVar[tuple[str, ...]] = ()
    """Those of `reads` that a recipe may leave unwritten; they are then empty."""
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Of tables with many rows, the only columns that are wanted, beside `producer` and `media_id`; saves memory."""
    folded: ClassVar[tuple[str, ...]] = ()
    """Of an annotator of grain corpus: tables that come as one row per producer and medium, `{producer, media_id, rows}`
    with an Arrow table of their `columns` in key order, because a dictionary per row would not fit into memory.
    """
    writes: ClassVar[tuple[str, ...]] = ()
    grade: ClassVar[Grade] = "model"
    """How true its rows are, when a sample rests on them."""
    stage: ClassVar[Stage] = "annotate"
    grain: ClassVar[Grain] = "medium"
    needs_extra: ClassVar[str | None] = None
    """The extra of `pip install chronotope[...]` that it needs, named in error messages."""

    def __init__(self, params: P) -> None:
        self.params = params

    def setup(self) -> None:
        """Load models. Called once per worker before any data; never at import or construction."""

    def models(self) -> Sequence[ModelRef]:
        """Models that the rows depend on, resolved but not loaded; their digests enter the fingerprint."""
        return ()

    def resources(self) -> Resources:
        """What one worker needs."""
        return Resources()

    def extras(self) -> tuple[str, ...]:
        """Extras that it needs with these parameters; `needs_extra` unless parameters change it."""
        return (self.needs_extra,) if self.needs_extra else ()

    def code_digest(self) -> str:
        """Digest of behaviour-bearing user code; empty for built-ins, which carry a version."""
        return ""

    def dynamic_reads(self) -> tuple[str, ...]:
        """Tables read with these parameters; `reads` unless parameters change it."""
        return self.reads

    def dynamic_writes(self) -> tuple[str, ...]:
        """Tables written with these parameters; `writes` unless parameters change it."""
        return self.writes

    def leaves_out(self) -> tuple[str, ...]:
        """Annotators whose rows it does not read, though they are of its tables, unless `from:` names them."""
        return ()


class FrameSession(ABC):
    """The state of one annotator over one segment; it sees its frames in order and yields rows as it goes."""

    @abstractmethod
    def see(self, frame: Frame) -> Iterable[Row]:
        """One wanted frame, in presentation order. The frame's pictures are valid only during the call."""

    def close(self) -> Iterable[Row]:
        """After the last frame."""
        return ()


class FrameAnnotator(Annotator[P]):
    """Sees decoded frames of a medium. All frame annotators of a wave share one decode."""

    lookback_s: ClassVar[float] = 0.0
    lookahead_s: ClassVar[float] = 0.0
    whole_video: ClassVar[bool] = True
    """True: always one segment per medium. False: may be cut into segments with warm-up of lookback and lookahead."""

    @abstractmethod
    def sampling(self, medium: Medium) -> Sampling:
        """Which frames it wants of this medium."""

    @abstractmethod
    def open(self, medium: Medium) -> FrameSession:
        """A fresh session. Raise `SkipUnit` when the medium has nothing for it."""


class AudioSession(ABC):
    """The state of one annotator over the sound of one medium."""

    @abstractmethod
    def hear(self, piece: AudioPiece) -> Iterable[Row]:
        """One piece of sound (mono int16 at `rate`), in order, cut at silences, at most ten minutes long."""

    def close(self) -> Iterable[Row]:
        """After the last piece."""
        return ()


class AudioAnnotator(Annotator[P]):
    """Hears the decoded sound of a medium. All audio annotators of a wave share one decode."""

    rate: ClassVar[int] = 16_000
    """Samples per second that it wants."""

    @abstractmethod
    def open(self, medium: Medium) -> AudioSession:
        """A fresh session."""


class BatchAnnotator(Annotator[P]):
    """Looks at independent pictures, across media, in batches. Rows must not depend on a batch's other members."""

    @abstractmethod
    def frame_set(self) -> FrameSet:
        """The pictures that it looks at."""

    @property
    def batch_size(self) -> int:
        """Pictures per call, at most; models pad the last batch to their fixed shape."""
        return 16

    @abstractmethod
    def look(self, pictures: Sequence[Picture]) -> list[list[Row]]:
        """Rows of each picture, in order: one list per picture."""


@dataclass(frozen=True)
class Unit:
    """What a unit annotator is asked about."""

    unit: str
    grain: Grain
    medium: Medium | None
    recipe: str
    seed: int
    output_dir: Path | None = None
    """Where a composer writes media (None for annotators that do not compose)."""
    producer: str = ""
    """The producer that works on it, from which the identifiers of its rows derive."""


class Rows(Mapping[str, list[dict[str, Any]]]):
    """The input rows of one unit by table, each list in the order of the table's key."""

    def __init__(self, tables: Mapping[str, list[dict[str, Any]]]) -> None:
        self._tables = tables

    def __getitem__(self, table: str) -> list[dict[str, Any]]:
        return self._tables.get(table, [])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class UnitAnnotator(Annotator[P]):
    """Turns the rows about one unit (a medium, a clip, the corpus) into rows."""

    light: ClassVar[bool] = False
    """Pure and quick: small waves of light annotators run in the driver, without starting Ray."""
    quick_units: ClassVar[int] = 0
    """Of one that is not light: waves of at most this many units are done in the driver sooner than Ray starts."""
    reads_media: ClassVar[bool] = False
    """Whether `unit.medium.path` must be a local file."""

    @abstractmethod
    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of one unit."""


class Composer(UnitAnnotator[P]):
    """Writes media below `unit.output_dir` and their exact truth rows (`media`, `sources`, `edits` ...).

    File names must derive from content or parameters; encoding must be bit-exact.
    """

    stage: ClassVar[Stage] = "enrich"
    reads_media: ClassVar[bool] = True
