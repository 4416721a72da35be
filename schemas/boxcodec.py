"""Box codecs: how a trainer's language writes a box, one interface, each with a published worst-case error.

Text is `[x1, y1, x2, y2]`, edges rounded half to even from the box's six stored decimals, so x.5 cases do not
depend on floating point. A box too small for the grid would lose its area: `fits` says so and `encode`
refuses. `find_boxes` reads a model's free text and never raises; numbers out of range, inverted or empty are
no box.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from .box import Box, box_or_none

_STORED = 1_000_000  # markup keeps 6 decimals
_STORED_ERROR = 0.5 / _STORED
_NUMBER = r"\s*(-?\d{1,9}(?:\.\d{1,12})?)\s*"
_BOX = re.compile(rf"[\[(]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[\])]")


class BoxCodecError(ValueError):
    """A box that the codec cannot write, or text that is not one box."""


@dataclass(frozen=True)
class BoxCodec(ABC):
    """What every codec offers: `steps` cells per axis, text of one edge, and both ways for whole boxes."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def steps(self) -> tuple[int, int]:
        """Cells along x and y: an edge is written as the nearest of these."""

    @abstractmethod
    def _edge_text(self, index: int) -> str: ...

    @abstractmethod
    def _edge_value(self, text: str, axis: int) -> float:
        """Normalised value of one number."""

    @property
    def max_error(self) -> tuple[float, float]:
        """Largest error of an edge in x and in y, as shares of width and height."""
        nx, ny = self.steps
        return 0.5 / nx + _STORED_ERROR, 0.5 / ny + _STORED_ERROR

    def _indices(self, box: Box) -> list[int]:
        return [
            round(Fraction(round(edge * _STORED) * self.steps[axis % 2], _STORED))
            for axis, edge in enumerate(box.edges)
        ]

    def fits(self, box: Box) -> bool:
        """True when the box keeps an area after rounding."""
        x1, y1, x2, y2 = self._indices(box)
        return x1 < x2 and y1 < y2

    def encode(self, box: Box) -> str:
        """`[x1, y1, x2, y2]`; BoxCodecError when the box is smaller than the grid can say."""
        if not self.fits(box):
            raise BoxCodecError(
                f"{box} vanishes on the grid of {self.name} {self.steps}; leave the sample out (fits())"
            )
        return f"[{', '.join(self._edge_text(index) for index in self._indices(box))}]"

    def decode(self, text: str) -> Box:
        """The box of a text that is exactly one; else BoxCodecError."""
        match = _BOX.fullmatch(text.strip())
        box = self._box(match) if match else None
        if box is None:
            raise BoxCodecError(f"{text!r} is not one box of the codec {self.name}")
        return box

    def find_boxes(self, text: str) -> list[Box]:
        """Every readable box in free text, in reading order."""
        return [box for box in map(self._box, _BOX.finditer(text)) if box is not None]

    def _box(self, match: re.Match[str]) -> Box | None:
        x1, y1, x2, y2 = (self._edge_value(match[i + 1], i % 2) for i in range(4))
        return box_or_none(x1, y1, x2, y2)


@dataclass(frozen=True)
class Float01Codec(BoxCodec):
    """Normalised decimals, `[0.125, 0.300, 0.500, 0.750]`, with `decimals` (1 to 6) digits."""

    name: ClassVar[str] = "float01"
    decimals: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.decimals <= 6:
            raise ValueError(f"float01 codec: decimals is {self.decimals}; use 1 to 6")

    @property
    def steps(self) -> tuple[int, int]:
        return 10**self.decimals, 10**self.decimals

    def _edge_text(self, index: int) -> str:
        whole, fraction = divmod(index, 10**self.decimals)
        return f"{whole}.{fraction:0{self.decimals}d}"

    def _edge_value(self, text: str, axis: int) -> float:
        return float(text)


@dataclass(frozen=True)
class Int1000Codec(BoxCodec):
    """Integers 0..1000 of width and height (Qwen2-VL, InternVL)."""

    name: ClassVar[str] = "int1000"

    @property
    def steps(self) -> tuple[int, int]:
        return 1000, 1000

    def _edge_text(self, index: int) -> str:
        return str(index)

    def _edge_value(self, text: str, axis: int) -> float:
        return float(text) / 1000


@dataclass(frozen=True)
class PixelsCodec(BoxCodec):
    """Integer pixel edges, 0..width and 0..height, of the picture at the size that the model is shown
    (Qwen2.5-VL).
    """

    name: ClassVar[str] = "pixels"
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"pixels codec: size {self.width}x{self.height} is not a picture")

    @property
    def steps(self) -> tuple[int, int]:
        return self.width, self.height

    def _edge_text(self, index: int) -> str:
        return str(index)

    def _edge_value(self, text: str, axis: int) -> float:
        return float(text) / self.steps[axis]


BOX_CODECS = ("float01", "int1000", "pixels")


def box_codec(name: str, *, width: int, height: int, decimals: int = 3) -> BoxCodec:
    """The codec of that name for a picture shown at `width` x `height`; `decimals` is for float01 only."""
    match name:
        case "float01":
            return Float01Codec(decimals)
        case "int1000":
            return Int1000Codec()
        case "pixels":
            return PixelsCodec(width, height)
    raise ValueError(f"unknown box codec {name!r}; known are {', '.join(BOX_CODECS)}")
