"""Small meshes that furniture is made of: boxes, prisms with round or tapered sides, balls; all closed, faces outwards.

Made here and not by a library, so that a library's new version cannot change a single pixel of a composed film.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...schemas.geometry.box3d import Box3D
from .scene import Floats, Ints, Material, Part, Thing

_CORNERS = np.array([[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)], np.float64)
_QUADS = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
_BOX_FACES = np.array([t for a, b, c, d in _QUADS for t in ((a, b, c), (a, c, d))], np.int64)


def box(centre: Sequence[float], size: Sequence[float], material: Material) -> Part:
    """A box with edges along the axes."""
    return Part(np.asarray(centre, np.float64) + _CORNERS * np.asarray(size, np.float64), _BOX_FACES, material)


def prism(
    centre: Sequence[float], bottom_m: float, top_m: float, height_m: float, material: Material, sides: int = 20
) -> Part:
    """An upright frustum with radii at its bottom and top; `centre` is half way up."""
    turn = [2 * math.pi * k / sides for k in range(sides)]
    ring = np.array([[math.cos(a), math.sin(a)] for a in turn])
    low = np.column_stack([ring * bottom_m, np.full(sides, -height_m / 2)])
    high = np.column_stack([ring * top_m, np.full(sides, height_m / 2)])
    ends = np.array([[0, 0, -height_m / 2], [0, 0, height_m / 2]])
    faces = []
    for k in range(sides):
        n = (k + 1) % sides
        faces += [
            (k, n, sides + n),
            (k, sides + n, sides + k),
            (2 * sides, n, k),
            (2 * sides + 1, sides + k, sides + n),
        ]
    return Part(np.asarray(centre, np.float64) + np.concatenate([low, high, ends]), np.array(faces, np.int64), material)


def ball(centre: Sequence[float], radius_m: float, material: Material, rings: int = 12, sides: int = 20) -> Part:
    """A ball of `rings` by `sides` faces; its poles and four points of its equator lie on the box around it."""
    points = [[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]
    for i in range(1, rings):
        up, out = -math.cos(math.pi * i / rings), math.sin(math.pi * i / rings)
        points += [
            [out * math.cos(2 * math.pi * k / sides), out * math.sin(2 * math.pi * k / sides), up] for k in range(sides)
        ]
    faces = []
    for k in range(sides):
        n = (k + 1) % sides
        last = 2 + (rings - 2) * sides
        faces += [(0, 2 + n, 2 + k), (1, last + k, last + n)]
        for i in range(rings - 2):
            a, b = 2 + i * sides, 2 + (i + 1) * sides
            faces += [(a + k, a + n, b + n), (a + k, b + n, b + k)]
    return Part(np.asarray(centre, np.float64) + np.array(points) * radius_m, np.array(faces, np.int64), material)


def quad(corners: Floats, material: Material) -> Part:
    """Four corners of a plane, anticlockwise seen from its front."""
    faces: Ints = np.array([[0, 1, 2], [0, 2, 3]], np.int64)
    return Part(np.asarray(corners, np.float64), faces, material)


def in_its_box(parts: Sequence[Part]) -> tuple[tuple[Part, ...], tuple[float, float, float]]:
    """The parts, shifted so that the box around them is centred at the origin, and the full lengths of that box."""
    every = np.concatenate([p.vertices for p in parts])
    low, high = every.min(axis=0), every.max(axis=0)
    a, b, c = (float(v) for v in high - low)
    return tuple(p.moved(-(low + high) / 2) for p in parts), (a, b, c)


def box_thing(label: str, place: Box3D, material: Material, colour: str = "") -> Thing:
    """A thing that is a plain box: what test scenes are made of."""
    return Thing(label, colour, (box((0, 0, 0), place.size, material),), place)
