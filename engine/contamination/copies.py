"""Copies of benchmark videos inside our footage: look-alike pictures that lie on one line of time against time.

Our medium is looked at in overlapping windows. In each, look-alike pictures vote for a variant of a benchmark's video, a
speed (0.8 to 1.25) and an offset; the best few hypotheses are then checked picture by picture, and what stays is the
stretch in which most pictures match. Windows stand for themselves, so trimmed, re-timed and interrupted copies are found
piece by piece. Dark and even pictures are left out. Limits: strong crops, borders, overlays over most of the picture,
reversed playback and stretches shorter than about 1.5 s are not found; a still shot counts only when it is nearly equal.
Deterministic: no chance is involved, ties go to the speed nearest 1 and the first variant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from .index import Hashes, Numbers, Sketch, SketchIndex, Times

_SPEEDS = np.geomspace(0.8, 1.25, 31)
_BIN_S = 0.5
_HYPOTHESES = 4
_VOTES = 4000
"""Look-alikes of one video that vote in one window, at most; an even choice of more."""
_WINDOWS = 80
"""Windows whose look-alikes are in memory at the same time."""
_JOIN_S = 3.0
"""Matched stretches of one video that are at most this far apart are one."""


class CopyRules(BaseModel):
    """When pictures and stretches count as copied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_contrast: float = Field(
        8.0, ge=0, description="pictures with less contrast (standard deviation of luma) are not compared"
    )
    seed_bits: int = Field(8, ge=0, le=20, description="bits of 64 by which look-alikes that vote may differ")
    max_bits: int = Field(14, ge=0, le=24, description="bits by which aligned pictures may differ and still match")
    mean_bits: float = Field(
        9.0, gt=0, description="bits by which the matching pictures of a stretch may differ on average"
    )
    min_share: float = Field(0.7, gt=0, le=1, description="least share of a stretch's pictures that match")
    min_s: float = Field(1.5, gt=0, description="least length of a copied stretch; seconds")
    still_bits: float = Field(
        4.0, ge=0, description="the same average for a stretch that shows one unchanging picture, which says less"
    )
    window_s: float = Field(12.0, gt=1, description="footage that is aligned at once; seconds")


@dataclass(frozen=True)
class Looks:
    """What our medium looks like: times [n] in seconds and hashes [n] of its pictures that are neither dark nor even."""

    times: Times
    hashes: Hashes
    step_s: float

    @classmethod
    def of(cls, rows: pa.Table, min_contrast: float) -> Looks:
        """From columns t_s, phash, contrast and black of `signals`, of one medium and one producer, in time order."""
        times = rows.column("t_s").to_numpy()
        step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
        hashes = rows.column("phash").fill_null(0).to_numpy().view(np.uint64)
        clear = rows.column("contrast").fill_null(0.0).to_numpy() >= min_contrast
        clear &= rows.column("phash").is_valid().to_numpy() & ~rows.column("black").fill_null(False).to_numpy()
        return cls(times[clear], hashes[clear], step)


@dataclass(frozen=True)
class Copy:
    """A part of our medium that is a benchmark's video: matched stretches, and the times of the pictures that match."""

    benchmark: str
    item: str
    variant: str
    spans: tuple[tuple[float, float], ...]
    times: Times

    def overlap(self, start_s: float, end_s: float) -> tuple[float, float] | None:
        """First start and last end of the stretches that overlap a window, or None."""
        inside = [(a, b) for a, b in self.spans if a < end_s and b > start_s]
        return (inside[0][0], max(b for _, b in inside)) if inside else None

    def share(self, looks: Looks, start_s: float, end_s: float) -> float:
        """Share of the window's comparable pictures that match."""
        inside = np.count_nonzero((looks.times >= start_s) & (looks.times < end_s))
        matching = np.count_nonzero((self.times >= start_s) & (self.times < end_s))
        return matching / inside if inside else 0.0


