"""What a ray through a pixel meets of a mesh, and how far away."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...schemas.geometry.camera import Camera
from ..rooms.caster import Tree, Triangles, pixel_rays
from .conventions import Floats


class MeshCaster:
    """First hits on a mesh: vertices [n, 3] and faces [m, 3]."""

    def __init__(self, vertices: Floats, faces: NDArray[np.int64]) -> None:
        corners = vertices[faces]
        flat = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        corners = corners[flat > 1e-12]
        nothing = np.zeros(len(corners), np.int64)
        self._tree = Tree(Triangles(corners, nothing, nothing))

    def depth(self, camera: Camera, pixels: ArrayLike) -> Floats:
        """Depth along z [n] of what the rays through pixels [n, 2] meet first; 0 for nothing."""
        at = np.asarray(pixels, np.float64).reshape(-1, 2)
        rays = pixel_rays(camera, at[:, 0], at[:, 1])
        return self._tree.distances(camera.centre, rays, self._tree.first(camera.centre, rays))
