"""When each frame of a file is presented and its sound starts and ends, from packet timestamps, without
decoding it all.

One read of the file gives frame times, key frames and whether the file ends before its header says so;
only the first frame and the first sound are decoded. Where packets do not tell (no timestamps, AVI, VP8
with its hidden frames) the video is decoded to count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .container import MediaError, audio_stream, is_still, open_media, reason, video_stream
from .decode import VideoReader
from .geometry import Geometry

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_HONEST_HEADERS = ("mov", "mp4", "matroska", "webm", "avi", "wav", "flac", "ogg")
"""Formats whose header states the true length."""
_SHORT_BY_S, _SHORT_BY_SHARE = 1.0, 0.02
"""A file that ends earlier than its header says by more than these is truncated."""


@dataclass(frozen=True)
class Timeline:
    """Facts of time about one file. All times but `start_pts_s` are on the presentation clock."""

    start_pts_s: float
    """Container time of t = 0: the first presented video frame, or the first sample of sound alone."""
    times_s: np.ndarray[Any, Any]
    """float64 [frames], ascending; empty without video."""
    end_s: float
    """End of the last frame (of the sound, without video)."""
    key_frames: int
    geometry: Geometry | None
    audio_start_s: float | None
    audio_end_s: float | None
    tick_s: float
    """The video stream's time unit."""
    missing: str | None
    """How the file falls short of what its header promises; None when it is complete."""


@dataclass
class _Packets:
    """Timestamps of one stream's presented packets, in units of its time base."""

    pts: list[int] = field(default_factory=list)
    untimed: int = 0
    seen: int = 0
    keys: int = 0
    end: int = 0
    last_length: int = 0

    def add(self, packet: Any) -> None:
        self.seen += 1
        if packet.is_discard:
            return
        self.keys += packet.is_keyframe
        if packet.pts is None:
            self.untimed += 1
            return
        self.pts.append(packet.pts)
        if packet.pts + (packet.duration or 0) >= self.end or len(self.pts) == 1:
            self.end = packet.pts + (packet.duration or 0)
            self.last_length = packet.duration or 0


def read_timeline(path: Path | str) -> Timeline:
    """Timeline of a video, still or sound file. Raises `MediaError` when it has neither or nothing of it
    decodes.

    A truncated file is reported in `missing`, not raised.
    """
    with open_media(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        if video is None and audio is None:
            kinds = ", ".join(sorted({s.type for s in container.streams}))
            raise MediaError(str(path), f"neither video nor sound in it (only {kinds})", "remove it from the sources")
        packets, missing = _demux(container, video)
        if is_still(container):
            missing = None
        sound = None if audio is None else _sound(path, packets[audio.index], audio)
        if video is None:
            if audio is None or sound is None:
                raise MediaError(str(path), "its sound does not decode", "export it again with another encoder")
            start, end = sound
            none = np.empty(0)
            return Timeline(start, none, end - start, 0, None, 0.0, end - start, 0.0, missing)
        frames = packets[video.index]
        decode_all = frames.untimed or video.codec_context.name == "vp8" or container.format.name == "avi"
        times, first, end_s, geometry = _decoded(path) if decode_all else _first_and_packets(path, frames, video)
        sound_start, sound_end = (None, None) if sound is None else (sound[0] - first, sound[1] - first)
        tick = float(video.time_base or 0)
        return Timeline(first, times, end_s, frames.keys, geometry, sound_start, sound_end, tick, missing)


def _demux(container: InputContainer, video: Stream | None) -> tuple[dict[int, _Packets], str | None]:
    import av

    packets = {s.index: _Packets() for s in container.streams}
    missing: str | None = None
    torn = False
    try:
        for packet in container.demux():
            if packet.size:
                packets[packet.stream.index].add(packet)
                torn = packet.is_corrupt
    except av.error.FFmpegError as error:
        missing = f"reading stops: {reason(error)}"
    if missing is None and torn:
        missing = "its last packet is incomplete"
    if video is not None and video.frames > packets[video.index].seen:
        missing = f"its header promises {video.frames} frames and {packets[video.index].seen} are there"
    elif missing is None and any(n in container.format.name for n in _HONEST_HEADERS) and container.duration:
        ends = [p.end * s.time_base for s in container.streams if (p := packets[s.index]).pts and s.time_base]
        seen = float(max(ends, default=Fraction(0))) - (container.start_time or 0) / 1e6
        promised = container.duration / 1e6
        if promised - seen > max(_SHORT_BY_S, _SHORT_BY_SHARE * promised):
            missing = f"its header promises {promised:.2f} s and {seen:.2f} s are there"
    return packets, missing


def _first_and_packets(
    path: Path | str, frames: _Packets, video: Stream
) -> tuple[np.ndarray[Any, Any], float, float, Geometry | None]:
    """Times by packets, from the first frame that decodes on."""
    reader = VideoReader(path, expected_frames=0)
    for _ in reader:
        break
    first = reader.first_pts
    if first is None:
        raise MediaError(str(path), "not a single frame decodes", "export it again with another encoder")
    pts = sorted({p for p in frames.pts if p >= first})
    base = video.time_base or Fraction(1)
    # Python's division of integers rounds once, exactly as the decoder's clock does.
    times = np.array([(p - first) * base.numerator / base.denominator for p in pts])
    last = frames.last_length or (round(float(np.median(np.diff(pts)))) if len(pts) > 1 else reader.nominal_ticks)
    end = (pts[-1] - first + last) * base.numerator / base.denominator
    return times, reader.start_pts_s, end, reader.geometry


def _decoded(path: Path | str) -> tuple[np.ndarray[Any, Any], float, float, Geometry | None]:
    reader = VideoReader(path, expected_frames=0)
    times = np.array([frame.t_s for frame in reader])
    return times, reader.start_pts_s, reader.end_s, reader.geometry


def _sound(path: Path | str, packets: _Packets, audio: Stream) -> tuple[float, float] | None:
    """(start, end) of the sound in container time: the first decoded sample, which priming samples
    precede; None when nothing decodes.
    """
    import av

    base = audio.time_base or Fraction(1)
    with open_media(path) as container:
        stream = audio_stream(container)
        for packet in container.demux(stream):
            try:
                for piece in packet.decode():
                    start = (piece.pts or 0) * base  # type: ignore[union-attr]
                    return float(start), float(max(packets.end * base, start))
            except av.error.FFmpegError:
                continue
    return None