@dataclass(frozen=True)
class _Stretch:
    variant: int
    frames: Numbers
    """Matching pictures, by number."""


def find_copies(looks: Looks, index: SketchIndex, rules: CopyRules) -> list[Copy]:
    """Copied parts of one medium, at most one per benchmark video, ordered by benchmark and item."""
    if not len(looks.times) or not index.sketches:
        return []
    found: dict[int, list[_Stretch]] = defaultdict(list)
    half = rules.window_s / 2
    for block in range(-1, int(looks.times[-1] / half) + 1, _WINDOWS):
        starts = [n * half for n in range(block, block + _WINDOWS)]
        for owner, stretch in _in_windows(looks, index, starts, rules):
            found[owner].append(stretch)
    copies = [_copy(looks, index.sketches[owner], stretches) for owner, stretches in found.items()]
    return sorted(copies, key=lambda c: (c.benchmark, c.item))


def _in_windows(
    looks: Looks, index: SketchIndex, starts: Sequence[float], rules: CopyRules
) -> Iterator[tuple[int, _Stretch]]:
    """(number of the sketch, stretch) of what is copied in some windows, which follow each other."""
    frames = np.arange(*np.searchsorted(looks.times, [starts[0], starts[-1] + rules.window_s]))
    if not len(frames):
        return
    hashes = looks.hashes[frames]
    fresh = frames[np.concatenate([[True], hashes[1:] != hashes[:-1]]) | (frames % 4 == 0)]
    mine, theirs = index.look_alikes(looks.hashes[fresh], rules.seed_bits)
    owners, variants, times = index.place(theirs)
    mine = fresh[mine]
    at = looks.times[mine]
    for start in starts:
        inside = np.flatnonzero((at >= start) & (at < start + rules.window_s))
        for owner in np.unique(owners[inside]):
            of = inside[owners[inside] == owner]
            of = of[:: -(-len(of) // _VOTES)]
            sketch = index.sketches[int(owner)]
            stretch = _align(looks, sketch, start, start + rules.window_s, mine[of], variants[of], times[of], rules)
            if stretch is not None:
                yield int(owner), stretch


def _align(
    looks: Looks,
    sketch: Sketch,
    first_s: float,
    last_s: float,
    frames: Numbers,
    variants: Numbers,
    times: Times,
    rules: CopyRules,
) -> _Stretch | None:
    """The stretch of a window that is copied from a sketch, or None. `frames`, `variants` and `times` are the voting
    pairs: our picture, and variant and time of the benchmark's.
    """
    if len(np.unique(frames)) < 2:
        return None
    middle = (first_s + last_s) / 2
    window = np.arange(*np.searchsorted(looks.times, [first_s, last_s]))
    best: tuple[tuple[int, float], _Stretch] | None = None
    for variant, speed, offset in _hypotheses(looks.times[frames] - middle, frames, variants, times):
        expected = offset + speed * (looks.times[window] - middle)
        bits = _distances(looks.hashes[window], expected, sketch, variant, looks.step_s)
        kept = _stretch(bits, looks, window, rules)
        if kept is not None:
            rank = (len(kept), -float(bits[np.isin(window, kept)].mean()))
            if best is None or rank > best[0]:
                best = rank, _Stretch(variant, kept)
    return best[1] if best is not None else None


def _hypotheses(since: Times, frames: Numbers, variants: Numbers, times: Times) -> list[tuple[int, float, float]]:
    """The (variant, speed, time at the window's middle) that most of our pictures vote for."""
    at = times[None, :] - _SPEEDS[:, None] * since[None, :]
    speeds = np.broadcast_to(np.arange(len(_SPEEDS))[:, None], at.shape)
    votes = []
    for shift in (0.0, 0.5):
        cells = np.floor(at / _BIN_S + shift).astype(np.int64)
        parts = (speeds, np.broadcast_to(variants, at.shape), cells, np.full(at.shape, int(2 * shift)))
        votes.append(np.stack([*(p.ravel() for p in parts), np.broadcast_to(frames, at.shape).ravel()], axis=1))
    distinct = np.unique(np.concatenate(votes), axis=0)
    cells, counts = np.unique(distinct[:, :4], axis=0, return_counts=True)
    slowness = np.abs(np.log(_SPEEDS[cells[:, 0]]))
    order = np.lexsort((cells[:, 3], cells[:, 2], cells[:, 1], slowness, -counts))
    chosen: list[tuple[int, float, float]] = []
    for number in order[: 8 * _HYPOTHESES]:
        speed, variant, cell, shifted = (int(v) for v in cells[number])
        if counts[number] < 2:
            break
        of = (variants == variant) & (np.floor(at[speed] / _BIN_S + shifted / 2).astype(np.int64) == cell)
        offset = float(np.median(at[speed][of]))
        new = all(v != variant or abs(o - offset) > _BIN_S or abs(s / _SPEEDS[speed] - 1) > 0.04 for v, s, o in chosen)
        if new:
            chosen.append((variant, float(_SPEEDS[speed]), offset))
        if len(chosen) == _HYPOTHESES:
            break
    return chosen


def _distances(mine: Hashes, expected: Times, sketch: Sketch, variant: int, step_s: float) -> NDArray[np.int64]:
    """Bits between each of our pictures and the nearest-looking one about the expected time; -1 where there is none."""
    theirs = sketch.hashes[variant]
    near = np.searchsorted(sketch.times, expected)
    reach = 0.6 * step_s + 0.15
    bits = np.full(len(mine), 99, np.int64)
    for shift in (-2, -1, 0, 1):
        at = np.clip(near + shift, 0, len(theirs) - 1)
        apart = np.abs(sketch.times[at] - expected)
        found = np.bitwise_count(theirs[at] ^ mine).astype(np.int64)
        bits = np.where(apart <= reach, np.minimum(bits, found), bits)
    return np.where(bits == 99, -1, bits)


def _stretch(bits: NDArray[np.int64], looks: Looks, window: Numbers, rules: CopyRules) -> Numbers | None:
    """Matching pictures of the stretch that has most of them, when it is long, dense and alike enough."""
    comparable = np.flatnonzero(bits >= 0)
    if not len(comparable):
        return None
    matches = bits[comparable] <= rules.max_bits
    gains = (
        np.where(matches, 1 - rules.min_share, -rules.min_share) if rules.min_share < 1 else np.where(matches, 1, -9)
    )
    first, last = _heaviest(gains)
    inside = comparable[first:last][matches[first:last]]
    if not len(inside):
        return None
    frames = window[inside]
    length_s = looks.times[frames[-1]] - looks.times[frames[0]] + looks.step_s
    if length_s < rules.min_s or len(frames) < 4:
        return None
    still = not np.any(np.bitwise_count(looks.hashes[frames] ^ looks.hashes[frames[0]]) > rules.max_bits)
    limit = rules.still_bits if still else rules.mean_bits
    return frames if float(bits[inside].mean()) <= limit else None


def _heaviest(gains: NDArray[Any]) -> tuple[int, int]:
    """The [first, last) of the run with the greatest sum; the first of equal ones."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lowest))
    return int(np.argmin(sums[: last + 1])), last


def _copy(looks: Looks, sketch: Sketch, stretches: Sequence[_Stretch]) -> Copy:
    frames = np.unique(np.concatenate([s.frames for s in stretches]))
    weights = np.bincount(np.concatenate([np.full(len(s.frames), s.variant) for s in stretches]))
    times = looks.times[frames]
    cuts = np.flatnonzero(np.diff(times) > _JOIN_S) + 1
    spans = tuple((float(part[0]), float(part[-1] + looks.step_s)) for part in np.split(times, cuts))
    return Copy(sketch.benchmark, sketch.item, sketch.variants[int(np.argmax(weights))], spans, times)
