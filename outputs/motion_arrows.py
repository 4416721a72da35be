"""Arrows for answers that are a motion: eight directions, zoom in and out, turning, read from the right option's words.

A camera's zoom and roll are drawn as what the picture's content does; a direction is drawn as it is said.
"""

from __future__ import annotations

import math
import re

from ..schemas.sample import ChoiceAnswer, Sample
from . import pen as p
from .pen import Pen, Rect
from .readable import options_in_words

_SIDES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
TURN_WORDS = {
    "in": "the picture grows",
    "out": "the picture shrinks",
    "cw": "the picture turns clockwise",
    "ccw": "the picture turns counter-clockwise",
}
_DIRECTION = re.compile(
    r"(?:^|\bmoves )(?:to the )?(?:(?P<row>upper|lower) )?(?P<side>left|right|up|down)(?:wards?)?$", re.IGNORECASE
)
_TURNS = (
    (re.compile(r"^it zooms in\b"), "in"),
    (re.compile(r"^it zooms out\b"), "out"),
    (re.compile(r"^it rolls clockwise\b"), "ccw"),
    (re.compile(r"^it rolls counter-clockwise\b"), "cw"),
)


def motion_of(sample: Sample) -> tuple[int, int] | str | None:
    """(right, down) in -1..1, or `in`, `out`, `cw`, `ccw` for the content of the picture; None for other answers."""
    answer = sample.answer
    if "motion" not in sample.needs or not isinstance(answer, ChoiceAnswer) or not answer.index < len(sample.options):
        return None
    words = options_in_words(sample)[answer.index].rstrip(".").strip()
    for pattern, turn in _TURNS:
        if pattern.search(words):
            return turn
    found = _DIRECTION.search(words)
    if found is None:
        return None
    right, down = _SIDES[found["side"].lower()]
    return right, down + {"upper": -1, "lower": 1}.get((found["row"] or "").lower(), 0)


def draw_motion(pen: Pen, rect: Rect, motion: tuple[int, int] | str) -> None:
    """The arrows, in the middle of a picture that fills `rect`."""
    x1, y1, x2, y2 = rect
    x, y, reach = (x1 + x2) / 2, (y1 + y2) / 2, min(x2 - x1, y2 - y1) * 0.3
    if isinstance(motion, tuple):
        length = math.hypot(*motion)
        dx, dy = (v / length * reach for v in motion)
        pen.arrow((x - dx, y - dy), (x + dx, y + dy), p.ANSWER)
    elif motion in ("in", "out"):
        near, far = (0.35, 1.25) if motion == "in" else (1.25, 0.35)
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            dx, dy = sx * reach * 0.9, sy * reach * 0.9
            pen.arrow((x + dx * near, y + dy * near), (x + dx * far, y + dy * far), p.ANSWER, 8)
    else:
        _turn(pen, x, y, reach, clockwise=motion == "cw")


def _turn(pen: Pen, x: float, y: float, radius: float, *, clockwise: bool) -> None:
    """Three quarters of a circle with an arrow head, clockwise from the upper left or the other way round."""
    circle = (x - radius, y - radius, x + radius, y + radius)
    outer = tuple(v + s for v, s in zip(circle, (-4, -4, 4, 4), strict=True))
    first, last = (-150, 120) if clockwise else (60, 330)
    pen.draw.arc(outer, first, last, fill=p.PAPER, width=18)
    pen.draw.arc(circle, first, last, fill=p.ANSWER, width=10)
    angle = math.radians(last if clockwise else first)
    sign = 1 if clockwise else -1
    at = (x + (radius - 5) * math.cos(angle), y + (radius - 5) * math.sin(angle))
    along = (-math.sin(angle) * sign, math.cos(angle) * sign)
    pen.arrow((at[0] - along[0] * 2, at[1] - along[1] * 2), (at[0] + along[0] * 28, at[1] + along[1] * 28), p.ANSWER)
