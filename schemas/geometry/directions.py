"""Where a thing lies for somebody who stands at one place and faces another: angles on the ground, and the sectors they fall in.

Angles are degrees in [0, 360), anticlockwise seen from above: 0 ahead, 90 left, 180 behind, 270 right. A margin is the distance
to the nearest boundary on either side; sources that test one side only let directions through that are nearly the next one.
Needs a world whose z axis is vertical.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box3d import Box3D

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sectors:
    """A circle cut at `bounds` (ascending degrees); `names[i]` begins at `bounds[i]`, '' is a sector that is not asked about."""

    bounds: tuple[float, ...]
    names: tuple[str, ...]

    def name(self, angle_deg: float) -> str:
        """The sector of an angle; the first direction of a sector belongs to it. '' where nothing is to be said, or for NaN."""
        if not np.isfinite(angle_deg):
            return ""
        return self.names[bisect_right(self.bounds, angle_deg % 360) - 1]

    def margin_deg(self, angle_deg: float) -> float:
        """Degrees to the nearest boundary, on either side; 0 for NaN."""
        if not np.isfinite(angle_deg):
            return 0.0
        apart = (np.asarray(self.bounds) - angle_deg + 180) % 360 - 180
        return float(np.abs(apart).min())

    @property
    def answers(self) -> tuple[str, ...]:
        """Names that may be an answer, each once."""
        return tuple(dict.fromkeys(name for name in self.names if name))


HARD = Sectors((0, 90, 180, 270), ("front-left", "back-left", "back-right", "front-right"))
MEDIUM = Sectors((0, 135, 225), ("left", "back", "right"))
EASY = Sectors((0, 135, 225), ("left", "", "right"))
QUARTERS = Sectors((45, 135, 225, 315), ("left", "behind", "right", "ahead"))
TURNS = Sectors((30, 135, 225, 330), ("left", "back", "right", "straight"))
"""Turns of a route: less than 30 degrees is straight on, more than 135 turning back."""
OPPOSITE_QUARTER: Mapping[str, str] = {"ahead": "behind", "behind": "ahead", "left": "right", "right": "left"}
LEVELS: Mapping[str, Sectors] = {"easy": EASY, "medium": MEDIUM, "hard": HARD}
"""Levels of VSI-Bench's relative direction."""


def angle_deg(forward: ArrayLike, towards: ArrayLike) -> Floats:
    """Angle on the ground from one direction to another, [...], of vectors [..., 2 or 3]; NaN where one has no length there."""
    f, q = np.asarray(forward, np.float64)[..., :2], np.asarray(towards, np.float64)[..., :2]
    cross = f[..., 0] * q[..., 1] - f[..., 1] * q[..., 0]
    found = np.degrees(np.arctan2(cross, (f * q).sum(axis=-1))) % 360
    found = np.where(found >= 360, 0.0, found)
    empty = (np.hypot(f[..., 0], f[..., 1]) < 1e-9) | (np.hypot(q[..., 0], q[..., 1]) < 1e-9)
    return np.asarray(np.where(empty, np.nan, found))


def ego_angle(stand: ArrayLike, face: ArrayLike, query: ArrayLike) -> Floats:
    """Where `query` lies for one who stands at `stand` and faces `face`, world points [..., 3]; NaN where two are one place."""
    p = np.asarray(stand, np.float64)
    return angle_deg(np.asarray(face, np.float64) - p, np.asarray(query, np.float64) - p)


def corner_votes(stand: ArrayLike, face: ArrayLike, query: Box3D, sectors: Sectors) -> int:
    """How many of the eight corners of a box lie in another sector than its centre."""
    own = sectors.name(float(ego_angle(stand, face, query.centre)))
    return sum(sectors.name(float(a)) != own for a in ego_angle(stand, face, query.corners))
