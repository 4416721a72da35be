"""Laying one set of places over another by rotation, shift and, if wanted, scale; and the errors that remain.

Least squares of matched points (S. Umeyama, IEEE PAMI 13, 1991). It is exact for exact pairs, and not robust: wrong pairs must
be left out before. Used to compare reconstructed cameras with true ones, which live in another world frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .camera import Camera
from .poses import angle_between_deg

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """`y = scale * rotation @ x + shift`."""

    scale: float
    rotation: Floats
    shift: Floats

    def apply(self, points: ArrayLike) -> Floats:
        """Points [..., 3] in the other frame."""
        return np.asarray(self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.shift)

    def apply_pose(self, pose: ArrayLike) -> Floats:
        """A camera to world matrix [4, 4] in the other frame."""
        m = np.asarray(pose, np.float64)
        out = np.eye(4)
        out[:3, :3], out[:3, 3] = self.rotation @ m[:3, :3], self.apply(m[:3, 3])
        return out

    def inverse(self) -> Similarity:
        """The way back."""
        back = self.rotation.T
        return Similarity(1 / self.scale, back, -(back @ self.shift) / self.scale)


def align(source: ArrayLike, target: ArrayLike, *, with_scale: bool = True) -> Similarity:
    """The similarity that takes points [n, 3] nearest to their partners [n, 3].

    Raises ValueError for fewer than three pairs, or points on one line: the rotation about it is not determined.
    """
    x, y = np.asarray(source, np.float64).reshape(-1, 3), np.asarray(target, np.float64).reshape(-1, 3)
    if x.shape != y.shape or len(x) < 3:
        raise ValueError(f"{len(x)} and {len(y)} points cannot be aligned; give at least three pairs")
    mx, my = x.mean(axis=0), y.mean(axis=0)
    a, b = x - mx, y - my
    spread = np.linalg.svd(a, compute_uv=False)
    if spread[1] <= 1e-9 * max(spread[0], 1e-300):
        raise ValueError("the points lie on one line, so the rotation about it is not determined")
    u, d, vt = np.linalg.svd(b.T @ a / len(x))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / (a**2).sum() * len(x)) if with_scale else 1.0
    return Similarity(scale, rotation, my - scale * rotation @ mx)


@dataclass(frozen=True)
class PoseErrors:
    """Errors of cameras after alignment: root mean square of places (metres of the true frame), angles in degrees."""

    cameras: int
    scale: float
    place_rms_m: float
    place_max_m: float
    angle_mean_deg: float
    angle_max_deg: float


def pose_errors(found: Sequence[Camera], truth: Sequence[Camera], *, with_scale: bool = True) -> PoseErrors:
    """Errors of cameras against their true partners, after the found ones were laid over them. Raises as `align` does."""
    fit = align([c.centre for c in found], [c.centre for c in truth], with_scale=with_scale)
    off = np.linalg.norm(fit.apply([c.centre for c in found]) - [c.centre for c in truth], axis=1)
    turned = [angle_between_deg(fit.rotation @ f.rotation, t.rotation) for f, t in zip(found, truth, strict=True)]
    return PoseErrors(
        len(off), fit.scale, float(np.sqrt((off**2).mean())), float(off.max()), float(np.mean(turned)), max(turned)
    )
