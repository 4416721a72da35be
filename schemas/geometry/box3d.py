"""An oriented box in the world: centre, three unit axes, full lengths along them.

The axes are rows: `axes[k]` is the k-th axis of the box in the world. Sources that give columns, half lengths or centimetres
are turned into this by their importers, nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Box3D:
    """A box. Raises ValueError for axes that are not orthonormal and right-handed, or lengths that are not positive."""

    centre: tuple[float, float, float]
    axes: tuple[float, ...]
    """Nine numbers: three unit vectors, one after the other."""
    size: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.axes) != 9 or len(self.size) != 3 or not all(s > 0 for s in self.size):
            raise ValueError(
                f"a box needs nine numbers of axes and three positive lengths, not {self.axes} and {self.size}"
            )
        rows = np.asarray(self.axes, np.float64).reshape(3, 3)
        if not np.allclose(rows @ rows.T, np.eye(3), atol=_TOLERANCE) or np.linalg.det(rows) < 0:
            raise ValueError(f"the axes {self.axes} are not three right-handed unit vectors at right angles")

    @classmethod
    def upright(cls, centre: ArrayLike, size: ArrayLike, yaw_rad: float = 0.0) -> Box3D:
        """A box that stands on the ground, turned by `yaw_rad` about z (anticlockwise seen from above)."""
        c, s = float(np.cos(yaw_rad)), float(np.sin(yaw_rad))
        x, y, z = (float(v) for v in np.asarray(centre, np.float64))
        a, b, h = (float(v) for v in np.asarray(size, np.float64))
        return cls((x, y, z), (c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0), (a, b, h))

    @cached_property
    def matrix(self) -> Floats:
        """The axes as rows, [3, 3]."""
        return np.asarray(self.axes, np.float64).reshape(3, 3)

    @cached_property
    def corners(self) -> Floats:
        """The eight corners, [8, 3]."""
        return np.asarray(self.centre) + (_SIGNS * np.asarray(self.size) / 2) @ self.matrix

    def to_local(self, points: ArrayLike) -> Floats:
        """World points [..., 3] in the box's own coordinates (origin at its centre)."""
        return (np.asarray(points, np.float64) - np.asarray(self.centre)) @ self.matrix.T

    def contains(self, points: ArrayLike, grow_m: float = 0.0) -> NDArray[np.bool_]:
        """Which world points [..., 3] lie in the box, grown by `grow_m` on every side."""
        inside = np.abs(self.to_local(points)) <= np.asarray(self.size) / 2 + grow_m + 1e-12
        return np.asarray(inside.all(axis=-1), np.bool_)


def box3d_of(row: Mapping[str, Any]) -> Box3D:
    """The box of a row of `boxes3d`. Raises ValueError for one that is no box."""
    x, y, z = float(row["x"]), float(row["y"]), float(row["z"])
    a, b, c = (float(v) for v in row["size"])
    return Box3D((x, y, z), tuple(float(v) for v in row["axes"]), (a, b, c))


def box3d_values(box: Box3D) -> dict[str, Any]:
    """The columns of `boxes3d` that say where a box is."""
    x, y, z = box.centre
    return {"x": x, "y": y, "z": z, "axes": list(box.axes), "size": list(box.size)}
