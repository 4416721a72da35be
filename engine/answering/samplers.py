"""Which frames a trainer draws from a file: re-statements of the samplers that packages are made for.

`llamafactory` states what LLaMA-Factory's `data/mm_plugin.py` does (`_get_video_sample_indices` and the decoding loop
of `_regularize_videos`, as of 2026), `llava_video` what LLaVA-NeXT's `llava/utils.py` does
(`process_video_with_decord`), `qwen_vl` what qwen-vl-utils' `vision_process.py` does (`smart_nframes` and its readers).
All count frames and know neither spans nor timestamps. Trainer profiles name them, with the trainer's own parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..media.container import open_media, video_stream
from ..media.timeline import read_timeline

Indices = np.ndarray[Any, np.dtype[np.int64]]
"""Frame numbers in presentation order, from 0."""


@dataclass(frozen=True)
class StreamFacts:
    """What a container says about its video, which is all that a sampler looks at, and when its frames really are."""

    frames: int
    """As the header counts them; 0 where the format does not say (Matroska)."""
    duration_s: float | None
    """Of the video stream, by its header."""
    average_fps: float
    times_s: np.ndarray[Any, Any]
    """Presentation times, float64 [frames], first frame = 0."""


def stream_facts(path: Path | str) -> StreamFacts:
    """Facts of a file's video. Raises `MediaError` when it has none that decodes."""
    times = read_timeline(path).times_s
    with open_media(path) as container:
        stream = video_stream(container)
        if stream is None or not len(times):
            return StreamFacts(0, None, 0.0, times)
        known = stream.duration is not None and stream.time_base is not None
        duration = float(stream.duration * stream.time_base) if known else None  # type: ignore[operator]
        return StreamFacts(stream.frames, duration, float(stream.average_rate or 0), times)


def window_facts(start_s: float, end_s: float, fps: float) -> tuple[StreamFacts, float]:
    """Facts of a cut [start_s, end_s) of footage at a steady rate, as it would be packaged, without opening anything.

    Also the source time of its first frame, which is the cut's t = 0. No frames when none begins in the window.
    """
    first, stop = math.ceil(start_s * fps - 1e-3), math.ceil(end_s * fps - 1e-3)
    count = max(0, stop - first)
    return StreamFacts(count, count / fps, fps, np.arange(count) / fps), first / fps


def llamafactory(facts: StreamFacts, video_fps: float = 2.0, video_maxlen: int = 128) -> Indices:
    """`video_fps` frames per second of footage but at most `video_maxlen`, evenly from first to last, cut to integers.

    Without a frame count in the header LLaMA-Factory takes the first `video_maxlen` frames. Raises ValueError where it
    would fail: a frame count, but no duration.
    """
    if facts.frames == 0:
        return np.linspace(0, video_maxlen - 1, video_maxlen).astype(np.int32).astype(np.int64)
    if facts.duration_s is None:
        raise ValueError("LLaMA-Factory cannot open a video stream without a duration in its header")
    wanted = max(1, math.floor(facts.duration_s * video_fps))
    count = min(facts.frames, video_maxlen, wanted)
    return np.linspace(0, facts.frames - 1, count).astype(np.int32).astype(np.int64)


def llava_video(
    facts: StreamFacts, video_fps: float = 1.0, frames_upbound: int = 64, force_sample: bool = True
) -> Indices:
    """Every (average rate / `video_fps`)th frame; `frames_upbound` evenly spaced ones when those would be more.

    With `force_sample` always exactly `frames_upbound`, also by repeating frames; 0 means no bound.
    """
    total = len(facts.times_s)
    if total == 0:
        return np.empty(0, dtype=np.int64)
    step = max(1, round(facts.average_fps / video_fps))
    indices = np.arange(0, total, step, dtype=np.int64)
    if frames_upbound > 0 and (force_sample or len(indices) > frames_upbound):
        return np.linspace(0, total - 1, frames_upbound, dtype=int).astype(np.int64)
    return indices


def qwen_vl(
    facts: StreamFacts, fps: float = 2.0, min_frames: int = 4, max_frames: int = 768, frame_factor: int = 2
) -> Indices:
    """`fps` frames per second of footage, within `min_frames` and `max_frames`, a multiple of `frame_factor`, evenly.

    Raises ValueError where qwen-vl-utils would fail: fewer than `frame_factor` frames in the file.
    """
    total = len(facts.times_s)
    if facts.average_fps <= 0:
        raise ValueError("qwen-vl-utils cannot sample a video without a frame rate")
    least = math.ceil(min_frames / frame_factor) * frame_factor
    most = math.floor(min(max_frames, total) / frame_factor) * frame_factor
    wanted = min(max(total / facts.average_fps * fps, least), most, total)
    count = math.floor(wanted / frame_factor) * frame_factor
    if not frame_factor <= count <= total:
        raise ValueError(f"qwen-vl-utils needs at least {frame_factor} frames; the video has {total}")
    return np.linspace(0, total - 1, count).round().astype(np.int64)


SAMPLERS: dict[str, Callable[..., Indices]] = {
    "llamafactory": llamafactory,
    "llava_video": llava_video,
    "qwen_vl": qwen_vl,
}
"""By the name that a profile gives; parameters behind the first are the trainer's own."""


def drawn_times(facts: StreamFacts, indices: Indices) -> tuple[float, ...]:
    """Presentation times of the drawn frames in the order of drawing; numbers beyond the last frame draw nothing."""
    return tuple(float(t) for t in facts.times_s[indices[indices < len(facts.times_s)]])
