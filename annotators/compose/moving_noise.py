"""Frames of noise in which something shows only by how the noise moves.

The picture is a grid of grains, bright or dark. Every block of two by two grains holds two of each, drawn at random; inside
the mask one such field is shifted one way, outside another field the other way, both wrapped, always by whole blocks, and
masks follow the blocks. So every single frame is a draw from the same noise, whatever is hidden in it: inside and outside
have exactly the same mean and the same texture, and no border can be seen. Unlike the published films, two fields are used,
so that no patch stands twice in a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

BLOCK = 2
"""Grains on each side of a block."""
MEAN = 128.0
DEPTH = 100.0
"""How far bright and dark are from the mean at contrast 1, in steps of 8-bit luma."""

Luma = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
_PATTERNS = np.array(
    [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]], np.int8
).reshape(6, BLOCK, BLOCK)


@dataclass(frozen=True)
class Noise:
    """What a film of noise looks like."""

    width: int
    height: int
    grain_px: int
    """Side of a grain; width and height are multiples of two grains."""
    velocity_px: int
    """Pixels per frame, inside forth and outside back; a multiple of two grains."""
    direction: Literal["x", "y"]
    sign: int
    """1: inside goes right or down; -1: left or up."""
    contrast: float
    frames: int
    seed: str

    @property
    def block_px(self) -> int:
        """Side of a block."""
        return BLOCK * self.grain_px

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return self.height // self.block_px, self.width // self.block_px


def noise_frames(noise: Noise, mask_at: Callable[[int], Mask]) -> Iterator[Luma]:
    """Luma of all frames, uint8 [height, width]; `mask_at(frame)` is bool [rows, columns] of blocks."""
    rng = np.random.Generator(np.random.PCG64(int(noise.seed, 16)))
    inside, outside = (_field(noise, rng) for _ in range(2))
    axis = 1 if noise.direction == "x" else 0
    step = noise.sign * noise.velocity_px // noise.grain_px
    for frame in range(noise.frames):
        forth, back = np.roll(inside, step * frame, axis), np.roll(outside, -step * frame, axis)
        mask = np.repeat(np.repeat(mask_at(frame), BLOCK, axis=0), BLOCK, axis=1)
        grains = np.where(mask, forth, back)
        luma = np.round(MEAN + noise.contrast * DEPTH * (2.0 * grains - 1.0)).astype(np.uint8)
        yield np.repeat(np.repeat(luma, noise.grain_px, axis=0), noise.grain_px, axis=1)


def pixels(mask: Mask, noise: Noise) -> Mask:
    """A mask of blocks as one of pixels."""
    return np.repeat(np.repeat(mask, noise.block_px, axis=0), noise.block_px, axis=1)


def _field(noise: Noise, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int8]]:
    rows, columns = noise.blocks
    blocks = _PATTERNS[rng.integers(0, len(_PATTERNS), (rows, columns))]
    return blocks.transpose(0, 2, 1, 3).reshape(rows * BLOCK, columns * BLOCK)
