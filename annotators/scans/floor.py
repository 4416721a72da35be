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
    best: tuple[int, Floats, Floats] | None = None
    for triple in rng.integers(0, len(low), (TRIES, 3)):
        a, b, c = low[triple]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 0.05:
            continue
        normal = normal / length * (1 if normal[2] > 0 else -1)
        if normal[2] < np.cos(np.radians(MOST_DEG)):
            continue
        height = (points - a) @ normal
        if (height < -BELOW_M).mean() > BELOW_SHARE:
            continue
        on = int((np.abs(height) < ON_M).sum())
        if best is None or on > best[0]:
            best = on, normal, a
    if best is None or best[0] < LEAST_SHARE * len(points):
        return None
    _, normal, a = best
    on_it = points[np.abs((points - a) @ normal) < ON_M]
    fitted = np.linalg.svd(on_it - on_it.mean(axis=0), full_matrices=False)[2][2]
    tilt = float(np.degrees(np.arccos(np.clip(abs(fitted[2]), 0.0, 1.0))))
    return Floor(tilt, float(np.median(on_it[:, 2])))
