"""Where one can stand and walk straight on a floor among boxes: the floor polygon without the boxes, grown by one's own width.

Only boxes that reach into the height of who walks are in the way. Places are looked for on a grid, legs between them are tested
against polygon and boxes densely; everything is in the scene's own units. Needs a vertical z axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box3d import Box3D

Floats = NDArray[np.float64]
_MOST_CELLS = 250_000
_TIE = 1e-6
"""Places that are just far enough stay so when the world is turned."""


@dataclass(frozen=True)
class Floor:
    """A floor with what stands on it."""

    polygon: tuple[float, ...]
    """x y x y ... of its corners."""
    floor_z: float
    boxes: tuple[Box3D, ...]
    step: float = 0.1
    body: float = 0.2
    tall: float = 1.8

    @cached_property
    def corners(self) -> Floats:
        """Corners of the polygon, [n, 2]."""
        return np.asarray(self.polygon, np.float64).reshape(-1, 2)

    @cached_property
    def in_the_way(self) -> tuple[Box3D, ...]:
        """Boxes that reach into the height of who walks."""
        low, high = self.floor_z + 0.05, self.floor_z + self.tall
        return tuple(b for b in self.boxes if b.corners[:, 2].max() > low and b.corners[:, 2].min() < high)

    def free(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether one can stand at points [n, 2]: inside the walls and clear of all boxes by one's width."""
        at = np.asarray(points, np.float64).reshape(-1, 2)
        open_ = self._inside(at) & (self._to_walls(at) >= self.body - _TIE)
        for box in self.in_the_way:
            open_ &= _ground_distance(at, box) >= self.body - _TIE
        return np.asarray(open_, np.bool_)

    @cached_property
    def places(self) -> Floats:
        """Free places of the grid, [n, 2]. Raises ValueError for a floor with more cells than can be looked at."""
        # the grid lies along the longest wall, so that turning the world changes nothing
        ends = np.roll(self.corners, -1, axis=0)
        lengths = np.linalg.norm(ends - self.corners, axis=1).round(6)
        wall = int(np.argmax(lengths))
        along = (ends[wall] - self.corners[wall]) / max(float(lengths[wall]), 1e-9)
        axes, origin = np.array([along, [-along[1], along[0]]]), self.corners[wall]
        local = ((self.corners - origin) @ axes.T).round(9)
        low, high = local.min(axis=0), local.max(axis=0)
        counts = np.maximum(1, np.ceil(((high - low) / self.step).round(6)).astype(int))
        if int(counts.prod()) > _MOST_CELLS:
            raise ValueError(f"a floor of {counts[0]} x {counts[1]} cells; use larger steps")
        lines = [low[k] + (np.arange(counts[k]) + 0.5) * (high[k] - low[k]) / counts[k] for k in (0, 1)]
        grid = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 2) @ axes + origin
        return grid[self.free(grid)]

    def beside(self, box: Box3D, reach: float) -> Floats | None:
        """The free place nearest to a box, at most `reach` from it; None where there is none."""
        if not len(self.places):
            return None
        away = _ground_distance(self.places, box)
        # of places that are equally near, the one nearest to the middle of the box's side
        middle = np.linalg.norm(self.places - np.asarray(box.centre)[:2], axis=1)
        best = int(np.lexsort((np.round(middle, 6), np.round(away, 6)))[0])
        return self.places[best] if away[best] <= reach else None

    def straight(self, start: ArrayLike, end: ArrayLike) -> bool:
        """Whether one can walk straight from one place to another."""
        a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
        count = max(2, int(np.ceil(float(np.linalg.norm(b - a)) / (self.step / 2))) + 1)
        return bool(self.free(a + (b - a) * np.linspace(0, 1, count)[:, None]).all())

    def _inside(self, at: Floats) -> NDArray[np.bool_]:
        inside = np.zeros(len(at), np.bool_)
        for (x1, y1), (x2, y2) in zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True):
            crosses = (y1 > at[:, 1]) != (y2 > at[:, 1])
            if y1 != y2:
                inside ^= crosses & (at[:, 0] < (x2 - x1) * (at[:, 1] - y1) / (y2 - y1) + x1)
        return inside

    def _to_walls(self, at: Floats) -> Floats:
        ends = np.roll(self.corners, -1, axis=0)
        line = ends - self.corners
        square = np.maximum((line**2).sum(axis=1), 1e-12)
        share = np.clip(((at[:, None] - self.corners) * line).sum(axis=2) / square, 0, 1)
        nearest = self.corners + share[..., None] * line
        return np.asarray(np.linalg.norm(at[:, None] - nearest, axis=2).min(axis=1))


def _ground_distance(at: Floats, box: Box3D) -> Floats:
    """Distance on the ground from points [n, 2] to a box seen from above; 0 inside."""
    points = np.column_stack([at, np.full(len(at), box.centre[2])])
    if abs(box.matrix[2, 2]) > 1 - 1e-3:
        outside = np.abs(box.to_local(points))[:, :2] - np.asarray(box.size)[:2] / 2
        return np.asarray(np.linalg.norm(np.maximum(outside, 0), axis=1))
    low, high = box.corners[:, :2].min(axis=0), box.corners[:, :2].max(axis=0)
    return np.asarray(np.linalg.norm(np.maximum(np.maximum(low - at, at - high), 0), axis=1))
