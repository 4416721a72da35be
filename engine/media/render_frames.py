"""Pictures for an edit graph: for each frame of a piece, the source's frame that stands at its source time.

Sources are decoded from the key frame before a piece on, forward, once per piece; a backward piece goes through its span in blocks
of frames from its end, so that memory holds a block, whatever its length. Which frame stands when follows from presentation
timestamps. Pictures may also be given as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...schemas.edit_pieces import Placed
from .container import MediaError, is_still, open_media, reason, video_stream
from .decode import VideoReader, still_orientation
from .frame import Frame, Pixels
from .geometry import Geometry
from .timeline import Timeline

_BLOCK = 48
"""Frames of a backward piece that are in memory at a time."""
_TICK_S, _TOLERANCE_S = 0.002, 2e-6
_SEEK_BACK_S = 0.05

Take = Callable[[Frame], Pixels]


def piece_pictures(placed: Placed, source: Path | Pixels, timeline: Timeline | None) -> Iterator[Pixels]:
    """uint8 rgb [area height, area width, 3] for each frame of a piece, in order.

    `source` is a file with its timeline, or a picture as an array. Raises `MediaError` when the file does not decode.
    """
    piece, area = placed.piece, placed.piece.area

    def take(frame: Frame) -> Pixels:
        picture = frame.rgb_at(area.width, area.height)
        return np.ascontiguousarray(picture[:, ::-1]) if piece.mirrored else picture

    if isinstance(source, np.ndarray):
        picture = _scaled(source, area.width, area.height)
        picture = np.ascontiguousarray(picture[:, ::-1]) if piece.mirrored else picture
        for _ in range(piece.frames):
            yield picture
        return
    assert timeline is not None
    shown = source_frames(placed, timeline)
    if piece.rate >= 0:
        yield from _in_order(source, timeline, shown, take)
        return
    for first in range(0, len(shown), _BLOCK):
        block = shown[first : first + _BLOCK][::-1]
        yield from reversed(list(_in_order(source, timeline, block, take)))


def source_frames(placed: Placed, timeline: Timeline) -> list[int]:
    """Index of the source frame that each frame of a piece shows: the one that stands at its source time; played backwards,
    the one that ends there.
    """
    piece = placed.piece
    slack = min(_TICK_S, timeline.tick_s) * 0.6 + _TOLERANCE_S if timeline.tick_s <= _TICK_S else _TOLERANCE_S
    times = np.array([float(piece.start + piece.rate * Fraction(n) / placed.fps) for n in range(piece.frames)])
    edge = -slack if piece.rate < 0 else slack
    found = np.searchsorted(timeline.times_s, times + edge, side="right") - 1
    return [int(i) for i in np.clip(found, 0, len(timeline.times_s) - 1)]


def _in_order(path: Path, timeline: Timeline, shown: list[int], take: Take) -> Iterator[Pixels]:
    """Pictures of source frames whose indices never fall."""
    times = timeline.times_s
    frames = _frames_from(path, timeline, float(times[shown[0]]))
    at, picture = -1, None
    for index in shown:
        if index != at or picture is None:
            frame = None
            for frame in frames:
                if frame.t_s >= float(times[index]) - _TOLERANCE_S:
                    break
            if frame is None or frame.t_s < float(times[index]) - _TOLERANCE_S:
                if picture is None and frame is None:
                    at_s = float(times[index])
                    raise MediaError(str(path), f"no frame decodes from {at_s:.2f} s on", "copy it again, or repair it")
                frame = None
            picture = take(frame) if frame is not None else picture
            assert picture is not None
            at = index
        yield picture


def _frames_from(path: Path, timeline: Timeline, start_s: float) -> Iterator[Frame]:
    """Frames from the last key frame before `start_s` on; from the beginning where seeking does not land before it."""
    if start_s > 1.0:
        frames = _seeked(path, timeline, start_s)
        first = next(frames, None)
        if first is not None and first.t_s <= start_s + _TOLERANCE_S:
            yield first
            yield from frames
            return
    yield from VideoReader(path, expected_frames=0)


def _seeked(path: Path, timeline: Timeline, start_s: float) -> Iterator[Frame]:
    import av

    with open_media(path) as container:
        stream = video_stream(container)
        if stream is None or is_still(container) or not stream.time_base:
            return
        stream.thread_count = 1
        stream.thread_type = "NONE"
        aspect, base = stream.sample_aspect_ratio, stream.time_base
        turn = still_orientation(path) if is_still(container) else None
        geometry: Geometry | None = None
        try:
            container.seek(int((timeline.start_pts_s + start_s - _SEEK_BACK_S) / base), stream=stream)
            for picture in container.decode(stream):
                if picture.pts is None or picture.is_corrupt:
                    return
                geometry = geometry or Geometry.of(picture, aspect, turn)
                yield Frame(picture, 0, float(picture.pts * base) - timeline.start_pts_s, geometry)
        except av.error.FFmpegError as error:
            raise MediaError(
                str(path), f"it does not decode after {start_s:.2f} s: {reason(error)}", "copy it again, or repair it"
            ) from error


def _scaled(picture: Pixels, width: int, height: int) -> Pixels:
    import cv2

    if picture.shape[:2] == (height, width):
        return picture
    scaled: np.ndarray[Any, Any] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return scaled
