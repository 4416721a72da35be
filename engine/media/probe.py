"""What a file is: size, rate, length, sound, orientation, capture time and place, without decoding more
than one frame.

`probe` is what the annotator of the same name writes into table `media`. It refuses a file that ends
before its header says so: annotating half a video as if it were whole would be a silent lie. A text (.txt,
which composers write) has neither clock nor size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .container import MediaError, audio_stream, is_still, open_media, video_stream
from .tags import captured_at, place, still_tags
from .timeline import Timeline, read_timeline

_PICTURE_SUBTITLES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub", "dvb_teletext"}
_UNEVEN = 0.1


def probe(path: Path | str, *, allow_truncated: bool = False) -> dict[str, Any]:
    """Values of table `media` that the file itself tells (`kind` is video, image, audio or text).

    Raises `MediaError` for a file that cannot be opened, of which nothing decodes, or that is truncated
    (unless `allow_truncated`: then the facts are about the part that is there).
    """
    if Path(path).suffix.lower() == ".txt":
        return _text_facts(Path(path))
    timeline = read_timeline(path)
    if timeline.missing and not allow_truncated:
        remedy = "copy it again in full, or allow truncated files to use what is there"
        raise MediaError(str(path), f"truncated: {timeline.missing}", remedy)
    with open_media(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        still = is_still(container)
        tags = {**(audio.metadata if audio else {}), **(video.metadata if video else {}), **container.metadata}
        row: dict[str, Any] = {
            "kind": "image" if still else "video" if video else "audio",
            "container": container.format.name,
            "duration_s": 0.0 if still else timeline.end_s,
            "start_pts_s": timeline.start_pts_s,
            "audio_codec": audio.codec_context.name if audio else None,
            "audio_rate": audio.codec_context.sample_rate if audio else None,
            "audio_channels": audio.codec_context.channels if audio else None,
            "audio_start_s": timeline.audio_start_s,
            "audio_end_s": timeline.audio_end_s,
            "subtitle_streams": sum(_is_text(s) for s in container.streams.subtitles),
            "captured_at": captured_at(tags),
        }
        row["gps_lat"], row["gps_lon"] = place(tags)
        if still:
            row["captured_at"], row["gps_lat"], row["gps_lon"] = still_tags(path)
        codec = video.codec_context if video else None
        row["codec"] = codec.name if codec else None
        row["pixel_format"] = codec.pix_fmt if codec else None
    return row | _picture_facts(timeline, still)


def _text_facts(path: Path) -> dict[str, Any]:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MediaError(str(path), f"no text in UTF-8: {error.reason}", "write it as UTF-8") from None
    return {"kind": "text", "container": "text", "duration_s": 0.0, "start_pts_s": 0.0, "subtitle_streams": 0}


def _is_text(stream: Any) -> bool:
    return stream.codec_context is not None and stream.codec_context.name not in _PICTURE_SUBTITLES


def _picture_facts(timeline: Timeline, still: bool) -> dict[str, Any]:
    shape = timeline.geometry
    if shape is None:
        names = ("fps", "variable_fps", "frames", "width", "height", "rotation", "key_frames")
        return dict.fromkeys(names)
    count = len(timeline.times_s)
    return {
        "fps": None if still or timeline.end_s <= 0 else count / timeline.end_s,
        "variable_fps": _varies(timeline),
        "frames": count,
        "width": shape.width,
        "height": shape.height,
        "rotation": shape.orientation.clockwise_degrees,
        "key_frames": max(timeline.key_frames, 1),
    }


def _varies(timeline: Timeline) -> bool:
    """Whether frames last differently, by more than a tenth and by more than a coarse clock's rounding."""
    lengths = np.diff(timeline.times_s)
    if len(lengths) < 2:
        return False
    middle = float(np.median(lengths))
    rounding = 1.01 * timeline.tick_s if timeline.tick_s < middle / 4 else 0.0
    return bool(np.ptp(lengths) > max(_UNEVEN * middle, rounding))
