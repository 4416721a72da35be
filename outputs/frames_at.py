"""Small pictures of a medium at given times: one pass for all who want frames, streaming, nothing kept but pictures.

A wish is the frame that stands at a time (the last one presented until then), at a size. Decoding stops after the last
wish. Wishes that lie far apart in files with an honest index (MP4, Matroska) are reached by seeking to a key frame, so
that a picture from the end of an hour costs a moment; where that does not lead there, the file is read from its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.media.container import open_media, video_stream
from ..engine.media.decode import VideoReader
from ..engine.media.frame import Frame
from ..schemas.span import to_us

SEEK_US = 20_000_000
"""Wishes further apart than this (microseconds) are worth a seek."""
_MARGIN_S = 1.0
_HONEST = ("mov", "mp4", "matroska", "webm")


@dataclass(frozen=True, order=True)
class FrameWish:
    """The frame that stands at `t_us` (microseconds on the presentation clock), longest side at most `max_side_px`."""

    t_us: int
    max_side_px: int


@dataclass(frozen=True)
class FramePicture:
    """A frame's picture: its own time in seconds, and uint8 [h, w, 3] RGB in display orientation."""

    t_s: float
    rgb: np.ndarray[Any, Any]


def wish_at(t_s: float, max_side_px: int) -> FrameWish:
    """A wish for a time in seconds."""
    return FrameWish(to_us(max(t_s, 0.0)), max_side_px)


def frames_at(path: Path | str, wishes: Iterable[FrameWish]) -> dict[FrameWish, FramePicture]:
    """The picture of every wish; times after the last frame get the last. Raises `MediaError` when the file breaks."""
    found: dict[FrameWish, FramePicture] = {}
    unmet: list[FrameWish] = []
    for group in _groups(sorted(set(wishes))):
        sought = _sought(path, group) if group[0].t_us > SEEK_US else None
        if sought is None:
            unmet += group
        else:
            found |= sought
    if unmet:
        found |= _met(VideoReader(path), unmet)
    return found


def _groups(wishes: Sequence[FrameWish]) -> list[list[FrameWish]]:
    """Wishes in runs without a gap that is worth a seek."""
    groups: list[list[FrameWish]] = []
    for wish in wishes:
        if groups and wish.t_us - groups[-1][-1].t_us <= SEEK_US:
            groups[-1].append(wish)
        else:
            groups.append([wish])
    return groups


def _met(frames: Iterable[Frame], wishes: Sequence[FrameWish]) -> dict[FrameWish, FramePicture]:
    """Pictures for wishes in order of time, from frames in order of time."""
    found: dict[FrameWish, FramePicture] = {}
    stands: Frame | None = None
    place = 0
    for frame in frames:
        now = to_us(frame.t_s)
        while place < len(wishes) and wishes[place].t_us < now:
            found[wishes[place]] = _picture(stands or frame, wishes[place])
            place += 1
        if place == len(wishes):
            return found
        stands = frame
    if stands is not None:
        found |= {wish: _picture(stands, wish) for wish in wishes[place:]}
    return found


def _picture(frame: Frame, wish: FrameWish) -> FramePicture:
    return FramePicture(frame.t_s, np.array(frame.rgb(wish.max_side_px)))


def _sought(path: Path | str, wishes: Sequence[FrameWish]) -> dict[FrameWish, FramePicture] | None:
    """As `_met` from the key frame before the first wish; None when seeking does not lead there."""
    frames = _from_key_frame(path, wishes[0].t_us / 1e6)
    first = next(frames, None)
    if first is None or to_us(first.t_s) > wishes[0].t_us:
        return None

    def all_frames() -> Iterator[Frame]:
        yield first
        yield from frames

    return _met(all_frames(), wishes)


def _from_key_frame(path: Path | str, t_s: float) -> Iterator[Frame]:
    """Presented frames from a key frame before `t_s` on; none when the file cannot be sought or is damaged there."""
    import av

    reader = VideoReader(path)
    opening = iter(reader)
    next(opening)
    opening.close()
    with open_media(path) as container:
        stream = video_stream(container)
        honest = set(container.format.name.split(",")) & set(_HONEST)
        if stream is None or not honest or reader.first_pts is None or reader.geometry is None or not stream.time_base:
            return
        base, zero = stream.time_base, reader.first_pts
        stream.thread_count, stream.thread_type = 1, "NONE"
        try:
            container.seek(zero + int((t_s - _MARGIN_S) / base), stream=stream)
            last: int | None = None
            for picture in container.decode(stream):
                if picture.pts is None:
                    return
                if (last is None and not picture.key_frame) or (last is not None and picture.pts <= last):
                    continue
                last = picture.pts
                time = (picture.pts - zero) * base.numerator / base.denominator
                yield Frame(picture, -1, time, reader.geometry)
        except av.error.FFmpegError:
            return
