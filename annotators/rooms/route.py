"""The camera's way through a room: it stays, turns, walks straight, sideways or backwards, crouches, and looks at things.

Each stage is one kind of motion, eased in and out, so that what the camera does at any time has a clear answer. Places are
visited again, things that were not seen yet are looked at, and for each mover the camera stands still and watches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .caster import Tree
from .draw import Draw
from .movers import Mover
from .room_space import Nodes
from .scene import Floats, Thing

WALK_M_PER_S = 1.0
TURN_RAD_PER_S = math.radians(65)
_MODES = ("forward", "sideways", "backward", "gaze")
_WHIM = {"forward": 1.6, "sideways": 1.4, "backward": 1.2, "gaze": 2.0}
"""How much chance has a say in how the camera walks."""
_SHORT_S = 15
"""In a film shorter than this the first mover moves at once."""
_REST_PITCH = math.radians(-10)


@dataclass
class Stage:
    """A stretch of frames with one kind of motion."""

    kind: str
    """stay, turn, forward, sideways, backward, gaze, lift or watch."""
    first: int
    last: int
    """One past the last frame."""


@dataclass(frozen=True, eq=False)
class Route:
    """Where the camera is at each frame, what it is doing, and when each mover moves."""

    centres: Floats
    yaws: Floats
    pitches: Floats
    stages: tuple[Stage, ...]
    windows: tuple[tuple[tuple[int, int], ...], ...]
    """Per mover the frames, first and one past the last, during which it moves; a film may end in the middle."""


class Planner:
    """Plans a route; `tree` is of the things that stay and the walls, for lines of sight."""

    def __init__(
        self, nodes: Nodes, things: Sequence[Thing], movers: Sequence[Mover], tree: Tree, draw: Draw, fps: float,
        frames: int, eye_m: float, fov_deg: float,
    ) -> None:  # fmt: skip
        self.nodes, self.things, self.movers, self.tree, self.draw = nodes, things, movers, tree, draw
        self.fps, self.frames, self.fov = fps, frames, math.radians(fov_deg)
        self.eye = eye_m
        self.low_eye = False
        self.at: list[tuple[float, float, float, float, float]] = []
        self.stages: list[Stage] = []
        self.windows: list[list[tuple[int, int]]] = [[] for _ in movers]
        self.unseen = set(range(len(things)))
        degree = nodes.joined.sum(axis=1)
        best = np.argsort(-degree, kind="stable")[: max(1, len(degree) // 2)]
        self.node = int(draw.pick(best.tolist()))
        self.first_watch = bool(movers) and (frames < _SHORT_S * fps or draw.chance(0.4))
        if self.first_watch:
            self.node = self._best_view(movers[0])
        self.start = self.node
        self.visited = [self.node]
        x, y = nodes.places[self.node]
        self._sights: dict[int, list[float]] = {}
        self.state = (float(x), float(y), eye_m, self._richest(), _REST_PITCH)

    def plan(self) -> Route:
        """The whole route."""
        due = [round(self.frames * (k + 0.2) / (len(self.movers) + 0.3)) for k in range(len(self.movers))]
        if self.first_watch:
            due[0] = 0
        watched = 0
        self._stay(0.5)
        while len(self.at) < self.frames:
            if watched < len(self.movers) and len(self.at) >= due[watched]:
                self._watch(watched)
                watched += 1
                continue
            before = len(self.at)
            self._stroll()
            self._look()
            if len(self.at) == before:
                self._stay(1.0)
        every = np.array(self.at[: self.frames])
        stages = tuple(Stage(s.kind, s.first, min(s.last, self.frames)) for s in self.stages if s.first < self.frames)
        moving = tuple(tuple((a, min(b, self.frames)) for a, b in w if a < self.frames - 2) for w in self.windows)
        return Route(every[:, :3], every[:, 3], every[:, 4], stages, moving)

    def _go(
        self, kind: str, seconds: float, to: tuple[float, float, float, float, float], target: Floats | None = None
    ) -> None:
        """Frames from the present state to another; with `target` the camera keeps looking at that point."""
        count = max(1, round(seconds * self.fps))
        old, first = self.state, len(self.at)
        for k in range(1, count + 1):
            part = k / count
            part = part * part * (3 - 2 * part)
            now = [a + (b - a) * part for a, b in zip(old, to, strict=True)]
            if target is not None:
                now[3], now[4] = _towards(now, target, now[3])
            self.at.append((now[0], now[1], now[2], now[3], now[4]))
        self.state = self.at[-1]
        self.stages.append(Stage(kind, first, len(self.at)))

    def _stay(self, seconds: float) -> None:
        self._go("stay", seconds, self.state)

    def _turn(self, yaw: float, pitch: float) -> None:
        x, y, z, old_yaw, old_pitch = self.state
        by = _turned_by(old_yaw, yaw)
        size = math.hypot(by, pitch - old_pitch)
        if size > math.radians(3):
            self._go("turn", size / TURN_RAD_PER_S, (x, y, z, old_yaw + by, pitch))

    def _walk(self, node: int, mode: str) -> None:
        """To another place in a straight line, in some manner."""
        x, y, z, yaw, pitch = self.state
        bx, by = (float(v) for v in self.nodes.places[node])
        length, heading = math.hypot(bx - x, by - y), math.atan2(by - y, bx - x)
        target = None
        if mode == "gaze":
            near = [t.box for t in self.things if 1.2 < _off(t.box.centre, (x, y), (bx, by)) < 4.5]
            if near:
                target = np.asarray(self.draw.pick(near).centre)
                self._turn(*_towards([x, y, z, yaw, pitch], target, yaw))
        elif mode == "sideways":
            left = math.sin(yaw - heading) > 0
            self._turn(heading + (math.pi / 2 if left else -math.pi / 2), _REST_PITCH)
        else:
            self._turn(heading + (math.pi if mode == "backward" else 0.0), _REST_PITCH)
        now = self.state
        self._go(mode, 0.3 + 1.2 * length / WALK_M_PER_S, (bx, by, now[2], now[3], now[4]), target)
        self.node = node
        self.visited.append(node)

    def _stroll(self) -> None:
        """Walk to another place: often one that was not visited, at times one that was, at the end towards the start."""
        if self.frames - len(self.at) < 4 * self.fps and self.node != self.start:
            way = self.nodes.way(self.node, self.start)
            if way:
                self._walk(way[0], "forward")
                return
        near = np.flatnonzero(self.nodes.joined[self.node])
        far = np.hypot(*(self.nodes.places[near] - self.nodes.places[self.node]).T)
        able = near[(far > 0.7) & (far < 2.6)]
        if not len(able):
            able = near
        if not len(able):
            return
        self._walk(*max(((int(n), m) for n in able for m in _MODES), key=lambda nm: self._worth(*nm)))

    def _worth(self, node: int, mode: str) -> float:
        """How good a walk to a place in a manner is: much to be seen at its end, little turning before, somewhere new."""
        heading = math.atan2(*(self.nodes.places[node] - self.nodes.places[self.node])[::-1])
        yaw = self.state[3]
        left = math.sin(yaw - heading) > 0
        facing = (
            heading
            + {"forward": 0.0, "backward": math.pi, "sideways": math.pi / 2 if left else -math.pi / 2, "gaze": 0.0}[
                mode
            ]
        )
        turned = abs(_turned_by(yaw, facing))
        fresh = node not in self.visited
        return 0.35 * self._richness(node, facing) - 0.4 * turned + 0.6 * fresh + self.draw.between(0, _WHIM[mode])

    def _richness(self, node: int, yaw: float) -> int:
        """How many things are in sight from a place when one looks along a yaw."""
        return sum(abs(_turned_by(yaw, angle)) < 0.42 * self.fov for angle in self._in_sight(node))

    def _in_sight(self, node: int) -> list[float]:
        """Directions, as yaws, of things whose centres are in sight from a place."""
        if node not in self._sights:
            eye = np.array([*self.nodes.places[node], self.eye])
            to = np.array([t.box.centre for t in self.things]) - eye
            hits = self.tree.first(eye, to)
            seen = (hits >= 0) & (self.tree.triangles.owners[hits] == np.arange(len(self.things)))
            self._sights[node] = [math.atan2(y, x) for x, y, _ in to[seen].tolist()]
        return self._sights[node]

    def _look(self) -> None:
        """Turn to something that was not looked at yet, if anything is in sight from here, and stay for a moment."""
        if self.draw.chance(0.12):
            x, y, _z, yaw, pitch = self.state
            self.low_eye = not self.low_eye
            self._go("lift", 1.3, (x, y, self.eye - (0.5 if self.low_eye else 0.0), yaw, pitch))
        eye = np.array(self.state[:3])
        sight = []
        for number in sorted(self.unseen):
            to = np.asarray(self.things[number].box.centre) - eye
            if 0.6 < float(np.hypot(to[0], to[1])) < 5 and self._sees(eye, to, number):
                sight.append(number)
        if sight and self.draw.chance(0.75):
            number = self.draw.pick(sight)
            self._turn(*_towards(list(self.state), np.asarray(self.things[number].box.centre), self.state[3]))
            self.unseen.discard(number)
        elif self.draw.chance(0.5):
            self._turn(self._richest(), _REST_PITCH)
        self._stay(self.draw.between(0.4, 1.0))

    def _richest(self) -> float:
        """A yaw in whose view much can be seen, for the film to show more than walls."""
        yaws = [k * math.pi / 8 for k in range(16)]
        return max(yaws, key=lambda yaw: self._richness(self.node, yaw) + self.draw.between(0, 0.9))

    def _sees(self, eye: Floats, to: Floats, number: int) -> bool:
        hit = self.tree.first(eye, to[None])
        return bool(hit[0] >= 0 and self.tree.triangles.owners[hit[0]] == number)

    def _watch(self, number: int) -> None:
        """Go to where a mover's whole way is in sight, look at its middle, and let it move."""
        mover = self.movers[number]
        for step in self.nodes.way(self.node, self._best_view(mover)):
            self._walk(step, "forward")
        middle = _middle(mover.sight())
        self._turn(*_towards(list(self.state), middle, self.state[3]))
        self._stay(0.4)
        first = len(self.at)
        self._go("watch", mover.lasts_s, self.state)
        self.windows[number].append((first, len(self.at)))
        self._stay(0.4)

    def _best_view(self, mover: Mover) -> int:
        """The place from where a mover's way is seen best; near ones count for more."""

        def score(node: int) -> float:
            legs = len(self.nodes.way(self.node, node))
            return -1.0 if node != self.node and not legs else self._view_score(mover, node) / (1 + 0.3 * legs)

        return max(range(len(self.nodes.places)), key=score)

    def _view_score(self, mover: Mover, node: int) -> float:
        ground = mover.sight()
        middle = _middle(ground)
        eye = np.array([*self.nodes.places[node], self.eye])
        to = ground - eye
        away = float(np.hypot(*(middle - eye)[:2]))
        hits = self.tree.first(eye, to)
        reached = self.tree.distances(eye, to, hits)
        seen = float(((hits < 0) | (reached > 0.97)).mean())
        yaw = math.atan2(middle[1] - eye[1], middle[0] - eye[0])
        spread = np.abs((np.arctan2(to[:, 1], to[:, 0]) - yaw + math.pi) % (2 * math.pi) - math.pi).max()
        fits = spread < self.fov * 0.42
        nice = 1.0
        if len(mover.stops) > 1:
            way = mover.stops[1] - mover.stops[0]
            cos = abs(float(way @ (middle - eye)[:2])) / max(1e-9, float(np.hypot(*way)) * away)
            nice = cos if mover.along else 1 - cos
        return seen * (1.0 if fits else 0.3) * (1.0 if 1.1 < away < 4 else 0.4) * (0.3 + nice)


def _turned_by(yaw: float, other: float) -> float:
    """The shorter turn from one yaw to another, -pi to pi."""
    return (other - yaw + math.pi) % (2 * math.pi) - math.pi


def _towards(state: Sequence[float], target: Floats, near_yaw: float) -> tuple[float, float]:
    """Yaw (the turn of it nearest to another) and pitch from a state to a point; never steeper than 35 degrees."""
    dx, dy, dz = (float(t - s) for t, s in zip(target, state[:3], strict=True))
    yaw = math.atan2(dy, dx)
    yaw = near_yaw + _turned_by(near_yaw, yaw)
    steepest = math.radians(35)
    return yaw, min(steepest, max(-steepest, math.atan2(dz, math.hypot(dx, dy))))


def _middle(points: Floats) -> Floats:
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2, np.float64)


def _off(centre: Sequence[float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of a centre to the nearest point of a leg, on the floor."""
    px, py, bx, by = centre[0] - a[0], centre[1] - a[1], b[0] - a[0], b[1] - a[1]
    part = min(1.0, max(0.0, (px * bx + py * by) / max(1e-9, bx * bx + by * by)))
    return math.hypot(px - part * bx, py - part * by)
