"""Which frames a trainer draws from a file: re-statements of the samplers that the packages are made for.

`llamafactory` states what LLaMA-Factory's `data/mm_plugin.py` does (`_get_video_sample_indices` and the decoding loop
of `_regularize_videos`, as of 2026); `llava_video` what LLaVA-NeXT's `llava/utils.py` does (`process_video_with_decord`).
Both count frames and know neither spans nor timestamps. Packagers use them to leave out what a model would never see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.media.container import open_media, video_stream
from ..engine.media.timeline import read_timeline

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


def drawn_times(facts: StreamFacts, indices: Indices) -> tuple[float, ...]:
    """Presentation times of the drawn frames, each once; numbers beyond the last frame draw nothing."""
    unique = np.unique(indices)
    return tuple(float(t) for t in facts.times_s[unique[unique < len(facts.times_s)]])
