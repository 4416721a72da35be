"""Laying reconstructed cameras over true ones, which live in another world frame; and the errors that remain.

Least squares, first of the orientations (the rotation is then determined on a straight way, too), then of scale and shift. It is
exact for exact pairs, and not robust: wrong pairs must be left out before.
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


@dataclass(frozen=True)
class PoseErrors:
    """Errors of cameras after alignment: root mean square of places (metres of the true frame), angles in degrees."""

    cameras: int
    scale: float
    place_rms_m: float
    place_max_m: float
    angle_mean_deg: float
    angle_max_deg: float


def align_poses(found: Sequence[Camera], truth: Sequence[Camera], *, with_scale: bool = True) -> Similarity:
    """The similarity that takes cameras to their partners: the rotation by how they look, then scale and shift by where they stand.

    Raises ValueError for fewer than two pairs, or, with scale, for cameras
    that all stand at one place.
    """
    if len(found) != len(truth) or len(found) < 2:
        raise ValueError(f"{len(found)} and {len(truth)} cameras cannot be aligned; give at least two pairs")
    u, _, vt = np.linalg.svd(np.sum([t.rotation @ f.rotation.T for f, t in zip(found, truth, strict=True)], axis=0))
    rotation = (u * np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])) @ vt
    x, y = np.array([rotation @ f.centre for f in found]), np.array([t.centre for t in truth])
    mx, my = x.mean(axis=0), y.mean(axis=0)
    spread = float(((x - mx) ** 2).sum())
    if with_scale and spread <= 1e-18:
        raise ValueError("the cameras stand at one place, so the scale is not determined")
    scale = float(((x - mx) * (y - my)).sum()) / spread if with_scale else 1.0
    return Similarity(scale, rotation, my - scale * mx)


def pose_errors(found: Sequence[Camera], truth: Sequence[Camera], *, with_scale: bool = True) -> PoseErrors:
    """Errors of cameras against their true partners, after the found ones were laid over them. Raises as `align_poses` does."""
    fit = align_poses(found, truth, with_scale=with_scale)
    off = np.linalg.norm(fit.apply([c.centre for c in found]) - [c.centre for c in truth], axis=1)
    turned = [angle_between_deg(fit.rotation @ f.rotation, t.rotation) for f, t in zip(found, truth, strict=True)]
    return PoseErrors(
        len(off), fit.scale, float(np.sqrt((off**2).mean())), float(off.max()), float(np.mean(turned)), max(turned)
    )
