"""Whether a packaged file is the part of the source that the package says it is: length, pictures and sound against the source.

This needs no method of any task, so it finds media that were swapped, cut off or cut at another place even where the answer
does not depend on it. Pictures are compared by correlation at a small size, a few per file; sound by the loudness of every
hundredth of a second, at the right place and up to two seconds beside it. It only refutes: media that are right say nothing
about an answer. What stands still looks the same a second later; sound and length then decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotators.second.footage import RATE_HZ, Footage
from ..annotators.second.method import Opinion
from ..engine.catalog import Catalog
from ..outputs.frames_at import frames_at, wish_at
from ..outputs.package_sources import Footage as Sources
from ..outputs.rendering import LeftOut

METHOD = "footage: length, pictures and sound against the source"
PLACES = (0.02, 0.27, 0.52, 0.77, 0.97)
"""Places in a file, as shares of its length, whose pictures are compared."""
LONGEST_WRONG_S = 0.1
"""A file may be this much longer or shorter than the package says: a frame, or a block of sound."""
MIN_PICTURE = 0.9
MIN_SOUND = 0.7
LAG_S = 2.0
STEP_S = 0.01
MAX_LAG_S = 0.1
SIDE_PX = 64
_LOUD = 1e-3
"""Spread of loudness below which sound has no shape to compare."""


class MediaCheck:
    """Compares packaged files with their sources; keeps one source open at a time."""

    def __init__(self, catalog: Catalog) -> None:
        self._sources = Sources(catalog)
        self._stack = ExitStack()
        self._open: tuple[str, Footage | None] = ("", None)

    def source(self, media_id: str) -> Footage | None:
        """The medium's own footage; None when it is not at hand."""
        if self._open[0] != media_id:
            self.close()
            try:
                self._open = media_id, Footage(self._stack.enter_context(self._sources.open(media_id)))
            except LeftOut:
                self._open = media_id, None
        return self._open[1]

    def close(self) -> None:
        """Let go of the source (a remote one is deleted from scratch)."""
        self._stack.close()
        self._open = "", None

    def judge(self, part: Mapping[str, Any], file: Footage) -> Opinion:
        """Compare a file with what `media.jsonl` says of it."""
        source = self.source(part["media_id"])
        if part["form"] == "whole":
            return self._whole(file, source)
        length_s = float(part["duration_s"])
        if abs(file.duration_s - length_s) > LONGEST_WRONG_S:
            return _wrong(f"the file lasts {file.duration_s:.2f} s instead of {length_s:.2f} s")
        if source is None:
            return Opinion(METHOD, None, None, "the source is not at hand")
        if part["form"] == "video":
            times = [p * length_s for p in PLACES]
            likeness = _pictures(file.path, times, source.path, [file.to_source(t) for t in times])
            low = int(np.argmin(likeness))
            if likeness[low] < MIN_PICTURE:
                return _wrong(
                    f"the picture at {times[low]:.2f} s is not the source's at {file.to_source(times[low]):.2f} s"
                )
        if file.has_sound and source.has_sound:
            return _sound(file, source, length_s)
        return Opinion(METHOD, None, None, "the media are the source's, which says nothing about the answer")

    def _whole(self, file: Footage, source: Footage | None) -> Opinion:
        if source is not None and file.path.stat().st_size != source.path.stat().st_size:
            return _wrong("the file is no copy of its source")
        return Opinion(METHOD, None, None, "a whole file, which says nothing about the answer")


@contextmanager
def media_check(catalog: Catalog) -> Iterator[MediaCheck]:
    """A `MediaCheck` that is closed at the end."""
    check = MediaCheck(catalog)
    try:
        yield check
    finally:
        check.close()


def _wrong(found: str) -> Opinion:
    return Opinion(METHOD, False, 0.0, found)


def _pictures(file: Path, times: list[float], source: Path, source_times: list[float]) -> list[float]:
    """Correlation of the pictures that stand at these times in both."""
    mine = [wish_at(t + 1e-4, SIDE_PX) for t in times]
    theirs = [wish_at(t + 1e-4, SIDE_PX) for t in source_times]
    here, there = frames_at(file, mine), frames_at(source, theirs)
    return [_alike(here[a].rgb, there[b].rgb) for a, b in zip(mine, theirs, strict=True)]


def _alike(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    import cv2

    if a.shape != b.shape:
        b = cv2.resize(b, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    flat = [p.astype(np.float64).ravel() for p in (a, b)]
    if float(np.abs(flat[0] - flat[1]).mean()) < 4.0:
        return 1.0
    flat = [p - p.mean() for p in flat]
    lengths = float(np.linalg.norm(flat[0])) * float(np.linalg.norm(flat[1]))
    return float(flat[0] @ flat[1]) / max(lengths, 1e-6)


def _sound(file: Footage, source: Footage, length_s: float) -> Opinion:
    """Loudness over time of file and source, and the lag at which they agree best."""

    def loud(footage: Footage, at_s: float) -> NDArray[np.float64]:
        return _loudness(footage.sound, at_s, length_s)

    mine, at = loud(file, 0.0), file.to_source(0.0)
    if float(loud(source, at).std()) < _LOUD:
        return Opinion(METHOD, None, None, "the pictures are the source's, the sound has no shape to compare")
    lags = np.arange(-LAG_S, LAG_S + STEP_S / 2, STEP_S)
    scores = [_correlation(mine, loud(source, at + lag)) for lag in lags if at + lag >= 0]
    kept = [float(lag) for lag in lags if at + lag >= 0]
    best = int(np.argmax(scores))
    if scores[best] < MIN_SOUND:
        return _wrong("the sound is not the source's")
    here = int(np.argmin(np.abs(kept)))
    if abs(kept[best]) > MAX_LAG_S and scores[best] > scores[here] + 0.1:
        return _wrong(f"the sound is that of the source {kept[best]:+.2f} s beside")
    return Opinion(METHOD, None, None, "the media are the source's, which says nothing about the answer")


def _loudness(sound: NDArray[np.float32], at_s: float, length_s: float) -> NDArray[np.float64]:
    """Root mean square of each hundredth of a second from `at_s` on, silence where there is no sound."""
    block = round(STEP_S * RATE_HZ)
    n = max(1, int(length_s / STEP_S))
    out = np.zeros(n * block, np.float32)
    start = round(at_s * RATE_HZ)
    part = sound[max(0, start) : max(0, start + len(out))]
    out[max(0, -start) : max(0, -start) + len(part)] = part
    return np.sqrt((out.astype(np.float64).reshape(n, block) ** 2).mean(axis=1))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
