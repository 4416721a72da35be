"""How a source writes its geometry, as one value: which side its poses are of, what its numbers count, what its boxes list.

An importer declares these and nothing else decides; a recipe can correct each (`with: {pose_kind: w2c}`), and the checks try
the other ones, one at a time, to say which would hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...schemas.geometry.poses import CameraAxes, PoseKind, camera_to_world

Floats = NDArray[np.float64]
DepthKind = Literal["z", "ray"]
BoxAxes = Literal["rows", "columns"]
BoxLengths = Literal["full", "half"]
Align = Literal["both", "cloud", "poses", "none"]
Up = Literal["+x", "-x", "+y", "-y", "+z", "-z", "unknown"]

DEPTHS_PER_M = (1000.0, 1.0, 4000.0, 5000.0, 6553.5)


@dataclass(frozen=True)
class Conventions:
    """What the numbers of a scan mean."""

    pose_kind: PoseKind = "c2w"
    camera_axes: CameraAxes = "opencv"
    depth_per_m: float = 1000.0
    """Steps of a depth map per metre."""
    depth_kind: DepthKind = "z"
    """Distance along the camera's z axis, or along the ray."""
    box_axes: BoxAxes = "rows"
    """Whether the rows or the columns of the nine numbers are the axes of a box."""
    box_lengths: BoxLengths = "full"
    mask_offset: int = 0
    """Taken from what a mask holds to get the number of the object."""
    align: Align = "both"
    """What the scan's own alignment matrix is applied to."""
    world_up: Up = "+z"
    metres_per_unit: float = 1.0
    """Of mesh, boxes and poses."""
    intrinsics_size: tuple[int, int] | None = None
    """Width and height of the picture that the intrinsics are of; None: the one that the layout says."""

    def pose(self, raw: ArrayLike) -> Floats:
        """Camera to world with OpenCV axes, in the source's world, of one of its matrices [4, 4]."""
        return camera_to_world(raw, self.pose_kind, self.camera_axes)

    def axes(self, nine: ArrayLike) -> Floats:
        """Axes of a box as rows [3, 3], in the source's world."""
        given = np.asarray(nine, np.float64).reshape(3, 3)
        return given if self.box_axes == "rows" else given.T

    def lengths(self, three: ArrayLike) -> Floats:
        """Full lengths of a box, in the source's units."""
        return np.asarray(three, np.float64) * (2.0 if self.box_lengths == "half" else 1.0)

    @property
    def upright(self) -> Floats:
        """The rotation [4, 4] that takes the source's vertical to +z."""
        turn = np.eye(4)
        rows = {
            "+x": [[0, 1, 0], [0, 0, 1], [1, 0, 0]], "-x": [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
            "+y": [[0, 0, 1], [1, 0, 0], [0, 1, 0]], "-y": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
            "-z": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
        }.get(self.world_up)  # fmt: skip
        if rows is not None:
            turn[:3, :3] = rows
        return turn

    def others(self) -> list[tuple[str, Any, Conventions]]:
        """(name, value, conventions) of each convention changed by itself to what sources are known to differ in."""
        found: list[tuple[str, Any]] = [
            ("pose_kind", "w2c" if self.pose_kind == "c2w" else "c2w"),
            ("camera_axes", "opengl" if self.camera_axes == "opencv" else "opencv"),
            *(("depth_per_m", n) for n in DEPTHS_PER_M if n != self.depth_per_m),
            ("depth_kind", "ray" if self.depth_kind == "z" else "z"),
            ("box_axes", "columns" if self.box_axes == "rows" else "rows"),
            ("box_lengths", "half" if self.box_lengths == "full" else "full"),
            ("mask_offset", self.mask_offset + 1),
            ("mask_offset", self.mask_offset - 1),
            *(("align", what) for what in get_args(Align) if what != self.align),
            *(("world_up", up) for up in get_args(Up) if up not in ("unknown", self.world_up)),
            ("metres_per_unit", self.metres_per_unit * 0.01),
            ("metres_per_unit", self.metres_per_unit * 0.001),
        ]
        return [(name, value, replace(self, **{name: value})) for name, value in found]
