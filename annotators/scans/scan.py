"""A scan as its source writes it: frames, mesh and objects with the source's own numbers, and the conventions to read them by.

`Scan` turns them into the house's world on demand, so that the checks can ask what another convention would give. Pictures,
depths and masks are read when they are asked for, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.importing import ImportNote
from ...schemas.geometry.box3d import Box3D
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.intrinsics import resized, rotated
from ...schemas.geometry.poses import four_by_four, is_rigid
from .conventions import Conventions, Floats

Pixels = NDArray[np.uint8]
Ints = NDArray[np.int64]
K = tuple[float, float, float, float]
"""fx, fy, cx, cy in pixels; the centre of the first pixel is 0.5."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame, as the source holds it."""

    name: str
    t_s: float
    size: tuple[int, int]
    """Width and height of the picture."""
    k: K
    """Intrinsics of that picture."""
    raw_pose: Floats | None
    """The source's matrix [4, 4]; None or not finite: lost."""
    picture: Callable[[], Pixels] | None = None
    """uint8 rgb [height, width, 3]; None where a video holds it."""
    depth: Callable[[], Floats] | None = None
    """The source's numbers [h, w]; 0 and what is not finite are unknown."""
    depth_k: tuple[K, tuple[int, int]] | None = None
    """Intrinsics of the depth map and the size that they are of; None: it shows the picture's field."""
    mask: Callable[[], Ints] | None = None
    """What the source's instance mask holds [h, w]; 0: nothing."""
    observed: tuple[Floats, Floats] | None = None
    """Pixels [n, 2] and the points [n, 3] of the source's world that it says they show."""
    turn_deg: int = 0
    """How far the picture is to be turned clockwise to stand upright."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Surface of a scan, in the source's world."""

    vertices: Floats
    faces: Ints | None = None
    """[m, 3]; None: points alone."""
    colours: Pixels | None = None
    """[n, 3]"""


@dataclass(frozen=True, eq=False)
class RawBox:
    """A box as the source lists it."""

    centre: tuple[float, float, float]
    axes: tuple[float, ...]
    """Nine numbers."""
    lengths: tuple[float, float, float]

    def said(self) -> dict[str, Any]:
        """For `source_box_json`."""
        return {"centre": list(self.centre), "axes": list(self.axes), "lengths": list(self.lengths)}


