"""The presented frames of a video, in order, each with its exact time on the presentation clock.

Times come from timestamps (`t_s = (pts - first presented pts) * time_base`), so variable frame rates are
exact. Damage is never passed over in silence: packets that do not decode are counted, and a stream that ends
before it should, or is damaged in more than one packet of a hundred, raises `MediaError` with the time. A
frame whose timestamp does not advance is one that no player can show: it is left out and counted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from .container import MediaError, is_still, open_media, reason, video_stream
from .frame import Frame
from .geometry import EXIF_ORIENTATIONS, Geometry, Orientation

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_DAMAGED_SHARE = 0.01
"""Packets that may fail before a video counts as broken, as a share (at least one may)."""
_BACKWARDS_S = 1.0
"""Timestamps that jump back further than this are a second recording glued on, not jitter."""


class VideoReader:
    """Iterates once over the presented frames of a file; afterwards `frames`, `end_s`, `damaged` and
    `repeated` are final.

    `expected_frames` is what a probe counted (None: what the header promises). Raises `MediaError` while
    iterating.
    """

    def __init__(self, path: Path | str, expected_frames: int | None = None) -> None:
        self.path = str(path)
        self.frames = 0
        """Frames presented so far."""
        self.end_s = 0.0
        """End of the last presented frame."""
        self.start_pts_s = 0.0
        """Container time of the first presented frame."""
        self.geometry: Geometry | None = None
        """How its pixels are displayed; known with the first frame, and kept when the coded size changes
        later.
        """
        self.damaged = 0
        """Packets that did not decode, or decoded to a frame that the decoder calls corrupt."""
        self.repeated = 0
        """Frames left out because their timestamp did not advance."""
        self.first_pts: int | None = None
        """Timestamp of the first presented frame, in units of the stream's time base."""
        self._expected = expected_frames

    def __iter__(self) -> Generator[Frame, None, None]:
        with open_media(self.path) as container:
            stream = video_stream(container)
            if stream is None:
                raise MediaError(self.path, "no video stream", "use it as sound, or remove it from the sources")
            stream.thread_count = 1
            stream.thread_type = "NONE"
            turn = still_orientation(self.path) if is_still(container) else None
            aspect = stream.sample_aspect_ratio
            self._set_clock(stream)
            packets = 0
            for packet in self._packets(container, stream):
                packets += packet.size > 0
                for picture in self._decode(packet):
                    if self.geometry is None:
                        self.geometry = Geometry.of(picture, aspect, turn)
                    time = self._advance(picture)
                    if time is not None:
                        yield Frame(picture, self.frames - 1, time, self.geometry)
            self._check_end(packets, stream.frames)

    def _decode(self, packet: Packet) -> list[VideoFrame]:
        import av

        try:
            pictures: list[VideoFrame] = packet.decode()
        except av.error.EOFError:
            return []
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            self.damaged += 1
            return []
        except av.error.FFmpegError as error:
            raise self._broken(reason(error)) from error
        self.damaged += sum(p.is_corrupt for p in pictures)
        return pictures

    def _set_clock(self, stream: VideoStream) -> None:
        base = stream.time_base or Fraction(1, 1_000_000)
        self._num, self._den = base.numerator, base.denominator
        self.nominal_ticks = max(1, round(1 / (stream.average_rate or 25) / base))
        self._backwards = int(_BACKWARDS_S / base)
        self._last = 0

    def _advance(self, picture: VideoFrame) -> float | None:
        """Presentation time of `picture`; None when it does not come after the frame before it."""
        now = picture.pts
        if now is None:
            now = picture.dts
        if now is None:
            now = 0 if self.first_pts is None else self._last + self.nominal_ticks
        if self.first_pts is None:
            self.first_pts = now
            self.start_pts_s = now * self._num / self._den
        elif now <= self._last:
            if self._last - now > self._backwards:
                back = (self._last - now) * self._num / self._den
                raise self._broken(f"its clock jumps back by {back:.1f} s")
            self.repeated += 1
            return None
        self._last = now
        self.frames += 1
        since = now - self.first_pts
        self.end_s = (since + (picture.duration or self.nominal_ticks)) * self._num / self._den
        return since * self._num / self._den

    def _check_end(self, packets: int, promised: int) -> None:
        if self.frames == 0:
            raise MediaError(self.path, "not a single frame decodes", "export it again with another encoder")
        seen = packets
        if self._expected is not None:
            promised, seen = self._expected, self.frames + self.repeated + self.damaged
        allowed = max(1, int(MAX_DAMAGED_SHARE * max(packets, promised)))
        if self.damaged > allowed:
            raise self._broken(f"{self.damaged} of {packets} packets are damaged")
        if promised - seen > allowed:
            raise self._broken(f"{promised} frames are promised and {seen} are there")

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
        """Packets of the stream and the final empty one; read errors become `MediaError`."""
        import av

        try:
            yield from container.demux(stream)
        except av.error.FFmpegError as error:
            raise self._broken(reason(error)) from error

    def _broken(self, cause: str) -> MediaError:
        return MediaError(
            self.path,
            f"the video breaks off at {self.end_s:.2f} s: {cause}",
            "copy it again, or repair it with `ffmpeg -err_detect ignore_err -i FILE -c:v libx264 OUT.mp4`",
        )


def still_orientation(path: Path | str) -> Orientation:
    """Orientation of a still picture by its EXIF tag (all eight, mirrored ones too)."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return EXIF_ORIENTATIONS.get(picture.getexif().get(0x112, 1), EXIF_ORIENTATIONS[1])
    except OSError:
        return EXIF_ORIENTATIONS[1]
