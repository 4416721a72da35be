"""Walls, floor and ceiling: one pattern each that does not repeat, so that every place of a wall is to be told from every other."""

from __future__ import annotations

import numpy as np

from .draw import Draw
from .meshes import quad
from .scene import Colour, Floats, Material, Part

_WALLS: tuple[tuple[Colour, Colour], ...] = (
    ((150, 140, 122), (226, 218, 200)), ((120, 140, 150), (206, 220, 226)), ((134, 148, 120), (216, 226, 204)),
    ((168, 140, 130), (234, 216, 208)), ((140, 134, 156), (220, 214, 232)), ((166, 152, 104), (236, 226, 190)),
)  # fmt: skip
_FLOORS: tuple[tuple[str, Colour, Colour], ...] = (
    ("planks", (70, 46, 28), (186, 140, 94)), ("planks", (60, 56, 52), (160, 150, 138)), ("carpet", (70, 74, 96), (150, 156, 176)),
    ("panels", (90, 92, 92), (196, 196, 190)), ("carpet", (96, 66, 60), (176, 144, 132)),
)  # fmt: skip


def shell_of(polygon: Floats, height_m: float, draw: Draw) -> tuple[Part, ...]:
    """Walls along the edges of a floor, the floor and the ceiling, in the world."""
    parts = []
    for k in range(len(polygon)):
        (ax, ay), (bx, by) = polygon[k], polygon[(k + 1) % len(polygon)]
        tile = float(max(np.hypot(bx - ax, by - ay), height_m)) * 1.02
        dark, light = draw.pick(_WALLS)
        name = draw.pick(("speckle", "blotches", "panels", "bricks", "speckle"))
        corners = np.array([[bx, by, 0], [ax, ay, 0], [ax, ay, height_m], [bx, by, height_m]])
        parts.append(quad(corners, Material(dark, light, name, tile, f"wall {draw.seed} {k}")))
    (x0, y0), (x1, y1) = polygon.min(axis=0), polygon.max(axis=0)
    tile = float(max(x1 - x0, y1 - y0)) * 1.02
    name, dark, light = draw.pick(_FLOORS)
    floor = np.array([[x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0]])
    parts.append(quad(floor, Material(dark, light, name, tile, f"floor {draw.seed}")))
    ceiling = np.array([[x0, y1, height_m], [x1, y1, height_m], [x1, y0, height_m], [x0, y0, height_m]])
    parts.append(quad(ceiling, Material((196, 194, 188), (250, 250, 246), "blotches", tile, f"ceiling {draw.seed}")))
    return tuple(parts)


def inside(polygon: Floats, points: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which points [n, 2] lie within a polygon (even-odd rule)."""
    x, y = points[:, 0], points[:, 1]
    found = np.zeros(len(points), bool)
    for k in range(len(polygon)):
        (ax, ay), (bx, by) = polygon[k - 1], polygon[k]
        if ay == by:
            continue
        crosses = ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        found ^= crosses
    return found
