"""What happens to a camera when its picture is resized, cut or turned: all numbers follow, the pose too where it must.

Pixels are measured from the picture's corner (the first pixel's centre is 0.5), so that resizing is one multiplication.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .camera import Camera


def resized(camera: Camera, width: int, height: int) -> Camera:
    """The camera of the picture scaled to `width` x `height`, each direction by its own factor."""
    x, y = width / camera.width, height / camera.height
    return replace(
        camera, width=width, height=height, fx=camera.fx * x, fy=camera.fy * y, cx=camera.cx * x, cy=camera.cy * y
    )


def cropped(camera: Camera, left: float, top: float, width: int, height: int) -> Camera:
    """The camera of a part of the picture that begins `left` and `top` pixels from its corner."""
    return replace(camera, width=width, height=height, cx=camera.cx - left, cy=camera.cy - top)


def rotated(camera: Camera, degrees: int) -> Camera:
    """The camera of the picture turned clockwise by 0, 90, 180 or 270 degrees: it is held otherwise, so its pose turns as well.

    Raises ValueError for other angles.
    """
    if degrees % 90:
        raise ValueError(f"a picture cannot be turned by {degrees} degrees; use 0, 90, 180 or 270")
    for _ in range(degrees // 90 % 4):
        pose = camera.matrix.copy()
        # right in the turned picture is up in the old one, down is right
        pose[:3, 0], pose[:3, 1] = -camera.matrix[:3, 1], camera.matrix[:3, 0]
        camera = replace(
            camera, width=camera.height, height=camera.width, fx=camera.fy, fy=camera.fx, cx=camera.height - camera.cy,
            cy=camera.cx, pose=tuple(np.asarray(pose).ravel().tolist()),
        )  # fmt: skip
    return camera
