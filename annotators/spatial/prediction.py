"""What a geometry model says about pictures, in one convention, whatever the model's own is.

Models differ in three ways that cannot be seen in a picture: whether poses go from the world to the camera or back, of which
picture size the intrinsics are (or whether they are shares of it), and whether depth is in metres. Arrays enter here with their
convention stated, and leave as camera-to-world poses, intrinsics in pixels of the depth maps, and depth along the z axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEYS = ("depth", "extrinsics", "intrinsics", "confidence", "metric", "normalised_intrinsics", "camera_to_world")
_RIGHT_ANGLES = 1e-2


@dataclass(frozen=True)
class Prediction:
    """Geometry of n pictures."""

    depth: Floats
    """[n, h, w] along z; NaN where the model says nothing."""
    intrinsics: Floats | None
    """[n, 3, 3] in pixels of the depth maps, pixel centres at 0.5; None where the model gives none."""
    poses: Floats | None
    """[n, 4, 4] camera to world, OpenCV axes; None for models of single pictures."""
    confidence: Floats | None
    """[n, h, w], larger is surer, on the model's own scale."""
    metric: bool
    """Whether the model claims metres."""


def prediction_of(raw: Mapping[str, Any], pictures: int, who: str) -> Prediction:
    """The prediction of arrays as VGGT-like models give them, the keys being those of `KEYS`.

    `depth` [n, h, w] (a last axis of length 1 is dropped), `extrinsics` [n, 3 or 4, 4] from the world to the camera
    (`camera_to_world: True`: the other way), `intrinsics` [n, 3, 3] at the size of the depth maps
    (`normalised_intrinsics: True`: shares of it), `confidence` like depth, `metric`. Only depth is a must; a leading axis of
    length 1 is dropped everywhere. Raises ValueError that names `who`, the array and what it should be.
    """
    unknown = sorted(set(raw) - set(KEYS))
    if unknown or "depth" not in raw:
        lacks = f"unknown {', '.join(unknown)}" if unknown else "no depth"
        raise ValueError(f"{who}: {lacks}; an answer has {', '.join(KEYS)}, of which depth is a must")
    depth = _array(raw["depth"], "depth", who)
    if depth.ndim >= 4 and depth.shape[-1] == 1:
        depth = depth[..., 0]
    depth = _without_batch(depth, 3)
    if depth.ndim != 3 or len(depth) != pictures:
        raise ValueError(f"{who}: depth must be [{pictures}, h, w], not {list(depth.shape)}")
    n, h, w = depth.shape
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    confidence = None
    if raw.get("confidence") is not None:
        confidence = _without_batch(_array(raw["confidence"], "confidence", who), 3)
        if confidence.shape != depth.shape:
            raise ValueError(f"{who}: confidence must be {list(depth.shape)} as depth is, not {list(confidence.shape)}")
    intrinsics = None
    if raw.get("intrinsics") is not None:
        intrinsics = _without_batch(_array(raw["intrinsics"], "intrinsics", who), 3).copy()
        if intrinsics.shape != (n, 3, 3):
            raise ValueError(f"{who}: intrinsics must be [{n}, 3, 3], not {list(intrinsics.shape)}")
        if raw.get("normalised_intrinsics"):
            intrinsics[:, 0] *= w
            intrinsics[:, 1] *= h
        if not (intrinsics[:, [0, 1], [0, 1]] > max(2.0, 0.05 * w)).all():
            raise ValueError(
                f"{who}: focal lengths of {intrinsics[0, 0, 0]:.3g} px for maps {w} px wide; are the intrinsics shares of the "
                "size? Then say normalised_intrinsics"
            )
    poses = None
    if raw.get("extrinsics") is not None:
        poses = _poses(_without_batch(_array(raw["extrinsics"], "extrinsics", who), 3), n, who)
        if not raw.get("camera_to_world"):
            poses = inverted(poses)
    return Prediction(depth, intrinsics, poses, confidence, bool(raw.get("metric", False)))


def inverted(poses: Floats) -> Floats:
    """Rigid motions [n, 4, 4] the other way round."""
    turned = np.swapaxes(poses[:, :3, :3], 1, 2)
    made = np.tile(np.eye(4), (len(poses), 1, 1))
    made[:, :3, :3] = turned
    made[:, :3, 3] = -np.einsum("nij,nj->ni", turned, poses[:, :3, 3])
    return made


def metres_of_da3(output: Floats, focal_px: Floats) -> Floats:
    """Metres from the output [n, h, w] of Depth Anything 3's metric model and focal lengths [n] in pixels of those maps."""
    return output * (np.asarray(focal_px, np.float64) / 300.0)[:, None, None]


def _poses(given: Floats, n: int, who: str) -> Floats:
    if given.shape not in ((n, 3, 4), (n, 4, 4)):
        raise ValueError(f"{who}: extrinsics must be [{n}, 3, 4] or [{n}, 4, 4], not {list(given.shape)}")
    made = np.tile(np.eye(4), (n, 1, 1))
    made[:, :3] = given[:, :3]
    turned = made[:, :3, :3]
    square = np.abs(turned @ np.swapaxes(turned, 1, 2) - np.eye(3)).max()
    if not square < _RIGHT_ANGLES or not (np.linalg.det(turned) > 0).all():
        raise ValueError(f"{who}: extrinsics hold no rotations (off by {square:.2g}, or mirrored)")
    return made


def _array(value: Any, name: str, who: str) -> Floats:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{who}: {name} is no array of numbers: {error}") from None


def _without_batch(values: Floats, axes: int) -> Floats:
    return values[0] if values.ndim == axes + 1 and values.shape[0] == 1 else values
