"""Metrics of boxes over time: when a thing is found (tIoU), where it is while it is found (sIoU), and both at once (vIoU).

A track is {t_s: box}. Times are equal when their microseconds are equal; `on_times` moves the boxes of a tracker with other
times to the nearest true time within a tolerance. Conventions as VidSTG and LLaVA-ST: sIoU is the mean IoU over the common
times, vIoU the sum over common times divided by the number of times of either.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import fsum

from .box import Box, iou, viou
from .span import from_us, to_us

Track = Mapping[float, Box]


def on_times(track: Track, times: Sequence[float], tolerance_s: float) -> dict[float, Box]:
    """The track with each box at the nearest of `times` within `tolerance_s`; boxes near none keep their own time.

    Of several boxes near one time the nearest is kept, the earlier one among equals.
    """
    grid = sorted(set(map(to_us, times)))
    moved: dict[int, tuple[int, int]] = {}
    boxes = {to_us(t_s): box for t_s, box in track.items()}
    for t in sorted(boxes):
        place = bisect_left(grid, t)
        near = min(grid[max(0, place - 1) : place + 1], key=lambda g: (abs(g - t), g), default=None)
        at = near if near is not None and abs(near - t) <= to_us(tolerance_s) else t
        if at not in moved or abs(t - at) < moved[at][0]:
            moved[at] = (abs(t - at), t)
    return {from_us(at): boxes[t] for at, (_, t) in sorted(moved.items())}


def siou(predicted: Track, truth: Track) -> float:
    """Mean IoU over the times that both have; 0 when they have none in common."""
    mine = {to_us(t): box for t, box in predicted.items()}
    common = [(mine[to_us(t)], box) for t, box in truth.items() if to_us(t) in mine]
    return fsum(iou(a, b) for a, b in common) / len(common) if common else 0.0


def track_tiou(predicted: Track, truth: Track) -> float:
    """Times that both have / times that either has; 0 when both are empty."""
    mine, true = set(map(to_us, predicted)), set(map(to_us, truth))
    return len(mine & true) / len(mine | true) if mine | true else 0.0


def matched_tracks(predicted: Sequence[Track], truth: Sequence[Track]) -> list[int | None]:
    """For each true track the index of the predicted one that is it, one to one, with the greatest sum of vIoU; None: missed."""
    if not predicted or not truth:
        return [None] * len(truth)
    from scipy.optimize import linear_sum_assignment

    scores = [[viou(p, t) for p in predicted] for t in truth]
    rows, columns = linear_sum_assignment([[-s for s in line] for line in scores])
    found: list[int | None] = [None] * len(truth)
    for i, j in zip(rows, columns, strict=True):
        if scores[i][j] > 0:
            found[int(i)] = int(j)
    return found
