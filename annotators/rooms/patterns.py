"""Surface patterns as grey pictures that repeat without a seam, from a seed; a material paints them between two colours.

Every pattern carries noise at several scales, so that structure from motion finds corners on plain walls, too. Only sums,
products and integer draws are used: the same texels on every machine.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...schemas.ids import derive_id

Grey = NDArray[np.float32]
"""A pattern, [side, side] of 0..1."""


@lru_cache(maxsize=64)
def pattern(name: str, side: int, seed: str) -> Grey:
    """The pattern of a name, `side` texels (a power of two) on each side. Raises KeyError for another name."""
    rng = np.random.Generator(np.random.PCG64(int(derive_id("pattern", name, seed), 16)))
    fine = _grain(side, int(rng.integers(0, 3)))
    fine = np.roll(fine, rng.integers(0, side, 2).tolist(), axis=(0, 1))
    made = _DRAWN[name](rng, side, fine)
    return np.clip(made, 0.0, 1.0).astype(np.float32)


def mipmaps(grey: Grey) -> tuple[Grey, ...]:
    """The pattern and its halves down to one texel: what is far away is looked up in a coarser one."""
    levels = [grey]
    while levels[-1].shape[0] > 1:
        g = levels[-1]
        levels.append((g[::2, ::2] + g[1::2, ::2] + g[::2, 1::2] + g[1::2, 1::2]) * np.float32(0.25))
    return tuple(levels)


@lru_cache(maxsize=32)
def _grain(side: int, number: int) -> Grey:
    """Noise over all scales; patterns share a few of them, each shifted by itself."""
    return _noise(np.random.Generator(np.random.PCG64(number + 1)), side, 2, 0.85)


def _noise(rng: np.random.Generator, side: int, coarsest: int, fall: float) -> Grey:
    """Value noise over all scales from `coarsest` cells to single texels, spread over 0..1; `fall` weighs finer ones."""
    total = np.zeros((side, side), np.float32)
    weight, reach = 1.0, 0.0
    cells = coarsest
    while cells <= side:
        grid = rng.integers(0, 256, (cells, cells)).astype(np.float32) / np.float32(255)
        total += np.float32(weight) * _grown(grid, side)
        reach += weight
        weight *= fall
        cells *= 2
    total /= np.float32(reach)
    return np.clip((total - np.float32(0.5)) * np.float32(2.2) + np.float32(0.5), 0, 1)


def _grown(grid: Grey, side: int) -> Grey:
    """A grid of cells, smoothly grown to `side` texels, around the edges."""
    cells = grid.shape[0]
    at = np.arange(side, dtype=np.float32) * np.float32(cells / side)
    low = at.astype(np.int64)
    part = at - low
    part = part * part * (3 - 2 * part)
    high = (low + 1) % cells
    rows = grid[low] + (grid[high] - grid[low]) * part[:, None]
    grown: Grey = rows[:, low] + (rows[:, high] - rows[:, low]) * part[None, :]
    return grown


def _axes(side: int) -> tuple[Grey, Grey]:
    at = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    return at[None, :] + np.zeros((side, 1), np.float32), at[:, None] + np.zeros((1, side), np.float32)


def _cells(rng: np.random.Generator, side: int, across: int, up: int, shift: bool = False) -> tuple[Grey, Grey]:
    """A shade per cell of a grid (rows shifted by half a cell if told), and how near each texel is to its cell's border."""
    x, y = _axes(side)
    row = (y * up).astype(np.int64)
    along = x * across + (row % 2) * np.float32(0.5) if shift else x * across
    column = along.astype(np.int64) % across
    shade = rng.integers(0, 256, (up, across)).astype(np.float32)[row, column] / np.float32(255)
    fx, fy = along - np.floor(along), y * up - row
    edge = np.minimum(np.minimum(fx, 1 - fx) / np.float32(across), np.minimum(fy, 1 - fy) / np.float32(up))
    return shade, edge


def _speckle(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    return fine


def _blotches(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    broad = _noise(rng, side, 4, 0.5)
    return np.where(broad > np.float32(0.5), np.float32(0.72), np.float32(0.18)) + (
        fine - np.float32(0.5)
    ) * np.float32(0.45)


def _wood(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    _x, y = _axes(side)
    bend = _noise(rng, side, 2, 0.4)
    rings = y * 14 + bend * 3
    wave = np.abs(rings - np.floor(rings) - np.float32(0.5)) * 2
    return wave * np.float32(0.55) + fine * np.float32(0.45)


def _planks(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    shade, edge = _cells(rng, side, 5, 28, shift=True)
    return np.where(
        edge < np.float32(0.0015), np.float32(0), np.float32(0.15) + shade * np.float32(0.45)
    ) + fine * np.float32(0.4)


def _bricks(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    shade, edge = _cells(rng, side, 16, 44, shift=True)
    return np.where(edge < np.float32(0.0025), np.float32(0.9), shade * np.float32(0.4)) + (
        fine - np.float32(0.4)
    ) * np.float32(0.4)


def _panels(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    shade, edge = _cells(rng, side, 7, 3)
    return np.where(edge < np.float32(0.004), np.float32(0.05), np.float32(0.3) + shade * np.float32(0.35)) + (
        fine - np.float32(0.5)
    ) * np.float32(0.7)


def _checks(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    x, y = _axes(side)
    even = ((x * 8).astype(np.int64) + (y * 8).astype(np.int64)) % 2
    return even * np.float32(0.7) + fine * np.float32(0.3)


def _stripes(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    x, _ = _axes(side)
    return ((x * 12).astype(np.int64) % 2) * np.float32(0.65) + fine * np.float32(0.35)


def _dots(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    x, y = _axes(side)
    fx, fy = x * 6 - np.floor(x * 6) - np.float32(0.5), y * 6 - np.floor(y * 6) - np.float32(0.5)
    return (fx * fx + fy * fy < np.float32(0.08)) * np.float32(0.75) + fine * np.float32(0.25)


def _weave(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    x, y = _axes(side)
    over = ((x * 32).astype(np.int64) + (y * 32).astype(np.int64)) % 2
    broad = _noise(rng, side, 4, 0.6)
    return over * np.float32(0.25) + broad * np.float32(0.4) + fine * np.float32(0.35)


def _carpet(rng: np.random.Generator, side: int, fine: Grey) -> Grey:
    shade, _edge = _cells(rng, side, 12, 12)
    return shade * np.float32(0.45) + fine * np.float32(0.55)


_DRAWN = {
    "speckle": _speckle, "wood": _wood, "planks": _planks, "stripes": _stripes, "checks": _checks, "dots": _dots,
    "bricks": _bricks, "weave": _weave, "blotches": _blotches, "carpet": _carpet, "panels": _panels,
}  # fmt: skip
