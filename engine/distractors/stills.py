"""Pictures as wrong options: other moments of the shot, the most alike picture of another shot, what a twin shows.

A still is a row of `signals` (with its perceptual hash); embeddings are unit vectors by time. What a mirrored picture looks
like follows by arithmetic, but whether it looks different needs a proof in the rows: writing, or something that moves
beside the middle of the picture. A symmetrical scene gives none, and then there is no mirrored option.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.readings import normalised
from ...schemas.span import from_us, to_us
from .vocabulary import EMBEDDING_NEIGHBOUR, NEAR_IN_TIME, Distractor

_MASK = 2**64 - 1


@dataclass(frozen=True)
class Still:
    """A picture of a medium: its time (seconds on the medium's clock), perceptual hash and row of `signals`."""

    t_s: float
    phash: int
    row: str


def hash_distance(a: Still, b: Still) -> int:
    """Bits in which the perceptual hashes differ, 0..64; from about 10 on two pictures clearly differ."""
    return int(((a.phash ^ b.phash) & _MASK).bit_count())


def apart_s(a: Still, b: Still) -> float:
    """Seconds between two stills of one medium."""
    return from_us(abs(to_us(a.t_s) - to_us(b.t_s)))


def other_moments(truth: Still, stills: Iterable[Still], min_gap_s: float, min_bits: int) -> list[Distractor[Still]]:
    """Stills at least `min_gap_s` away from `truth` that differ from it by `min_bits`; nearest in time first.

    The margin is the time between, seconds.
    """
    found = [
        (apart_s(truth, s), s)
        for s in stills
        if to_us(apart_s(truth, s)) >= to_us(min_gap_s) and hash_distance(truth, s) >= min_bits
    ]
    return [Distractor(s, NEAR_IN_TIME, gap) for gap, s in sorted(found, key=lambda p: (p[0], p[1].t_s))]


def neighbours(
    truth: Still, stills: Iterable[Still], vectors: Mapping[int, Sequence[float]], min_bits: int
) -> list[Distractor[Still]]:
    """The stills whose embeddings are most like that of `truth` and whose hashes differ by `min_bits`, most alike first.

    `vectors` maps times in microseconds to unit vectors; stills without one are left out. The caller offers stills of
    other shots only. The margin is 1 - cosine similarity.
    """
    own = vectors.get(to_us(truth.t_s))
    if own is None:
        return []
    found = []
    for still in stills:
        other = vectors.get(to_us(still.t_s))
        if other is not None and hash_distance(truth, still) >= min_bits:
            found.append((round(max(0.0, 1.0 - cosine(own, other)), 6), still))
    return [Distractor(s, EMBEDDING_NEIGHBOUR, away) for away, s in sorted(found, key=lambda p: (p[0], p[1].t_s))]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Cosine similarity of two unit vectors."""
    from math import fsum

    return fsum(x * y for x, y in zip(a, b, strict=True))


def mirror_shift(
    signal: Mapping[str, Any],
    readings: Iterable[Mapping[str, Any]],
    *,
    min_letters: int = 4,
    min_confidence: float = 0.8,
) -> tuple[float, Mapping[str, Any] | None]:
    """By how many frame widths mirroring this picture moves what proves it, and the reading that does (None: motion).

    1 when writing stands in the picture (`readings`: rows of `text_regions` that hold at its time): its letters are
    then reversed. Else twice the distance from the middle of the region that moves by itself; 0 when nothing is known.
    """
    t = to_us(signal["t_s"])
    for row in readings:
        holds = to_us(row["start_s"]) <= t < to_us(row["end_s"])
        if holds and len(normalised(row["text"])) >= min_letters and (row["confidence"] or 0) >= min_confidence:
            return 1.0, row
    x1, x2 = signal["residual_x1"], signal["residual_x2"]
    return (0.0 if x1 is None or x2 is None else round(abs(x1 + x2 - 1.0), 6)), None
