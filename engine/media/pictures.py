"""Sampling of frames by time, and the pictures of a frame set.

A grid of k / fps picks the first frame at or after each of its points, so what is taken depends on timestamps
alone. A frame set may also leave out pictures that hardly differ from the last one kept, which then stands
for the longer time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..annotator import FrameSet, Picture

if TYPE_CHECKING:
    from .frame import Frame

_TOLERANCE_S = 1e-6
_CHANGE_SIDE_PX = 32


class Sampler:
    """Says of each presented frame, asked in order, whether it is the first at or after some k / fps (None:
    all are).
    """

    __slots__ = ("_fps", "next_s")

    def __init__(self, fps: float | None) -> None:
        if fps is not None and not fps > 0:
            raise ValueError(f"a sampling rate must be above 0 frames per second, not {fps}")
        self._fps = fps
        self.next_s = -math.inf
        """Frames before this time are not wanted."""

    def wants(self, t_s: float) -> bool:
        """Whether the frame at `t_s` is taken. One frame may pass several points of the grid; it is taken
        once.
        """
        if t_s < self.next_s:
            return False
        if self._fps is not None:
            k = math.floor((t_s + _TOLERANCE_S) * self._fps) + 1
            if k / self._fps - _TOLERANCE_S <= t_s:  # rounding of the product
                k += 1
            self.next_s = k / self._fps - _TOLERANCE_S
        return True


class PictureTaker:
    """Takes the pictures of one frame set from the frames of one medium that a `Sampler` of its rate
    picks.
    """

    def __init__(self, media_id: str, frame_set: FrameSet) -> None:
        self._media_id = media_id
        self._set = frame_set
        self._waiting: tuple[float, bytes, int, int] | None = None
        self._kept_luma: np.ndarray[Any, Any] | None = None

    def take(self, frame: Frame) -> Picture | None:
        """Take a frame. Returns the picture before it, whose `until_s` is now known, unless nothing
        changed.
        """
        if self._set.min_change > 0:
            luma = frame.luma(_CHANGE_SIDE_PX).astype(np.int16)
            if self._kept_luma is not None:
                change = float(np.abs(luma - self._kept_luma).mean()) / 255
                if change < self._set.min_change:
                    return None
            self._kept_luma = luma
        done = self._finish(frame.t_s)
        jpeg, width, height = frame.jpeg(self._set.max_side_px, self._set.quality)
        self._waiting = (frame.t_s, jpeg, width, height)
        return done

    def close(self, end_s: float) -> Picture | None:
        """The last picture, standing until `end_s`; None when no frame was taken."""
        return self._finish(end_s)

    def _finish(self, until_s: float) -> Picture | None:
        if self._waiting is None:
            return None
        t_s, jpeg, width, height = self._waiting
        self._waiting = None
        return Picture(self._media_id, t_s, max(until_s, t_s), width, height, jpeg)
