"""What can be hidden in noise: words, shapes, silhouettes of things, and shapes that move; in families of near misses.

Whoever guesses is to gain nothing from the options, so a family is drawn first, then one of its members, all alike: no
member is nearer to the others than they are to it. Words of a family differ in one letter at one place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np

from .drawing import SHAPES, shape_mask

Category = Literal["text", "shapes", "objects", "dynamic"]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

WORDS: tuple[tuple[str, ...], ...] = (
    ("lamp", "camp", "damp", "ramp"),
    ("bell", "cell", "well", "sell"),
    ("cake", "lake", "rake", "wake"),
    ("boat", "coat", "goat", "moat"),
    ("sand", "band", "hand", "land"),
    ("ring", "king", "wing", "sing"),
    ("nest", "best", "rest", "west"),
    ("mail", "nail", "rail", "sail"),
    ("book", "cook", "hook", "look"),
    ("fold", "gold", "cold", "bold"),
    ("date", "gate", "late", "rate"),
    ("bear", "dear", "fear", "gear"),
)
SHAPE_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("circle", "ring", "moon", "hexagon", "heart"),
    ("square", "triangle", "star", "diamond", "cross"),
)
OBJECT_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("house", "church", "tent", "castle"),
    ("car", "bus", "truck", "train"),
    ("cup", "bottle", "vase", "bowl"),
    ("key", "hammer", "spoon", "fork"),
    ("tree", "mushroom", "umbrella", "flower"),
)
MOTION_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("it moves to the left", "it moves to the right", "it moves upwards", "it moves downwards"),
)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "ring": ("annulus", "donut"),
    "moon": ("crescent", "half moon"),
    "circle": ("disc", "disk"),
    "diamond": ("rhombus",),
    "cross": ("plus", "plus sign"),
    "square": ("box",),
    "car": ("automobile",),
    "truck": ("lorry",),
    "cup": ("mug",),
    "house": ("home", "hut"),
    "church": ("chapel",),
    "castle": ("fortress",),
    "umbrella": ("parasol",),
    "mushroom": ("toadstool",),
    "train": ("locomotive",),
}
"""Other names of a shape or thing that are right as well."""

_Part = tuple[str, tuple[float, ...]]
_DRAWN: dict[str, tuple[_Part, ...]] = {
    "house": (("poly", (-0.8, -0.1, 0, -0.9, 0.8, -0.1)), ("rect", (-0.62, -0.1, 0.62, 0.9)), ("cut", (-0.15, 0.35, 0.2, 0.9))),
    "church": (
        ("rect", (-0.2, 0.1, 0.9, 0.9)), ("rect", (-0.75, -0.35, -0.2, 0.9)), ("poly", (-0.85, -0.35, -0.475, -0.95, -0.1, -0.35)),
        ("poly", (-0.2, 0.1, 0.05, -0.3, 0.7, -0.3, 0.95, 0.1)), ("cut", (0.25, 0.45, 0.55, 0.9)),
    ),
    "tent": (("poly", (-0.95, 0.9, 0, -0.8, 0.95, 0.9)), ("hole", (-0.25, 0.9, 0, 0.1, 0.25, 0.9))),
    "castle": (
        ("rect", (-0.9, -0.1, 0.9, 0.9)), ("rect", (-0.9, -0.75, -0.45, 0.9)), ("rect", (0.45, -0.75, 0.9, 0.9)),
        ("cut", (-0.74, -0.75, -0.6, -0.55)), ("cut", (0.6, -0.75, 0.74, -0.55)), ("cut", (-0.2, 0.35, 0.2, 0.9)),
    ),
    "car": (
        ("rect", (-0.95, -0.05, 0.95, 0.45)), ("poly", (-0.6, -0.05, -0.35, -0.5, 0.3, -0.5, 0.6, -0.05)),
        ("disc", (-0.5, 0.45, 0.25)), ("disc", (0.5, 0.45, 0.25)),
    ),
    "bus": (
        ("rect", (-0.95, -0.55, 0.95, 0.45)), ("disc", (-0.55, 0.45, 0.22)), ("disc", (0.55, 0.45, 0.22)),
        ("cut", (-0.75, -0.35, -0.3, -0.02)), ("cut", (-0.1, -0.35, 0.35, -0.02)), ("cut", (0.5, -0.35, 0.95, -0.02)),
    ),
    "truck": (
        ("rect", (-0.95, -0.65, 0.25, 0.45)), ("poly", (0.35, 0.45, 0.35, -0.3, 0.7, -0.3, 0.95, 0.05, 0.95, 0.45)),
        ("rect", (-0.95, 0.25, 0.95, 0.45)), ("disc", (-0.6, 0.5, 0.22)), ("disc", (0.6, 0.5, 0.22)),
    ),
    "train": (
        ("rect", (-0.95, -0.1, 0.5, 0.4)), ("rect", (0.1, -0.75, 0.75, 0.4)), ("rect", (-0.75, -0.6, -0.45, 0)),
        ("cut", (0.28, -0.5, 0.58, -0.2)), ("disc", (-0.65, 0.5, 0.22)), ("disc", (-0.1, 0.5, 0.22)), ("disc", (0.45, 0.5, 0.22)),
    ),
    "cup": (("rect", (-0.7, -0.6, 0.4, 0.7)), ("disc", (0.45, 0.0, 0.45)), ("round", (0.45, 0.0, 0.22)), ("rect", (-0.7, -0.6, 0.35, 0.7))),
    "bottle": (("rect", (-0.4, -0.2, 0.4, 0.95)), ("rect", (-0.16, -0.95, 0.16, -0.1)), ("poly", (-0.4, -0.2, -0.16, -0.5, 0.16, -0.5, 0.4, -0.2))),
    "vase": (("disc", (0, 0.2, 0.65)), ("rect", (-0.2, -0.9, 0.2, 0.0)), ("poly", (-0.5, -0.95, 0.5, -0.95, 0.2, -0.6, -0.2, -0.6)), ("rect", (-0.35, 0.7, 0.35, 0.92))),
    "bowl": (("disc", (0, -0.25, 0.9)), ("cut", (-1, -1.2, 1, -0.25)), ("rect", (-0.35, 0.55, 0.35, 0.85))),
    "key": (("disc", (-0.55, 0, 0.42)), ("round", (-0.6, 0, 0.16)), ("rect", (-0.2, -0.13, 0.95, 0.13)), ("rect", (0.4, 0.1, 0.56, 0.45)), ("rect", (0.72, 0.1, 0.92, 0.45))),
    "hammer": (("rect", (-0.16, -0.4, 0.16, 0.95)), ("rect", (-0.75, -0.85, 0.6, -0.35)), ("poly", (0.6, -0.85, 0.95, -0.5, 0.6, -0.35))),
    "spoon": (("disc", (0, -0.55, 0.4)), ("rect", (-0.13, -0.4, 0.13, 0.95))),
    "fork": (
        ("rect", (-0.13, -0.1, 0.13, 0.95)), ("rect", (-0.5, -0.35, 0.5, -0.05)), ("rect", (-0.5, -0.95, -0.25, -0.2)),
        ("rect", (-0.125, -0.95, 0.125, -0.2)), ("rect", (0.25, -0.95, 0.5, -0.2)),
    ),
    "tree": (("poly", (-0.6, -0.15, 0, -0.95, 0.6, -0.15)), ("poly", (-0.8, 0.5, 0, -0.5, 0.8, 0.5)), ("rect", (-0.17, 0.5, 0.17, 0.95))),
    "mushroom": (("disc", (0, -0.05, 0.85)), ("cut", (-1, -0.05, 1, 1)), ("rect", (-0.28, -0.1, 0.28, 0.9))),
    "umbrella": (
        ("disc", (0, 0.0, 0.95)), ("cut", (-1, 0.0, 1, 1)), ("rect", (-0.1, -0.1, 0.1, 0.85)), ("rect", (-0.1, 0.68, 0.45, 0.88)),
        ("rect", (0.28, 0.48, 0.45, 0.88)),
    ),
    "flower": (
        ("disc", (0, -0.72, 0.25)), ("disc", (0.32, -0.45, 0.25)), ("disc", (-0.32, -0.45, 0.25)), ("disc", (0.2, -0.12, 0.25)),
        ("disc", (-0.2, -0.12, 0.25)), ("disc", (0, -0.4, 0.25)), ("rect", (-0.09, 0, 0.09, 0.95)), ("poly", (0, 0.6, 0.5, 0.3, 0.2, 0.7)),
    ),
}  # fmt: skip
"""Silhouettes of unit size, x right, y down: parts that add (poly, rect, disc) and parts that take away (hole, cut, round)."""


def families(category: Category) -> tuple[tuple[str, ...], ...]:
    """Families of answers of a category; of `dynamic`: of what moves."""
    return {"text": WORDS, "shapes": SHAPE_FAMILIES, "objects": OBJECT_FAMILIES, "dynamic": SHAPE_FAMILIES}[category]


@lru_cache(maxsize=64)
def drawn(category: Category, label: str, height: int, width: int) -> Mask:
    """What hides, as large as fits into `height` x `width` cells with a margin: bool [height, width]."""
    if category == "text":
        return _word(label.upper(), height, width)
    size = int(min(height, width) * 0.86)
    part = shape_mask(label, size) >= 0.5 if label in SHAPES else _silhouette(label, size)
    made = np.zeros((height, width), bool)
    top, left = (height - size) // 2, (width - size) // 2
    made[top : top + size, left : left + size] = part
    return made


def _word(text: str, height: int, width: int) -> Mask:
    """Thick letters: the strokes are widened by a fortieth of the word's width."""
    from PIL import Image, ImageDraw, ImageFont

    scale = 4
    font = ImageFont.load_default(200)
    stroke = 7
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    picture = Image.new("L", (round(right - left), round(bottom - top)), 0)
    ImageDraw.Draw(picture).text((-left, -top), text, fill=255, font=font, stroke_width=stroke, stroke_fill=255)
    share = min(0.92 * width / picture.width, 0.8 * height / picture.height)
    size = max(1, round(picture.width * share)), max(1, round(min(picture.height * share * 1.4, 0.8 * height)))
    small = picture.resize((size[0] * scale, size[1] * scale)).resize(size, Image.Resampling.BOX)
    made = np.zeros((height, width), bool)
    y, x = (height - size[1]) // 2, (width - size[0]) // 2
    made[y : y + size[1], x : x + size[0]] = np.asarray(small) >= 128
    return made


def _silhouette(label: str, size: int) -> Mask:
    from PIL import Image, ImageDraw

    big, half = size * 4, size * 2.0
    picture = Image.new("L", (big, big), 0)
    pen = ImageDraw.Draw(picture)
    for kind, numbers in _DRAWN[label]:
        at = [half + n * half for n in numbers]
        fill = 255 if kind in ("poly", "rect", "disc") else 0
        if kind in ("poly", "hole"):
            pen.polygon(list(zip(at[::2], at[1::2], strict=True)), fill=fill)
        elif kind in ("rect", "cut"):
            pen.rectangle(at, fill=fill)
        else:
            radius = numbers[2] * half
            pen.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=fill)
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX)) >= 128
