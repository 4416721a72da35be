"""Colours of first hits: the pattern of the surface at the hit point, lit by one lamp and by the sky of a bright ceiling.

Patterns are looked up in the coarser copy that fits the pixel's footprint, and pixels at edges are the mean of four rays, so
that pictures neither flicker nor have stairs. No shadows are cast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...schemas.geometry.camera import Camera
from .caster import Caster, Tree, View, all_parts, pixel_centres, pixel_rays
from .patterns import mipmaps, pattern
from .scene import Floats, RoomScene

Pixels = NDArray[np.uint8]
_TEXEL_M = 2.4
"""Wanted size of a texel times the width of the picture, metres: 3.75 mm in a picture 640 px wide."""
_AT_ONCE = 16384
_SUB = ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25))


class Shader:
    """Colours the views of one scene."""

    def __init__(self, scene: RoomScene, caster: Caster, width: int) -> None:
        self._caster = caster
        self._parts = all_parts(scene)
        self._scene = scene
        self._light = np.asarray(scene.light, np.float64)
        self._textures(width)
        self._local = self._coordinates()
        self._tables: tuple[Tree, Floats] | None = None

    def picture(self, frame: int, view: View, camera: Camera | None = None) -> Pixels:
        """uint8 rgb [height, width, 3]."""
        at = camera or self._scene.cameras[frame]
        tree = self._caster.tree(frame)
        columns, rows = pixel_centres(at.width, at.height)
        made = self._shade(tree, frame, at, view.rays, view.triangles.ravel(), view.depth.ravel())
        edge = np.flatnonzero(_edges(view, tree).ravel())
        if len(edge):
            x = np.concatenate([columns[edge] + dx for dx, _ in _SUB])
            y = np.concatenate([rows[edge] + dy for _, dy in _SUB])
            rays = pixel_rays(at, x, y)
            hits = tree.first(at.centre, rays)
            four = self._shade(tree, frame, at, rays, hits, tree.distances(at.centre, rays, hits))
            a, b, c, d = four.reshape(4, len(edge), 3)
            made[edge] = (a + b + c + d) * np.float32(0.25)
        np.clip(made, 0, 255, out=made)
        return (made + np.float32(0.5)).astype(np.uint8).reshape(at.height, at.width, 3)

    def _textures(self, width: int) -> None:
        """One long row of texels of all patterns and their coarser copies, and where each begins."""
        chosen: dict[tuple[str, int, str], int] = {}
        texels: list[NDArray[np.float32]] = []
        starts: list[list[int]] = []
        self._of_part = np.zeros(len(self._parts), np.int64)
        self._sides = np.zeros(len(self._parts), np.int64)
        length = 0
        for number, (_, part) in enumerate(self._parts):
            m = part.material
            side = 32
            while side < 1024 and m.tile_m / side > _TEXEL_M / width:
                side *= 2
            key = m.pattern, side, m.seed
            if key not in chosen:
                chosen[key] = len(starts)
                begins = []
                for level in mipmaps(pattern(*key)):
                    begins.append(length)
                    texels.append(level.ravel())
                    length += level.size
                starts.append(begins + [begins[-1]] * (11 - len(begins)))
            self._of_part[number] = chosen[key]
            self._sides[number] = side
        self._tiles_m = np.array([p.material.tile_m for _, p in self._parts])
        self._texels = np.concatenate(texels)
        self._starts = np.array(starts, np.int64).ravel()
        colours = [(p.material.colour, p.material.other) for _, p in self._parts]
        self._dark = np.array([c[0] for c in colours], np.float32)
        self._span = np.array([c[1] for c in colours], np.float32) - self._dark

    def _coordinates(self) -> tuple[Floats, Floats]:
        """Per triangle two directions of its own frame that the pattern runs along, in tiles per metre."""
        along, up = [], []
        for _, part in self._parts:
            a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
            major = np.abs(np.cross(b - a, c - a)).argmax(axis=1)
            unit = np.eye(3) / part.material.tile_m
            along.append(unit[np.array([1, 0, 0])[major]])
            up.append(unit[np.array([2, 2, 1])[major]])
        return np.concatenate(along), np.concatenate(up)

    def _table(self, tree: Tree, frame: int) -> Floats:
        """Per triangle: u direction, u offset, v direction, v offset; in the world at a frame."""
        if self._tables is None or self._tables[0] is not tree:
            along, up = self._local
            made = np.zeros((len(along), 8))
            owners = tree.triangles.owners
            for owner in range(len(self._scene.things)):
                axes, centre = self._scene.things[owner].pose(frame)
                mine = owners == owner
                for k, local in ((0, along), (4, up)):
                    world = local[mine, :1] * axes[0] + local[mine, 1:2] * axes[1] + local[mine, 2:] * axes[2]
                    made[mine, k : k + 3] = world
                    made[mine, k + 3] = -(world[:, 0] * centre[0] + world[:, 1] * centre[1] + world[:, 2] * centre[2])
            shell = owners < 0
            made[shell, 0:3], made[shell, 4:7] = along[shell], up[shell]
            self._tables = tree, made
        return self._tables[1]

    def _shade(
        self, tree: Tree, frame: int, camera: Camera, rays: Floats, hits: NDArray[np.int32], depth: Floats
    ) -> NDArray[np.float32]:
        """Colours [n, 3] of rays, 0..255, not yet cut; a few thousand at a time, so that they stay in the processor's cache."""
        made = np.empty((len(rays), 3), np.float32)
        for start in range(0, len(rays), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            made[some] = self._colours(tree, frame, camera, rays[some], hits[some], depth[some])
        return made

    def _colours(
        self, tree: Tree, frame: int, camera: Camera, rays: Floats, hits: NDArray[np.int32], depth: Floats
    ) -> NDArray[np.float32]:
        points = [camera.centre[k] + rays[:, k] * depth for k in range(3)]
        table = self._table(tree, frame)[hits]
        u = table[:, 0] * points[0] + table[:, 1] * points[1] + table[:, 2] * points[2] + table[:, 3]
        v = table[:, 4] * points[0] + table[:, 5] * points[1] + table[:, 6] * points[2] + table[:, 7]
        part = tree.triangles.parts[hits]
        normals = tree.normals[hits]
        facing = normals[:, 0] * rays[:, 0] + normals[:, 1] * rays[:, 1] + normals[:, 2] * rays[:, 2]
        grey = self._looked_up(part, u, v, depth, np.abs(facing), camera)
        towards = [self._light[k] - points[k] for k in range(3)]
        far = towards[0] ** 2 + towards[1] ** 2 + towards[2] ** 2
        slope = normals[:, 0] * towards[0] + normals[:, 1] * towards[1] + normals[:, 2] * towards[2]
        slope = np.where(facing > 0, -slope, slope) / np.sqrt(far + 1e-9)
        light = (
            0.55
            + 0.12 * np.where(facing > 0, -normals[:, 2], normals[:, 2])
            + 0.5 * np.maximum(slope, 0) / (1 + far / 16)
        )
        colour = self._dark[part] + self._span[part] * grey[:, None]
        return np.asarray(colour * np.where(hits >= 0, light, 0).astype(np.float32)[:, None], np.float32)

    def _looked_up(
        self, part: NDArray[np.int64], u: Floats, v: Floats, depth: Floats, facing: Floats, camera: Camera
    ) -> NDArray[np.float32]:
        """The pattern at (u, v), in tiles: bilinear in the copy whose texels are as large as the pixel is there."""
        sides = self._sides[part]
        footprint = depth / camera.fx / np.sqrt(np.maximum(facing, 0.05)) * sides / self._tiles_m[part]
        level = np.clip(np.frexp(footprint)[1], 0, None)
        deepest = np.frexp(sides.astype(np.float64))[1] - 1
        level = np.minimum(level, deepest)
        start = self._starts[self._of_part[part] * 11 + level]
        side = sides >> level
        x, y = u * side - 0.5, v * side - 0.5
        x0, y0 = np.floor(x), np.floor(y)
        px, py = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
        last = side - 1
        c0, r0 = x0.astype(np.int64) & last, y0.astype(np.int64) & last
        c1, r1 = (c0 + 1) & last, ((r0 + 1) & last) * side + start
        r0 = r0 * side + start
        t = self._texels
        upper = t[r0 + c0] + (t[r0 + c1] - t[r0 + c0]) * px
        lower = t[r1 + c0] + (t[r1 + c1] - t[r1 + c0]) * px
        return np.asarray(upper + (lower - upper) * py, np.float32)


def _edges(view: View, tree: Tree) -> NDArray[np.bool_]:
    """Pixels beside one that shows another thing or another part, or a fold between two faces."""
    owners = np.where(view.triangles >= 0, tree.triangles.parts[view.triangles], -1)
    normals = tree.normals[view.triangles].astype(np.float32)
    found = np.zeros(view.triangles.shape, bool)
    for axis in (0, 1):
        a = [slice(None)] * 2
        b = [slice(None)] * 2
        a[axis], b[axis] = slice(None, -1), slice(1, None)
        one, two = tuple(a), tuple(b)
        cos = (normals[one] * normals[two]).sum(axis=-1)
        differs = (owners[one] != owners[two]) | (cos < np.float32(0.8))
        found[one] |= differs
        found[two] |= differs
    return found
