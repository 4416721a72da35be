"""Composed scene pictures with captions: one coloured shape at a named position on a textured background.

The pictures look like frames of a composed film (same primitives, now and then a dim second shape) and every
attribute is known exactly, so they train and test the tiny CLIP. Everything follows from a seed.
Limits: eight colours, six shapes, five positions, one captioned shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .drawing import COLOURS as PALETTE
from .drawing import Picture, Rgb, hills, paste, shape_sprite, texture

COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
"""Names in the palette of `drawing`."""

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "cross", "ring")

POSITIONS: dict[str, tuple[float, float]] = {
    "left": (0.22, 0.5),
    "right": (0.78, 0.5),
    "top": (0.5, 0.24),
    "bottom": (0.5, 0.76),
    "middle": (0.5, 0.5),
}
"""Position name to the nominal centre, fractions of width and height, origin top left."""

_AT: dict[str, tuple[str, ...]] = {
    "left": ("at the left", "on the left", "on the left side"),
    "right": ("at the right", "on the right", "on the right side"),
    "top": ("at the top", "near the top", "in the upper part"),
    "bottom": ("at the bottom", "near the bottom", "in the lower part"),
    "middle": ("in the middle", "in the centre", "in the center"),
}
_FULL: tuple[str, ...] = (
    "{a} {at}",
    "a picture of {a} {at}",
    "a photo of {a} {at}",
    "there is {a} {at}",
    "{at}, {a}",
    "{c} {s} {at}",
    "the {c} {s} is {at}",
    "a {s} that is {c}, {at}",
    "a frame with {a} {at}",
)
_COLOUR_SHAPE: tuple[str, ...] = (
    "{a}",
    "a photo of {a}",
    "a picture of {a}",
    "{c} {s}",
    "there is {a}",
    "a {s} that is {c}",
    "a video frame with {a}",
)
_SHAPE: tuple[str, ...] = ("a {s}", "a photo of a {s}", "a picture of a {s}", "the shape is a {s}", "{s}")
_COLOUR: tuple[str, ...] = ("something {c}", "{a_c} shape", "{a_c} object", "a photo of something {c}", "{c}")
_POSITION: tuple[str, ...] = ("a shape {at}", "something {at}", "an object {at}", "{at}")
_EMPTY: tuple[str, ...] = ("an empty scene", "nothing", "only a background", "a picture without any shape")

Combination = tuple[str, str, str]
"""(colour, shape, position)."""

COMBINATIONS: tuple[Combination, ...] = tuple((c, s, p) for c in COLOURS for s in SHAPES for p in POSITIONS)
"""All 240 combinations in a fixed order."""


def is_unseen(combination: Combination) -> bool:
    """Whether a combination is held out from training (48 of 240).

    The pattern holds out one position of every pair of colour and shape, so training sees each value of each
    attribute and each pair; only the triple is new.
    """
    colour, shape, position = combination
    c, s, p = COLOURS.index(colour), SHAPES.index(shape), list(POSITIONS).index(position)
    return (c + 2 * s + p) % len(POSITIONS) == 0


SEEN: tuple[Combination, ...] = tuple(x for x in COMBINATIONS if not is_unseen(x))
UNSEEN: tuple[Combination, ...] = tuple(x for x in COMBINATIONS if is_unseen(x))


@dataclass(frozen=True)
class Scene:
    """Everything that determines one picture.

    Centres are fractions of width and height (origin top left, y down), radii fractions of the height, the
    angle is in degrees clockwise. `stops` are the background's colours; `landscape` draws hills instead of a
    flat texture. `colour`, `shape`, `position` are None in an empty scene. `dim` is the second, uncaptioned
    shape: (shape, centre x, centre y, radius).
    """

    colour: str | None
    shape: str | None
    position: str | None
    cx: float
    cy: float
    radius: float
    angle_deg: float
    relief: float
    paint: Rgb
    stops: tuple[Rgb, ...]
    landscape: bool
    cell: float
    seed: int
    dim: tuple[str, float, float, float] | None


def sample_scene(seed: int, combination: Combination | None, *, dim_share: float = 0.3) -> Scene:
    """One random scene of a combination (None: an empty scene); the same arguments give the same scene.

    `dim_share` is the probability of a second, dim shape.
    """
    rng = np.random.default_rng([seed, 0x5CE])
    colour, shape, position = combination if combination else (None, None, None)
    base = PALETTE[colour] if colour else (128, 128, 128)
    red, green, blue = (int(v) for v in np.clip(np.asarray(base) + rng.integers(-14, 15, 3), 0, 255))
    cx, cy = POSITIONS[position] if position else (0.5, 0.5)
    cx += float(rng.uniform(-0.06, 0.06))
    cy += float(rng.uniform(-0.06, 0.06))
    dim = None
    if colour and rng.random() < dim_share:
        corners = [(0.12, 0.16), (0.88, 0.16), (0.12, 0.84), (0.88, 0.84)]
        x, y = sorted(corners, key=lambda xy: -math.dist(xy, (cx, cy)))[int(rng.integers(2))]
        dim = (SHAPES[int(rng.integers(len(SHAPES)))], x, y, float(rng.uniform(0.06, 0.11)))
    landscape = bool(rng.random() < 0.35)
    return Scene(
        colour=colour,
        shape=shape,
        position=position,
        cx=cx,
        cy=cy,
        radius=float(rng.uniform(0.15, 0.27)),
        angle_deg=float(rng.uniform(-15, 15)),
        relief=float(rng.uniform(0.0, 0.3)),
        paint=(red, green, blue),
        stops=_ground(rng, 4 if landscape else int(rng.integers(2, 4)), base if colour else None),
        landscape=landscape,
        cell=float(rng.uniform(0.12, 0.6)),
        seed=int(rng.integers(2**28)),
        dim=dim,
    )


def _ground(rng: np.random.Generator, count: int, avoid: Rgb | None) -> tuple[Rgb, ...]:
    """Muted background colours, each far enough from the shape's colour to see its outline."""
    found: list[Rgb] = []
    while len(found) < count:
        grey = rng.uniform(40, 215)
        red, green, blue = (int(v) for v in np.clip(grey + rng.uniform(-45, 45, 3), 8, 247))
        if avoid is None or math.dist((red, green, blue), avoid) > 95:
            found.append((red, green, blue))
    return tuple(found)


