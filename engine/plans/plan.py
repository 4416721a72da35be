"""What a frame plan is, what a policy may look at to make one, and what every plan must keep to.

A policy is a pure function of `Inputs` and its parameters: the same medium, scores and seed give the same plan. Pixels are
never copied; a plan names frames by their time, with their role, size and cost, and every packager can read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.ids import derive_id
from ...schemas.span import Span, to_us
from .likeness import Likeness

if TYPE_CHECKING:
    from .space_aware import SeenPoints

Times = NDArray[np.float64]
Indices = NDArray[np.int64]
STILL = "still"
"""Role of the repetitions of a picture, the only frames that may share a time."""
_TICK_S = 1e-4
"""Containers round times to their ticks."""


class PlanError(ValueError):
    """A policy cannot plan these inputs with these parameters; the message says what is missing or to change."""


@dataclass(frozen=True)
class PlannedFrame:
    """A frame to be shown: its time on the medium's clock, what it is for, its size in px and its visual tokens."""

    t_s: float
    role: str
    segment: int
    width: int
    height: int
    pool: int
    """Patches (after merging) or frames that share one token."""
    tokens: int


@dataclass(frozen=True)
class PlannedSegment:
    """A part of the span and how many planned frames it has."""

    start_s: float
    end_s: float
    frames: int


@dataclass(frozen=True)
class Plan:
    """Which frames a policy takes of a span, in order of time."""

    frames: tuple[PlannedFrame, ...]
    segments: tuple[PlannedSegment, ...] = ()
    budget_tokens: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the policy also says, JSON values."""

    @property
    def tokens(self) -> int:
        """Visual tokens of all frames."""
        return sum(frame.tokens for frame in self.frames)

    @property
    def times_s(self) -> tuple[float, ...]:
        """Times of the frames."""
        return tuple(frame.t_s for frame in self.frames)

    def problems(self, start_s: float, end_s: float) -> list[str]:
        """What is wrong with it as a plan of [start_s, end_s); empty when nothing is."""
        found = []
        for before, after in pairwise(self.frames):
            still = before.role == after.role == STILL and before.t_s == after.t_s
            if not still and to_us(before.t_s) >= to_us(after.t_s):
                found.append(f"{after.t_s:g} s does not come after {before.t_s:g} s")
        found += [
            f"{f.t_s:g} s is outside {start_s:g}..{end_s:g} s" for f in self.frames if not start_s <= f.t_s < end_s
        ]
        if self.budget_tokens is not None and self.tokens > self.budget_tokens:
            found.append(f"{self.tokens} tokens exceed the budget of {self.budget_tokens}")
        return found + self._parting(start_s, end_s)

    def _parting(self, start_s: float, end_s: float) -> list[str]:
        if not self.segments:
            return []
        edges = [(s.start_s, s.end_s) for s in self.segments]
        ends = [start_s, *(end for _, end in edges)]
        if [start for start, _ in edges] != ends[:-1] or ends[-1] != end_s:
            return [f"the segments do not tile {start_s:g}..{end_s:g} s"]
        inside = [
            sum(s.start_s <= f.t_s < s.end_s and f.segment == i for f in self.frames)
            for i, s in enumerate(self.segments)
        ]
        return [] if inside == [s.frames for s in self.segments] else ["a frame does not lie in its segment"]


@dataclass(frozen=True)
class Scores:
    """How well pictures fit a query: each value holds from its time until the next."""

    times_s: Times
    values: NDArray[np.float64]
    name: str
    """Which query, and which model said so."""

    def at(self, times_s: Times) -> NDArray[np.float64]:
        """The values that hold at some times (before the first: the first)."""
        return self.values[standing(self.times_s, times_s)]


@dataclass(frozen=True)
class Inputs:
    """What a policy may look at: the span, the frames that it has, and what is known of them. Times on the medium's clock."""

    start_s: float
    end_s: float
    times_s: Times
    """float64 [n]: presentation times of all frames in the span, strictly ascending."""
    width: int
    height: int
    likeness: Likeness | None = None
    scores: Scores | None = None
    cuts_s: tuple[float, ...] = ()
    """Where a shot begins inside the span, its start left out."""
    evidence: tuple[Span, ...] = ()
    """Spans that must be seen, where they are known; never looked at to choose frames."""
    image: bool = False
    sound: bool = False
    seed: int = 0
    seen: SeenPoints | None = None
    """What pictures see of the room, where depth and poses are known."""

    def __post_init__(self) -> None:
        if not len(self.times_s):
            raise PlanError(f"no frame begins in {self.start_s:g}..{self.end_s:g} s")
        if np.any(np.diff(self.times_s) <= 0):
            raise PlanError("frame times must ascend")

    @cached_property
    def fps(self) -> float:
        """Mean frame rate in the span."""
        if len(self.times_s) < 2:
            return 1.0
        return float((len(self.times_s) - 1) / (self.times_s[-1] - self.times_s[0]))

    @property
    def length_s(self) -> float:
        """Length of the span."""
        return self.end_s - self.start_s

    def looks(self, times_s: Times, policy: str) -> Likeness:
        """The likeness of the pictures that stand at some times. Raises `PlanError` where there are no features."""
        if self.likeness is None:
            raise PlanError(f"{policy} compares pictures: it needs embeddings, frames or signals of the medium")
        return self.likeness.take(standing(self.likeness.times_s, times_s))

    def scored(self, policy: str) -> Scores:
        """The query's scores. Raises `PlanError` where there are none."""
        if self.scores is None:
            raise PlanError(f"{policy} follows a query: it needs clip_scores of the medium, or a sample's evidence")
        return self.scores

    @cached_property
    def digest(self) -> str:
        """Digest of all that is looked at, for `inputs_digest`."""
        scores = None
        if self.scores is not None:
            scores = (self.scores.name, _bytes(self.scores.times_s), _bytes(self.scores.values))
        looks = None if self.likeness is None else self.likeness.digest
        size = (self.width, self.height, self.image, self.sound)
        return derive_id(
            "plan inputs", self.start_s, self.end_s, _bytes(self.times_s), size, looks, scores, self.cuts_s,
            *(() if self.seen is None else (self.seen.digest,)),
        )  # fmt: skip


