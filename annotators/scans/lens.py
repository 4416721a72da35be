"""Lens distortion: pictures are undistorted to a pinhole of the same intrinsics, so that all that is stored is a pinhole.

Models and the order of their parameters are COLMAP's; pixels at the border whose rays the lens did not see are black.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.importing import ImportProblem
from .scan import K, Pixels

_ORDER: dict[str, tuple[str, ...]] = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
    "FULL_OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "SIMPLE_RADIAL_FISHEYE": ("f", "cx", "cy", "k1"),
    "RADIAL_FISHEYE": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV_FISHEYE": ("fx", "fy", "cx", "cy", "k1", "k2", "k3", "k4"),
}


@dataclass(frozen=True)
class Lens:
    """A lens: intrinsics in pixels (the first pixel's centre is 0.5) and its distortion."""

    k: K
    distortion: tuple[float, ...] = ()
    """OpenCV's k1 k2 p1 p2 k3 ..., or k1 k2 k3 k4 of a fisheye."""
    fisheye: bool = False

    @property
    def straight(self) -> bool:
        """Whether it distorts nothing."""
        return not self.fisheye and not any(self.distortion)

    def undistorted(self, read: Callable[[], Pixels]) -> Callable[[], Pixels]:
        """Reads a picture and undoes the distortion."""
        return read if self.straight else lambda: self._pinhole(read())

    def _pinhole(self, picture: Pixels) -> Pixels:
        import cv2

        height, width = picture.shape[:2]
        fx, fy, cx, cy = self.k
        matrix = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
        numbers = np.asarray(self.distortion, np.float64)
        rectify: Any = cv2.fisheye.initUndistortRectifyMap if self.fisheye else cv2.initUndistortRectifyMap
        one, two = rectify(matrix, numbers, np.eye(3), matrix, (width, height), cv2.CV_32FC1)
        return np.asarray(cv2.remap(picture, one, two, cv2.INTER_LINEAR), np.uint8)


def lens_of(model: str, params: Sequence[float]) -> Lens:
    """The lens of a COLMAP camera. Raises `ImportProblem` for a model without an inverse here."""
    order = _ORDER.get(model)
    if order is None or len(params) != len(order):
        raise ImportProblem(
            f"camera model {model} cannot be undone here; undistort the pictures with COLMAP's image_undistorter first"
        )
    told = dict(zip(order, map(float, params), strict=True))
    f = told.get("f", 0.0)
    k = told.get("fx", f), told.get("fy", f), told["cx"], told["cy"]
    return lens_from(k, told, fisheye="FISHEYE" in model)


def lens_from(k: K, told: dict[str, float], *, fisheye: bool) -> Lens:
    """A lens of intrinsics and named coefficients; those that are not named are 0."""
    names = ("k1", "k2", "k3", "k4") if fisheye else ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    numbers = tuple(told.get(name, 0.0) for name in names)
    if not fisheye:
        numbers = numbers[:5] if not any(numbers[5:]) else numbers
    return Lens(k, numbers, fisheye)
