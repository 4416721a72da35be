"""Pictures of needles: cards that fill the picture, badges within it, and words at its lower edge.

Pure functions from names and sizes to arrays; the drawing itself is that of composed films. Cards and badges have plain grounds
on which every colour of `schemas.needles` stands out after compression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..compose.drawing import Picture, Sprite

GROUND = (122, 140, 150)
"""Colour of cards."""
PLATE = (206, 208, 200)
"""Colour of badges: between the shades of the shapes on them."""


def card(colour: str, shape: str, width: int, height: int) -> Picture:
    """uint8 rgb [height, width, 3]: one large shape on a plain ground."""
    from ..compose.drawing import COLOURS, paste, shape_sprite

    picture = np.full((height, width, 3), GROUND, np.uint8)
    size = max(8, round(height * 0.8))
    paste(picture, shape_sprite(shape, COLOURS[colour], size), (width - size) / 2, (height - size) / 2)
    return picture


def badge(colour: str, shape: str, size_px: int) -> Sprite:
    """uint8 rgba [size, size, 4]: a shape on a round plate with a dark rim."""
    from ..compose.drawing import COLOURS, paste, shape_mask, shape_sprite

    size = max(12, size_px)
    plate = np.zeros((size, size, 4), np.uint8)
    disc = shape_mask("circle", size)
    rim = shape_mask("circle", max(8, round(size * 0.88)))
    edge = (size - rim.shape[0]) // 2
    picture = np.full((size, size, 3), (40, 44, 48), np.uint8)
    inner = picture[edge : edge + rim.shape[0], edge : edge + rim.shape[1]]
    inner[:] = (inner * (1 - rim[..., None]) + np.array(PLATE) * rim[..., None]).astype(np.uint8)
    shape_px = max(6, round(size * 0.6))
    paste(picture, shape_sprite(shape, COLOURS[colour], shape_px), (size - shape_px) / 2, (size - shape_px) / 2)
    plate[..., :3], plate[..., 3] = picture, (disc * 255).astype(np.uint8)
    return plate


def words(text: str, width: int, height: int) -> tuple[Sprite, int, int, tuple[float, float, float, float]]:
    """A line at the lower edge: its sprite, the place of its upper left corner, and the ink's box in shares of the picture."""
    from ..compose.drawing import lettering

    size = max(8, round(height * 0.11))
    while True:
        sprite, ink = lettering(text, size, (250, 250, 244), (24, 26, 34), size // 5)
        if sprite.shape[1] <= width * 0.94 or size <= 8:
            break
        size -= 1
    left, top = round((width - sprite.shape[1]) / 2), round(height * 0.87 - sprite.shape[0] / 2)
    x1, y1, x2, y2 = ink
    return sprite, left, top, ((left + x1) / width, (top + y1) / height, (left + x2) / width, (top + y2) / height)


def laid(picture: Picture, sprite: Sprite, left_px: float, top_px: float) -> Any:
    """A copy of the picture with the sprite on it."""
    from ..compose.drawing import paste

    shown = np.ascontiguousarray(picture).copy()
    paste(shown, sprite, left_px, top_px)
    return shown


def tone(pitch_hz: float, length_s: float, rate: int) -> np.ndarray[Any, Any]:
    """A soft sine tone: float32 samples."""
    t = np.arange(round(length_s * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * pitch_hz * t)).astype(np.float32)
