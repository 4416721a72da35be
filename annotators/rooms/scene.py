"""A room as pure data: its floor, the things in it with their meshes and oriented boxes, and where the camera is at each frame.

Nothing is drawn or rendered here. World: metres, z up, floor at z = 0; a thing's own frame is that of its box: origin at the
centre, axes along the edges. A thing that moves has one pose per frame; everything else has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.geometry.area import polygon_area
from ...schemas.geometry.box3d import Box3D
from ...schemas.geometry.camera import Camera
from ...schemas.span import from_us, to_us

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Colour = tuple[int, int, int]
SHELL = -1
"""Owner of walls, floor and ceiling in pictures of owners."""
NOTHING = -2
"""Owner of pixels whose ray hits nothing."""


@dataclass(frozen=True)
class Material:
    """How a surface looks: a pattern that runs from one colour to another."""

    colour: Colour
    other: Colour
    pattern: str = "speckle"
    """Name of a pattern of `patterns.py`."""
    tile_m: float = 0.8
    """Length of one repeat of the pattern, metres."""
    seed: str = ""


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh of one material: vertices [n, 3] in the frame of what it belongs to, triangles [m, 3], anticlockwise from outside."""

    vertices: Floats
    faces: Ints
    material: Material

    def moved(self, by: Floats) -> Part:
        """The part, shifted by a vector."""
        return Part(self.vertices + np.asarray(by, np.float64), self.faces, self.material)


@dataclass(frozen=True, eq=False)
class Thing:
    """Something that stands in a room or moves through it."""

    label: str
    colour: str
    """Name of its main colour; '' for none worth a word."""
    parts: tuple[Part, ...]
    """Meshes in the frame of the box: they fill it from face to face."""
    box: Box3D
    """Where it is at the first frame."""
    centres: Floats | None = None
    """Where it is at every frame [frames, 3]; None: it stays where it is."""
    axes: Floats | None = None
    """Axes of the box as rows at every frame [frames, 3, 3]; None as `centres`."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """More of what it is like, for `attributes_json`: motion, pattern ..."""

    @property
    def moving(self) -> bool:
        return self.centres is not None

    @property
    def phrase(self) -> str:
        return f"{self.colour} {self.label}".strip()

    def pose(self, frame: int) -> tuple[Floats, Floats]:
        """Axes as rows [3, 3] and centre [3] at a frame: a point p of its own frame lies at `p @ axes + centre`."""
        if self.centres is None or self.axes is None:
            return self.box.matrix, np.asarray(self.box.centre, np.float64)
        return self.axes[frame], self.centres[frame]

    def box_at(self, frame: int) -> Box3D:
        """Its box at a frame."""
        if self.centres is None:
            return self.box
        axes, (x, y, z) = self.pose(frame)
        return Box3D((float(x), float(y), float(z)), tuple(float(v) for v in axes.ravel()), self.box.size)


@dataclass(frozen=True)
class Event:
    """Something that happens."""

    start_s: float
    end_s: float
    text: str
    thing: int
    """Index of the thing that it is about: where that is not seen, nothing is said."""


@dataclass(frozen=True, eq=False)
class RoomScene:
    """A room over the frames of a film."""

    polygon: Floats
    """Corners of the floor [n, 2], anticlockwise seen from above."""
    height_m: float
    things: tuple[Thing, ...]
    cameras: tuple[Camera, ...]
    """One per frame."""
    fps: float = 10.0
    shell: tuple[Part, ...] = ()
    """Walls, floor and ceiling in the world; see `shell.py`. None: things float in black."""
    light: tuple[float, float, float] = (0.0, 0.0, 2.4)
    """Where the lamp is."""
    events: tuple[Event, ...] = ()
    """What happens, where it can be said without doubt."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What was drawn for it, for people to read."""

    @property
    def frames(self) -> int:
        return len(self.cameras)

    @cached_property
    def area_m2(self) -> float:
        """Area of the floor."""
        return polygon_area(self.polygon)

    def time_s(self, frame: int) -> float:
        """Presentation time of a frame, on the grid of microseconds."""
        return from_us(to_us(frame / self.fps))


def camera_towards(
    t_s: float, centre: Floats, yaw: float, pitch: float, width: int, height: int, fov_deg: float
) -> Camera:
    """A level camera (no roll) at a point that looks along `yaw` (anticlockwise from x, radians) and up by `pitch`.

    `fov_deg` is the horizontal field of view; pixels are square, the principal point is the middle of the picture.
    """
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    forward = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    down = np.array([cy * sp, sy * sp, -cp])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, down, forward], axis=1)
    pose[:3, 3] = centre
    focal = float(width / 2 / np.tan(np.deg2rad(fov_deg) / 2))
    return Camera(
        t_s, width, height, focal, focal, width / 2, height / 2, tuple(float(v) for v in pose.ravel()),
        confidence=1.0, observed=True,
    )  # fmt: skip
