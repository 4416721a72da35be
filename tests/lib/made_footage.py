"""Test footage made with PyAV: each frame carries its own number as a row of black and white blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS, BLOCK = 12, 16
WIDTH, HEIGHT = BITS * BLOCK, 96


def numbered(number: int) -> np.ndarray:
    """rgb picture [96, 192, 3]: the number in binary along the top, most significant bit left."""
    picture = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    for bit in range(BITS):
        on = number >> (BITS - 1 - bit) & 1
        picture[: 2 * BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * on
    picture[64:, :64] = (200, 40, 40)
    return picture


def read_number(luma: np.ndarray) -> int:
    """The number of a frame from its luma at 192x96."""
    row = luma[8:24].mean(axis=0).reshape(BITS, BLOCK)[:, 4:12].mean(axis=1)
    return int("".join("1" if v > 128 else "0" for v in row), 2)


def clicks(times_s: Sequence[float], duration_s: float, rate: int) -> np.ndarray:
    """int16 mono sound: a 10 ms burst of 1 kHz at each time, silence elsewhere."""
    sound = np.zeros(round(duration_s * rate), np.int16)
    burst = (20000 * np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)).astype(np.int16)
    for t in times_s:
        at = round(t * rate)
        sound[at : at + len(burst)] = burst[: len(sound) - at]
    return sound


def write_media(
    path: Path,
    *,
    frames: int = 50,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    picture: Callable[[int], np.ndarray] = numbered,
    rotation: tuple[int, bool] | None = None,
    sample_aspect: Fraction | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 48_000,
    sound_start: int = 0,
    sound_codec: str = "aac",
    tags: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    colour: dict[str, Any] | None = None,
) -> Path:
    """Write a file. `pts` are presentation timestamps in units of `time_base`; `sound_start` is in samples."""
    with av.open(str(path), "w", options=container_options or {}) as out:
        out.metadata.update(tags or {})
        video = audio = None
        if frames:
            video = out.add_stream(codec, rate=25, options={"crf": "12"} if options is None else options)
            first = picture(0)
            video.width, video.height, video.pix_fmt = first.shape[1], first.shape[0], pix_fmt
            video.codec_context.time_base = time_base
            video.time_base = time_base
            for name, value in (colour or {}).items():
                setattr(video.codec_context, name, value)
            if rotation is not None:
                video.set_display_rotation(*rotation)
            if sample_aspect is not None:
                video.codec_context.sample_aspect_ratio = sample_aspect
        if sound is not None:
            audio = out.add_stream(sound_codec, rate=sound_rate, layout="mono")
        if video is not None:
            for i in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24")
                frame = frame.reformat(
                    format=pix_fmt,
                    dst_colorspace=(colour or {}).get("colorspace"),
                    dst_color_range=(colour or {}).get("color_range"),
                )
                frame.pts, frame.time_base = (i if pts is None else pts[i]), time_base
                out.mux(video.encode(frame))
            out.mux(video.encode())
        if audio is not None and sound is not None:
            for at in range(0, len(sound), 1024):
                piece = av.AudioFrame.from_ndarray(sound[None, at : at + 1024], format="s16", layout="mono")
                piece.sample_rate, piece.pts = sound_rate, sound_start + at
                piece.time_base = Fraction(1, sound_rate)
                out.mux(audio.encode(piece))
            out.mux(audio.encode())
    return path
