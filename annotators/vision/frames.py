"""Frames: pictures of a medium as JPEG, the only form in which pixels are stored.

They serve contact sheets, frame-order questions and models that look at pictures: whoever asks for the same
frame set gets the same bytes, and each picture is encoded once per pass. A picture stands until the next kept
one or the end; with `min_change` the pictures that hardly differ from the last kept one are left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, FrameSet, Medium, Params, Picture, Row, Sampling
from ...engine.media.frame import Frame
from ...engine.media.pictures import PictureTaker


class FramesParams(Params):
    """Which pictures to keep and how large."""

    fps: float = Field(1.0, gt=0, description="pictures per second of footage")
    max_side_px: int = Field(512, ge=16, description="longest side of a stored picture; never upscaled")
    quality: int = Field(90, ge=1, le=100, description="JPEG quality")
    min_change: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="leave out pictures that differ less from the last kept one (mean luma, share of full scale)",
    )


class FramesSession(FrameSession):
    """Hands out a picture as soon as the next one says how long it stands."""

    def __init__(self, medium: Medium, frame_set: FrameSet) -> None:
        self._end_s, self._set_name = medium.duration_s, frame_set.name
        self._taker = PictureTaker(medium.media_id, frame_set)

    def see(self, frame: Frame) -> Iterable[Row]:
        return self._rows(self._taker.take(frame))

    def close(self) -> Iterable[Row]:
        return self._rows(self._taker.close(self._end_s))

    def _rows(self, picture: Picture | None) -> list[Row]:
        if picture is None:
            return []
        row = {
            "t_s": picture.t_s,
            "until_s": picture.until_s,
            "frame_set": self._set_name,
            "width": picture.width,
            "height": picture.height,
            "jpeg": picture.jpeg,
        }
        return [("frames", row)]


class Frames(FrameAnnotator[FramesParams]):
    """Pictures of one frame set, stored in table `frames`."""

    name = "frames"
    Params = FramesParams
    writes = ("frames",)

    def frame_set(self) -> FrameSet:
        """The frame set that its rows belong to; an equal set elsewhere in a pass shares the encoding."""
        params = self.params
        return FrameSet(params.fps, params.max_side_px, params.quality, params.min_change)

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling(fps=self.params.fps)

    def open(self, medium: Medium) -> FrameSession:
        return FramesSession(medium, self.frame_set())


ANNOTATOR = Frames
