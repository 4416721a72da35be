"""Sketches of benchmark videos and the index that finds their pictures again: perceptual hashes in bands of sixteen bits.

A sketch holds one hash per picture and variant (whole, mirrored, cropped). Two pictures are compared when at least one of
the four bands of their hashes is equal, so the work grows with the number of look-alikes instead of with all pairs.
Limits: a picture that differs in every band is not found by itself; the alignment needs a few found pictures only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Times = NDArray[np.float64]
Numbers = NDArray[np.int64]
_BANDS, _BAND_BITS = 4, 16
_CHUNK = 4_000_000
"""Pairs that are compared at once; bounds the memory of a look-up to some 200 MB."""
_PER_BAND = 2048
"""Pictures of one band that one picture is compared with, at most: of more (a camera that never moves, say) an even
choice, since these are look-alikes of each other.
"""


@dataclass(frozen=True)
class Sketch:
    """A benchmark's video: `times` [n] in seconds, `hashes` [variants, n]."""

    benchmark: str
    item: str
    variants: tuple[str, ...]
    times: Times
    hashes: Hashes

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Sketch:
        """From a row of table `benchmarks`. Raises `ValueError` when its columns do not fit together."""
        times, variants = np.asarray(row["times"], np.float64), tuple(row["variants"])
        flat = np.frombuffer(row["hashes"], "<u8").astype(np.uint64)
        if flat.size != len(times) * len(variants):
            raise ValueError(
                f"the sketch of {row['item']} holds {flat.size} hashes, not {len(variants)} variants of {len(times)} pictures"
            )
        return cls(row["benchmark"], row["item"], variants, times, flat.reshape(len(variants), len(times)))


def packed(hashes: NDArray[Any]) -> bytes:
    """Hashes as table `benchmarks` stores them."""
    return hashes.astype(hashes.dtype.newbyteorder("<")).tobytes()


class SketchIndex:
    """All pictures of some sketches, found by look. Memory: about 45 bytes per hash."""

    def __init__(self, sketches: Sequence[Sketch]) -> None:
        self.sketches = [s for s in sketches if s.hashes.size]
        sizes = [s.hashes.size for s in self.sketches]
        self._first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        flat = [s.hashes.ravel() for s in self.sketches]
        self.hashes: Hashes = np.concatenate(flat) if flat else np.zeros(0, np.uint64)
        self._order: list[NDArray[np.int32]] = []
        self._starts: list[Numbers] = []
        for band in range(_BANDS):
            values = _band(self.hashes, band)
            self._order.append(np.argsort(values, kind="stable").astype(np.int32))
            self._starts.append(np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << _BAND_BITS))]))

    def look_alikes(self, wanted: Hashes, max_bits: int) -> tuple[Numbers, Numbers]:
        """Pairs (number in `wanted`, number of an indexed hash) that share a band and differ by at most `max_bits`."""
        found = [self._pairs(wanted, band, max_bits) for band in range(_BANDS)]
        pairs = [pair for band in found for pair in band]
        if not pairs or not len(self.hashes):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        keys = np.unique(np.concatenate([a * len(self.hashes) + b for a, b in pairs]))
        return keys // len(self.hashes), keys % len(self.hashes)

    def _pairs(self, wanted: Hashes, band: int, max_bits: int) -> Iterator[tuple[Numbers, Numbers]]:
        values = _band(wanted, band)
        low = self._starts[band][values]
        there = self._starts[band][values + 1] - low
        counts = np.minimum(there, _PER_BAND)
        upto = np.cumsum(counts)
        begin = 0
        while begin < len(wanted):
            done = int(upto[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(upto, done + _CHUNK, side="right")))
            n = counts[begin:end]
            within = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
            chosen = within * np.repeat(there[begin:end], n) // np.repeat(np.maximum(n, 1), n)
            theirs = self._order[band][np.repeat(low[begin:end], n) + chosen]
            mine = np.repeat(np.arange(begin, end), n)
            near = np.bitwise_count(self.hashes[theirs] ^ wanted[mine]) <= max_bits
            yield mine[near], theirs[near].astype(np.int64)
            begin = end

    def place(self, numbers: Numbers) -> tuple[Numbers, Numbers, Times]:
        """Of indexed hashes: number of the sketch, number of the variant, time in seconds."""
        owners = np.searchsorted(self._first, numbers, side="right") - 1
        inside = numbers - self._first[owners]
        variants, times = np.zeros(len(numbers), np.int64), np.zeros(len(numbers))
        for owner in np.unique(owners):
            of = owners == owner
            sketch = self.sketches[int(owner)]
            variants[of], frames = np.divmod(inside[of], len(sketch.times))
            times[of] = sketch.times[frames]
        return owners, variants, times


def _band(hashes: Hashes, band: int) -> Numbers:
    return ((hashes >> np.uint64(band * _BAND_BITS)) & np.uint64((1 << _BAND_BITS) - 1)).astype(np.int64)
