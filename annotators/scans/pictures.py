"""Pictures, depth maps, masks and numbers from files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...engine.importing import ImportProblem
from .conventions import Floats
from .scan import Ints, Pixels

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def picture(path: Path) -> Pixels:
    """uint8 rgb [height, width, 3]; an orientation tag is not followed: intrinsics are of the pixels as they are stored."""
    import cv2

    found = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise ImportProblem(f"{path.name} is no picture that can be read")
    return np.asarray(found[..., ::-1], np.uint8)


def decoded(data: bytes, what: str) -> Pixels:
    """As `picture`, of the bytes of a file."""
    import cv2

    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise ImportProblem(f"{what} is no picture that can be read")
    return np.asarray(found[..., ::-1], np.uint8)


def depth_steps(path: Path) -> Floats:
    """The numbers of a depth map [h, w]: a 16-bit picture, or an array of `.npy`."""
    import cv2

    if path.suffix == ".npy":
        return np.asarray(np.load(path, allow_pickle=False), np.float64).squeeze()
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None or found.ndim != 2:
        raise ImportProblem(f"{path.name} is no depth map: one channel of 16 bits is expected")
    return np.asarray(found, np.float64)


def written_numbers(path: Path) -> Floats:
    """The numbers of a text file, a row per line."""
    try:
        return np.asarray(np.loadtxt(path), np.float64)
    except ValueError as error:
        raise ImportProblem(
            f"{path.parent.name}/{path.name} is no table of numbers: {str(error).partition(';')[0]}"
        ) from None


def mask_numbers(file: Path | BinaryIO, name: str = "") -> Ints:
    """What a mask holds [h, w]; of a palette picture the indices. `name` stands in errors about an open file."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            found = np.asarray(image)
    except OSError as error:
        said = file.name if isinstance(file, Path) else name
        raise ImportProblem(f"{said} is no mask that can be read: {error}") from None
    return np.asarray(found if found.ndim == 2 else found[..., 0], np.int64)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, from its header."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return int(image.size[0]), int(image.size[1])
    except OSError as error:
        raise ImportProblem(f"{path.name} is no picture that can be read: {error}") from None
