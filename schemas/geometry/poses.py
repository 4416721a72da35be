"""Poses: what sources write turned into camera to world with OpenCV axes, rotations in other clothes, and what a camera did.

Turns are told as to the right, upwards and clockwise of who holds the camera, so that no sign has to be remembered.
Quaternions are w x y z, scalar first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .camera import Camera

Floats = NDArray[np.float64]
PoseKind = Literal["c2w", "w2c"]
CameraAxes = Literal["opencv", "opengl"]
_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


def four_by_four(rotation: ArrayLike, translation: ArrayLike) -> Floats:
    """Matrices [..., 4, 4] of rotations [..., 3, 3] and translations [..., 3]."""
    r, t = np.asarray(rotation, np.float64), np.asarray(translation, np.float64)
    out = np.zeros((*np.broadcast_shapes(r.shape[:-2], t.shape[:-1]), 4, 4))
    out[..., :3, :3], out[..., :3, 3], out[..., 3, 3] = r, t, 1.0
    return out


def inverse(pose: ArrayLike) -> Floats:
    """Inverses of rigid matrices [..., 4, 4]: of world to camera `[R|t]` the centre is `-R^T t`."""
    m = np.asarray(pose, np.float64)
    r = np.swapaxes(m[..., :3, :3], -1, -2)
    return four_by_four(r, -np.einsum("...ij,...j->...i", r, m[..., :3, 3]))


def camera_to_world(pose: ArrayLike, kind: PoseKind, axes: CameraAxes) -> Floats:
    """Camera to world with OpenCV axes, [..., 4, 4], of a source's matrices of that kind and those camera axes."""
    m = np.asarray(pose, np.float64)
    # the source's camera axes are on the camera's side of the matrix: right of c2w, left of w2c
    return (inverse(m) if kind == "w2c" else m) @ (_FLIP if axes == "opengl" else np.eye(4))


def is_rigid(pose: ArrayLike, tolerance: float = 1e-3) -> bool:
    """Whether a 4x4 matrix is finite, a right-handed rotation and a translation."""
    m = np.asarray(pose, np.float64)
    if m.shape != (4, 4) or not np.isfinite(m).all():
        return False
    r = m[:3, :3]
    square = np.allclose(r @ r.T, np.eye(3), atol=tolerance) and np.allclose(m[3], [0, 0, 0, 1], atol=tolerance)
    return bool(square and np.linalg.det(r) > 0)


def rotation_of_quaternion(wxyz: ArrayLike) -> Floats:
    """Rotations [..., 3, 3] of quaternions [..., 4], scalar first, normalised here. Raises ValueError for a zero one."""
    q = np.asarray(wxyz, np.float64)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    if not (length > 0).all():
        raise ValueError("a quaternion of zeros is no rotation")
    w, x, y, z = np.moveaxis(q / length, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_of_rotation(rotation: ArrayLike) -> Floats:
    """Quaternion [4], scalar first and not negative, of a rotation [3, 3]."""
    m = np.asarray(rotation, np.float64)
    # the eigenvector of the greatest eigenvalue (I. Bar-Itzhack, 2000): stable for half turns too
    k = np.array([
        [m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
        [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
        [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], 0],
        [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
    ])  # fmt: skip
    _, vectors = np.linalg.eigh(k)
    x, y, z, w = vectors[:, -1]
    return np.array([w, x, y, z]) * (1.0 if w >= 0 else -1.0)


def rotation_of_axis_angle(vector: ArrayLike) -> Floats:
    """Rotation [3, 3] of an axis whose length is the angle in radians (Rodrigues)."""
    v = np.asarray(vector, np.float64)
    angle = float(np.linalg.norm(v))
    x, y, z = v / angle if angle > 0 else v
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def axis_angle_of_rotation(rotation: ArrayLike) -> Floats:
    """Axis times angle in radians, [3], of a rotation [3, 3]; the angle is at most pi."""
    w, x, y, z = quaternion_of_rotation(rotation)
    sine = float(np.sqrt(x * x + y * y + z * z))
    return np.array([x, y, z]) / sine * 2 * np.arctan2(sine, w) if sine > 0 else np.zeros(3)


def angle_between_deg(first: ArrayLike, second: ArrayLike) -> float:
    """Angle of the rotation that takes one rotation [3, 3] to the other, degrees, 0..180."""
    between = np.asarray(first, np.float64).T @ np.asarray(second, np.float64)
    return float(np.degrees(np.linalg.norm(axis_angle_of_rotation(between))))


@dataclass(frozen=True)
class Turn:
    """How a camera turned, degrees, seen by who holds it: first to the right, then up, then clockwise about the line of sight."""

    right_deg: float
    up_deg: float
    clockwise_deg: float


def turn_between(before: Camera, after: Camera) -> Turn:
    """The turn from one camera to another, in the axes of the first: yaw, pitch and roll of `R_before^T R_after`."""
    r = before.rotation.T @ after.rotation
    return Turn(
        float(np.degrees(np.arctan2(r[0, 2], r[2, 2]))),
        float(np.degrees(np.arctan2(-r[1, 2], np.hypot(r[0, 2], r[2, 2])))),
        float(np.degrees(np.arctan2(r[1, 0], r[1, 1]))),
    )


def move_between(before: Camera, after: Camera) -> Floats:
    """Where the second camera stands in the axes of the first: right, down, forward, metres, [3]."""
    return before.to_camera(after.centre)


def heading_deg(camera: Camera) -> float:
    """Where it looks on the ground, degrees anticlockwise from the world's x axis, [0, 360); NaN when it looks straight down."""
    x, y = camera.forward[:2]
    return float(np.degrees(np.arctan2(y, x)) % 360) if np.hypot(x, y) > 1e-6 else float("nan")


def path_length(cameras: list[Camera] | tuple[Camera, ...]) -> float:
    """Length of the way through the cameras' centres, metres: not the straight line between its ends."""
    if len(cameras) < 2:
        return 0.0
    return float(np.linalg.norm(np.diff([c.centre for c in cameras], axis=0), axis=1).sum())
