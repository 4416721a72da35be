"""Which frames of n: the named samplers of the field, so that a plan can say which one it means.

`endpoints` is the rounded linspace over frame numbers, first and last included (the same numbers as LLaVA-ST's window form
`f0 + round(i / (N - 1) * (L - 1))` for a window of L frames); `stride` cuts `i * n / N` down, as TDC does; `bin_centre`
takes the middle of each of N equal parts; `fps` the first frame at or after each multiple of 1/fps. None repeats a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from .plan import Indices, Times

Sampler = Literal["endpoints", "stride", "bin_centre"]
_TICK_S = 1e-4


def endpoints(n: int, count: int) -> Indices:
    """At most `count` of n frames, evenly from the first to the last, rounded half to even; one frame: the first."""
    return np.unique(np.round(np.linspace(0, n - 1, min(count, n))).astype(np.int64))


def stride(n: int, count: int) -> Indices:
    """At most `count` of n frames, every (n / count)th, cut down."""
    return np.unique(np.arange(min(count, n)) * n // min(count, n)).astype(np.int64)


def bin_centre(n: int, count: int) -> Indices:
    """At most `count` of n frames: the middle one of each of `count` equal parts."""
    count = min(count, n)
    return np.unique(((2 * np.arange(count) + 1) * n // (2 * count)).astype(np.int64))


def fps_grid(times_s: Times, start_s: float, fps: float) -> Indices:
    """The first frame at or after each multiple of 1/fps, counted from `start_s`."""
    steps = np.arange(int(np.floor((times_s[-1] - start_s) * fps + 1e-6)) + 1)
    return np.unique(np.searchsorted(times_s, start_s + steps / fps - _TICK_S).clip(max=len(times_s) - 1)).astype(
        np.int64
    )


SAMPLERS: dict[str, Callable[[int, int], Indices]] = {
    "endpoints": endpoints,
    "stride": stride,
    "bin_centre": bin_centre,
}
