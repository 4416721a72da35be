"""Stored pictures of one frame set as what detectors and croppers look at, so that nothing is decoded from video twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.annotator import Rows, SkipUnit
from ...engine.kept import one_producer
from ...schemas.span import to_us

Pixels = NDArray[np.uint8]
COLUMNS = {"frames": ("t_s", "frame_set", "width", "height", "jpeg")}
"""Columns of stored pictures that an annotator of this room asks for."""


@dataclass(frozen=True)
class Still:
    """A JPEG picture at a time."""

    t_s: float
    width: int
    height: int
    jpeg: bytes

    def rgb(self) -> Pixels:
        """uint8 [height, width, 3]. Raises ValueError for bytes that are no picture."""
        import cv2

        bgr = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise ValueError(f"the stored picture at {self.t_s:g} s is no JPEG")
        return np.ascontiguousarray(bgr[:, :, ::-1])


def stills_of(rows: Rows, frame_set: str | None = None) -> list[Still]:
    """Pictures of one producer and one frame set (the first by name unless it is given) in order of time.

    Raises `SkipUnit` without pictures, `ValueError` naming the sets that there are.
    """
    mine: Sequence[Any] = one_producer(rows["frames"])
    if not mine:
        raise SkipUnit("no stored pictures")
    sets = sorted({str(r["frame_set"]) for r in mine})
    if frame_set is not None and frame_set not in sets:
        raise ValueError(f"no frame set {frame_set}; stored are {', '.join(sets)}")
    chosen = frame_set or sets[0]
    found = {to_us(r["t_s"]): r for r in mine if r["frame_set"] == chosen}
    return [
        Still(float(r["t_s"]), int(r["width"]), int(r["height"]), bytes(r["jpeg"])) for _, r in sorted(found.items())
    ]