def standing(held: Times, times_s: Times) -> Indices:
    """Which of the pictures taken at `held` (ascending) stands at each time: the last one until then, else the first."""
    return np.maximum(np.searchsorted(held, np.asarray(times_s) + _TICK_S, side="right") - 1, 0).astype(np.int64)


def tiled(inputs: Inputs, times_s: Sequence[float], firsts: Iterable[int]) -> tuple[PlannedSegment, ...]:
    """Segments that begin with the frames numbered `firsts` (0 among them) and tile the span."""
    starts = sorted(set(firsts) | {0})
    edges = [inputs.start_s, *(float(times_s[i]) for i in starts[1:]), inputs.end_s]
    counts = np.diff([*starts, len(times_s)])
    return tuple(
        PlannedSegment(a, b, int(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False)
    )  # fmt: skip


def segment_numbers(count: int, firsts: Iterable[int]) -> list[int]:
    """Number of the segment of each of `count` frames."""
    starts = np.array(sorted(set(firsts) | {0}))
    return (np.searchsorted(starts, np.arange(count), side="right") - 1).tolist()


def coverage(times_s: Sequence[float], spans: Sequence[Span]) -> float | None:
    """Share of spans with at least one frame; None without spans."""
    if not spans:
        return None
    times = np.array(sorted(times_s))
    edges = [np.searchsorted(times, (s.start_s - _TICK_S, s.end_s)) for s in spans]
    return float(np.mean([a < b for a, b in edges]))


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(np.round(np.asarray(values, np.float64), 6)).tobytes()
