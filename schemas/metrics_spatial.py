"""Metrics of the spatial benchmarks as pure functions: relative accuracy, choices, paths, places on the globe.

Where public scorers differ, ours is the exact one and the other a parameter. An answer that is missing scores 0 and stays in the
denominator. Masks have their metrics in `metrics_masks`, tracks in `metrics_tracking`; intersection over union of boxes is
`schemas.box.iou`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .metrics import mean, share_at

EARTH_KM = 6371.0088
"""Mean radius."""
GEO_RADII_KM = (1.0, 25.0, 200.0, 750.0, 2500.0)
"""Street, city, region, country, continent."""
IOU_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
MRA_SHARES = tuple(Fraction(10 - i, 20) for i in range(10))
"""Relative errors that are allowed at the confidences 0.50, 0.55 ... 0.95."""


def mra(answer: float | str | None, truth: float, tie: Literal["le", "lt"] = "le") -> float:
    """Mean relative accuracy (VSI-Bench): the share of the allowed errors 50 %, 45 % ... 5 % that the answer stays within.

    Exact: numbers are the decimals that they are written as (to a billionth), so that an error of exactly 10 % is one. `tie` says
    whether an error equal to the allowed one counts: `le` as in VSI-Bench's code, `lt` as in its paper and OST-Bench.
    Of a text the first word is read. 0 for an answer that is no finite number, and for a truth of 0.
    """
    said, meant = _exact(answer), _exact(truth)
    if said is None or not meant:
        return 0.0
    error = abs(said - meant) / abs(meant)
    within = sum(error <= allowed if tie == "le" else error < allowed for allowed in MRA_SHARES)
    return within / len(MRA_SHARES)


def _exact(value: float | str | None) -> Fraction | None:
    if isinstance(value, str):
        words = value.split()
        try:
            value = float(words[0]) if words else None
        except ValueError:
            return None
    if value is None or not math.isfinite(value):
        return None
    return Fraction(round(Fraction(repr(float(value))) * 10**9), 10**9)


def same_choice(answer: str | None, truth: str) -> bool:
    """Whether a reply is the right option: its first word without a final full stop, case aside (VSI-Bench's scorer)."""
    words = (answer or "").split()
    return bool(words) and words[0].removesuffix(".").casefold() == truth.strip().removesuffix(".").casefold()


def vsi_overall(scores: Mapping[str, float]) -> float:
    """Mean over tasks, after tasks that differ in a last `_easy`, `_medium` or `_hard` are averaged into one."""
    groups: dict[str, list[float]] = {}
    for name, score in sorted(scores.items()):
        stem, _, level = name.rpartition("_")
        groups.setdefault(stem if level in ("easy", "medium", "hard") else name, []).append(score)
    return mean([mean(group) for group in groups.values()])


def vsti_overall(scores: Mapping[str, float]) -> float:
    """Mean over types of question, none weighted."""
    return mean(list(scores.values()))


def precision_at_iou(ious: Sequence[float], thresholds: Sequence[float] = IOU_THRESHOLDS) -> dict[float, float]:
    """Share of samples whose intersection over union reaches each threshold."""
    return {threshold: share_at(ious, threshold) for threshold in thresholds}


def dtw(path: ArrayLike, reference: ArrayLike) -> float:
    """Dynamic time warping of two paths [n, k] and [m, k]: the smallest sum of distances of places matched in order."""
    a, b = np.atleast_2d(np.asarray(path, np.float64)), np.atleast_2d(np.asarray(reference, np.float64))
    if not a.size or not b.size:
        raise ValueError("dynamic time warping needs at least one place in each path")
    apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
    before = np.cumsum(apart[0])
    for row in apart[1:]:
        reached = np.minimum(before, np.concatenate([[np.inf], before[:-1]]))
        now = np.empty_like(before)
        last = math.inf
        for j, (step, best) in enumerate(zip(row.tolist(), reached.tolist(), strict=True)):
            last = step + min(best, last)
            now[j] = last
        before = now
    return float(before[-1])


def ndtw(path: ArrayLike, reference: ArrayLike, within_m: float = 3.0) -> float:
    """Normalised DTW: exp(-DTW / (places of the reference * `within_m`)), 1 for the same path (G. Ilharco et al., 2019)."""
    return math.exp(-dtw(path, reference) / (len(np.atleast_2d(np.asarray(reference))) * within_m))


def shortest_path_distance(
    edges: Mapping[Hashable, Mapping[Hashable, float]], start: Hashable, goal: Hashable
) -> float:
    """Length of the shortest way in a graph (node -> neighbour -> length), infinite where there is none (Dijkstra).

    From the place where a walker stopped to the goal this is the SPD of navigation.
    """
    best: dict[Hashable, float] = {start: 0.0}
    queue: list[tuple[float, int, Hashable]] = [(0.0, 0, start)]
    count = 0
    while queue:
        length, _, node = heapq.heappop(queue)
        if node == goal:
            return length
        if length > best[node]:
            continue
        for neighbour, step in edges.get(node, {}).items():
            reached = length + step
            if reached < best.get(neighbour, math.inf):
                best[neighbour] = reached
                count += 1
                heapq.heappush(queue, (reached, count, neighbour))
    return math.inf


def task_completed(edges: Mapping[Hashable, Mapping[Hashable, Any]], stop: Hashable, goal: Hashable) -> bool:
    """TC of outdoor navigation: stopped at the goal or at a neighbour of it."""
    return stop == goal or stop in edges.get(goal, {}) or goal in edges.get(stop, {})


def great_circle_km(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Distance on the globe of places [..., 2] as latitude, longitude in degrees (haversine), kilometres [...]."""
    (lat1, lon1), (lat2, lon2) = (
        np.moveaxis(np.radians(np.asarray(place, np.float64)), -1, 0) for place in (first, second)
    )
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def geo_accuracy(errors_km: Sequence[float | None], radii_km: Sequence[float] = GEO_RADII_KM) -> dict[float, float]:
    """Share of places found within each radius; None was not found."""
    if not errors_km:
        raise ValueError("accuracy of no places; there is nothing to evaluate")
    return {r: sum(e is not None and e <= r for e in errors_km) / len(errors_km) for r in radii_km}
