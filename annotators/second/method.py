"""The contract of a second method: leave wishes, then say whether it finds the answer again.

A method sees the packaged files of a sample and the sample's claim; it never reads evidence. What it says is agreement,
disagreement or "cannot say" with the reason: only the first two count. The same method is asked again with something
taken away (`removed`); then finding the answer is the failure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.sample import Sample
from ...schemas.span import Span, overlap_s
from .footage import Footage

Removed = Literal["nothing", "evidence", "sound", "picture"]
ENDS_S = 0.5
"""Both ends within this of the claim: agreement, whatever the overlap. One end: agreement from `MIN_TIOU` on. None: a span
that is shifted as a whole, which is what stale times look like, however much of it overlaps.
"""
MIN_TIOU = 0.5


class SecondParams(BaseModel):
    """Settings of all second methods."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whisper: Path | None = Field(
        None,
        description="weights of the second recogniser: a checkpoint of openai-whisper, or a folder for faster-whisper",
    )
    threads: int = Field(2, ge=1, description="processor threads of models; fixed, for reproducible rows")
    text_fps: float = Field(3.0, gt=0, description="pictures per second in which text is read")
    motion_fps: float = Field(6.0, gt=0, description="pictures per second between which motion is measured")
    shots: Literal["auto", "content", "adaptive", "transnetv2", "none"] = Field(
        "auto",
        description="the other shot detector; auto: TransNetV2 where it is installed, else the one not used before",
    )


@dataclass(frozen=True)
class Opinion:
    """What a second method says. `agrees` None: it cannot say, and `found` tells why."""

    method: str
    agrees: bool | None
    score: float | None
    found: str


@dataclass(frozen=True)
class Shown:
    """A packaged sample. `files`: the film (and its sound, if beside) of its first medium; `stills`: its pictures in the
    order in which they are shown, `still_of` those that are media of their own, by number of the medium (from 1).

    `source` is the footage that stills were taken from, where it is at hand.
    """

    sample: Sample
    files: Sequence[Footage]
    stills: Sequence[Path] = ()
    still_of: Mapping[int, Path] = field(default_factory=dict)
    source: Footage | None = None
    built_with: dict[str, str] = field(default_factory=dict)
    """Settings of the first methods that second ones must differ from: shot detector, speech model."""

    @property
    def film(self) -> Footage | None:
        """The file that is watched or listened to; None for stills."""
        return self.files[0] if self.files else None

    @property
    def heard(self) -> Footage | None:
        """The file with the sound: beside the pictures, or with them."""
        return next((f for f in reversed(self.files) if f.has_sound), None)


class SecondMethod(ABC):
    """Base of all second methods; one object serves a whole run and loads its models once."""

    name: ClassVar[str]
    removes: ClassVar[tuple[Removed, ...]] = ("evidence",)
    """What taking away it can be asked about, beside `nothing`."""

    def __init__(self, params: SecondParams) -> None:
        self.params = params

    def prepare(self, shown: Shown, removed: Sequence[Removed]) -> None:
        """Leave wishes on the sample's files; called for all samples of a file before any is judged. By default none."""
        return

    @abstractmethod
    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        """Look for the answer, with something taken away first. Raises `MediaError` for files that cannot be read."""


def alike(found: Span, claimed: Span, ends_s: float = ENDS_S) -> tuple[bool, float]:
    """Whether two spans are the same for a second method, and how much (tIoU)."""
    common = overlap_s(found, claimed)
    score = common / (found.length_s + claimed.length_s - common)
    off = sorted((abs(found.start_s - claimed.start_s), abs(found.end_s - claimed.end_s)))
    return common > 0 and (off[1] <= ends_s or (score >= MIN_TIOU and off[0] <= ends_s)), score


def best_option(found: Span, claimed: Span, denied: Sequence[Span]) -> tuple[bool, float]:
    """Of a choice between spans: whether the claimed one fits best what was found, and its tIoU."""
    scores = [alike(found, span)[1] for span in (claimed, *denied)]
    return scores[0] > 0 and scores[0] == max(scores), scores[0]


def says(span: Span) -> str:
    """A span for people."""
    return f"{span.start_s:.2f}..{span.end_s:.2f} s"
