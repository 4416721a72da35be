"""First hits of rays through pixels: who is seen where and at what depth, exactly and without any graphics driver.

Embree (through embreex) says which triangle a ray meets first; where it meets it is then computed from the triangle's plane in
double precision. Rays have length one along the camera's z axis, so the distance is the z depth. A camera never lies in a wall;
what has no triangle behind it is black and has depth 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.geometry.camera import Camera
from .scene import NOTHING, SHELL, Floats, Part, RoomScene


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles in the world with what they belong to."""

    corners: Floats
    """[n, 3, 3]"""
    owners: NDArray[np.int64]
    """Index into the scene's things, or `SHELL`."""
    parts: NDArray[np.int64]
    """Index into the parts of all things and the shell."""

    @property
    def normals(self) -> Floats:
        """Unit normals [n, 3], outwards."""
        a, b, c = self.corners[:, 0], self.corners[:, 1], self.corners[:, 2]
        across = np.cross(b - a, c - a)
        return np.asarray(across / np.sqrt(across[:, :1] ** 2 + across[:, 1:2] ** 2 + across[:, 2:] ** 2), np.float64)


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees."""

    owners: NDArray[np.int16]
    """Index of the thing that each pixel shows, `SHELL` or `NOTHING`, [height, width]."""
    depth: Floats
    """Metres along the camera's z axis, 0 for nothing, [height, width]."""
    triangles: NDArray[np.int32]
    """Index of the triangle, -1 for nothing, [height, width]."""
    rays: Floats
    """Directions of the pixels' rays in the world, row by row [height * width, 3]."""


def all_parts(scene: RoomScene) -> list[tuple[int, Part]]:
    """Every part with its owner: things in their order, then the shell."""
    return [(i, p) for i, t in enumerate(scene.things) for p in t.parts] + [(SHELL, p) for p in scene.shell]


def triangles_at(scene: RoomScene, frame: int, only: int | None = None) -> Triangles:
    """All triangles at a frame, or those of one thing."""
    corners, owners, numbers = [], [], []
    for number, (owner, part) in enumerate(all_parts(scene)):
        if only is not None and owner != only:
            continue
        vertices = part.vertices
        if owner >= 0:
            axes, centre = scene.things[owner].pose(frame)
            vertices = placed(vertices, axes, centre)
        corners.append(vertices[part.faces])
        owners.append(np.full(len(part.faces), owner, np.int64))
        numbers.append(np.full(len(part.faces), number, np.int64))
    if not corners:
        return Triangles(np.zeros((0, 3, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Triangles(np.concatenate(corners), np.concatenate(owners), np.concatenate(numbers))


def placed(points: Floats, axes: Floats, centre: Floats) -> Floats:
    """Points [n, 3] of a thing's own frame in the world; sums in a fixed order, the same on every machine."""
    return np.asarray(points[:, :1] * axes[0] + points[:, 1:2] * axes[1] + points[:, 2:] * axes[2] + centre, np.float64)


def pixel_rays(camera: Camera, columns: Floats, rows: Floats) -> Floats:
    """Directions in the world [n, 3] of pixel positions, one metre long along the camera's z axis."""
    x = (columns - camera.cx) / camera.fx
    y = (rows - camera.cy) / camera.fy
    r = camera.rotation
    return np.asarray(x[:, None] * r[:, 0] + y[:, None] * r[:, 1] + r[:, 2], np.float64)


@lru_cache(maxsize=8)
def pixel_centres(width: int, height: int) -> tuple[Floats, Floats]:
    """Columns and rows of all pixel centres, row by row."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return columns.ravel(), rows.ravel()


class Tree:
    """A search tree over triangles."""

    def __init__(self, triangles: Triangles) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore import EmbreeDevice
        from embreex.rtcore_scene import EmbreeScene

        self.triangles = triangles
        self.normals = triangles.normals
        self.offsets = _dot(self.normals, triangles.corners[:, 0])
        self._scene: Any = EmbreeScene(EmbreeDevice(), robust=True)
        self._mesh = TriangleMesh(self._scene, triangles.corners.astype(np.float32))

    def first(self, origin: Floats, directions: Floats) -> NDArray[np.int32]:
        """Index of the first triangle that each ray [n, 3] from `origin` meets; -1 for none."""
        starts = np.empty((len(directions), 3), np.float32)
        starts[:] = origin.astype(np.float32)
        found: NDArray[np.int32] = self._scene.run(starts, directions.astype(np.float32))
        return found

    def distances(self, origin: Floats, directions: Floats, hits: NDArray[np.int32]) -> Floats:
        """How many lengths of its direction each ray runs to the plane of the triangle that it hit; 0 for none."""
        away = self.offsets - _dot(self.normals, origin[None])
        along = _dot(self.normals[hits], directions)
        along[along == 0] = -1e-12
        return np.asarray(np.where(hits >= 0, away[hits] / along, 0.0), np.float64)


class Caster:
    """First hits in a scene; trees of frames in which nothing moves are shared."""

    def __init__(self, scene: RoomScene) -> None:
        self.scene = scene
        self._still = None if any(t.moving for t in scene.things) else Tree(triangles_at(scene, 0))
        self._last: tuple[int, Tree] | None = None
        self._alone: dict[int, Tree] = {}

    def tree(self, frame: int) -> Tree:
        """The tree of a frame."""
        if self._still is not None:
            return self._still
        if self._last is None or self._last[0] != frame:
            self._last = frame, Tree(triangles_at(self.scene, frame))
        return self._last[1]

    def alone(self, thing: int, frame: int) -> Tree:
        """The tree of one thing alone."""
        if self.scene.things[thing].moving:
            return Tree(triangles_at(self.scene, frame, only=thing))
        if thing not in self._alone:
            self._alone[thing] = Tree(triangles_at(self.scene, 0, only=thing))
        return self._alone[thing]

    def view(self, frame: int, camera: Camera | None = None) -> View:
        """What the camera of a frame (or another one) sees."""
        at = camera or self.scene.cameras[frame]
        tree = self.tree(frame)
        directions = pixel_rays(at, *pixel_centres(at.width, at.height))
        hits = tree.first(at.centre, directions)
        depth = tree.distances(at.centre, directions, hits)
        owners = np.where(hits >= 0, tree.triangles.owners[hits], NOTHING).astype(np.int16)
        shape = at.height, at.width
        return View(owners.reshape(shape), depth.reshape(shape), hits.reshape(shape), directions)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2], np.float64)
