"""From stored pixels to the picture that is shown: display matrix (rotation, mirror) and sample aspect ratio.

An `Orientation` is one of the eight ways to lay a picture out; it is applied to small pictures, after
scaling. The sample aspect ratio needs no step of its own: pictures are scaled straight from stored pixels to
their square-pixel size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Orientation:
    """Transpose first, then mirror left-right and top-bottom."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def apply(self, picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """`picture` (h, w[, 3]) as displayed; the same array where nothing is to do."""
        if self == UPRIGHT:
            return picture
        import cv2

        if self.transpose:
            picture = cv2.transpose(picture)
        if self.mirror_x or self.mirror_y:
            picture = cv2.flip(picture, -1 if self.mirror_x and self.mirror_y else int(self.mirror_x))
        return picture

    @property
    def clockwise_degrees(self) -> int:
        """The rotation part (0, 90, 180, 270), clockwise; a mirror counts as one of the left-right kind."""
        if self.transpose:
            return 270 if self.mirror_y else 90
        return 180 if self.mirror_y else 0


UPRIGHT = Orientation()

EXIF_ORIENTATIONS = {
    1: UPRIGHT,
    2: Orientation(False, True, False),
    3: Orientation(False, True, True),
    4: Orientation(False, False, True),
    5: Orientation(True, False, False),
    6: Orientation(True, True, False),
    7: Orientation(True, True, True),
    8: Orientation(True, False, True),
}
"""By the value of the EXIF tag `Orientation`."""


@dataclass(frozen=True)
class Geometry:
    """How the stored pixels of a stream are displayed."""

    width: int
    """Display width in square pixels."""
    height: int
    orientation: Orientation
    stretched: bool = False
    """Whether stored pixels are not square."""

    @classmethod
    def of(cls, frame: VideoFrame, sample_aspect: Fraction | None, orientation: Orientation | None) -> Geometry:
        """Geometry of a decoded frame. `orientation` overrides the frame's own display matrix."""
        width, height = square_pixels(frame.width, frame.height, sample_aspect)
        stretched = (width, height) != (frame.width, frame.height)
        turn = orientation_of(frame) if orientation is None else orientation
        if turn.transpose:
            width, height = height, width
        return cls(width, height, turn, stretched)


def square_pixels(width: int, height: int, sample_aspect: Fraction | None) -> tuple[int, int]:
    """Stored size with the width stretched to square pixels (before rotation)."""
    if not sample_aspect or sample_aspect <= 0:
        return width, height
    return max(1, round(width * Fraction(sample_aspect))), height


@lru_cache(maxsize=1024)
def fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Size with the longest side at most `max_side` px: even numbers when shrunk (at least 1), never
    larger.
    """
    longest = max(width, height)
    if longest <= max_side:
        return width, height
    return _shrunk(width, longest, max_side), _shrunk(height, longest, max_side)


def _shrunk(side: int, longest: int, max_side: int) -> int:
    exact = side * max_side / longest
    return max(2 * round(exact / 2), 1) if exact >= 2 else 1


def orientation_of(frame: VideoFrame) -> Orientation:
    """Orientation by the display matrix of a frame (x to the right, y down); upright without one or when it
    is skewed.
    """
    from av.sidedata.sidedata import Type

    try:
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:  # side data of a type that PyAV does not know hides the matrix; the angle is still readable
        return _by_angle(frame.rotation)
    if matrix is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(matrix)[:36], np.int32)[:5] / 65536.0
    if abs(a * d) >= abs(b * c):
        return Orientation(False, bool(a < 0), bool(d < 0))
    return Orientation(True, bool(c < 0), bool(b < 0))


def _by_angle(counter_clockwise: int) -> Orientation:
    quarter = round(counter_clockwise / 90) % 4
    return (UPRIGHT, EXIF_ORIENTATIONS[8], EXIF_ORIENTATIONS[3], EXIF_ORIENTATIONS[6])[quarter]