def captions(scene: Scene) -> list[str]:
    """Every wording that names colour, shape and position (or that says that the scene is empty)."""
    if scene.colour is None or scene.shape is None or scene.position is None:
        return list(_EMPTY)
    return full_captions((scene.colour, scene.shape, scene.position))


def full_captions(combination: Combination) -> list[str]:
    """All wordings of a combination; the first is the plain one: ``a red circle at the left``."""
    colour, shape, position = combination
    a = f"{_article(colour)} {colour} {shape}"
    return [t.format(a=a, c=colour, s=shape, at=at) for at in _AT[position] for t in _FULL]


def colour_shape_captions(colour: str, shape: str) -> list[str]:
    """All wordings that name colour and shape only; the first is the plain one: ``a red circle``."""
    a = f"{_article(colour)} {colour} {shape}"
    return [t.format(a=a, c=colour, s=shape) for t in _COLOUR_SHAPE]


def attribute_captions(kind: str, value: str) -> list[str]:
    """All wordings of one attribute; ``kind`` is ``shape``, ``colour`` or ``position``."""
    if kind == "shape":
        return [t.format(s=value) for t in _SHAPE]
    if kind == "colour":
        return [t.format(c=value, a_c=f"{_article(value)} {value}") for t in _COLOUR]
    if kind == "position":
        return [t.format(at=at) for at in _AT[value] for t in _POSITION]
    raise ValueError(f"attribute_captions: kind {kind!r} is unknown; use 'shape', 'colour' or 'position'")


def empty_captions() -> list[str]:
    """All wordings for a scene without a shape."""
    return list(_EMPTY)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def draw_scene(scene: Scene, width: int, height: int) -> Picture:
    """The picture, uint8 `[height, width, 3]` RGB; drawn for 48 pixels of height or more."""
    if scene.landscape:
        picture = hills(height, width, scene.seed, list(scene.stops[:2]), list(scene.stops[2:]), layers=2)
    else:
        picture = texture(height, width, scene.seed, list(scene.stops), max(6.0, scene.cell * height))
    if scene.dim is not None:
        shape, x, y, radius = scene.dim
        middle = np.mean(scene.stops, axis=0)
        red, green, blue = (int(v) for v in np.where(middle > 128, middle - 34, middle + 34))
        _lay(picture, shape, (red, green, blue), x, y, radius, 0.0, 0.0)
    if scene.shape is not None:
        _lay(picture, scene.shape, scene.paint, scene.cx, scene.cy, scene.radius, scene.angle_deg, scene.relief)
    return picture


def _lay(
    picture: Picture,
    shape: str,
    paint: Rgb,
    cx: float,
    cy: float,
    radius: float,
    angle_deg: float,
    relief: float,
) -> None:
    """Lay one shape over `picture` in place."""
    height, width = picture.shape[:2]
    size_px = max(4, round(2 * radius * height))
    sprite = shape_sprite(shape, paint, size_px, angle_deg, relief)
    paste(picture, sprite, cx * width - size_px / 2, cy * height - size_px / 2)
