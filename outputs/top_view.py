"""A room from above: its floor, the boxes of its things, the camera's way and where it looks, and what a question asks about.

North is the world's y axis, so a plan looks like a map. What is asked about has a colour and a name; of the rest a name is
written where there is room. Distances are drawn between the nearest points, angles as an arc from one line of sight to another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..schemas.geometry.box3d import Box3D
from ..schemas.geometry.camera import Camera
from ..schemas.space import Space, SpaceObject
from . import pen as p
from .asked_space import AskedSpace
from .pen import Pen, Rect

Floats = NDArray[np.float64]
_MARGIN_PX, _SCALE_PX = 14, 22
_WAY, _WAY_FAINT, _THING, _THING_LINE = "#7a8797", "#cfd6de", "#e9edf2", "#9aa6b4"
_STEP_S = 2.0
"""Headings are drawn so far apart along the way."""


@dataclass
class _Map:
    """From world metres to pixels, and what is written already."""

    pen: Pen
    scale: float
    left: float
    bottom: float
    rect: Rect
    taken: list[Rect]

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.scale, self.bottom - y * self.scale

    def many(self, points: Floats) -> list[tuple[float, float]]:
        return [self.at(float(x), float(y)) for x, y in points]


def top_view(asked: AskedSpace, width: int, height: int) -> Image.Image:
    """The plan of a space, at most `width` x `height` px; as high as it needs to be."""
    low, high = extent(asked.space)
    below = _MARGIN_PX + _SCALE_PX
    scale = min((width - 2 * _MARGIN_PX) / (high[0] - low[0]), (height - _MARGIN_PX - below) / (high[1] - low[1]))
    tall = min(height, math.ceil((high[1] - low[1]) * scale) + _MARGIN_PX + below)
    picture = Image.new("RGB", (width, tall), p.PAPER)
    left = (width - (high[0] - low[0]) * scale) / 2 - low[0] * scale
    plan = _Map(Pen(picture), scale, left, tall - below + low[1] * scale, (0, 0, width, tall - _SCALE_PX), [])
    polygon = asked.space.scene.get("polygon")
    if polygon:
        corners = plan.many(np.asarray(polygon, np.float64).reshape(-1, 2))
        plan.pen.draw.polygon(corners, fill=p.PANEL)
        plan.pen.draw.line([*corners, corners[0]], fill=p.INK, width=3)
    for thing in sorted(asked.space.objects, key=lambda o: (o.object_id in asked.objects, o.box.centre[2])):
        _draw_thing(plan, thing, asked.ink(thing.object_id))
    _draw_way(plan, asked)
    if asked.angle is not None:
        _draw_angle(plan, asked)
    for number, t_s in enumerate(asked.times, 1):
        camera = asked.space.camera_at(t_s)
        if camera is not None:
            _draw_camera(plan, camera, p.INK, str(number) if len(asked.times) > 1 else "")
    for one, other, label in asked.spans:
        _draw_span(plan, asked, one, other, label)
    _name_things(plan, asked)
    _draw_scale(plan, asked.space)
    return picture


def extent(space: Space) -> tuple[Floats, Floats]:
    """Smallest and largest x and y of floor, things and cameras."""
    parts = [c.centre[None, :2] for c in space.cameras] + [b.corners[:, :2] for o in space.objects for b in o.boxes]
    polygon = space.scene.get("polygon")
    if polygon:
        parts.append(np.asarray(polygon, np.float64).reshape(-1, 2))
    every = np.concatenate(parts) if parts else np.zeros((1, 2))
    low, high = every.min(axis=0), every.max(axis=0)
    return low, np.maximum(high, low + 1e-6)


def ground(box: Box3D) -> Floats:
    """The outline of a box from above [n, 2], anticlockwise: four corners of an upright one, up to six of a tilted one."""
    return _hull(box.corners[:, :2])


def _hull(points: Floats) -> Floats:
    """Convex hull of points [n, 2], anticlockwise (Andrew's monotone chain)."""
    ordered = sorted({(round(float(x), 9), round(float(y), 9)) for x, y in points})
    halves = []
    for way in (ordered, ordered[::-1]):
        chain: list[tuple[float, float]] = []
        for q in way:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], q) <= 0:
                chain.pop()
            chain.append(q)
        halves.append(chain[:-1])
    return np.array(halves[0] + halves[1], np.float64)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _draw_thing(plan: _Map, thing: SpaceObject, ink: str | None) -> None:
    outline = plan.many(ground(thing.box))
    if len(thing.boxes) > 1:
        way = plan.many(np.array([b.centre[:2] for b in thing.boxes]))
        plan.pen.draw.line(way, fill=ink or _THING_LINE, width=2)
        plan.pen.draw.polygon(plan.many(ground(thing.boxes[-1])), fill=None, outline=ink or _THING_LINE)
    fill = p.EVIDENCE_TINT if thing.moving and ink is None else _THING
    plan.pen.draw.polygon(outline, fill=_light(ink) if ink else fill)
    plan.pen.draw.line([*outline, outline[0]], fill=ink or _THING_LINE, width=3 if ink else 1)


