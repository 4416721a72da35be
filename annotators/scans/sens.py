"""ScanNet's `.sens` files, version 4: intrinsics, and per frame a pose, times, a JPEG and a depth map packed by zlib.

Only where each frame lies is read at first; pictures and depth are read when they are asked for.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...engine.importing import ImportProblem
from .conventions import Floats
from .pictures import decoded
from .scan import Pixels

VERSION, JPEG, PNG, RAW, ZLIB = 4, 2, 1, 0, 1


@dataclass(frozen=True, eq=False)
class SensFrame:
    """One frame."""

    pose: Floats
    """[4, 4] as written."""
    colour_us: int
    """Time of the picture, microseconds; 0 where none was kept."""
    colour: Callable[[], Pixels]
    depth: Callable[[], Floats]
    """Steps [h, w]."""


@dataclass(frozen=True, eq=False)
class Sens:
    """A file."""

    colour_k: Floats
    depth_k: Floats
    """[4, 4] as written."""
    extrinsic_colour: Floats
    extrinsic_depth: Floats
    colour_size: tuple[int, int]
    depth_size: tuple[int, int]
    steps_per_m: float
    frames: tuple[SensFrame, ...]


def read_sens(path: Path) -> Sens:
    """The index of a file. Raises `ImportProblem` for another version, another packing, or a file that is cut short."""
    with path.open("rb") as file:

        def take(form: str) -> tuple[float, ...]:
            data = file.read(struct.calcsize(form))
            if len(data) < struct.calcsize(form):
                raise ImportProblem(f"{path.name} ends in the middle of a frame: download it again")
            return struct.unpack(form, data)

        version = take("<I")[0]
        if version != VERSION:
            raise ImportProblem(f"{path.name} is of version {version:g}, not {VERSION}")
        file.read(int(take("<Q")[0]))  # name of the sensor
        matrices = [np.array(take("<16f"), np.float64).reshape(4, 4) for _ in range(4)]
        colour_packing, depth_packing = (int(v) for v in take("<2i"))
        width, height, depth_width, depth_height = (int(v) for v in take("<4I"))
        steps_per_m, count = take("<f")[0], int(take("<Q")[0])
        if colour_packing not in (JPEG, PNG) or depth_packing not in (RAW, ZLIB):
            raise ImportProblem(
                f"{path.name}: pictures packed as {colour_packing} and depth as {depth_packing} cannot be read; export its frames"
            )
        frames = []
        for number in range(count):
            pose = np.array(take("<16f"), np.float64).reshape(4, 4)
            colour_us, _, colour_bytes, depth_bytes = (int(v) for v in take("<4Q"))
            at = file.tell()
            file.seek(colour_bytes + depth_bytes, 1)
            frames.append(
                SensFrame(
                    pose, colour_us, partial(_colour, path, at, colour_bytes, number),
                    partial(_depth, path, at + colour_bytes, depth_bytes, (depth_height, depth_width), depth_packing == ZLIB),
                )
            )  # fmt: skip
        if file.tell() > path.stat().st_size:
            raise ImportProblem(f"{path.name} ends in the middle of a frame: download it again")
    return Sens(
        matrices[0],
        matrices[2],
        matrices[1],
        matrices[3],
        (width, height),
        (depth_width, depth_height),
        steps_per_m,
        tuple(frames),
    )


def _bytes(path: Path, at: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(length)


def _colour(path: Path, at: int, length: int, number: int) -> Pixels:
    return decoded(_bytes(path, at, length), f"frame {number} of {path.name}")


def _depth(path: Path, at: int, length: int, shape: tuple[int, int], packed: bool) -> Floats:
    data = _bytes(path, at, length)
    return np.frombuffer(zlib.decompress(data) if packed else data, "<u2").reshape(shape).astype(np.float64)
