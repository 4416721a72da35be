"""What can stand in a room: how each kind is built from a few meshes, where it stands, and which colours it comes in.

Lengths are those of ordinary furniture. A kind's builder makes parts with its back towards -y and its feet at z = 0; the box
around them is exact, because it is taken from the very vertices that are rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .draw import BRIGHT, METAL, WOODEN, Draw
from .meshes import ball, box, prism
from .scene import Part

Where = Literal["wall", "free", "mounted", "top"]
"""Against a wall, anywhere on the floor, hung on a wall, or on top of something."""


@dataclass(frozen=True)
class Kind:
    """A kind of furniture."""

    label: str
    where: Where
    build: Callable[[Draw, str], list[Part]]
    """Parts of one of that colour."""
    colours: tuple[str, ...]
    most: int = 1
    """At most so many in a room."""
    height_m: tuple[float, float] = (0.0, 0.0)
    """Of what hangs on a wall: how high its lower edge is."""
    on: tuple[str, ...] = ()
    """Of what stands on top: on which labels."""


def _legs(d: Draw, w: float, e: float, h: float, thick: float, colour: str) -> list[Part]:
    m = d.material(colour, "wood", 0.5)
    x, y = w / 2 - thick / 2, e / 2 - thick / 2
    return [box((sx * x, sy * y, h / 2), (thick, thick, h), m) for sx in (-1, 1) for sy in (-1, 1)]


def _table(d: Draw, colour: str) -> list[Part]:
    w, e, h, top = d.between(1.0, 1.7), d.between(0.7, 0.95), d.between(0.70, 0.78), 0.045
    return [
        box((0, 0, h - top / 2), (w, e, top), d.material(colour, "wood", 0.9)),
        *_legs(d, w, e, h - top, 0.07, colour),
    ]


def _desk(d: Draw, colour: str) -> list[Part]:
    w, e, h, top = d.between(1.1, 1.5), d.between(0.6, 0.75), d.between(0.72, 0.76), 0.04
    m = d.material(colour, "wood", 0.8)
    side = [box((s * (w / 2 - 0.02), 0, (h - top) / 2), (0.04, e, h - top), m) for s in (-1, 1)]
    drawers = box((w / 2 - 0.24, 0, h - top - 0.22), (0.38, e - 0.04, 0.40), d.material(colour, "panels", 1.1))
    return [box((0, 0, h - top / 2), (w, e, top), m), *side, drawers]


def _chair(d: Draw, colour: str) -> list[Part]:
    w, e, seat, h = d.between(0.42, 0.50), d.between(0.42, 0.50), d.between(0.43, 0.47), d.between(0.82, 0.98)
    m = d.material(colour, d.pick(("weave", "speckle", "stripes")), 0.5)
    return [
        box((0, 0, seat - 0.03), (w, e, 0.06), m),
        box((0, -e / 2 + 0.025, (seat + h) / 2), (w, 0.05, h - seat), m),
        *_legs(d, w, e, seat - 0.06, 0.045, d.pick(WOODEN)),
    ]


def _stool(d: Draw, colour: str) -> list[Part]:
    r, h = d.between(0.17, 0.21), d.between(0.45, 0.65)
    m = d.material(METAL)
    return [
        prism((0, 0, h - 0.03), r, r, 0.06, d.material(colour, "weave", 0.4)),
        prism((0, 0, h / 2), 0.03, 0.03, h - 0.06, m),
        prism((0, 0, 0.015), r * 0.9, r * 0.9, 0.03, m),
    ]


def _sofa(d: Draw, colour: str) -> list[Part]:
    w, e, h, arm = d.between(1.6, 2.2), d.between(0.82, 0.95), d.between(0.75, 0.9), 0.18
    m, cushion = d.material(colour, "weave", 0.7), d.material(colour, d.pick(("weave", "checks", "dots")), 0.6)
    return [
        box((0, 0, 0.14), (w, e, 0.28), m),
        box((0, -e / 2 + 0.11, (h + 0.28) / 2), (w, 0.22, h - 0.28), m),
        *[box((s * (w / 2 - arm / 2), 0.11, 0.42), (arm, e - 0.22, 0.28), m) for s in (-1, 1)],
        *[
            box((s * (w - 2 * arm) / 4, 0.10, 0.36), ((w - 2 * arm) / 2 - 0.01, e - 0.24, 0.16), cushion)
            for s in (-1, 1)
        ],
    ]


def _bed(d: Draw, colour: str) -> list[Part]:
    w, e, h = d.between(0.95, 1.6), d.between(2.0, 2.1), d.between(0.8, 1.0)
    frame = d.material(d.pick(WOODEN), "wood", 0.8)
    return [
        box((0, 0, 0.15), (w, e, 0.30), frame),
        box((0, -e / 2 + 0.03, h / 2), (w, 0.06, h), frame),
        box(
            (0, 0.05, 0.41), (w - 0.06, e - 0.16, 0.22), d.material(colour, d.pick(("checks", "stripes", "weave")), 0.9)
        ),
        *[box((s * w / 4, -e / 2 + 0.28, 0.565), (w / 2 - 0.14, 0.34, 0.09), d.material("white")) for s in (-1, 1)],
    ]


def _bookshelf(d: Draw, colour: str) -> list[Part]:
    w, e, h, thick = d.between(0.7, 1.1), d.between(0.28, 0.34), d.between(1.5, 2.0), 0.03
    m = d.material(colour, "wood", 0.9)
    parts = [box((s * (w / 2 - thick / 2), 0, h / 2), (thick, e, h), m) for s in (-1, 1)]
    parts.append(box((0, -e / 2 + 0.01, h / 2), (w - 2 * thick, 0.02, h), m))
    levels = 5
    for k in range(levels + 1):
        z = thick / 2 + k * (h - thick) / levels
        parts.append(box((0, 0, z), (w - 2 * thick, e, thick), m))
        if k < levels:
            x, room = -w / 2 + thick, (h - thick) / levels - thick
            while x < w / 2 - 0.25:
                wide, tall = d.between(0.06, 0.2), room * d.between(0.55, 0.92)
                book = d.material(d.pick(BRIGHT + WOODEN), "stripes", 0.3)
                parts.append(box((x + wide / 2, 0, z + thick / 2 + tall / 2), (wide, e * 0.7, tall), book))
                x += wide + d.between(0.0, 0.06)
    return parts


def _cabinet(d: Draw, colour: str) -> list[Part]:
    w, e, h = d.between(0.8, 1.4), d.between(0.38, 0.48), d.between(0.7, 1.1)
    door = d.material(colour, "panels", 1.3)
    return [
        box((0, -0.01, h / 2), (w, e - 0.02, h), d.material(colour, "wood", 0.9)),
        *[box((s * w / 4, e / 2 - 0.01, h / 2), (w / 2 - 0.03, 0.02, h - 0.08), door) for s in (-1, 1)],
    ]


def _fridge(d: Draw, colour: str) -> list[Part]:
    w, e, h = d.between(0.58, 0.7), d.between(0.6, 0.7), d.between(1.5, 1.85)
    m = d.material(colour, "speckle", 1.2, 0.2)
    return [
        box((0, 0, h / 2), (w, e, h), m),
        box((w * 0.36, e / 2 + 0.02, h * 0.6), (0.03, 0.04, 0.4), d.material(METAL)),
    ]


def _lamp(d: Draw, colour: str) -> list[Part]:
    h, r = d.between(1.35, 1.7), d.between(0.17, 0.23)
    m = d.material("black")
    return [
        prism((0, 0, 0.02), 0.15, 0.15, 0.04, m),
        prism((0, 0, h / 2), 0.018, 0.018, h - 0.1, m, sides=8),
        prism((0, 0, h - 0.14), r, r * 0.7, 0.28, d.material(colour, "stripes", 0.5)),
    ]


def _bin(d: Draw, colour: str) -> list[Part]:
    r, h = d.between(0.13, 0.17), d.between(0.32, 0.45)
    return [prism((0, 0, h / 2), r * 0.8, r, h, d.material(colour, "stripes", 0.4))]


def _plant(d: Draw, colour: str) -> list[Part]:
    r, h = d.between(0.13, 0.17), d.between(0.55, 1.0)
    leaf = d.material("green", "blotches", 0.35, 0.5)
    crown = (h - 0.3) / 2
    return [
        prism((0, 0, 0.12), r * 0.75, r, 0.24, d.material(colour, "speckle", 0.4)),
        prism((0, 0, 0.3), 0.02, 0.02, 0.2, d.material("brown"), sides=8),
        prism((0, 0, 0.3 + crown / 2), r * 0.6, r * 1.5, crown, leaf, sides=9),
        prism((0, 0, 0.3 + crown * 1.5), r * 1.5, 0.04, crown, leaf, sides=9),
    ]


def _box(d: Draw, colour: str) -> list[Part]:
    w, e, h = d.between(0.28, 0.5), d.between(0.28, 0.5), d.between(0.22, 0.45)
    return [box((0, 0, h / 2), (w, e, h), d.material(colour, d.pick(("blotches", "stripes", "dots", "checks")), 0.5))]


def _ball(d: Draw, colour: str) -> list[Part]:
    r = d.between(0.11, 0.18)
    return [ball((0, 0, r), r, d.material(colour, d.pick(("stripes", "dots", "checks")), 0.4, 0.5))]


def _tv(d: Draw, colour: str) -> list[Part]:
    w, e = d.between(0.9, 1.3), d.between(0.05, 0.08)
    h = round(w * 0.58, 3)
    screen = d.material((58, 66, 84), "blotches", 1.4, 0.6)
    return [
        box((0, -0.005, h / 2), (w, e - 0.01, h), d.material(colour)),
        box((0, e / 2 - 0.005, h / 2), (w - 0.06, 0.01, h - 0.06), screen),
    ]


def _picture(d: Draw, colour: str) -> list[Part]:
    w, h, e = d.between(0.4, 0.9), d.between(0.4, 0.7), 0.03
    return [
        box((0, -0.005, h / 2), (w, e - 0.01, h), d.material(d.pick(WOODEN), "wood", 0.5)),
        box(
            (0, e / 2 - 0.005, h / 2),
            (w - 0.1, 0.01, h - 0.1),
            d.material(colour, d.pick(("blotches", "dots", "checks")), 0.8, 0.6),
        ),
    ]


def _clock(d: Draw, colour: str) -> list[Part]:
    side, e = d.between(0.26, 0.38), 0.05
    dark = d.material("black")
    return [
        box((0, -0.01, side / 2), (side, e - 0.02, side), d.material(colour)),
        box((0, e / 2 - 0.015, side / 2), (side - 0.06, 0.01, side - 0.06), d.material("white")),
        box((0, e / 2 - 0.005, side * 0.62), (0.02, 0.01, side * 0.3), dark),
        box((side * 0.12, e / 2 - 0.005, side / 2), (side * 0.26, 0.01, 0.02), dark),
    ]


def _window(d: Draw, colour: str) -> list[Part]:
    w, h, e = d.between(0.9, 1.5), d.between(0.9, 1.2), 0.06
    m = d.material(colour, "wood", 0.6)
    glass = d.material((150, 186, 216), "blotches", 1.6, 0.4)
    return [
        box((0, -0.02, h / 2), (w - 0.04, 0.02, h - 0.04), glass),
        *[box((s * (w / 2 - 0.03), 0, h / 2), (0.06, e, h), m) for s in (-1, 1)],
        *[box((0, 0, z), (w - 0.12, e, 0.06), m) for z in (0.03, h - 0.03)],
        box((0, 0, h / 2), (0.05, e - 0.01, h - 0.12), m),
    ]


def _door(d: Draw, colour: str) -> list[Part]:
    w, h, e = d.between(0.8, 0.95), d.between(1.98, 2.1), 0.05
    return [
        box((0, -0.01, h / 2), (w, e - 0.02, h), d.material(colour, "panels", 2.4)),
        ball((w / 2 - 0.08, e / 2 - 0.01, h * 0.49), 0.035, d.material(METAL), rings=6, sides=8),
    ]


def _vase(d: Draw, colour: str) -> list[Part]:
    r, h = d.between(0.06, 0.09), d.between(0.2, 0.32)
    m = d.material(colour, "dots", 0.2)
    return [prism((0, 0, h * 0.35), r * 0.6, r, h * 0.7, m), prism((0, 0, h * 0.85), r, r * 0.5, h * 0.3, m)]


def _laptop(d: Draw, colour: str) -> list[Part]:
    w, e = d.between(0.32, 0.38), d.between(0.22, 0.26)
    m = d.material(colour)
    return [
        box((0, 0, 0.01), (w, e, 0.02), m),
        box((0, -e / 2 + 0.01, 0.02 + e / 2), (w, 0.02, e), m),
        box(
            (0, -e / 2 + 0.022, 0.02 + e / 2),
            (w - 0.03, 0.004, e - 0.03),
            d.material((90, 130, 180), "blotches", 0.4, 0.5),
        ),
    ]


def _book(d: Draw, colour: str) -> list[Part]:
    w, e, h = d.between(0.16, 0.24), d.between(0.22, 0.30), d.between(0.03, 0.06)
    return [box((0, 0, h / 2), (w, e, h), d.material(colour, "stripes", 0.3))]


FABRIC = (*BRIGHT, "grey", "white")
TOPS = ("table", "desk", "cabinet")
KINDS: tuple[Kind, ...] = (
    Kind("table", "free", _table, WOODEN, 2),
    Kind("chair", "free", _chair, FABRIC, 4),
    Kind("stool", "free", _stool, BRIGHT, 3),
    Kind("sofa", "wall", _sofa, FABRIC, 2),
    Kind("bed", "wall", _bed, FABRIC, 1),
    Kind("desk", "wall", _desk, WOODEN, 1),
    Kind("bookshelf", "wall", _bookshelf, WOODEN, 2),
    Kind("cabinet", "wall", _cabinet, (*WOODEN, "green", "blue"), 2),
    Kind("fridge", "wall", _fridge, ("white", "grey", "red", "black"), 1),
    Kind("lamp", "free", _lamp, FABRIC, 2),
    Kind("bin", "free", _bin, (*BRIGHT, "black", "grey"), 2),
    Kind("plant", "free", _plant, ("brown", "white", "orange", "blue"), 3),
    Kind("box", "free", _box, (*BRIGHT, "brown"), 4),
    Kind("ball", "free", _ball, BRIGHT, 3),
    Kind("tv", "mounted", _tv, ("black", "grey"), 1, (0.9, 1.2)),
    Kind("painting", "mounted", _picture, BRIGHT, 3, (1.2, 1.5)),
    Kind("clock", "mounted", _clock, (*BRIGHT, "black"), 1, (1.6, 1.9)),
    Kind("window", "mounted", _window, WOODEN, 2, (0.85, 1.0)),
    Kind("door", "mounted", _door, WOODEN, 1, (0.0, 0.0)),
    Kind("vase", "top", _vase, BRIGHT, 2, on=TOPS),
    Kind("laptop", "top", _laptop, ("black", "grey", "white"), 1, on=("table", "desk")),
    Kind("book", "top", _book, BRIGHT, 3, on=TOPS),
)
KIND = {k.label: k for k in KINDS}
