"""Furnishing a room from a seed: a floor, and things on it, along its walls, on them and on top of others, none in another.

Things are tried at random places until they fit: their footprints keep a gap wherever their heights overlap. Some labels occur
several times, some once; some things repeat the colour of another kind, and some the kind in another colour, so that neither
the shape nor the colour alone tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...schemas.geometry.area import polygon_area
from ...schemas.geometry.box3d import Box3D
from .draw import Draw
from .furniture import KIND, KINDS, Kind
from .meshes import in_its_box
from .scene import Floats, Thing
from .shell import inside

GAP_M = 0.06
"""Free air between things whose heights overlap."""
_TRIES = 60
_SMALL = ("painting", "ball", "bin", "box", "stool", "plant", "lamp", "clock")
"""What is tried where larger things did not fit."""
_FULL = 0.36
"""Share of the floor that furniture covers at most, so that a camera can walk."""


@dataclass(frozen=True)
class Floor:
    """The shape of a room."""

    polygon: Floats
    height_m: float

    @property
    def area_m2(self) -> float:
        return polygon_area(self.polygon)


def draw_floor(draw: Draw, area_m2: tuple[float, float], l_share: float) -> Floor:
    """A rectangle, or in `l_share` of draws an L, with an area in that range, metres; its lower left corner is (0, 0)."""
    area = draw.between(*area_m2)
    ratio = draw.between(0.65, 1.0)
    corner = draw.chance(l_share) and area >= 16
    cut_x, cut_y = (draw.between(0.3, 0.45), draw.between(0.3, 0.45)) if corner else (0.0, 0.0)
    whole = area / (1 - cut_x * cut_y)
    long, short = round(math.sqrt(whole / ratio), 2), round(math.sqrt(whole * ratio), 2)
    w, e = (long, short) if draw.chance(0.5) else (short, long)
    points = [(0.0, 0.0), (w, 0.0), (w, e), (0.0, e)]
    if corner:
        x, y = round(w * (1 - cut_x), 2), round(e * (1 - cut_y), 2)
        which = draw.whole(0, 3)
        points = [
            [(0.0, 0.0), (w, 0.0), (w, y), (x, y), (x, e), (0.0, e)],
            [(0.0, 0.0), (w, 0.0), (w, e), (w - x, e), (w - x, y), (0.0, y)],
            [(0.0, e - y), (w - x, e - y), (w - x, 0.0), (w, 0.0), (w, e), (0.0, e)],
            [(0.0, 0.0), (x, 0.0), (x, e - y), (w, e - y), (w, e), (0.0, e)],
        ][which]
    return Floor(np.array(points, np.float64), draw.between(2.4, 2.9))


def furnish(floor: Floor, draw: Draw, wanted: int, tops: bool = True) -> list[Thing]:
    """About `wanted` things that fit into the room; fewer where it is full."""
    placed: list[Thing] = []
    used: list[str] = []
    covered = 0.0
    small = draw.shuffled([k for k in KINDS if k.label in _SMALL for _ in range(k.most)])
    for kind in (*_chosen(draw, wanted, tops), *small):
        if len(placed) >= wanted:
            break
        if sum(t.label == kind.label for t in placed) >= kind.most:
            continue
        colour = _colour(kind, draw, used, placed)
        parts, size = in_its_box(kind.build(draw, colour))
        stands = kind.where in ("wall", "free")
        if stands and (covered + size[0] * size[1]) > _FULL * floor.area_m2:
            continue
        for _ in range(_TRIES):
            box = _place(kind, size, floor, draw, placed)
            if box is not None and not any(_touch(box, t.box) for t in placed if not _carries(t.box, box)):
                placed.append(Thing(kind.label, colour, parts, box))
                used.append(colour)
                covered += size[0] * size[1] if stands else 0.0
                break
    return placed


def _chosen(draw: Draw, wanted: int, tops: bool) -> list[Kind]:
    """Kinds in the order in which they are placed: large ones first, those on top last."""
    labels = ["table", "chair", "sofa" if draw.chance(0.6) else "bed", "tv", "lamp"]
    several = draw.pick(("chair", "chair", "stool", "box", "plant", "ball"))
    labels += [several] * draw.whole(1, KIND[several].most - 1)
    pool = [k.label for k in KINDS for _ in range(2 if k.most > 1 else 1) if tops or k.where != "top"]
    for label in draw.shuffled(pool):
        if len(labels) >= wanted:
            break
        if labels.count(label) < KIND[label].most:
            labels.append(label)
    order = {"wall": 0, "mounted": 1, "free": 2, "top": 3}
    kinds = [KIND[label] for label in labels[:wanted]]
    return sorted(kinds, key=lambda k: (order[k.where], k.label != "table", k.label))


def _colour(kind: Kind, draw: Draw, used: Sequence[str], placed: Sequence[Thing]) -> str:
    """A colour: at times that of another kind's thing (the look-alike), else one that no thing of its kind has."""
    shared = [c for c in used if c in kind.colours]
    if shared and draw.chance(0.3):
        return draw.pick(shared)
    own = {t.colour for t in placed if t.label == kind.label}
    free = [c for c in kind.colours if c not in own]
    return draw.pick(free if free and draw.chance(0.75) else kind.colours)


