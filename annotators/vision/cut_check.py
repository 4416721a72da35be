"""Second look at candidate cuts: a flash is not a cut, and neither is lettering that pops up.

A detector of change between neighbouring frames fires on both. A flash shows the old picture again a moment
later; lettering, a slide of a window or a light in a dark room leave most of the picture as it was. So each
candidate waits until `flash_s` later and is kept when the picture has not come back and most of it changed.
A shot shorter than `flash_s` between two views of the same scene is taken for a flash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Pixels = np.ndarray[Any, Any]

RETURN_SHARE = 0.4
"""A flash is over when this share of its jump remains; the scene moved on meanwhile, a cut leaves all of it."""
BLOCK_PX = 4
BLOCK_CHANGE = 4.0
"""Mean difference (0..255) by which a block of 4x4 analysis pixels counts as changed: twice coding noise."""


@dataclass(frozen=True)
class Boundary:
    """The first moment of a new shot; for a gradual transition the middle of it."""

    t_s: float
    score: float
    transition: Literal["cut", "gradual"] = "cut"


class CutCheck:
    """Settles candidates in time order; pictures are uint8 [h, w, 3], all of one size."""

    def __init__(self, flash_s: float, min_changed_share: float) -> None:
        self.flash_s, self.min_changed_share = flash_s, min_changed_share
        self._history: deque[tuple[float, Pixels]] = deque()
        self._waiting: deque[Boundary] = deque()
        self._undone_until = -1.0

    def add(self, t_s: float, picture: Pixels, found: Iterable[Boundary]) -> list[Boundary]:
        """One frame and the candidates that came with it (at most ten frames old); returns settled cuts."""
        self._history.append((t_s, picture))
        self._waiting.extend(found)
        settled: list[Boundary] = []
        while self._waiting and self._waiting[0].t_s + self.flash_s <= t_s:
            settled += self._settle(self._waiting.popleft())
        needed_s = (self._waiting[0].t_s if self._waiting else t_s) - self.flash_s
        while len(self._history) > 12 and self._history[11][0] < needed_s:
            self._history.popleft()
        return settled

    def close(self, found: Iterable[Boundary] = ()) -> list[Boundary]:
        """Settles what still waits at the end of the video, and late candidates."""
        self._waiting.extend(found)
        settled: list[Boundary] = []
        while self._waiting:
            settled += self._settle(self._waiting.popleft())
        return settled

    def _settle(self, cut: Boundary) -> list[Boundary]:
        if cut.t_s <= self._undone_until + 1e-6:
            return []
        before = [p for t, p in self._history if t < cut.t_s - 1e-6]
        after = [(t, p) for t, p in self._history if cut.t_s - 1e-6 <= t <= cut.t_s + self.flash_s]
        if not before or not after:
            return [cut]
        jumps = [_difference(before[-1], p) for _, p in after]
        if self.flash_s:
            for (t, _), jump in zip(after, jumps, strict=True):
                if jump < RETURN_SHARE * max(jumps):
                    self._undone_until = t
                    return []
        return [cut] if changed_share(before[-1], after[0][1]) >= self.min_changed_share else []


def changed_share(a: Pixels, b: Pixels) -> float:
    """Share of blocks of 4x4 px whose mean absolute difference exceeds `BLOCK_CHANGE`."""
    import cv2

    height, width = a.shape[:2]
    size = max(1, width // BLOCK_PX), max(1, height // BLOCK_PX)
    blocks = cv2.resize(cv2.absdiff(a, b), size, interpolation=cv2.INTER_AREA)
    return float((blocks.mean(axis=2) > BLOCK_CHANGE).mean())


def _difference(a: Pixels, b: Pixels) -> float:
    import cv2

    return cv2.norm(a, b, cv2.NORM_L1) / a.size