def _light(ink: str) -> tuple[int, int, int]:
    r, g, b = (int(ink[k : k + 2], 16) for k in (1, 3, 5))
    return (r + 3 * 255) // 4, (g + 3 * 255) // 4, (b + 3 * 255) // 4


def _draw_way(plan: _Map, asked: AskedSpace) -> None:
    """The camera's way; darker in the window, with a heading every few seconds."""
    cameras = asked.space.cameras
    if len(cameras) > 1:
        plan.pen.draw.line(plan.many(np.array([c.centre[:2] for c in cameras])), fill=_WAY_FAINT, width=2)
    start, end = asked.window or (-math.inf, math.inf)
    shown = [c for c in cameras if start - 1e-6 <= c.t_s <= end + 1e-6]
    if len(shown) > 1:
        plan.pen.draw.line(plan.many(np.array([c.centre[:2] for c in shown])), fill=_WAY, width=2)
    last = -math.inf
    for camera in shown:
        if camera.t_s >= last + _STEP_S:
            last = camera.t_s
            _arrow_head(plan, camera, _WAY)


def _arrow_head(plan: _Map, camera: Camera, ink: str) -> None:
    x, y = plan.at(float(camera.centre[0]), float(camera.centre[1]))
    dx, dy = _heading(camera)
    tip, side = (x + 9 * dx, y + 9 * dy), (-dy * 4, dx * 4)
    plan.pen.draw.polygon([tip, (x + side[0], y + side[1]), (x - side[0], y - side[1])], fill=ink)


def _heading(camera: Camera) -> tuple[float, float]:
    """Where a camera looks, on the picture; of one that looks straight down, where its top is."""
    f = camera.forward[:2] if np.hypot(*camera.forward[:2]) > 1e-6 else -camera.rotation[:2, 1]
    length = max(1e-9, float(np.hypot(*f)))
    return float(f[0]) / length, -float(f[1]) / length


def _draw_camera(plan: _Map, camera: Camera, ink: str, name: str) -> None:
    """A camera with its field of view, and its number."""
    x, y = plan.at(float(camera.centre[0]), float(camera.centre[1]))
    dx, dy = _heading(camera)
    half = math.atan2(camera.width / 2, camera.fx)
    reach = min(70.0, 1.2 * plan.scale)
    wings = []
    for turn in (-half, half):
        c, s = math.cos(turn), math.sin(turn)
        wings.append((x + reach * (c * dx - s * dy), y + reach * (s * dx + c * dy)))
    veil = Image.new("L", plan.pen.picture.size, 0)
    Pen(veil).draw.polygon([(x, y), *wings], fill=60)
    plan.pen.picture.paste(Image.new("RGB", veil.size, ink), (0, 0), veil)
    plan.pen.draw.line([wings[0], (x, y), wings[1]], fill=ink, width=2)
    plan.pen.draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=ink, outline=p.PAPER)
    plan.taken.append((x - 7, y - 7, x + 7, y + 7))
    if name:
        _write(plan, x, y, name, 14, ink, 9)


def _draw_span(plan: _Map, asked: AskedSpace, one: str, other: str, label: str) -> None:
    """A line between the nearest points of two ends, with its length."""
    a, b = nearest(_end(asked, one), _end(asked, other))
    start, end = plan.at(float(a[0]), float(a[1])), plan.at(float(b[0]), float(b[1]))
    plan.pen.draw.line([start, end], fill=p.PAPER, width=6)
    plan.pen.draw.line([start, end], fill=p.ANSWER, width=3)
    for x, y in (start, end):
        plan.pen.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=p.ANSWER)
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    _write(plan, *middle, label, 15, p.ANSWER, 6)


def _end(asked: AskedSpace, name: str) -> Floats:
    """Outline of an object, or the place of a camera, on the floor [n, 2]."""
    if name.startswith("@"):
        camera = asked.space.camera_at(asked.times[int(name[1:])])
        return np.zeros((1, 2)) if camera is None else np.asarray(camera.centre[None, :2], np.float64)
    thing = asked.space.by_id[name]
    return ground((thing.at(asked.times[0]) if asked.times else None) or thing.box)