@dataclass(frozen=True, eq=False)
class Item:
    """An object of a scan."""

    number: int
    """As masks and mesh number it."""
    label_raw: str
    vertices: Ints | None = None
    """Vertices of the mesh that belong to it."""
    faces: Ints | None = None
    """Faces of the mesh that belong to it; None: those whose corners all do."""
    box: RawBox | None = None


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan and the conventions by which it is read."""

    name: str
    source: str
    conventions: Conventions
    frames: tuple[Frame, ...]
    mesh: Mesh | None = None
    items: tuple[Item, ...] = ()
    alignment: Floats | None = None
    """The scan's own matrix [4, 4] from its world to an aligned one; None: it has none."""
    scale_status: str = "sensor"
    scale_sigma: float | None = 0.01
    depth_origin: str = "sensor"
    indoor: bool = True
    """Whether it is a room, so that cameras stand inside of it."""
    end_s: float | None = None
    """End of the last frame, seconds; None: as long after it as frames are apart."""
    polygon: tuple[float, ...] | None = None
    room_area_m2: float | None = None
    rooms: int | None = None
    notes: tuple[ImportNote, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)

    def read_as(self, conventions: Conventions) -> Scan:
        """The same numbers under other conventions."""
        return replace(self, conventions=conventions)

    @property
    def world_up(self) -> str:
        return "unknown" if self.conventions.world_up == "unknown" else "z"

    def world(self, what: str) -> Floats:
        """The matrix [4, 4] from the source's world to ours, without the unit, for `cloud` (mesh and boxes) or `poses`."""
        aligned = self.alignment is not None and self.conventions.align in ("both", what)
        return self.conventions.upright @ (self.alignment if aligned and self.alignment is not None else np.eye(4))

    def points(self, raw: Floats) -> Floats:
        """Points of the source's mesh [n, 3] in our world, metres."""
        world = self.world("cloud")
        return (np.asarray(raw, np.float64) @ world[:3, :3].T + world[:3, 3]) * self.conventions.metres_per_unit

    def vertices_of(self, item: Item) -> Floats | None:
        """An object's vertices in our world."""
        if self.mesh is None or item.vertices is None or not len(item.vertices):
            return None
        return self.points(self.mesh.vertices[item.vertices])

    def box_of(self, item: Item) -> Box3D | None:
        """The box that the source gives, in our world; None without one. Raises ValueError where it is none."""
        if item.box is None:
            return None
        world = self.world("cloud")
        axes = self.conventions.axes(item.box.axes)
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True) @ world[:3, :3].T
        if np.linalg.det(axes) < 0:
            axes[2] = -axes[2]  # a box looks the same with an axis turned round
        centre = self.points(np.asarray(item.box.centre)[None])[0]
        size = self.conventions.lengths(item.box.lengths) * self.conventions.metres_per_unit
        return Box3D(_three(centre), tuple(float(v) for v in axes.ravel()), _three(size))

    def rotation_of(self, frame: Frame) -> Floats | None:
        """Rotation part [3, 3] of a frame's pose in our world, as it is written; None where the pose is lost."""
        pose = self._pose(frame)
        return None if pose is None else pose[:3, :3]

    def camera(self, frame: Frame) -> Camera | None:
        """The camera of the upright picture in our world; None where the pose is lost or no rigid motion."""
        pose = self._pose(frame)
        return None if pose is None or not is_rigid(pose, 5e-3) else self._camera(frame, pose)

    def lens(self, frame: Frame) -> Camera:
        """Its intrinsics alone: the camera of the upright picture, at the origin."""
        return self._camera(frame, np.eye(4))

    def depth(self, frame: Frame) -> Floats | None:
        """Metres along z [h, w] on the field of the upright picture; 0 is unknown. None without depth."""
        if frame.depth is None:
            return None
        raw = np.asarray(frame.depth(), np.float64)
        known = np.isfinite(raw) & (raw > 0)
        metres = np.where(known, raw, 0.0) / self.conventions.depth_per_m
        height, width = metres.shape
        at = resized(self._as_held(frame, np.eye(4)), width, height)
        column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        x, y = (column - at.cx) / at.fx, (row - at.cy) / at.fy
        if frame.depth_k is not None:
            k, (own_width, own_height) = frame.depth_k
            said = self.conventions.intrinsics_size or frame.size
            size = own_width * said[0] / frame.size[0], own_height * said[1] / frame.size[1]
            metres = _seen_through(metres, x, y, k, size)
        if self.conventions.depth_kind == "ray":
            metres = metres / np.sqrt(1 + x * x + y * y)
        return np.rot90(metres, -(frame.turn_deg // 90))

    def numbers(self, frame: Frame) -> Ints | None:
        """Number of the object of each pixel of the upright picture's mask, -1 for none; None without a mask."""
        if frame.mask is None:
            return None
        raw = np.asarray(frame.mask(), np.int64)
        return np.rot90(np.where(raw == 0, -1, raw - self.conventions.mask_offset), -(frame.turn_deg // 90))

    def _pose(self, frame: Frame) -> Floats | None:
        if frame.raw_pose is None or not np.isfinite(frame.raw_pose).all():
            return None
        try:
            pose = self.world("poses") @ self.conventions.pose(frame.raw_pose)
        except np.linalg.LinAlgError:
            return None
        return four_by_four(pose[:3, :3], pose[:3, 3] * self.conventions.metres_per_unit)

    def _as_held(self, frame: Frame, pose: Floats) -> Camera:
        width, height = frame.size
        fx, fy, cx, cy = frame.k
        said = self.conventions.intrinsics_size or (width, height)
        camera = Camera(frame.t_s, *said, fx, fy, cx, cy, tuple(float(v) for v in pose.ravel()))
        return resized(camera, width, height)

    def _camera(self, frame: Frame, pose: Floats) -> Camera:
        return rotated(self._as_held(frame, pose), frame.turn_deg)


def _seen_through(depth: Floats, x: Floats, y: Floats, k: K, size: tuple[float, float]) -> Floats:
    """A depth map of one lens on the rays [h, w] of another at the same place: the nearest pixel's, 0 outside."""
    height, width = depth.shape
    fx, fy, cx, cy = k
    column = np.floor((x * fx + cx) * width / size[0]).astype(np.int64)
    row = np.floor((y * fy + cy) * height / size[1]).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return np.where(inside, depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], 0.0)


def _three(values: Floats) -> tuple[float, float, float]:
    a, b, c = (float(v) for v in values)
    return a, b, c
