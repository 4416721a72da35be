"""A walk as a graph of places: where the walker decided something, how these places hang together, and ways through them.

A pose of the path becomes a node when it is far from every node so far, or, a leaf's edge from them at least, where the way
turns or a landmark comes into view. A pose in the leaf (a cube of the Morton octree) of a node enters that node again, so
that coming back closes a loop. Consecutive waypoints of different nodes are joined by an edge, whose weight is the
way walked between them, the shortest if it was walked more than once. Rule after Mem4Nav's sparse octree and topology graph.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from .geometry.cells import Root, root_of
from .geometry.directions import TURNS, angle_deg

Floats = NDArray[np.float64]


class GraphRule(BaseModel):
    """When a pose becomes a waypoint, and how large a place is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leaf_m: float = Field(0.5, gt=0, description="Edge of a place, metres: 0.25 to 0.5 indoors, 1 to 3 outdoors.")
    node_m: float = Field(
        1.0, gt=0, description="A waypoint is due so far from all nodes, metres (Mem4Nav outdoors: 5)."
    )
    heading_deg: float = Field(45.0, gt=0, le=180, description="Or when the way went another way by so much, degrees.")
    landmarks: bool = Field(True, description="Or when something comes into view that was not seen before.")
    step_s: float = Field(0.5, gt=0, description="Poses are taken so far apart, seconds.")


@dataclass(frozen=True)
class Pose:
    """A step of the path."""

    t_s: float
    place: tuple[float, float, float]
    landmarks: tuple[str, ...] = ()
    """Objects that are seen here."""


@dataclass(frozen=True)
class Waypoint:
    """A pose at which a node was entered."""

    t_s: float
    node: int
    step: int
    """Index of the pose."""
    why: str
    """first, far, heading, landmark, or back for a node that was there."""


@dataclass(frozen=True)
class NavGraph:
    """Nodes 0, 1, ... in the order of their first visit; edges without direction."""

    root: Root
    waypoints: tuple[Waypoint, ...]
    keys: tuple[int, ...]
    """Morton key of each node's leaf."""
    places: tuple[tuple[float, float, float], ...]
    """Where each node was first entered."""
    edges: Mapping[tuple[int, int], float]
    """Way walked, metres, by (smaller node, greater node)."""
    turns: tuple[str, ...] = ()
    """Turn at each inner waypoint: straight, left, right, back; '' where the way in or out has no length."""
    neighbours: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def revisits(self, least_gap_s: float) -> tuple[tuple[int, int], ...]:
        """(earlier, later) waypoints of one node, another one in between and at least that long apart."""
        found = []
        for j, later in enumerate(self.waypoints):
            for i in range(j - 1):
                earlier = self.waypoints[i]
                between = {w.node for w in self.waypoints[i + 1 : j]}
                if (
                    earlier.node == later.node
                    and between - {later.node}
                    and later.t_s - earlier.t_s >= least_gap_s - 1e-9
                ):
                    found.append((i, j))
        return tuple(found)

    def hops(self, start: int, goal: int) -> int | None:
        """Edges on the shortest way by number of edges (breadth first); None where there is none."""
        far, waiting = {start: 0}, deque([start])
        while waiting:
            node = waiting.popleft()
            if node == goal:
                return far[node]
            for other in self.neighbours.get(node, ()):
                if other not in far:
                    far[other] = far[node] + 1
                    waiting.append(other)
        return None

    def way(self, start: int, goal: int) -> tuple[float, tuple[int, ...]] | None:
        """The shortest way by metres over edges (Dijkstra), and its nodes; None where there is none."""
        best: dict[int, float] = {start: 0.0}
        waiting: list[tuple[float, tuple[int, ...]]] = [(0.0, (start,))]
        while waiting:
            metres, path = heapq.heappop(waiting)
            node = path[-1]
            if node == goal:
                return metres, path
            if metres > best[node]:
                continue
            for other in self.neighbours.get(node, ()):
                longer = metres + self.edges[min(node, other), max(node, other)]
                if longer < best.get(other, float("inf")) - 1e-12:
                    best[other] = longer
                    heapq.heappush(waiting, (longer, (*path, other)))
        return None


