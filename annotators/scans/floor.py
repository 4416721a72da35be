"""How far the floor of a scan leans: the plane with the most surface on it that has nearly nothing below.

Planes are tried through triples of points drawn from a fixed seed (RANSAC, Fischler and Bolles 1981), then fitted to what lies on
the best. A table has the floor below it and a ceiling the room, so neither is taken; a scan without floor has none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .conventions import Floats

TRIES, ON_M, BELOW_M, BELOW_SHARE, LEAST_SHARE, MOST_DEG = 600, 0.03, 0.15, 0.03, 0.05, 45.0


class Floor(NamedTuple):
    """A floor that was found."""

    tilt_deg: float
    """Angle between its normal and +z."""
    z: float
    """Its height in the middle."""


def floor_of(points: Floats) -> Floor | None:
    """The floor of surface points [n, 3], spread by area, metres; None where none is found."""
    if len(points) < 100:
        return None
    rng = np.random.Generator(np.random.PCG64(7))
    low = points[points[:, 2] <= np.percentile(points[:, 2], 45)]
    a, b, c = low[rng.integers(0, len(low), (TRIES, 3))].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1)
    wide = lengths > 0.05
    normals = normals[wide] / lengths[wide, None]
    normals *= np.where(normals[:, 2:] > 0, 1.0, -1.0)
    steep = normals[:, 2] >= np.cos(np.radians(MOST_DEG))
    normals, starts = normals[steep], a[wide][steep]
    if not len(normals):
        return None
    heights = normals @ points.T - np.einsum("ij,ij->i", normals, starts)[:, None]
    on = (np.abs(heights) < ON_M).sum(axis=1)
    on[(heights < -BELOW_M).mean(axis=1) > BELOW_SHARE] = 0
    best = int(on.argmax())
    if on[best] < LEAST_SHARE * len(points):
        return None
    on_it = points[np.abs(heights[best]) < ON_M]
    fitted = np.linalg.svd(on_it - on_it.mean(axis=0), full_matrices=False)[2][2]
    tilt = float(np.degrees(np.arccos(np.clip(abs(fitted[2]), 0.0, 1.0))))
    return Floor(tilt, float(np.median(on_it[:, 2])))
