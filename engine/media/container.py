"""Opening media with PyAV: which stream is meant, and errors that a person can act on.

A file that cannot be used raises `MediaError` with its cause and a remedy, never a bare FFmpeg number. Cover
art is not video. Decoders run on one thread: workers are the parallelism (two processes with one thread each
decode faster than one process with two), and rows cannot depend on a thread count.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_HEAD_BYTES = 4096
_PRINTABLE = frozenset(range(32, 127)) | {9, 10, 13}


class MediaError(Exception):
    """A medium that cannot be read: what is wrong with which file, and what to do about it."""

    def __init__(self, path: str, cause: str, remedy: str) -> None:
        super().__init__(path, cause, remedy)
        self.path = path
        self.cause = cause
        self.remedy = remedy

    def about(self, uri: str) -> MediaError:
        """The same error about `uri`: scratch copies have names that mean nothing to a reader."""
        return MediaError(uri, self.cause, self.remedy)

    def __str__(self) -> str:
        return f"{self.path}: {self.cause}; {self.remedy}"


def open_media(path: Path | str) -> InputContainer:
    """An open container. The caller closes it (it is a context manager).

    Raises `MediaError` for a file that is missing, empty, text under a media name, cut off before its index,
    or without a single stream.
    """
    import av

    path = Path(path)
    _check_bytes(path)
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise _diagnose(path, error) from error
    if not container.streams:
        container.close()
        raise MediaError(str(path), "no streams in it", "remove it from the sources or export it again")
    return container


def video_stream(container: InputContainer) -> VideoStream | None:
    """The video stream that is shown: the best one that is not an attached picture; None for sound alone."""
    best = container.streams.best("video")
    if best is not None and not is_cover_art(best):
        return best  # type: ignore[return-value]
    return next((s for s in container.streams.video if not is_cover_art(s)), None)


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The sound that is played by default; None for silent media."""
    return container.streams.best("audio")  # type: ignore[return-value]


def is_cover_art(stream: Stream) -> bool:
    """Whether a video stream is a still attached to sound (album cover, thumbnail) rather than video."""
    from av.stream import Disposition

    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def is_still(container: InputContainer) -> bool:
    """Whether the container is a single picture (JPEG, PNG, WebP, TIFF, BMP ...), not a video."""
    name = container.format.name
    return name in ("image2", "ico") or name.endswith("_pipe")


def reason(error: Exception) -> str:
    """What went wrong, without the file's name and the error's number."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _check_bytes(path: Path) -> None:
    if not path.is_file():
        raise MediaError(str(path), "no such file", "correct the path in the sources")
    if path.stat().st_size == 0:
        raise MediaError(str(path), "the file is empty (0 bytes)", "copy or download it again")


def _diagnose(path: Path, error: Exception) -> MediaError:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        boxes = _top_boxes(path) if head[4:8] in (b"ftyp", b"mdat", b"moov", b"wide", b"free") else set()
    if boxes and b"moov" not in boxes:
        cause = "cut off: the index (moov box) at the end of the file is missing"
        return MediaError(
            str(path), cause, "copy it again in full; an unfinished recording can be repaired with untrunc"
        )
    if sum(byte in _PRINTABLE for byte in head) > 0.97 * len(head):
        return MediaError(str(path), "it holds text, not media", "remove it from the sources or correct its name")
    cause = f"not a readable media file ({reason(error)})"
    return MediaError(str(path), cause, "play it with a media player; if that fails, export it again")


def _top_boxes(path: Path) -> set[bytes]:
    """Types of the complete top-level boxes of an MP4 or QuickTime file."""
    size = path.stat().st_size
    found: set[bytes] = set()
    offset = 0
    with path.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1 and len(header) == 16:
                length = int.from_bytes(header[8:16], "big")
            elif length == 0:
                length = size - offset
            if length < 8:
                break
            found.add(header[4:8])
            offset += length
    return found
