"""Pixel statistics again: where most moves, where colours change, which colour rules, by another flow and coarser counting.

The same middle of the picture is looked at, at another rate: Farneback's flow instead of DIS, its changes from place to place
by quarter and ring; colours by octant of the pixels instead of the most frequent exact colour, change by the difference of
blurred neighbours in time. A close call is "cannot say". With the evidence taken away the picture stands still.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from ...schemas.sample import ChoiceAnswer
from ...schemas.span import Span
from ..tasks.common import wordings_of
from ..vision.pixel_stats import HEIGHT, LEFT, TOP, WIDTH
from ..vision.statistics import SIDE, patterns
from .flow import flow_of
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

CLOSE = 0.08
"""A winner that leads by a smaller share of itself decides nothing."""
NOTHING = 0.02
"""Scores of a picture that stands still are below this."""
TASK = "motion_statistics"
Pixels = np.ndarray[Any, Any]


class StatisticsAgain(SecondMethod):
    """Answers of `motion_statistics`."""

    name: ClassVar[str] = "statistics"
    removes: ClassVar[tuple[Removed, ...]] = ("evidence", "picture")

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self.method = f"statistics: Farneback flow, octants of pixels, {params.motion_fps:g} fps"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        film, window = shown.film, shown.sample.window
        if film is not None:
            start, end = film.to_file(window.start_s), film.to_file(window.end_s)
            film.want([Look("statistics", start, end, self.params.motion_fps, _middle)])

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        sample, film = shown.sample, shown.film
        kind = wordings_of(TASK).kind_of(sample.wording) if sample.task == TASK else None
        if kind is None or not isinstance(sample.answer, ChoiceAnswer):
            return Opinion(self.method, None, None, "the sample asks about no statistics")
        if film is None or removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        if removed == "evidence" and "motion" not in sample.needs:
            return Opinion(
                self.method, None, None, "the question is not about motion, which is all that can be taken away"
            )
        window = sample.window
        inside = Span(max(0.0, film.to_file(window.start_s)), max(1e-6, film.to_file(window.end_s)))
        pictures = [picture for _, picture in film.seen("statistics", inside)]
        if len(pictures) < 3:
            return Opinion(self.method, False, 0.0, f"the file shows {len(pictures)} pictures of the window")
        if removed == "evidence":
            pictures = pictures[:1] * len(pictures)
        scores = _scores(kind, pictures, len(sample.options))
        if scores is None or float(scores.max()) < NOTHING:
            agrees = False if removed != "nothing" else None
            return Opinion(self.method, agrees, None, f"nothing can be said about {kind}")
        best = int(scores.argmax())
        lead = float(scores[best] - np.partition(scores, -2)[-2]) / float(scores[best])
        mine = float(scores[sample.answer.index] / scores[best])
        found = f"{sample.options[best].text} (leads by {lead:.0%})"
        if best != sample.answer.index and lead < CLOSE and removed == "nothing":
            return Opinion(self.method, None, mine, f"too close: {found}")
        return Opinion(self.method, best == sample.answer.index, mine, found)


def _middle(frame: Any) -> Pixels:
    return np.ascontiguousarray(frame.rgb_at(WIDTH, HEIGHT)[TOP : TOP + SIDE, LEFT : LEFT + SIDE])


def _scores(kind: str, pictures: Sequence[Pixels], options: int) -> Pixels | None:
    """How much speaks for each option, float64 [options]; None for a kind that has no second way."""
    grid, rings, _ = patterns()
    quarters = grid // 8 * 2 + grid % 4 // 2
    if kind == "colour":
        stacked = np.stack(pictures) >= 128
        octants = stacked[..., 0] * 4 + stacked[..., 1] * 2 + stacked[..., 2] * 1
        return np.bincount(octants.ravel(), minlength=options).astype(float)[:options]
    if kind == "change":
        return _by(_changes(pictures), quarters)
    if kind in ("quarter", "ring"):
        return _strongest(_motion(pictures), grid, quarters) if kind == "quarter" else _by(_motion(pictures), rings)
    return None


def _motion(pictures: Sequence[Pixels]) -> Pixels:
    """How much motion changes from place to place, summed over time, [112, 112]."""
    import cv2

    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures]
    total = np.zeros((SIDE, SIDE), np.complex128), np.zeros((SIDE, SIDE), np.complex128)
    for before, now in pairwise(grey):
        flow = cv2.GaussianBlur(flow_of(before, now), (0, 0), 1.5)
        for i in (0, 1):
            total[i][...] += cv2.Scharr(flow[..., i], cv2.CV_32F, 1, 0) + 1j * cv2.Scharr(
                flow[..., i], cv2.CV_32F, 0, 1
            )
    return np.maximum(np.abs(total[0]), np.abs(total[1]))


def _changes(pictures: Sequence[Pixels]) -> Pixels:
    """Mean absolute change from picture to picture, blurred, [112, 112]."""
    import cv2

    smooth = [cv2.GaussianBlur(p, (0, 0), 2.0).astype(np.float32) for p in pictures]
    return np.mean([np.abs(b - a).mean(axis=2) for a, b in pairwise(smooth)], axis=0)


def _by(values: Pixels, pattern: Pixels) -> Pixels:
    return np.bincount(pattern.ravel(), weights=values.ravel()) / np.bincount(pattern.ravel())


def _strongest(values: Pixels, grid: Pixels, quarters: Pixels) -> Pixels:
    """For each quarter its strongest cell of the 4x4 grid."""
    cells = _by(values, grid)
    return np.array([max(cells[c] for c in np.unique(grid[quarters == q])) for q in range(4)])


METHOD = StatisticsAgain
