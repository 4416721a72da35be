"""Which clips show the same footage: candidate pairs from bands, each pair then checked exactly.

Two clips are compared when a sixteen-bit band of one of their picture hashes is equal (or a band of signs
of their mean vectors against fixed hyperplanes), so the work grows with the number of look-alikes instead
of with all pairs. Whether a pair matches depends on nothing but the two clips. Pure functions of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BANDS, _BAND_BITS = 4, 16
_SIGN_BANDS, _SIGN_BITS = 16, 12
_PLANES_SEED = 20_260_101
_LENGTH_SLACK_S, _LENGTH_SLACK_SHARE = 0.5, 0.1
_MIN_COMMON = 0.5

Pair = tuple[int, int]
Longest = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class ClipPrint:
    """What a clip looks like: seconds from its start and 64-bit hashes of its pictures, in order, and its
    length.
    """

    clip_id: str
    media_id: str
    length_s: float
    offsets_s: NDArray[np.float64]
    hashes: NDArray[np.uint64]


def similar_length(a_s: float, b_s: float) -> bool:
    """Whether copies of one clip may have these lengths: within half a second or a tenth of the longer."""
    longer, shorter = max(a_s, b_s), min(a_s, b_s)
    return longer - shorter <= max(_LENGTH_SLACK_S, _LENGTH_SLACK_SHARE * longer)


def hash_distance(a: ClipPrint, b: ClipPrint, max_bits: int, min_share: float) -> float | None:
    """Mean share of differing bits over pictures that stand at the same time of both clips, or None for no
    match.

    They match when their lengths are similar, at least half of the pictures of each have one beside them
    in the other, and at least `min_share` of these differ by at most `max_bits` of 64.
    """
    if not (len(a.hashes) and len(b.hashes)) or not similar_length(a.length_s, b.length_s):
        return None
    both = [_differences(a, b), _differences(b, a)]
    if any(d is None for d in both):
        return None
    shares = [float((d <= max_bits).mean()) for d in both if d is not None]
    if min(shares) < min_share:
        return None
    return max(float(d.mean()) for d in both if d is not None) / 64


def _differences(a: ClipPrint, b: ClipPrint) -> NDArray[np.int64] | None:
    """Differing bits of each picture of `a` and its nearest in time of `b`; None when too few have one."""
    right = np.clip(np.searchsorted(b.offsets_s, a.offsets_s), 0, len(b.offsets_s) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(b.offsets_s[left] - a.offsets_s) <= np.abs(b.offsets_s[right] - a.offsets_s)
    nearest = np.where(nearer, left, right)
    beside = np.abs(b.offsets_s[nearest] - a.offsets_s) <= max(_step(a), _step(b)) * 0.75
    if beside.mean() < _MIN_COMMON:
        return None
    return np.bitwise_count(a.hashes[beside] ^ b.hashes[nearest[beside]]).astype(np.int64)


def _step(clip: ClipPrint) -> float:
    """Typical seconds between pictures; the whole clip when there is one."""
    return float(np.median(np.diff(clip.offsets_s))) if len(clip.offsets_s) > 1 else clip.length_s


def hash_candidates(clips: Sequence[ClipPrint]) -> list[Pair]:
    """Pairs of clips (indices, smaller first, in order) of similar length that share a band of a picture
    hash.
    """
    lengths = np.array([c.length_s for c in clips])
    owners = np.repeat(np.arange(len(clips)), [len(c.hashes) for c in clips])
    hashes = np.concatenate([c.hashes for c in clips]) if clips else np.zeros(0, np.uint64)
    bands = [
        (hashes >> np.uint64(_BAND_BITS * band)).astype(np.int64) & ((1 << _BAND_BITS) - 1) for band in range(_BANDS)
    ]
    return _in_buckets(bands, owners, lengths, lambda s: np.maximum(s + _LENGTH_SLACK_S, s / (1 - _LENGTH_SLACK_SHARE)))


def vector_candidates(vectors: NDArray[np.float64]) -> list[Pair]:
    """Pairs of rows of `vectors` [n, d] whose centred vectors lie on the same side of a band of fixed
    hyperplanes.
    """
    planes = np.random.default_rng(_PLANES_SEED).normal(size=(vectors.shape[1], _SIGN_BANDS * _SIGN_BITS))
    sides = (vectors - vectors.mean(axis=0)) @ planes > 0
    weights = 1 << np.arange(_SIGN_BITS)
    bands = [sides[:, i * _SIGN_BITS : (i + 1) * _SIGN_BITS] @ weights for i in range(_SIGN_BANDS)]
    return _in_buckets(bands, np.arange(len(vectors)), np.zeros(len(vectors)), lambda s: s)


def _in_buckets(
    bands: Sequence[NDArray[np.int64]],
    owners: NDArray[np.int64],
    lengths: NDArray[np.float64],
    longest: Longest,
) -> list[Pair]:
    """Pairs of owners with the same key in one band, the longer at most `longest(length of the shorter)`."""
    found: set[Pair] = set()
    for keys in bands:
        entries = np.unique(np.stack([keys, owners], axis=1), axis=0)
        order = np.lexsort((entries[:, 1], lengths[entries[:, 1]], entries[:, 0]))
        key, owner = entries[order, 0], entries[order, 1]
        length = lengths[owner]
        limit = longest(length)
        active = np.arange(len(key))
        step = 1
        while active.size:
            active = active[active + step < len(key)]
            later = active + step
            active = active[(key[later] == key[active]) & (length[later] <= limit[active])]
            found.update(
                (min(p), max(p)) for p in zip(owner[active].tolist(), owner[active + step].tolist(), strict=True)
            )
            step += 1
    return sorted(found)
