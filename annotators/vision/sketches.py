"""Sketches of a video for finding copies of it: perceptual hashes of its pictures as they are, mirrored and cropped.

A copy is hashed once, by `signals`; what may have been done to it is tried here, on the side of the benchmark, which is
sketched once and compared often. A perceptual hash forgives some percent of cropping, so a few crops cover what lies
between them. Dark and even pictures are left out. Limits: borders, rotation and overlays are not among the variants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.annotator import FrameSession, Medium, Row, Sampling
from .picture_numbers import dct_hash, is_black

if TYPE_CHECKING:
    from ...engine.media.frame import Frame
    from .vector_sketches import VectorSession, VectorSketcher

CROPS: dict[str, tuple[float, float, float, float]] = {
    "centre 95": (0.025, 0.025, 0.975, 0.975),
    "centre 90": (0.05, 0.05, 0.95, 0.95),
    "centre 85": (0.075, 0.075, 0.925, 0.925),
    "centre 80": (0.1, 0.1, 0.9, 0.9),
    "top left 90": (0.0, 0.0, 0.9, 0.9),
    "top right 90": (0.1, 0.0, 1.0, 0.9),
    "bottom left 90": (0.0, 0.1, 0.9, 1.0),
    "bottom right 90": (0.1, 0.1, 1.0, 1.0),
    "height 90": (0.0, 0.05, 1.0, 0.95),
    "height 80": (0.0, 0.1, 1.0, 0.9),
    "width 90": (0.05, 0.0, 0.95, 1.0),
    "width 75": (0.125, 0.0, 0.875, 1.0),
}
"""Name -> kept part of the picture (left, top, right, bottom), 0..1. Numbers are percent of the side that is kept."""
VARIANTS = tuple(f"{side}{crop}".strip() or "whole" for side in ("", "mirrored ") for crop in ("", *CROPS))
_SIDE_PX = 256
_MIN_CONTRAST = 6.0


@dataclass(frozen=True)
class VideoSketch:
    """`times` [n] in seconds and `hashes` [len(VARIANTS), n] as signed 64-bit integers."""

    times: NDArray[np.float64]
    hashes: NDArray[np.int64]
    vectors: VectorSession | None = None
    """The embedded pictures, where a model was given."""


class SketchSession(FrameSession):
    """Collects the hashes of one video; yields no rows."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.hashes: list[list[int]] = []

    def see(self, frame: Frame) -> Iterable[Row]:
        import cv2

        luma = frame.luma(_SIDE_PX)
        if is_black(luma) or float(luma.std()) < _MIN_CONTRAST:
            return ()
        height, width = luma.shape
        small = [frame.luma_at(32, 32)]
        for left, top, right, bottom in CROPS.values():
            part = luma[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
            small.append(cv2.resize(part, (32, 32), interpolation=cv2.INTER_AREA))
        self.times.append(frame.t_s)
        self.hashes.append([dct_hash(p) for p in (*small, *(np.ascontiguousarray(p[:, ::-1]) for p in small))])
        return ()


def sketch_video(path: Path, fps: float = 4.0, embed: VectorSketcher | None = None) -> VideoSketch:
    """Sketch a video file at `fps` pictures a second, and embed it where a model is given, in one decode.

    Raises `MediaError` for a file without pictures or one that cannot be read to its end.
    """
    from ...engine.media.container import MediaError
    from ...engine.media.events import Finished
    from ...engine.media.probe import probe
    from ...engine.media.shared_pass import FrameTap, run_frames

    facts: dict[str, Any] = probe(path)
    if not facts.get("frames"):
        raise MediaError(str(path), "it has no pictures", "register its identifier instead")
    size = (facts["fps"], facts["frames"], facts["width"], facts["height"])
    medium = Medium(
        str(path), str(path), path, facts["kind"], facts["duration_s"], *size, has_video=True, has_audio=False
    )
    session = SketchSession()
    taps, vectors = [FrameTap("sketch", session, Sampling(fps))], None
    if embed is not None:
        tap, vectors = embed.tap()
        taps.append(tap)
    for event in run_frames(medium, taps):
        if isinstance(event, Finished) and event.error is not None:
            raise event.error
    hashes = np.array(session.hashes, np.int64).reshape(-1, len(VARIANTS)).T
    return VideoSketch(np.array(session.times, np.float64), np.ascontiguousarray(hashes), vectors)
