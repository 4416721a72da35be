"""Boxes in a picture: normalised `x1, y1, x2, y2` in [0, 1], origin top left, display orientation.

Boxes are edges, not pixel indices, so scaling is one multiplication and a mirrored or rotated picture has
exactly mirrored or rotated boxes. A box always has an area; what a detector or a model says goes through
`box_or_none` or `Box.from_pixels`. Axis-aligned only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .span import to_us

LOWER_THIRD = 1 / 3
UPPER_THIRD = 2 / 3

Region = Literal["top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right"]

_REGIONS: tuple[tuple[Region, Region, Region], ...] = (
    ("top left", "top", "top right"),
    ("left", "centre", "right"),
    ("bottom left", "bottom", "bottom right"),
)


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A box with normalised edges: 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1, else ValueError."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not (0 <= self.x1 < self.x2 <= 1 and 0 <= self.y1 < self.y2 <= 1):
            raise ValueError(
                f"box {self.x1!r},{self.y1!r},{self.x2!r},{self.y2!r} must satisfy 0 <= x1 < x2 <= 1 and "
                "0 <= y1 < y2 <= 1 (normalised edges, origin top left); use Box.from_pixels() for pixels"
            )

    @classmethod
    def from_pixels(cls, x1: float, y1: float, x2: float, y2: float, width: int, height: int) -> Box | None:
        """Pixel edges of a `width` x `height` picture, cut at its border; None when nothing is left."""
        return box_or_none(
            min(max(x1 / width, 0.0), 1.0),
            min(max(y1 / height, 0.0), 1.0),
            min(max(x2 / width, 0.0), 1.0),
            min(max(y2 / height, 0.0), 1.0),
        )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2

    @property
    def area(self) -> float:
        """Share of the picture, 0..1."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def contains_point(self, x: float, y: float) -> bool:
        """True when the point lies inside; the left and top edges belong to the box."""
        return self.x1 <= x < self.x2 and self.y1 <= y < self.y2

    def intersection(self, other: Box) -> Box | None:
        """The common part, or None."""
        return box_or_none(
            max(self.x1, other.x1), max(self.y1, other.y1), min(self.x2, other.x2), min(self.y2, other.y2)
        )

    def mirror(self) -> Box:
        """The box in the horizontally mirrored picture (left and right exchanged)."""
        return Box(1 - self.x2, self.y1, 1 - self.x1, self.y2)

    def rotate(self, degrees: int) -> Box:
        """The box in the picture turned clockwise by 0, 90, 180 or 270 degrees; others raise ValueError."""
        match degrees:
            case 0:
                return self
            case 90:
                return Box(1 - self.y2, self.x1, 1 - self.y1, self.x2)
            case 180:
                return Box(1 - self.x2, 1 - self.y2, 1 - self.x1, 1 - self.y1)
            case 270:
                return Box(self.y1, 1 - self.x2, self.y2, 1 - self.x1)
        raise ValueError(f"a box cannot be rotated by {degrees} degrees; use 0, 90, 180 or 270")

    def to_pixels(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Edges in pixels of a `width` x `height` picture, not rounded."""
        return self.x1 * width, self.y1 * height, self.x2 * width, self.y2 * height

    def region(self, low: float = LOWER_THIRD, high: float = UPPER_THIRD) -> Region:
        """Which of nine parts of the picture holds the centre; `low` and `high` divide both axes."""
        x, y = self.centre
        return _REGIONS[_part(y, low, high)][_part(x, low, high)]

    def region_margin(self, low: float = LOWER_THIRD, high: float = UPPER_THIRD) -> float:
        """Distance of the centre to the nearest dividing line: small means that `region` is a close call."""
        return min(abs(value - line) for value in self.centre for line in (low, high))


def _part(value: float, low: float, high: float) -> int:
    return 0 if value < low else 1 if value < high else 2


def box_or_none(x1: float, y1: float, x2: float, y2: float) -> Box | None:
    """`Box(...)`, or None when the numbers are out of range, inverted, empty or not finite."""
    if 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1:
        return Box(x1, y1, x2, y2)
    return None


def iou(a: Box, b: Box) -> float:
    """Intersection over union of areas, 0..1, in normalised coordinates."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    common = width * height
    union = a.area + b.area - common
    return min(1.0, common / union) if union > 0 else 0.0


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; raises ValueError when there is none."""
    found = list(boxes)
    if not found:
        raise ValueError("hull of no boxes; give at least one")
    return Box(min(b.x1 for b in found), min(b.y1 for b in found), max(b.x2 for b in found), max(b.y2 for b in found))


def viou(predicted: Mapping[float, Box], truth: Mapping[float, Box]) -> float:
    """vIoU of two tracks {t_s: box}: sum of IoU at common times / number of times in either; 0 when both are
    empty.

    Times are equal when their microseconds are equal (VidSTG; formula in LLaVA-ST's evaluation).
    """
    left = {to_us(t_s): box for t_s, box in predicted.items()}
    right = {to_us(t_s): box for t_s, box in truth.items()}
    times = sorted(left.keys() | right.keys())
    if not times:
        return 0.0
    return math.fsum(iou(left[t], right[t]) for t in times if t in left and t in right) / len(times)