def nearest(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The nearest points of two convex outlines [n, 2] that do not overlap (one point each is enough)."""
    best: tuple[float, Floats, Floats] | None = None
    for one, other, swap in ((a, b, False), (b, a, True)):
        for q in one:
            for k in range(len(other)):
                s, e = other[k - 1], other[k]
                length = float((e - s) @ (e - s))
                part = min(1.0, max(0.0, float((q - s) @ (e - s)) / length)) if length > 0 else 0.0
                r = s + part * (e - s)
                far = float(np.hypot(*(q - r)))
                if best is None or far < best[0] - 1e-12:
                    best = (far, r, q) if swap else (far, q, r)
    assert best is not None
    return best[1], best[2]


def _draw_angle(plan: _Map, asked: AskedSpace) -> None:
    """From where one stands an arrow to what is faced and one to what is asked for, and the arc between them."""
    assert asked.angle is not None
    stand, face, query, turn = asked.angle
    places = [asked.space.by_id[i].box.centre for i in (stand, face, query)]
    (x, y), to_face, to_query = (plan.at(c[0], c[1]) for c in places)
    plan.pen.arrow((x, y), to_face, p.MUTED, 4)
    plan.pen.arrow((x, y), to_query, p.ANSWER, 4)
    start = math.degrees(math.atan2(to_face[1] - y, to_face[0] - x))
    end = math.degrees(math.atan2(to_query[1] - y, to_query[0] - x))
    radius = 0.4 * min(math.dist((x, y), to_face), math.dist((x, y), to_query))
    first, last = (end, start) if turn <= 180 else (start, end)
    plan.pen.draw.arc((x - radius, y - radius, x + radius, y + radius), first, last, fill=p.ANSWER, width=3)
    middle = math.radians(first + ((last - first) % 360) / 2)
    shown = turn if turn <= 180 else 360 - turn
    words = f"{shown:.0f}° {'left' if turn <= 180 else 'right'}"
    _write(plan, x + (radius + 12) * math.cos(middle), y + (radius + 12) * math.sin(middle), words, 14, p.ANSWER, 0)


def _name_things(plan: _Map, asked: AskedSpace) -> None:
    """Names: of what is asked about always, of others inside their outline where they fit."""
    order = {i: k for k, i in enumerate(asked.objects)}
    for thing in sorted(
        asked.space.objects, key=lambda o: (order.get(o.object_id, 99), -o.box.size[0] * o.box.size[1])
    ):
        ink = asked.ink(thing.object_id)
        outline = np.array(plan.many(ground(thing.box)))
        middle = outline.mean(axis=0)
        if ink is not None:
            _write(
                plan, float(middle[0]), float(middle[1]), thing.phrase, 15, ink, float(np.ptp(outline[:, 1])) / 2 + 2
            )
            continue
        size = 12 if plan.rect[2] < 600 else 16
        roomy = float(np.ptp(outline, axis=0).min()) > size
        if roomy and p.text_width(thing.label, size) < max(34.0, float(np.ptp(outline[:, 0])) * 1.4):
            _write(plan, float(middle[0]), float(middle[1]), thing.label, size, p.MUTED, 0, must=False)


def _write(plan: _Map, x: float, y: float, text: str, size: int, ink: str, away: float, *, must: bool = True) -> None:
    """A name at a place, or `away` px above, below or beside it: where nothing is written yet and the plan is not left."""
    width, height = p.text_width(text, size) + 6, size + 6
    steps: Sequence[tuple[float, float]] = ((0, 0),)
    if must:
        reach = [away + height / 2, away + 1.6 * height, away + 2.8 * height]
        steps = [(0, 0)] if away <= 0 else []
        for far in reach:
            steps += [(0, -far), (0, far), (far + width / 2, 0), (-far - width / 2, 0)]
    for dx, dy in steps:
        left = min(max(x + dx - width / 2, plan.rect[0] + 1), plan.rect[2] - width - 1)
        top = min(max(y + dy - height / 2, plan.rect[1] + 1), plan.rect[3] - height - 1)
        place = (left, top, left + width, top + height)
        if not any(p.overlap(place, other) for other in plan.taken):
            if must:
                plan.pen.fill(place, p.PAPER, 4)
            plan.pen.text(left + 3, top + 2, text, size, ink, bold=must)
            plan.taken.append(place)
            return


def _draw_scale(plan: _Map, space: Space) -> None:
    """A bar of one metre, or of one unit where metres are not known."""
    unit = (
        "1 m"
        if space.scale_status in ("sensor", "anchored")
        else "about 1 m"
        if space.scale_status == "predicted"
        else "1 unit"
    )
    words = f"from above  ·  the bar is {unit}"
    x, y = plan.left + extent(space)[0][0] * plan.scale, plan.rect[3] + _SCALE_PX
    plan.pen.fill((x, y - 8, x + plan.scale, y - 5), p.INK)
    plan.pen.text(x + plan.scale + 8, y - 16, words, 13, p.MUTED)
