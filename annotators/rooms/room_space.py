"""Free floor: how far a point is from walls and furniture, and which points a camera can walk between in a straight line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scene import Floats, Thing
from .shell import inside

_LEG_M = 3.2
"""Longest way between two places, metres."""


def clearance(polygon: Floats, things: Sequence[Thing], points: Floats) -> Floats:
    """Distance of points [n, 2] on the floor to the nearest wall or thing that stands on it, metres; negative outside."""
    nearest = np.full(len(points), np.inf)
    for k in range(len(polygon)):
        a, b = polygon[k - 1], polygon[k]
        along = np.clip(((points - a) @ (b - a)) / float((b - a) @ (b - a)), 0, 1)
        nearest = np.minimum(nearest, np.hypot(*(points - a - along[:, None] * (b - a)).T))
    for thing in things:
        box = thing.box
        if box.centre[2] - box.size[2] / 2 > 0.3:
            continue
        local = (points - np.asarray(box.centre[:2])) @ box.matrix[:2, :2].T
        out = np.maximum(np.abs(local) - np.asarray(box.size[:2]) / 2, 0)
        nearest = np.minimum(nearest, np.hypot(out[:, 0], out[:, 1]))
    return np.where(inside(polygon, points), nearest, -1.0)


@dataclass(frozen=True, eq=False)
class Nodes:
    """Places to stand, and which of them see a free straight way to which."""

    places: Floats
    """[n, 2]"""
    joined: NDArray[np.bool_]
    """[n, n]"""

    def reach_m(self) -> float:
        """How far apart the farthest two of the places are that can be walked between."""
        hub = int(self.joined.sum(axis=1).argmax())
        able = [hub, *(k for k in range(len(self.places)) if self.way(hub, k))]
        near = self.places[able]
        return float(np.sqrt(((near[:, None] - near[None]) ** 2).sum(axis=-1)).max())

    def way(self, start: int, goal: int) -> list[int]:
        """The places after `start` on a way with the fewest legs; empty if there is none."""
        if start == goal:
            return []
        before: dict[int, int] = {start: start}
        front = [start]
        while front and goal not in before:
            after = []
            for node in front:
                for other in np.flatnonzero(self.joined[node]).tolist():
                    if other not in before:
                        before[other] = node
                        after.append(other)
            front = after
        if goal not in before:
            return []
        path = [goal]
        while before[path[-1]] != start:
            path.append(before[path[-1]])
        return path[::-1]


def walkable(
    polygon: Floats,
    things: Sequence[Thing],
    kept_free: Sequence[tuple[Floats, float]],
    order: Sequence[float],
    count: int = 40,
) -> Nodes:
    """About `count` places with room for a person, spread over the floor; `kept_free` are points with radii to stay away from.

    `order` are numbers in 0..1 that decide which places are taken. In narrow rooms the person gets thinner.
    """
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    x, y = np.meshgrid(np.arange(low[0] + 0.1, high[0], 0.15), np.arange(low[1] + 0.1, high[1], 0.15))
    grid = np.column_stack([x.ravel(), y.ravel()])

    def room(points: Floats) -> Floats:
        free = clearance(polygon, things, points)
        for blocked, radius in kept_free:
            far = np.sqrt(((points[:, None] - blocked[None]) ** 2).sum(axis=-1)).min(axis=1) - radius
            free = np.minimum(free, far)
        return free

    free = room(grid)
    for person in (0.4, 0.32, 0.25, 0.18, 0.1):
        able = grid[free > person]
        if len(able) < 8:
            continue
        weights = np.resize(np.asarray(order), len(able))
        chosen = [int(np.argmax(weights))]
        far = np.hypot(*(able - able[chosen[0]]).T)
        while len(chosen) < min(count, len(able)):
            chosen.append(int(np.argmax(far * (0.6 + 0.4 * weights))))
            far = np.minimum(far, np.hypot(*(able - able[chosen[-1]]).T))
        places = able[chosen]
        n = len(places)
        steps = np.linspace(0, 1, 25)
        a, b = np.triu_indices(n, 1)
        short = np.hypot(*(places[b] - places[a]).T) < _LEG_M
        a, b = a[short], b[short]
        between = places[a][:, None] + (places[b] - places[a])[:, None] * steps[None, :, None]
        clear = room(between.reshape(-1, 2)).reshape(len(a), -1).min(axis=1) > person * 0.9
        joined = np.zeros((n, n), bool)
        joined[a, b] = joined[b, a] = clear
        nodes = Nodes(places, joined)
        if nodes.reach_m() > 0.5 * float(np.hypot(*(high - low))) or person <= 0.18:
            return nodes
    return Nodes(grid[[int(np.argmax(free))]], np.zeros((1, 1), bool))