def _place(
    kind: Kind, size: tuple[float, float, float], floor: Floor, draw: Draw, placed: Sequence[Thing]
) -> Box3D | None:
    if kind.where in ("wall", "mounted"):
        return _on_wall(kind, size, floor, draw)
    if kind.where == "top":
        return _on_top(kind, size, draw, placed)
    yaw = draw.between(0, 2 * math.pi)
    low, high = floor.polygon.min(axis=0), floor.polygon.max(axis=0)
    x, y = draw.between(low[0], high[0]), draw.between(low[1], high[1])
    tables = [t for t in placed if t.label in ("table", "desk")]
    if kind.label in ("chair", "stool") and tables and draw.chance(0.6):
        table = draw.pick(tables)
        away, far = draw.between(0, 2 * math.pi), max(table.box.size[:2]) / 2 + draw.between(0.25, 0.6)
        x, y = table.box.centre[0] + far * math.cos(away), table.box.centre[1] + far * math.sin(away)
        yaw = away + math.pi / 2 + draw.between(-0.3, 0.3)
    box = Box3D.upright((x, y, size[2] / 2), size, yaw)
    return box if within(floor.polygon, box, GAP_M) else None


def _on_wall(kind: Kind, size: tuple[float, float, float], floor: Floor, draw: Draw) -> Box3D | None:
    """With its back along a wall, 1 cm off; leaves that much room at both ends."""
    k = draw.whole(0, len(floor.polygon) - 1)
    a, b = floor.polygon[k], floor.polygon[(k + 1) % len(floor.polygon)]
    length = float(np.hypot(*(b - a)))
    room = length - size[0] - 0.04
    if room <= 0:
        return None
    along = (b - a) / length
    normal = np.array([-along[1], along[0]])
    at = a + along * (size[0] / 2 + 0.02 + draw.between(0, room)) + normal * (size[1] / 2 + 0.01)
    z = draw.between(*kind.height_m) if kind.where == "mounted" else 0.0
    if z + size[2] > floor.height_m - 0.05:
        return None
    yaw = math.atan2(-normal[0], normal[1])
    box = Box3D.upright((at[0], at[1], z + size[2] / 2), size, yaw)
    return box if within(floor.polygon, box, 0.0) else None


def _on_top(kind: Kind, size: tuple[float, float, float], draw: Draw, placed: Sequence[Thing]) -> Box3D | None:
    under = [t for t in placed if t.label in kind.on]
    if not under:
        return None
    base = draw.pick(under).box
    reach = math.hypot(size[0], size[1]) / 2 + 0.02
    room = [base.size[0] / 2 - reach, base.size[1] / 2 - reach]
    if min(room) <= 0:
        return None
    local = np.array([draw.between(-room[0], room[0]), draw.between(-room[1], room[1]), base.size[2] / 2 + size[2] / 2])
    x, y, z = (float(v) for v in np.asarray(base.centre) + local @ base.matrix)
    return Box3D.upright((x, y, z), size, draw.between(0, 2 * math.pi))


def within(polygon: Floats, box: Box3D, gap_m: float) -> bool:
    """Whether an upright box stands within a polygon, so far from its edges."""
    grown = Box3D(box.centre, box.axes, (box.size[0] + 2 * gap_m, box.size[1] + 2 * gap_m, box.size[2]))
    ground = footprint(grown)
    return bool(inside(polygon, ground).all()) and not any(
        _crosses(polygon[k - 1], polygon[k], ground[j - 1], ground[j]) for k in range(len(polygon)) for j in range(4)
    )


def footprint(box: Box3D) -> Floats:
    """Corners of an upright box on the floor [4, 2], anticlockwise."""
    return np.asarray(box.corners[:, :2][[0, 4, 6, 2]], np.float64)


def _crosses(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    def side(p: Floats, q: Floats, r: Floats) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _carries(below: Box3D, above: Box3D) -> bool:
    """Whether one box stands on the other's top face."""
    return abs(below.centre[2] + below.size[2] / 2 - (above.centre[2] - above.size[2] / 2)) < 1e-6


def _touch(a: Box3D, b: Box3D) -> bool:
    """Whether two upright boxes come nearer than the gap: heights overlap, and no side separates the footprints."""
    if abs(a.centre[2] - b.centre[2]) > (a.size[2] + b.size[2]) / 2:
        return False
    return not apart(footprint(a), footprint(b), GAP_M)


def apart(a: Floats, b: Floats, gap_m: float) -> bool:
    """Whether an edge of one of two convex shapes [n, 2] separates them by more than a gap."""
    for shape in (a, b):
        for k in range(len(shape)):
            edge = shape[k] - shape[k - 1]
            normal = np.array([edge[1], -edge[0]]) / max(float(np.hypot(*edge)), 1e-9)
            if (a @ normal).max() + gap_m < (b @ normal).min() or (b @ normal).max() + gap_m < (a @ normal).min():
                return True
    return False
