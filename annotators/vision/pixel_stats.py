"""Pixel statistics: 27 labels per short window that say where most moves and which way, and where colours change.

They need no annotation and can be recomputed exactly (`statistics` has the definitions), which makes them
questions of the kind "which quarter of the picture moves most". Frames are stretched to 171x128 and cut to the middle
112x112, as in the source. Flow is DIS instead of TV-L1, which OpenCV's common build lacks; `flow_version` says so.
A window knows nothing of cuts: ask only about windows inside one shot. Flow is dear, so by default a window of two
seconds is taken every ten.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling
from .statistics import SIDE, appearance_labels, motion_labels

if TYPE_CHECKING:
    from ...engine.media.frame import Frame

WIDTH, HEIGHT = 171, 128
LEFT, TOP = (WIDTH - SIDE) // 2, (HEIGHT - SIDE) // 2


def flow_method() -> tuple[Any, str]:
    """DIS and its name: the medium preset with one round of variational refinement instead of five. Clear labels agree
    with five rounds in 98 of 100 cases; without any, orientations come out by the shape of the patches.
    """
    import cv2

    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setVariationalRefinementIterations(1)
    return dis, "dis-medium-vr1"


class PixelStatsParams(Params):
    """How windows are taken, and from when on something moves."""

    fps: float = Field(8.0, gt=0, description="sampled frames per second")
    window_frames: int = Field(16, ge=2, le=256, description="sampled frames per window; windows do not overlap")
    every_s: float = Field(
        10.0, ge=0, description="a window begins at each multiple of this, once the one before is full; 0: back to back"
    )
    motion_floor: float = Field(
        0.12,
        ge=0,
        description="least change of the flow along the picture (px per px, summed over the window) that is motion",
    )
    crosstalk: float = Field(
        0.25, ge=0, lt=1, description="a flow component below this share of the other one does not move"
    )


class PixelStatsSession(FrameSession):
    """Collects one window at a time: 16 small pictures and the flow between them. Frames between windows cost nothing."""

    def __init__(self, params: PixelStatsParams, medium: Medium) -> None:
        import cv2

        self._params, self._end_s = params, medium.duration_s
        self._dis, name = flow_method()
        self._version = f"{name}, opencv {cv2.__version__}"
        self._next_s = 0.0
        self._times: list[float] = []
        self._pictures: list[np.ndarray[Any, Any]] = []
        self._flows: list[np.ndarray[Any, Any]] = []
        self._luma: np.ndarray[Any, Any] | None = None

    def see(self, frame: Frame) -> Iterable[Row]:
        if not self._times and frame.t_s < self._next_s - 1e-6:
            return []
        middle = np.s_[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        luma = np.ascontiguousarray(frame.luma_at(WIDTH, HEIGHT))
        if self._luma is not None and self._times:
            start = np.zeros((HEIGHT, WIDTH, 2), np.float32)
            self._flows.append(self._dis.calc(self._luma, luma, start)[middle])
        self._luma = luma
        self._times.append(frame.t_s)
        self._pictures.append(frame.rgb_at(WIDTH, HEIGHT)[middle])
        if len(self._times) < self._params.window_frames:
            return []
        motion = motion_labels(np.stack(self._flows), self._params.motion_floor, self._params.crosstalk)
        appearance = appearance_labels(np.stack(self._pictures))
        row = {
            "start_s": self._times[0],
            "end_s": min(frame.t_s + 1 / self._params.fps, max(self._end_s, frame.t_s)),
            "motion": list(motion.values),
            "appearance": list(appearance.values),
            "motion_margin": list(motion.margins),
            "appearance_margin": list(appearance.margins),
            "flow_version": self._version,
        }
        self._times, self._pictures, self._flows = [], [], []
        every_s = self._params.every_s
        self._next_s = (math.floor(frame.t_s / every_s + 1e-6) + 1) * every_s if every_s else 0.0
        return [("pixel_stats", row)]


class PixelStats(FrameAnnotator[PixelStatsParams]):
    """Spatio-temporal statistics of windows of 16 sampled frames; an unfinished last window is left out."""

    name = "pixel_stats"
    version = 2
    Params = PixelStatsParams
    writes = ("pixel_stats",)

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling(fps=self.params.fps)

    def open(self, medium: Medium) -> FrameSession:
        return PixelStatsSession(self.params, medium)


ANNOTATOR = PixelStats
