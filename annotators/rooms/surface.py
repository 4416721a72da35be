"""Points on the surfaces of a room, spread evenly, with the colours that the surfaces have on average."""

from __future__ import annotations

import math

import numpy as np

from .caster import Triangles, triangles_at
from .draw import Draw
from .scene import SHELL, Floats, RoomScene
from .shell import inside


def points_on(triangles: Triangles, count: int, draw: Draw) -> tuple[Floats, np.ndarray]:
    """About `count` points [n, 3] on triangles, by area, and the part that each lies on [n].

    Every triangle of at least half a share gets points; they follow a sequence that leaves no holes, shifted by the draw.
    """
    a, b, c = (triangles.corners[:, k] for k in range(3))
    across = np.cross(b - a, c - a)
    area = np.sqrt((across**2).sum(axis=1))
    ends = np.cumsum(area)
    which = np.searchsorted(ends, (np.arange(count) + 0.5) * (ends[-1] / count))
    which = np.minimum(which, len(area) - 1)
    first, second = draw.between(0, 1), draw.between(0, 1)
    u = (np.arange(count) * ((math.sqrt(5) - 1) / 2) + first) % 1.0
    v = (np.arange(count) * (math.sqrt(2) - 1) + second) % 1.0
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    return a[which] + (b - a)[which] * u[:, None] + (c - a)[which] * v[:, None], triangles.parts[which]


def thing_points(scene: RoomScene, thing: int, per_m2: float = 250.0) -> tuple[Floats, bytes]:
    """400 to 1500 surface points of a thing at the first frame, world metres [n, 3], and their colours, three bytes each."""
    triangles = triangles_at(scene, 0, only=thing)
    a, b, c = (triangles.corners[:, k] for k in range(3))
    area = float(np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / 2)
    count = int(min(1500, max(400, area * per_m2)))
    points, parts = points_on(triangles, count, Draw("points", thing))
    return points, _colours(scene, parts)


def shell_points(scene: RoomScene, per_m2: float = 40.0) -> tuple[Floats, bytes]:
    """Points of walls, floor and ceiling, world metres [n, 3]; none outside the floor's polygon."""
    every = triangles_at(scene, 0, only=SHELL)
    if not len(every.corners):
        return np.zeros((0, 3)), b""
    a, b, c = (every.corners[:, k] for k in range(3))
    area = float(np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / 2)
    points, parts = points_on(every, max(100, int(area * per_m2)), Draw("shell points"))
    level = (points[:, 2] < 1e-9) | (points[:, 2] > scene.height_m - 1e-9)
    kept = ~level | inside(scene.polygon, points[:, :2])
    return points[kept], _colours(scene, parts[kept])


def _colours(scene: RoomScene, parts: np.ndarray) -> bytes:
    from .caster import all_parts

    materials = [p.material for _, p in all_parts(scene)]
    mean = np.array([[(x + y) // 2 for x, y in zip(m.colour, m.other, strict=True)] for m in materials], np.uint8)
    return mean[parts].tobytes()
