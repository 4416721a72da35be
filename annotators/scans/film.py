"""A film of pictures at their true times: every frame keeps its own presentation time, unequal lengths and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.importing import ImportProblem
from ...schemas.span import to_us
from .scan import Pixels

TICKS_PER_S = 1_000_000


def film_size(width: int, height: int, longest_side_px: int | None) -> tuple[int, int]:
    """Width and height of a film of such pictures: even, and at most that long."""
    scale = 1.0 if longest_side_px is None else min(1.0, longest_side_px / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def end_of(times_s: Sequence[float], fps: float) -> float:
    """End of the last frame: as long after it as frames are apart in the middle."""
    gaps = np.diff(np.asarray(times_s, np.float64))
    return float(times_s[-1] + (np.median(gaps) if len(gaps) else 1 / fps))


def write_film(
    pictures: Iterable[Pixels], times_s: Sequence[float], end_s: float, size: tuple[int, int], crf: int, path: Path
) -> None:
    """Encode pictures [height, width, 3] (scaled to `size`) at `times_s`, seconds ascending from 0; the last one lasts to `end_s`.

    H.264, one thread, bit-exact. Raises `ImportProblem` where times do not ascend.
    """
    import av
    import cv2
    from av.codec.context import Flags

    stamps = [to_us(t) for t in times_s]
    if any(b <= a for a, b in pairwise(stamps)) or stamps[0] != 0:
        raise ImportProblem("times of frames do not ascend from 0; two frames share a time")
    ends = [*stamps[1:], max(to_us(end_s), stamps[-1] + 1)]
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(len(stamps) * TICKS_PER_S, ends[-1]).limit_denominator(1001)
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.bitexact
        stream.codec_context.colorspace, stream.codec_context.color_range = 5, 1
        stream.options = {
            "preset": "veryfast", "crf": str(crf), "threads": "1", "bf": "0", "video_track_timescale": str(TICKS_PER_S),
            "x264-params": "mbtree=0:keyint=48",
        }  # fmt: skip
        lengths: dict[int, int] = {}
        for picture, start, end in zip(pictures, stamps, ends, strict=True):
            if (picture.shape[1], picture.shape[0]) != size:
                picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG"
            )
            frame.pts, frame.time_base = start, Fraction(1, TICKS_PER_S)
            lengths[start] = end - start
            _put(container, stream.encode(frame), lengths)
        _put(container, stream.encode(), lengths)


def _put(container: Any, packets: Iterable[Any], lengths: Mapping[int, int]) -> None:
    for packet in packets:
        packet.duration = lengths[packet.pts]
        container.mux(packet)