def spaced(times: Sequence[float], step_s: float) -> list[int]:
    """Indices of the first time and of each that is at least `step_s` after the one taken before; the same of its own result."""
    taken: list[int] = []
    for i, t in enumerate(times):
        if not taken or t - times[taken[-1]] >= step_s - 1e-6:
            taken.append(i)
    return taken


def nav_graph(poses: Sequence[Pose], rule: GraphRule) -> NavGraph:
    """The graph of a path, poses in order of time; lengths in their units. Leaves lie on the world's grid (`root_of`).
    Raises ValueError for an empty path.
    """
    if not poses:
        raise ValueError("a path without poses has no graph")
    at = np.asarray([p.place for p in poses], np.float64).reshape(-1, 3)
    root = root_of(at, rule.leaf_m)
    leaves = root.keys(at)
    steps = np.linalg.norm(np.diff(at, axis=0), axis=1)
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    nodes: dict[int, int] = {}
    places: list[tuple[float, float, float]] = []
    waypoints: list[Waypoint] = []
    edges: dict[tuple[int, int], float] = {}
    known: set[str] = set()
    corners = _corners(at, walked, rule)
    for i, pose in enumerate(poses):
        key, new = int(leaves[i]), set(pose.landmarks) - known
        known |= new
        why = "back" if key in nodes else _why(at[i], places, rule, bool(new), corner=i in corners)
        if not why or (waypoints and waypoints[-1].node == nodes.get(key)):
            continue
        if key not in nodes:
            nodes[key] = len(nodes)
            places.append(pose.place)
        node = nodes[key]
        if waypoints:
            last = waypoints[-1]
            pair, metres = (min(last.node, node), max(last.node, node)), float(walked[i] - walked[last.step])
            edges[pair] = min(metres, edges.get(pair, float("inf")))
        waypoints.append(Waypoint(pose.t_s, node, i, why))
    joined: dict[int, set[int]] = {}
    for a, b in edges:
        joined.setdefault(a, set()).add(b)
        joined.setdefault(b, set()).add(a)
    near = {k: tuple(sorted(v)) for k, v in sorted(joined.items())}
    return NavGraph(root, tuple(waypoints), tuple(nodes), tuple(places), edges, _turns(at, waypoints), near)


def _why(
    place: Floats, places: Sequence[tuple[float, float, float]], rule: GraphRule, new: bool, *, corner: bool
) -> str:
    if not places:
        return "first"
    near = float(np.linalg.norm(np.asarray(places) - place, axis=1).min())
    if near >= rule.node_m - 1e-9:
        return "far"
    if near < rule.leaf_m - 1e-9:
        return ""
    if corner:
        return "heading"
    return "landmark" if rule.landmarks and new else ""


def _corners(at: Floats, walked: Floats, rule: GraphRule) -> set[int]:
    """Steps at which the way turns by `heading_deg`, from one leaf's length before to one after, the sharpest of that stretch."""
    turns = np.zeros(len(at))
    for i in range(len(at)):
        before = int(np.searchsorted(walked, walked[i] - rule.leaf_m + 1e-9, side="right")) - 1
        after = int(np.searchsorted(walked, walked[i] + rule.leaf_m - 1e-9))
        if 0 <= before < i < after < len(at):
            turn = float(np.nan_to_num(angle_deg(at[i] - at[before], at[after] - at[i])))
            turns[i] = min(turn, 360.0 - turn)
    found = set()
    for k in np.flatnonzero(turns >= rule.heading_deg).tolist():
        around = np.abs(walked - walked[k]) <= rule.leaf_m
        if turns[k] >= turns[around].max() - 1e-9:
            found.add(int(k))
    return found


def _turns(at: Floats, waypoints: Sequence[Waypoint]) -> tuple[str, ...]:
    """How the way turns at each inner waypoint: the angle from the way in to the way out, on the ground."""
    found = []
    for a, b, c in zip(waypoints, waypoints[1:], waypoints[2:], strict=False):
        found.append(TURNS.name(float(angle_deg(at[b.step] - at[a.step], at[c.step] - at[b.step]))))
    return tuple(found)
