"""Which way is up, how far that may be wrong, and where the floor lies: from how a camera is held and from flat surfaces.

People hold cameras without roll, so the sideways axes of all pictures lie in one plane, the horizontal one; that gives a prior.
Large planes of the cloud then decide: those whose normal is within 25 degrees of the prior are floors and table tops, those at
right angles to it walls, and one direction is fitted to all of them. Without planes there is no answer: a prior alone is a guess.
Footage that stands on its side without saying so fools the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
NEAR_DEG = 25.0
"""Normals of floors lie this near to the prior (spec of VQASynth's floor search)."""
_MOST_POINTS, _MOST_PLANES, _DRAWS = 6000, 10, 600
_LEAST_SHARE, _OUTLIER_DEG, _LEAST_ERROR_DEG, _SINGLE_ERROR_DEG = 0.03, 6.0, 0.3, 3.0
_SPREAD = 0.02
_BELOW_SHARE = 0.04


@dataclass(frozen=True)
class Plane:
    """A flat part of a cloud: points p with normal . p = offset, within its thickness."""

    normal: Floats
    offset: float
    points: int
    extent: float
    """Standard deviation of its points along its shorter side."""


@dataclass(frozen=True)
class Gravity:
    """What was found."""

    up: Floats
    """Unit vector in the frame of the points."""
    error_deg: float
    """Root mean square of what the planes disagree with it, per independent plane; at least 0.3."""
    floor: float | None
    """Height of the floor along `up`; None where no plane has the room above it."""
    planes: int
    prior_deg: float
    """Angle between it and the prior."""


def prior_up(rotations: ArrayLike) -> Floats:
    """Up as cameras are held, from camera-to-world rotations [n, 3, 3]: at right angles to all sideways axes where these
    spread enough, else the mean of the cameras' own up.
    """
    turned = np.asarray(rotations, np.float64).reshape(-1, 3, 3)
    mean = -turned[:, :, 1].mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    sideways = turned[:, :, 0]
    values, vectors = np.linalg.eigh(sideways.T @ sideways / len(turned))
    if values[1] < _SPREAD or values[0] > values[1] / 4:
        return mean
    level = vectors[:, 0] * np.sign(vectors[:, 0] @ mean or 1.0)
    return level if level @ mean > np.cos(np.radians(45)) else mean


def find_gravity(points: ArrayLike, poses: Sequence[ArrayLike], thickness: float | None = None) -> Gravity | None:
    """Up of a cloud [n, 3] that cameras `poses` (camera to world [4, 4]) look at; None where no planes tell.

    `thickness` is how far points of a plane may lie from it, default 0.6% of the cloud's diagonal (2nd to 98th percentile).
    """
    cloud = np.asarray(points, np.float64).reshape(-1, 3)
    places = np.stack([np.asarray(p, np.float64).reshape(4, 4) for p in poses]) if len(poses) else np.zeros((0, 4, 4))
    if len(cloud) < 100 or not len(places):
        return None
    prior = prior_up(places[:, :3, :3])
    thick = thickness if thickness is not None else 0.006 * diagonal(cloud)
    planes = find_planes(cloud, thick)
    up, used = prior, list(planes)
    for limit in (NEAR_DEG, NEAR_DEG, _OUTLIER_DEG, _OUTLIER_DEG):
        used = [p for p in planes if _off_deg(p, up) <= limit and _off_deg(p, prior) <= NEAR_DEG]
        fitted = _fitted(used, up)
        if fitted is None:
            return None
        up = fitted
    weights = np.array([p.points for p in used], np.float64)
    off = np.array([_off_deg(p, up) for p in used])
    error = _SINGLE_ERROR_DEG
    if len(used) > 1:
        error = float(np.sqrt((weights * off**2).sum() / weights.sum() / max(1.0, (len(used) - 2) / 2)))
    floor = _floor(cloud, places[:, :3, 3], up, used, thick)
    angle = float(np.degrees(np.arccos(np.clip(up @ prior, -1, 1))))
    return Gravity(up, max(error, _LEAST_ERROR_DEG), floor, len(used), angle)


def find_planes(cloud: Floats, thick: float) -> list[Plane]:
    """Planes of at least 3% of the points, the largest first (RANSAC on neighbouring triples, then least squares)."""
    from scipy.spatial import cKDTree

    some = cloud[:: max(1, len(cloud) // _MOST_POINTS)]
    random = np.random.default_rng(0)
    left = some
    found: list[Plane] = []
    least = max(30, int(_LEAST_SHARE * len(some)))
    while len(found) < _MOST_PLANES and len(left) >= least:
        near = cKDTree(left)
        first = random.integers(len(left), size=_DRAWS)
        near_by = near.query(left[first], k=min(len(left), 60))[1]
        pick = random.integers(near_by.shape[1], size=(_DRAWS, 2))
        b, c = (left[near_by[np.arange(_DRAWS), pick[:, k]]] for k in range(2))
        normals = np.cross(b - left[first], c - left[first])
        lengths = np.linalg.norm(normals, axis=1)
        solid = lengths > 1e-12
        normals = normals[solid] / lengths[solid, None]
        offsets = np.einsum("nd,nd->n", normals, left[first][solid])
        if not len(normals):
            break
        counts = (np.abs(left @ normals.T - offsets) < thick).sum(axis=0)
        best = int(np.argmax(counts))
        normal, offset = normals[best], float(offsets[best])
        for _ in range(4):
            on = np.abs(left @ normal - offset) < thick
            if on.sum() < 3:
                break
            centre = left[on].mean(axis=0)
            _, spread, axes = np.linalg.svd(left[on] - centre, full_matrices=False)
            normal, offset = axes[2], float(axes[2] @ centre)
        on = np.abs(left @ normal - offset) < thick
        if on.sum() < least:
            break
        extent = float(spread[1] / np.sqrt(on.sum()))
        if extent > 4 * thick:
            found.append(Plane(normal, offset, int(on.sum()), extent))
        left = left[~on]
    return found


def flat_share(points: ArrayLike) -> float:
    """Share of a cloud [n, 3] that lies in its largest plane, 0..1."""
    cloud = np.asarray(points, np.float64).reshape(-1, 3)
    if len(cloud) < 100:
        return 0.0
    some = len(cloud[:: max(1, len(cloud) // _MOST_POINTS)])
    return max((p.points for p in find_planes(cloud, 0.006 * diagonal(cloud))), default=0) / some


def upright(up: Floats, forward: Floats) -> Floats:
    """Rotation [3, 3] into a world whose z is `up` and whose x is the horizontal part of `forward`."""
    ahead = forward - (forward @ up) * up
    if np.linalg.norm(ahead) < 1e-6:
        ahead = np.cross(up, np.eye(3)[int(np.argmin(np.abs(up)))])
    ahead = ahead / np.linalg.norm(ahead)
    return np.stack([ahead, np.cross(up, ahead), up])


def diagonal(cloud: Floats) -> float:
    """Diagonal of the box around all but the outermost 2% of points on each side of each axis."""
    return float(np.linalg.norm(np.subtract(*np.percentile(cloud, (98, 2), axis=0))))


def _off_deg(plane: Plane, up: Floats) -> float:
    """How far a plane is from being level or upright, whichever is nearer, degrees."""
    angle = float(np.degrees(np.arccos(np.clip(abs(plane.normal @ up), 0, 1))))
    return min(angle, 90 - angle)


def _level(plane: Plane, up: Floats) -> bool:
    return bool(abs(plane.normal @ up) > np.cos(np.radians(45)))


def _fitted(planes: Sequence[Plane], up: Floats) -> Floats | None:
    """The direction that level planes have for normal and walls do not; None where they do not determine it."""
    if not planes:
        return None
    matrix = np.zeros((3, 3))
    for plane in planes:
        matrix += (-1 if _level(plane, up) else 1) * plane.points * np.outer(plane.normal, plane.normal)
    if not any(_level(p, up) for p in planes):
        across = np.linalg.eigvalsh(matrix)
        if across[1] < 0.1 * across[2]:
            return None
    direction = np.linalg.eigh(matrix)[1][:, 0]
    return np.asarray(direction * np.sign(direction @ up or 1.0), np.float64)


def _floor(cloud: Floats, cameras: Floats, up: Floats, planes: Sequence[Plane], thick: float) -> float | None:
    """Height of the lowest level plane with all cameras above it and next to nothing below it."""
    heights, eyes = cloud @ up, cameras @ up
    for plane in sorted((p for p in planes if _level(p, up)), key=lambda p: p.offset * np.sign(p.normal @ up)):
        on = np.abs(cloud @ plane.normal - plane.offset) < thick
        height = float(np.median(heights[on])) if on.any() else np.inf
        if eyes.min() > height and (heights < height - 3 * thick).mean() <= _BELOW_SHARE:
            return height
    return None
