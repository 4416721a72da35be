"""Metrics of many tracks at once: HOTA (detection and association), IDF1 (identities), and average precision of detections.

Tracks are {time: box} each; times are equal when their microseconds are. HOTA after J. Luiten et al. (IJCV 2021), IDF1 after E.
Ristani et al. (2016), average precision as COCO's (101 recalls) at one IoU. Verified against the library TrackEval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .box import Box, iou
from .span import to_us

Floats = NDArray[np.float64]
Track = Mapping[float, Box]
ALPHAS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""IoU thresholds over which HOTA is a mean."""


@dataclass(frozen=True)
class Tracking:
    """How well tracks were found."""

    hota: float
    deta: float
    """Detection: intersection over union of boxes that match."""
    assa: float
    """Association: how much of a true track one predicted track holds, and the other way round."""
    loca: float
    """Mean IoU of matched boxes."""
    id_true: int
    """Boxes whose identity is right, under the best assignment of tracks (IoU from 0.5)."""
    predicted: int
    truth: int

    @property
    def idf1(self) -> float:
        total = self.predicted + self.truth
        return 2 * self.id_true / total if total else 0.0


def tracking(predicted: Sequence[Track], truth: Sequence[Track]) -> Tracking:
    """All figures of one medium; 0 throughout when there is nothing on either side."""
    mine, true = _by_time(predicted), _by_time(truth)
    times = sorted(set(mine) | set(true))
    n_mine, n_true = len(predicted), len(truth)
    boxes_mine, boxes_true = sum(map(len, mine.values())), sum(map(len, true.values()))
    if not boxes_mine or not boxes_true:
        return Tracking(0.0, 0.0, 0.0, 0.0, 0, boxes_mine, boxes_true)
    count_mine = np.asarray([len(t) for t in predicted], np.float64)
    count_true = np.asarray([len(t) for t in truth], np.float64)
    steps = [(mine.get(t, []), true.get(t, [])) for t in times]
    likeness = [np.array([[iou(b, a) for _, a in m] for _, b in g]).reshape(len(g), len(m)) for m, g in steps]

    # global alignment: how often two tracks could be one, weighing each overlap by its rivals
    potential = np.zeros((n_true, n_mine))
    for (m, g), s in zip(steps, likeness, strict=True):
        if s.size:
            rivals = s.sum(axis=0)[None, :] + s.sum(axis=1)[:, None] - s
            share = np.divide(s, rivals, out=np.zeros_like(s), where=rivals > 0)
            potential[np.ix_([k for k, _ in g], [k for k, _ in m])] += share
    aligned = potential / (count_true[:, None] + count_mine[None, :] - potential)

    hits = np.zeros(len(ALPHAS))
    overlap = np.zeros(len(ALPHAS))
    together = np.zeros((len(ALPHAS), n_true, n_mine))
    for (m, g), s in zip(steps, likeness, strict=True):
        if not s.size:
            continue
        rows, columns = _assigned(aligned[np.ix_([k for k, _ in g], [k for k, _ in m])] * s)
        got = s[rows, columns]
        owners = np.asarray([k for k, _ in g])[rows], np.asarray([k for k, _ in m])[columns]
        for a, alpha in enumerate(ALPHAS):
            matched = got >= alpha - np.finfo(float).eps
            hits[a] += matched.sum()
            overlap[a] += got[matched].sum()
            np.add.at(together[a], (owners[0][matched], owners[1][matched]), 1)
    deta = hits / (boxes_mine + boxes_true - hits)
    share = together / np.maximum(1.0, count_true[None, :, None] + count_mine[None, None, :] - together)
    assa = (together * share).sum(axis=(1, 2)) / np.maximum(1.0, hits)
    loca = np.where(hits > 0, overlap / np.maximum(1.0, hits), 1.0)
    hota = np.sqrt(deta * assa)
    return Tracking(
        float(hota.mean()), float(deta.mean()), float(assa.mean()), float(loca.mean()),
        _identities(steps, likeness, count_mine, count_true), boxes_mine, boxes_true,
    )  # fmt: skip


def _identities(steps: Sequence[Any], likeness: Sequence[Floats], count_mine: Floats, count_true: Floats) -> int:
    """Boxes that are right under the one-to-one assignment of tracks with the fewest wrong ones."""
    both = np.zeros((len(count_true), len(count_mine)))
    for (m, g), s in zip(steps, likeness, strict=True):
        if s.size:
            both[np.ix_([k for k, _ in g], [k for k, _ in m])] += s >= 0.5
    rows, columns = _assigned(both)
    return int(both[rows, columns].sum())


def _assigned(gain: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-gain)
    return np.asarray(rows), np.asarray(columns)


def _by_time(tracks: Sequence[Track]) -> dict[int, list[tuple[int, Box]]]:
    found: dict[int, list[tuple[int, Box]]] = {}
    for k, track in enumerate(tracks):
        for t_s, box in track.items():
            found.setdefault(to_us(t_s), []).append((k, box))
    return found


def average_precision(
    predicted: Sequence[tuple[Any, Box, float]], truth: Sequence[tuple[Any, Box]], least_iou: float = 0.5
) -> float | None:
    """Average precision of (picture, box, score) against (picture, box), over 101 recalls; None without truth.

    Best scores choose first; each takes the free true box of its picture with the most IoU, if that reaches `least_iou`.
    """
    if not truth:
        return None
    free: dict[Any, list[Box]] = {}
    for picture, box in truth:
        free.setdefault(picture, []).append(box)
    right = []
    for picture, box, _ in sorted(predicted, key=lambda p: (-p[2], str(p[0]), p[1])):
        rivals = free.get(picture, [])
        best = max(range(len(rivals)), key=lambda k: iou(rivals[k], box), default=None)
        hit = best is not None and iou(rivals[best], box) >= least_iou
        if hit and best is not None:
            rivals.pop(best)
        right.append(hit)
    hits = np.cumsum(right) if right else np.zeros(0)
    recall = hits / len(truth)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1] if len(right) else precision
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([envelope[k] if k < len(envelope) else 0.0 for k in at]))
