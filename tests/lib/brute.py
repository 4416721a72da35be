"""Answers about space computed the slow way from a room's own state, for comparison with what tasks say.

Nothing of the package is used: distances come from a bounded least-squares solver, angles from
complex numbers, areas from triangles. What a sample asks about is read from its words; only roles that words leave open (who
stands, who is faced) are taken from the order of its evidence. A sample is a row of `samples`, as SQL gives it.
"""

from __future__ import annotations

import cmath
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
)  # fmt: skip


def us(t_s: float) -> int:
    return round(t_s * 1e6)


@dataclass
class Thing:
    label: str
    moving: bool
    poses: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)
    """Time in microseconds -> centre [3], axes as rows [3, 3], full lengths [3]."""

    def pose(self, t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.poses[t] if self.moving else next(iter(self.poses.values()))

    def corners(self, t: int = 0) -> np.ndarray:
        c, a, s = self.pose(t)
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
        return c + (signs * s / 2) @ a


class World:
    """A room, from the rows that tell the truth about it."""

    def __init__(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.scene = rows["scenes"][0]
        self.things: dict[str, Thing] = {}
        for row in rows["boxes3d"]:
            thing = self.things.setdefault(row["object_id"], Thing(row["label"], row["moving"]))
            centre = np.array([row["x"], row["y"], row["z"]])
            thing.poses[us(row["t_s"])] = (centre, np.array(row["axes"]).reshape(3, 3), np.array(row["size"]))
        self.phrases = {r["object_id"]: r["phrase"] or r["label"] for r in rows["boxes3d"]}
        self.cameras = {us(r["t_s"]): r for r in rows["cameras"]}
        owner = {r["track_id"]: r.get("object_id") or r["track_id"] for r in rows["tracks"]}
        self.sights: dict[int, dict[str, dict[str, Any]]] = {t: {} for t in self.cameras}
        for row in rows["boxes"]:
            self.sights.setdefault(us(row["t_s"]), {})[owner[row["track_id"]]] = row
        self.labels = sorted({t.label for t in self.things.values()}, key=lambda x: (-len(x), x))

    # -- things ------------------------------------------------------------------------------------------------------

    def of(self, label: str) -> list[str]:
        return sorted(i for i, t in self.things.items() if t.label == label)

    def only(self, label: str) -> str:
        (found,) = self.of(label)
        return found

    def mentioned(self, text: str) -> list[str]:
        """Labels in the order in which a text names them, each once; longer names first ("toy car" is no "car")."""
        found: list[tuple[int, str]] = []
        for label in self.labels:
            plural = {"shelf": "shelves", "bookshelf": "bookshelves"}.get(
                label, label + ("es" if label[-1] in "sxh" else "s")
            )
            pattern = rf"\b({re.escape(label)}|{re.escape(plural)})\b"
            for match in re.finditer(pattern, text):
                found.append((match.start(), label))
            text = re.sub(pattern, lambda m: "_" * len(m[0]), text)
        order: list[str] = []
        for _, label in sorted(found):
            if label not in order:
                order.append(label)
        return order

    # -- distances ---------------------------------------------------------------------------------------------------

    def apart(self, a: str, b: str, t: int = 0) -> float:
        """Least distance of two boxes: a least-squares problem in both boxes' own coordinates."""
        (ca, ra, sa), (cb, rb, sb) = self.things[a].pose(t), self.things[b].pose(t)
        matrix = np.hstack([ra.T, -rb.T])
        half = np.concatenate([sa, sb]) / 2
        got = lsq_linear(matrix, cb - ca, bounds=(-half, half), method="bvls", tol=1e-14, max_iter=500)
        return float(np.linalg.norm(matrix @ got.x - (cb - ca)))

    def from_point(self, point: np.ndarray, a: str, t: int = 0) -> float:
        c, r, s = self.things[a].pose(t)
        got = lsq_linear(r.T, point - c, bounds=(-s / 2, s / 2), method="bvls", tol=1e-14)
        return float(np.linalg.norm(r.T @ got.x - (point - c)))

    # -- cameras -----------------------------------------------------------------------------------------------------

    def pose(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Camera axes in the world as columns, and its centre."""
        m = np.array(self.cameras[t]["pose"]).reshape(4, 4)
        return m[:3, :3], m[:3, 3]

    def stand(self, t: int) -> np.ndarray:
        return self.pose(t)[1]

    def heading(self, t: int) -> complex:
        forward = self.pose(t)[0][:, 2]
        return complex(forward[0], forward[1])

    def in_camera(self, points: np.ndarray, t: int) -> np.ndarray:
        r, c = self.pose(t)
        return np.array([[np.dot(p - c, r[:, k]) for k in range(3)] for p in points])

    def pixels(self, points: np.ndarray, t: int) -> np.ndarray | None:
        """Shares of the picture; None when a point is behind the camera."""
        k, local = self.cameras[t], self.in_camera(points, t)
        if (local[:, 2] <= 0).any():
            return None
        u = (k["fx"] * local[:, 0] / local[:, 2] + k["cx"]) / k["width"]
        v = (k["fy"] * local[:, 1] / local[:, 2] + k["cy"]) / k["height"]
        return np.stack([u, v], axis=1)

    # -- seeing ------------------------------------------------------------------------------------------------------

    def visible(self, thing: str, t: int, share: float = 1.0) -> bool:
        s = self.sights[t].get(thing)
        return bool(s) and s["area"] >= 0.003 * share and s["visibility"] >= 0.10 * share

    def clear(self, thing: str, t: int) -> bool:
        s = self.sights[t].get(thing)
        return bool(s) and s["area"] >= 0.01 and s["visibility"] >= 0.25 and s["truncated"] <= 2

    def alone(self, label: str, t: int) -> str:
        """The only visible one of a label in a picture."""
        (found,) = [i for i in self.of(label) if self.visible(i, t)]
        return found


def turn(heading: complex, towards: complex) -> float:
    """Degrees anticlockwise from a heading to a direction, [0, 360)."""
    return math.degrees(cmath.phase(towards / heading)) % 360


def flat(point: np.ndarray) -> complex:
    return complex(point[0], point[1])


def polygon_area(flat_xy: Sequence[float]) -> float:
    """Sum of signed triangles from the first corner."""
    p = [complex(flat_xy[i], flat_xy[i + 1]) for i in range(0, len(flat_xy), 2)]
    return abs(sum(((a - p[0]).conjugate() * (b - p[0])).imag for a, b in itertools.pairwise(p))) / 2


def near(value: float, truth: float, decimals: int) -> bool:
    """Whether a number is a truth rounded to so many decimals (either way at a tie)."""
    return abs(value - truth) <= 0.5 * 10**-decimals + 1e-6


# -- what a sample says ------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """One question and its answer."""

    world: World
    kind: str
    text: str
    options: list[str]
    answer: Mapping[str, Any]
    roles: list[str]
    """object_ids in the order in which the sample cites those that it asks about."""
    stills: list[int]
    window: tuple[int, int]
    sets: list[list[int]] = field(default_factory=list)
    """Of a walk: times of the pictures of each set so far."""

    @property
    def said(self) -> str:
        return self.options[self.answer["index"]]

    @property
    def value(self) -> float:
        if self.answer["kind"] == "number":
            return float(self.answer["value"])
        return float(re.findall(r"-?\d+(?:\.\d+)?", self.said)[0])

    @property
    def times(self) -> list[int]:
        """Pictures that the text names by their rank, earliest first."""
        found = {ORDINALS.index(w) for w in re.findall(r"\b(" + "|".join(ORDINALS) + r") picture", self.text)}
        return [self.stills[i] for i in sorted(found)]

    @property
    def named(self) -> list[str]:
        return self.world.mentioned(self.text)

    @property
    def shown(self) -> list[int]:
        if self.stills:
            return self.stills
        return [t for t in sorted(self.world.cameras) if self.window[0] <= t < self.window[1]]


Rule = Callable[[Asked], bool]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def right(asked: Asked) -> bool:
    """Whether brute force gives the answer that the sample gives. Raises where a thing or picture is not what it must be."""
    return RULES[{"turn": "turn_kind"}.get(asked.kind, asked.kind)](asked)


# -- rooms (VSI-Bench) -------------------------------------------------------------------------------------------------


@rule
def object_count(q: Asked) -> bool:
    (label,) = q.named
    return q.value == len(q.world.of(label)) >= 2


@rule
def object_size(q: Asked) -> bool:
    (label,) = q.named
    return near(q.value, 100 * max(q.world.things[q.world.only(label)].pose(0)[2]), 0)


@rule
def room_size(q: Asked) -> bool:
    return near(q.value, polygon_area(q.world.scene["polygon"]), 1)


@rule
def obj_abs_dist(q: Asked) -> bool:
    a, b = (q.world.only(x) for x in q.named)
    truth = q.world.apart(a, b)
    return truth >= 0.2 and near(q.value, truth, 1)


@rule
def obj_rel_dist(q: Asked) -> bool:
    w, primary = q.world, q.roles[0]
    assert w.things[primary].label in q.named and w.of(w.things[primary].label) == [primary]
    far = {x: min(w.apart(primary, i) for i in w.of(x)) for x in q.options}
    least = 0.30 if polygon_area(w.scene["polygon"]) > 40 else 0.15
    values = sorted(far.values())
    gaps = min(b - a for a, b in itertools.pairwise(values))
    return q.said == min(far, key=lambda x: far[x]) and values[0] >= 0.15 and gaps > least


def _side(angle: float, options: Sequence[str]) -> tuple[str, float]:
    """Name of a direction among options of one level, and degrees to the nearest other."""
    if "front-left" in options:
        names, edges = ("front-left", "back-left", "back-right", "front-right"), (0, 90, 180, 270)
        return names[int(angle // 90)], min(abs((angle - e + 180) % 360 - 180) for e in edges)
    name = "left" if angle < 135 else "back" if angle < 225 else "right"
    return name, min(abs((angle - e + 180) % 360 - 180) for e in (0, 135, 225))


@rule
def obj_rel_dir(q: Asked) -> bool:
    w = q.world
    stand, face, wanted = (flat(w.things[i].pose(0)[0]) for i in q.roles)
    for a, b in ((stand, face), (stand, wanted), (face, wanted)):
        assert 0.30 <= abs(a - b) <= 5.0
    name, margin = _side(turn(face - stand, wanted - stand), q.options)
    votes = [_side(turn(face - stand, flat(c) - stand), q.options)[0] != name for c in w.things[q.roles[2]].corners()]
    return q.said == name and margin >= 10 and sum(votes) <= 2


@rule
def appearance_order(q: Asked) -> bool:
    w = q.world
    chosen = q.said.split(", ") if q.answer["kind"] == "choice" else [q.options[i] for i in q.answer["order"]]
    assert set(chosen) == set(q.named)
    first = {x: next(t for t in q.shown if any(w.visible(i, t) for i in w.of(x))) for x in chosen}
    times = sorted(first.values())
    assert all(b - a > 1_000_000 for a, b in itertools.pairwise(times))
    return chosen == sorted(chosen, key=lambda x: first[x])


@rule
def route_plan(q: Asked) -> bool:
    w = q.world
    start, face, *stops = (flat(w.things[i].pose(0)[0]) for i in q.roles)
    heading, here, turns = face - start, start, []
    for stop in stops:
        angle = turn(heading, stop - here)
        off = min(angle, 360 - angle)
        if off > 135:
            turns.append("turn back")
        elif off >= 30:
            turns.append("turn left" if angle < 180 else "turn right")
        else:
            turns.append("no turn")
        heading, here = stop - here, stop
    return q.said == ", ".join(x for x in turns if x != "no turn")


# -- stills and cameras (VSTI-Bench) -----------------------------------------------------------------------------------


def _picture(q: Asked) -> int:
    (t,) = q.times
    return t


@rule
def cam_obj_abs_dist(q: Asked) -> bool:
    (label,), t = q.named, _picture(q)
    thing = q.world.alone(label, t)
    truth = q.world.from_point(q.world.stand(t), thing, t)
    return 0.2 <= truth <= 10 and near(q.value, truth, 1) and q.world.clear(thing, t)


@rule
def cam_obj_rel_dist(q: Asked) -> bool:
    w, t = q.world, _picture(q)
    far = {x: w.from_point(w.stand(t), w.alone(x, t), t) for x in q.options}
    values = sorted(far.values())
    assert all(b - a >= 0.15 - 0.011 for a, b in itertools.pairwise(values)) and values[0] >= 0.495
    return q.said == min(far, key=lambda x: far[x])


@rule
def cam_obj_dist_change(q: Asked) -> bool:
    (label,), (i, j), w = q.named, q.times, q.world
    change = w.from_point(w.stand(j), w.alone(label, j), j) - w.from_point(w.stand(i), w.alone(label, i), i)
    return near(q.value, change, 1)


def _quarter(angle: float, behind: str = "behind") -> str:
    return ("ahead", "left", behind, "right")[int(((angle + 45) % 360) // 90)]


@rule
def cam_obj_direction(q: Asked) -> bool:
    (label,), t, w = q.named, _picture(q), q.world
    angle = turn(w.heading(t), flat(w.things[w.only(label)].pose(t)[0]) - flat(w.stand(t)))
    return q.said == _quarter(angle) and abs((angle + 45) % 90 - 45) <= 35 + 1e-6


def _gap(q: Asked, axis: int | None) -> tuple[float, float]:
    """How far the first thing lies wholly before, and wholly behind, the second one along an axis of the camera (None: upwards)."""
    w, t = q.world, _picture(q)
    spans = []
    for i in q.roles:
        corners = w.things[i].corners(t)
        along = -corners[:, 2] if axis is None else w.in_camera(corners, t)[:, axis]
        spans.append((along.min(), along.max()))
    (a0, a1), (b0, b1) = spans
    return b0 - a1, a0 - b1


def _beyond(q: Asked, axis: int | None, before: str, after: str) -> bool:
    w, t = q.world, _picture(q)
    first, second = (w.things[i].label for i in q.roles)
    turned = re.search(rf"\b(of|from) the {second}\b.*\bthe {first}\b", q.text)
    assert q.named == ([second, first] if turned else [first, second])
    assert all(w.alone(w.things[i].label, t) == i for i in q.roles)
    ahead, behind = _gap(q, axis)
    return (q.said == before and ahead > 0.15) or (q.said == after and behind > 0.15)


@rule
def obj_obj_lr(q: Asked) -> bool:
    return _beyond(q, 0, "left", "right")


@rule
def obj_obj_ud(q: Asked) -> bool:
    return _beyond(q, 1, "higher", "lower")


@rule
def obj_obj_above(q: Asked) -> bool:
    return _beyond(q, None, "above", "below")


@rule
def obj_obj_nf(q: Asked) -> bool:
    return _beyond(q, 2, "nearer", "farther away")


@rule
def occlusion(q: Asked) -> bool:
    """The front one is nearer wherever both boxes of the picture overlap, and the other one is not seen whole."""
    w, t = q.world, _picture(q)
    front = w.alone(q.said, t)
    back = w.alone(next(o for o in q.options if o != q.said), t)
    a, b = w.sights[t][front], w.sights[t][back]
    overlap = min(a["x2"], b["x2"]) > max(a["x1"], b["x1"]) and min(a["y2"], b["y2"]) > max(a["y1"], b["y1"])
    return overlap and a["depth_m"] < b["depth_m"] and b["visibility"] < 1


@rule
def cam_displacement(q: Asked) -> bool:
    i, j = q.times
    return near(q.value, math.dist(q.world.stand(i), q.world.stand(j)), 1)


@rule
def cam_path_length(q: Asked) -> bool:
    i, j = q.times
    stops = [q.world.stand(t) for t in sorted(q.world.cameras) if i <= t <= j]
    length = sum(math.dist(a, b) for a, b in itertools.pairwise(stops))
    return near(q.value, length, 1)


@rule
def cam_move_dir(q: Asked) -> bool:
    i, j = q.times
    r, c = q.world.pose(i)
    way = q.world.stand(j) - c
    x, z = float(way @ r[:, 0]), float(way @ r[:, 2])
    name = ("right" if x > 0 else "left") if abs(x) > abs(z) else ("forward" if z > 0 else "backward")
    big, small = max(abs(x), abs(z)), min(abs(x), abs(z))
    return q.said == name and big > (1.0 if len(q.options) == 4 else 0.5) and big >= 1.5 * small


def _turned(q: Asked) -> tuple[float, float, float]:
    """Yaw to the right, pitch upwards and roll clockwise from the first picture to the second, degrees."""
    i, j = q.times
    (a, _), (b, _) = q.world.pose(i), q.world.pose(j)
    forward, down = a.T @ b[:, 2], a.T @ b[:, 1]
    yaw = math.degrees(math.atan2(forward[0], forward[2]))
    pitch = math.degrees(math.asin(-forward[1]))
    return yaw, pitch, math.degrees(math.atan2(-down[0], down[1])) if abs(yaw) < 1 and abs(pitch) < 1 else 0.0


@rule
def cam_rotation(q: Asked) -> bool:
    yaw, pitch, _ = _turned(q)
    name = (
        ("to the right" if yaw > 0 else "to the left")
        if abs(yaw) > abs(pitch)
        else ("upwards" if pitch > 0 else "downwards")
    )
    return q.said == name and max(abs(yaw), abs(pitch)) >= 15 - 0.1


@rule
def cam_rotation_deg(q: Asked) -> bool:
    yaw, pitch, _ = _turned(q)
    return abs(q.value - max(abs(yaw), abs(pitch))) <= 0.6


# -- a walk in sets of pictures (OST-Bench) ----------------------------------------------------------------------------


def _end(q: Asked, number: int) -> int:
    return q.sets[number - 1][-1]


def _then(q: Asked) -> int:
    """The last picture of the set that the text names."""
    (word,) = set(re.findall(r"\b(" + "|".join(ORDINALS) + r") set", q.text)) or set(
        re.findall(r"\b(" + "|".join(ORDINALS) + r")\b", q.text)
    )
    return _end(q, ORDINALS.index(word) + 1)


def _now(q: Asked) -> int:
    return q.sets[-1][-1]


def _thing(q: Asked) -> str:
    (label,) = q.named
    return q.world.only(label)


def _spoke(q: Asked, label: str) -> list[int]:
    """Numbers of the sets in which a label was visible."""
    w = q.world
    return [n for n, s in enumerate(q.sets, 1) if any(w.visible(i, t) for i in w.of(label) for t in s)]


@rule
def position_judgement(q: Asked) -> bool:
    r, c = q.world.pose(_then(q))
    way = q.world.stand(_now(q)) - c
    x, z = float(way @ r[:, 0]), float(way @ r[:, 2])
    name = ("right" if x > 0 else "left") if abs(x) > abs(z) else ("forward" if z > 0 else "backward")
    return q.said == name and max(abs(x), abs(z)) >= max(0.5, 1.5 * min(abs(x), abs(z)))


@rule
def position_estimation(q: Asked) -> bool:
    return near(q.value, math.dist(q.world.stand(_then(q)), q.world.stand(_now(q))), 1)


def _heading_change(q: Asked) -> float:
    return (turn(q.world.heading(_then(q)), q.world.heading(_now(q))) + 180) % 360 - 180


@rule
def orientation_judgement(q: Asked) -> bool:
    change = _heading_change(q)
    return q.said == ("left" if change > 0 else "right") and 20 <= abs(change) <= 160


@rule
def orientation_estimation(q: Asked) -> bool:
    return near(q.value, abs(_heading_change(q)), 0)


@rule
def existence_judgement(q: Asked) -> bool:
    (label,) = q.named
    return q.said == ("yes" if _spoke(q, label) else "no")


@rule
def existence_when(q: Asked) -> bool:
    (label,) = q.named
    return q.value == _spoke(q, label)[0 if re.search(r"\bfirst\b", q.text) else -1]


@rule
def order_judgement(q: Asked) -> bool:
    first = {x: min(_spoke(q, x), default=99) for x in q.named}
    assert len(set(first.values())) == len(first) == 2
    return q.said == min(first, key=lambda x: first[x])


@rule
def diversity_judgement(q: Asked) -> bool:
    new = any(_spoke(q, x) == [len(q.sets)] for x in q.world.labels)
    return q.said == ("yes" if new else "no")


@rule
def quantity_counting(q: Asked) -> bool:
    (label,), w = q.named, q.world
    return q.value == sum(any(w.visible(i, t) for s in q.sets for t in s) for i in w.of(label))


def _angle_at(q: Asked, t: int, thing: str) -> float:
    return turn(q.world.heading(t), flat(q.world.things[thing].pose(t)[0]) - flat(q.world.stand(t)))


@rule
def direction_judgement(q: Asked) -> bool:
    angle = _angle_at(q, _now(q), _thing(q))
    return q.said == _quarter(angle) and abs((angle + 45) % 90 - 45) <= 35 + 1e-6


@rule
def direction_estimation(q: Asked) -> bool:
    angle = _angle_at(q, _now(q), _thing(q))
    return near(q.value, min(angle, 360 - angle), 0)


@rule
def direction_when(q: Asked) -> bool:
    off = [min(a, 360 - a) for a in (_angle_at(q, s[-1], _thing(q)) for s in q.sets)]
    return q.value == 1 + int(np.argmin(off))


@rule
def distance_change(q: Asked) -> bool:
    w, thing = q.world, _thing(q)
    change = w.from_point(w.stand(_now(q)), thing) - w.from_point(w.stand(_then(q)), thing)
    return q.said == ("nearer" if change < 0 else "farther") and abs(change) >= 0.3


@rule
def distance_judgement(q: Asked) -> bool:
    w = q.world
    far = {x: w.from_point(w.stand(_now(q)), w.only(x)) for x in q.named}
    a, b = sorted(far.values())
    return q.said == min(far, key=lambda x: far[x]) and b - a >= 0.3 and b - a >= 0.15 * b


@rule
def distance_estimation(q: Asked) -> bool:
    return near(q.value, q.world.from_point(q.world.stand(_now(q)), _thing(q)), 1)


@rule
def distance_when(q: Asked) -> bool:
    far = sorted((q.world.from_point(q.world.stand(s[-1]), _thing(q)), n) for n, s in enumerate(q.sets, 1))
    return q.value == far[0][1] and far[1][0] - far[0][0] >= 0.3


# -- two views (MulSeT) ------------------------------------------------------------------------------------------------


@rule
def azimuth_transfer(q: Asked) -> bool:
    w = q.world
    stand, face, wanted = (flat(w.things[i].pose(0)[0]) for i in q.roles)
    name, margin = _side(turn(face - stand, wanted - stand), [o.replace("behind", "back") for o in q.options])
    views = [set(i for i in q.roles if w.visible(i, t)) for t in q.stills]
    return q.said == name.replace("back", "behind") and margin >= 10 and all(v < set(q.roles) for v in views)


@rule
def distance_comparison(q: Asked) -> bool:
    w = q.world
    far = {x: w.apart(q.roles[0], w.only(x)) for x in q.options}
    a, b = sorted(far.values())[:2]
    return q.said == min(far, key=lambda x: far[x]) and b - a >= 0.3 - 1e-9 and b - a >= 0.2 * b - 1e-9


@rule
def occlusion_restoration(q: Asked) -> bool:
    """In the first picture it is seen; in the second it stands in the frame, and next to nothing of it is seen."""
    w, (one, two) = q.world, q.stills
    thing = w.only(q.said)
    place = w.pixels(w.things[thing].corners(two), two)
    inside = place is not None and bool(((place.mean(axis=0) >= 0) & (place.mean(axis=0) <= 1)).all())
    hidden = w.sights[two].get(thing)
    return w.clear(thing, one) and inside and (hidden is None or hidden["visibility"] < 0.05)


# -- things that move (VLM4D) ------------------------------------------------------------------------------------------


def _mover(q: Asked) -> str | None:
    """The thing that the text names by its phrase; None where there is none of that name."""
    found = [i for i, phrase in q.world.phrases.items() if re.search(rf"\b{re.escape(phrase)}\b", q.text)]
    if found:
        (found_one,) = found
        return found_one
    # "the hand of a clock" is no clock of the room: a thing that is asked about has its article
    labels = [x for x in q.named if len(q.world.of(x)) == 1 and re.search(rf"\bthe {re.escape(x)}\b", q.text, re.I)]
    return q.world.only(labels[0]) if labels else None


def _way(q: Asked, thing: str) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Times of the window with the centre and the axes of a thing."""
    t = q.world.things[thing]
    times = [x for x in sorted(q.world.cameras) if q.window[0] <= x <= q.window[1]]
    return [(x, *t.pose(x)[:2]) for x in times if not t.moving or x in t.poses]


@rule
def direction(q: Asked) -> bool:
    """As the camera sees it that stands where the window begins: the centre's way in shares of the width, and its depth."""
    thing = _mover(q)
    if thing is None:
        return q.said.startswith("there is no")
    way = _way(q, thing)
    start = way[0][0]
    local = q.world.in_camera(np.array([c for _, c, _ in way]), start)
    if np.ptp(np.array([c for _, c, _ in way]), axis=0).max() < 0.02:
        return q.said == "nowhere, it does not move"
    k = q.world.cameras[start]
    dx = k["fx"] / k["width"] * (local[-1, 0] / local[-1, 2] - local[0, 0] / local[0, 2])
    if q.said in ("to the left", "to the right"):
        return abs(dx) >= 0.15 and (q.said == "to the right") == (dx > 0)
    grown = math.log(local[0, 2] / local[-1, 2])
    if q.said in ("towards the camera", "away from the camera"):
        return abs(dx) < 0.1 and (q.said == "towards the camera") == (grown > 0)
    legs = local[:, 0] / local[:, 2]
    there = legs[np.argmax(np.abs(legs - legs[0]))] - legs[0]
    return "then" in q.said and q.said.index("left" if there < 0 else "right") < q.said.index(
        "right" if there < 0 else "left"
    )


def _integral(angles: Sequence[float]) -> float:
    """Sum of the small changes of angles in degrees, anticlockwise."""
    return sum((b - a + 180) % 360 - 180 for a, b in itertools.pairwise(angles))


@rule
def spin(q: Asked) -> bool:
    thing = _mover(q)
    if thing is None:
        return q.said.startswith("there is no")
    whole = _integral([math.degrees(math.atan2(a[0, 1], a[0, 0])) for _, _, a in _way(q, thing)])
    if q.said == "it does not spin":
        return abs(whole) < 90
    return abs(whole) >= 270 and q.said == ("anticlockwise" if whole > 0 else "clockwise")


@rule
def turn_kind(q: Asked) -> bool:
    thing = _mover(q)
    if thing is None:
        return q.said.startswith("there is no")
    stops = [flat(c) for _, c, _ in _way(q, thing)]
    steps = [b - a for a, b in itertools.pairwise(stops) if abs(b - a) > 0.005]
    whole = _integral([math.degrees(cmath.phase(s)) for s in steps])
    if q.said == "it goes straight on":
        return abs(whole) < 20
    return abs(whole) >= 30 and q.said == ("it turns left" if whole > 0 else "it turns right")


@rule
def nearer(q: Asked) -> bool:
    w = q.world
    things = [i for i, p in w.phrases.items() if re.search(rf"\b{re.escape(p)}\b", q.text)]
    if len(things) < 2:
        return q.said.startswith("there is no")
    a, b = things
    ends = [x for x, _, _ in _way(q, a if w.things[a].moving else b)]
    start, end = (abs(flat(w.things[a].pose(t)[0]) - flat(w.things[b].pose(t)[0])) for t in (ends[0], ends[-1]))
    return q.said == ("nearer to it" if end < start else "farther from it")


@rule
def count(q: Asked) -> bool:
    """Things whose place or heading changes in the window."""
    moved = 0
    for i, thing in q.world.things.items():
        if thing.moving:
            way = _way(q, i)
            gone = np.ptp(np.array([c for _, c, _ in way]), axis=0).max()
            turned = _integral([math.degrees(math.atan2(a[0, 1], a[0, 0])) for _, _, a in way])
            moved += bool(gone > 0.02 or abs(turned) > 5)
    return q.value == moved


# -- reading samples ---------------------------------------------------------------------------------------------------


def questions(row: Mapping[str, Any], kinds: Mapping[str, str], world: World) -> list[Asked]:
    """The questions of a stored sample; `kinds` gives the kind of a wording."""
    answer = json.loads(row["answer_json"])
    options = [o["text"] for o in row["options"] or []]
    stills = [us(t) for m in row["media"] for t in m["frame_times"] or []]
    window = (us(row["media"][0]["start_s"]), us(row["media"][0]["end_s"]))
    cited = [json.loads(e["values_json"]) for e in row["evidence"] if e["source_table"] == "boxes3d"]
    roles = list(dict.fromkeys(v["object_id"] for v in cited))
    text = row["turns"][0]["text"]
    if answer["kind"] != "turns":
        count = int(json.loads(row["difficulty_json"]).get("objects", 0))
        return [Asked(world, kinds[row["wording"]], text, options, answer, roles[:count], stills, window)]
    found = []
    sets = [[us(t) for t in m["frame_times"]] for m in row["media"]]
    for part in answer["parts"]:
        asked = row["turns"][part["turn"] - 1]["text"]
        known = [s for s in sets if s[-1] <= us(part["at_s"])]
        own = options[slice(*part["options"])]
        found.append(Asked(world, kinds[part["lead"]], asked, own, part["answer"], [], [], window, known))
    return found
