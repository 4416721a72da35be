"""Where and how a short window moves and changes, as 27 labels: pure functions of its pixels and flow.

The labels are those of Wang et al. (2019), "Self-supervised spatio-temporal representation learning by predicting
motion and appearance statistics". A window is cut in three ways: a 4x4 grid (16 blocks, row by row), 4 square rings
(1 = the inner 28 px), 8 triangles (quadrants row by row, each cut on the diagonal through the centre: first the half
at the upper or lower edge, then the one at the side). Labels count from 1. Each comes with its margin, how far the
winner leads the runner-up, so that a close call can be told from a clear one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SIDE = 112
ORIENTATIONS = 8
"""Orientation bins: bin 1 is centred on 0 degrees (to the right), bin 3 on 90 (downwards)."""


@dataclass(frozen=True)
class Labels:
    """Labels (from 1; 0 where there is no motion) and their margins in [0, 1], in the order of table `pixel_stats`."""

    values: tuple[int, ...]
    margins: tuple[float, ...]


@cache
def patterns() -> tuple[Array, Array, Array]:
    """The three partitions as int [112, 112] maps of the block (from 0) of each pixel."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    grid = y // 28 * 4 + x // 28
    from_centre = np.maximum(np.abs(x - (SIDE - 1) / 2), np.abs(y - (SIDE - 1) / 2))
    rings = (from_centre // 14).astype(int)
    dy, dx = np.abs(y - (SIDE - 1) / 2), np.abs(x - (SIDE - 1) / 2)
    triangles = (y // 56 * 2 + x // 56) * 2 + (dx > dy)
    return grid, rings, triangles


def motion_labels(flow: Array, floor: float, crosstalk: float) -> Labels:
    """14 motion labels of flow [n, 112, 112, 2] (u to the right, v downwards, px per step).

    Per component: the flow's spatial gradient (3x3 Prewitt) summed over time, so that a uniform motion of the camera
    vanishes and the outlines of what moves remain. Per partition: the block with the greatest mean magnitude and its
    dominant orientation; then the step with the greatest magnitude of all. In the grid a component has labels 0, 0
    when no block's mean magnitude reaches `floor` (px per px, summed over time), nor `crosstalk` of the other
    component's greatest: flow always leaks a little from one component to the other.
    """
    slopes = [_slopes(flow[..., i]) for i in (0, 1)]
    summed = [dx.sum(axis=0) + 1j * dy.sum(axis=0) for dx, dy in slopes]
    strengths = [np.abs(g) for g in summed]
    greatest = [float(_mean_by_block(strength, patterns()[0]).max()) for strength in strengths]
    values: list[int] = []
    margins: list[float] = []
    for p, pattern in enumerate(patterns()):
        for i in (0, 1):
            means = _mean_by_block(strengths[i], pattern)
            place, place_margin = _winner(means)
            bins = _orientations(summed[i][pattern == place], strengths[i][pattern == place])
            turn, turn_margin = _winner(bins)
            still = p == 0 and greatest[i] < max(floor, crosstalk * greatest[1 - i])
            values += [0, 0] if still else [place + 1, turn + 1]
            margins += [0.0, 0.0] if still else [place_margin, turn_margin]
    for dx, dy in slopes:
        step, margin = _winner(np.sqrt(dx * dx + dy * dy).sum(axis=(1, 2)))
        values.append(step + 1)
        margins.append(margin)
    return Labels(tuple(values), tuple(margins))


def appearance_labels(window: Array) -> Labels:
    """13 appearance labels of uint8 RGB [n, 112, 112, 3].

    Per block the stability of its colours: sum of minima over sum of maxima of its n histograms (256 bins per channel,
    mean of the channels). The least and the most stable block, each with its dominant colour; then the dominant colour
    of all. A colour is the octant (1 + 4 [R >= 128] + 2 [G >= 128] + [B >= 128]) of the most frequent exact colour.
    """
    red, green, blue = (window[..., i].astype(np.int32) for i in range(3))
    codes = red << 16 | green << 8 | blue
    values: list[int] = []
    margins: list[float] = []
    for pattern in patterns():
        stability = _stability(window, pattern)
        diverse, diverse_margin = _winner(1 - stability, scale=1.0)
        stable, stable_margin = _winner(stability, scale=1.0)
        for place, margin in ((diverse, diverse_margin), (stable, stable_margin)):
            colour, colour_margin = _dominant_colour(codes[:, pattern == place])
            values += [place + 1, colour]
            margins += [margin, colour_margin]
    colour, colour_margin = _dominant_colour(codes)
    return Labels((*values, colour), (*margins, colour_margin))


def _slopes(component: Array) -> tuple[Array, Array]:
    """Prewitt slopes d/dx, d/dy of [n, h, w] per px, float32, edges repeated."""
    padded = np.pad(component.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    columns = padded[:, :, 2:] - padded[:, :, :-2]
    rows = padded[:, 2:, :] - padded[:, :-2, :]
    dx = (columns[:, :-2] + columns[:, 1:-1] + columns[:, 2:]) / np.float32(6)
    dy = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(6)
    return dx, dy


def _mean_by_block(values: Array, pattern: Array) -> Array:
    sums = np.bincount(pattern.ravel(), weights=values.ravel())
    return sums / np.bincount(pattern.ravel())


def _orientations(vectors: Array, weights: Array) -> Array:
    """Weight per orientation bin; a vector's weight is shared linearly by the two bins that its angle lies between."""
    position = np.angle(vectors) / (2 * np.pi / ORIENTATIONS) % ORIENTATIONS
    below = np.floor(position)
    upper = position - below
    first = below.astype(int) % ORIENTATIONS
    low = np.bincount(first, weights=weights * (1 - upper), minlength=ORIENTATIONS)
    high = np.bincount((first + 1) % ORIENTATIONS, weights=weights * upper, minlength=ORIENTATIONS)
    return low + high


def _winner(scores: Array, scale: float | None = None) -> tuple[int, float]:
    """Index of the greatest score (the first of equals) and its lead, relative to itself or to `scale`."""
    best = int(np.argmax(scores))
    lead = float(scores[best] - np.partition(scores, -2)[-2])
    whole = float(scores[best]) if scale is None else scale
    return best, lead / whole if whole > 0 else 0.0


def _stability(window: Array, pattern: Array) -> Array:
    """Overlap of the frames' histograms per block, in [0, 1]; 1 = no colour ever changes its share."""
    blocks = int(pattern.max()) + 1
    bins = blocks * 256
    base = pattern.ravel() * 256
    total = np.zeros(blocks)
    for channel in range(3):
        least, most = np.full(bins, base.size), np.zeros(bins, np.int64)
        for picture in window:
            counts = np.bincount(base + picture[..., channel].ravel(), minlength=bins)
            np.minimum(least, counts, out=least)
            np.maximum(most, counts, out=most)
        total += least.reshape(blocks, 256).sum(axis=1) / most.reshape(blocks, 256).sum(axis=1)
    return total / 3


def _dominant_colour(codes: Array) -> tuple[int, float]:
    """Octant (from 1) of the most frequent exact colour (the darkest of equals) and its lead over the most frequent
    colour of another octant.
    """
    ordered = np.sort(codes, axis=None)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    colours, counts = ordered[starts], np.diff(starts, append=len(ordered))
    octants = 1 + (colours >> 23 & 1) * 4 + (colours >> 15 & 1) * 2 + (colours >> 7 & 1)
    best = int(np.argmax(counts))
    rivals = counts[octants != octants[best]]
    runner_up = int(rivals.max()) if len(rivals) else 0
    return int(octants[best]), float(counts[best] - runner_up) / float(counts[best])
