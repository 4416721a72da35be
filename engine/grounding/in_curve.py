"""Localiser of pictures: from a similarity curve over time to spans, at several scales and by shots.

A curve is a step function: a value per picture, each standing until halfway to the next. Spans come from hysteresis at several
thresholds, from change points (binary segmentation with a penalty per change, at several penalties) and from shots and runs
of shots. The score of a span is how much its mean exceeds what stands around it: a description of the whole medium has no
span. Limits: boundaries are no finer than the pictures, unless a shot's edge gives them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...schemas.span import Span, from_us, to_us
from .proposals import Proposal, best_apart

HIGHS = (0.9, 0.75, 0.6, 0.45)
"""Thresholds of hysteresis, as shares of the curve's range; a span goes on down to half of each."""
PENALTIES = (0.5, 1.5, 4.0)
"""Penalties of a change point, in units of variance x log(length)."""


@dataclass(frozen=True)
class Curve:
    """Values of consecutive steps: `edges_s` has one more than `values`."""

    edges_s: NDArray[np.float64]
    values: NDArray[np.float64]
    rows: tuple[str, ...] = ()
    """row_id of each step's picture."""

    @cached_property
    def _integral(self) -> NDArray[np.float64]:
        """Integral of the curve up to each edge."""
        return np.concatenate(([0.0], np.cumsum(self.values * np.diff(self.edges_s))))

    def mean(self, start_s: float, end_s: float) -> float:
        """Mean over a stretch, by time; 0 outside the curve."""
        low, high = max(start_s, float(self.edges_s[0])), min(end_s, float(self.edges_s[-1]))
        if high <= low:
            return 0.0
        below, upto = np.interp((low, high), self.edges_s, self._integral)
        return float(upto - below) / (high - low)


def curve_of(
    times_s: Sequence[float], until_s: Sequence[float], values: Sequence[float], rows: Sequence[str], duration_s: float
) -> Curve:
    """Pictures at `times_s` that stand until `until_s` (one that hardly changed stands for several): a change lies somewhere
    in the last step before the next picture, so the edge is put half a step before it.
    """
    times = np.asarray(times_s, float)
    gaps = np.diff(times)
    step = float(gaps.min()) if len(gaps) else duration_s
    edges = np.concatenate(([0.0], times[1:] - step / 2, [max(duration_s, float(until_s[-1]))]))
    return Curve(edges, np.asarray(values, float), tuple(rows))


def in_curve(curve: Curve, shots: Sequence[Span], most: int = 5, floor: float = 0.05) -> list[Proposal]:
    """The best spans of a curve with values in 0..1; none where it hardly changes (`floor`)."""
    values = curve.values
    if not len(values) or values.max() - values.min() < floor:
        return []
    spans = {*_hysteresis(curve), *_segments(curve), *_shot_runs(curve, shots)}
    found = []
    for span in sorted(spans):
        inside = curve.mean(span.start_s, span.end_s)
        score = inside * max(0.0, inside - _around(curve, span)) ** 0.5
        found.append(Proposal(span, score))
    return [replace(p, rows=_pictures(curve, p.span)) for p in best_apart(found, most)]


def _pictures(curve: Curve, span: Span) -> tuple[str, ...]:
    """row_ids of the pictures that stand for more than half of their time (or of the span) in it."""
    low, high = np.maximum(curve.edges_s[:-1], span.start_s), np.minimum(curve.edges_s[1:], span.end_s)
    inside = (high - low) > 0.5 * np.minimum(span.length_s, np.diff(curve.edges_s))
    return tuple(curve.rows[int(i)] for i in np.flatnonzero(inside))


def _around(curve: Curve, span: Span) -> float:
    """What stands beside a span: the greater of the means of as long a stretch (at least 2 s) before and after it, and of all
    the rest weighted half.
    """
    reach = max(2.0, span.length_s)
    start, end = float(curve.edges_s[0]), float(curve.edges_s[-1])
    beside = [curve.mean(max(start, span.start_s - reach), span.start_s) if span.start_s > start else 0.0]
    beside.append(curve.mean(span.end_s, min(end, span.end_s + reach)) if span.end_s < end else 0.0)
    rest_s = (end - start) - span.length_s
    whole = curve.mean(start, end) * (end - start) - curve.mean(span.start_s, span.end_s) * span.length_s
    return max(*beside, 0.5 * whole / rest_s if rest_s > 1e-6 else 1.0)


def _hysteresis(curve: Curve) -> list[Span]:
    low, high = float(curve.values.min()), float(curve.values.max())
    found = []
    for share in HIGHS:
        top, bottom = low + share * (high - low), low + 0.5 * share * (high - low)
        for a, b in _true_runs(curve.values >= bottom):
            if curve.values[a:b].max() >= top:
                found.append(_span(curve, a, b))
    return found


def _segments(curve: Curve) -> list[Span]:
    found: list[Span] = []
    for penalty in PENALTIES:
        cuts = [0, *change_points(curve.values, penalty), len(curve.values)]
        means = [float(curve.values[a:b].mean()) for a, b in itertools.pairwise(cuts)]
        best = max(means)
        found += [
            _span(curve, cuts[i], cuts[j])
            for i, j in _true_runs(np.array(means) >= 0.5 * (best + float(np.median(curve.values))))
        ]
        found += [_span(curve, a, b) for a, b, m in zip(cuts, cuts[1:], means, strict=False) if m >= 0.5 * best]
    return found


def _shot_runs(curve: Curve, shots: Sequence[Span], longest: int = 3) -> list[Span]:
    """Shots and runs of up to `longest` shots that are well above the median."""
    means = [curve.mean(s.start_s, s.end_s) for s in shots]
    least = float(np.median(curve.values)) + 0.3 * float(curve.values.max() - np.median(curve.values))
    found = []
    for i in range(len(shots)):
        for j in range(i, min(i + longest, len(shots))):
            if means[j] < least:
                break
            found.append(_exact(shots[i].start_s, shots[j].end_s))
    return found


def change_points(values: NDArray[np.float64], penalty: float) -> list[int]:
    """Indices where the mean changes: binary segmentation of squared error; a split must save `penalty` x noise x log n.

    The noise is the median squared difference of neighbours (halved), which changes hardly touch. O(n log n) splits.
    """
    n = len(values)
    if n < 2:
        return []
    noise = max(float(np.median(np.diff(values) ** 2)) / 2, 1e-4 * float(np.ptp(values)) ** 2, 1e-9)
    least = penalty * noise * np.log(n + 1)
    total = np.concatenate(([0.0], np.cumsum(values)))
    found: list[int] = []
    waiting = [(0, n)]
    while waiting:
        a, b = waiting.pop()
        if b - a < 2:
            continue
        at = np.arange(a + 1, b)
        left, right = total[at] - total[a], total[b] - total[at]
        gain = left**2 / (at - a) + right**2 / (b - at) - (total[b] - total[a]) ** 2 / (b - a)
        best = int(np.argmax(gain))
        if gain[best] > least:
            split = a + 1 + best
            found.append(split)
            waiting += [(a, split), (split, b)]
    return sorted(found)


def _true_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    padded = np.concatenate(([False], mask, [False])).astype(int)
    changes = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b)) for a, b in zip(changes[::2], changes[1::2], strict=True)]


def _span(curve: Curve, a: int, b: int) -> Span:
    return _exact(float(curve.edges_s[a]), float(curve.edges_s[b]))


def _exact(start_s: float, end_s: float) -> Span:
    return Span(from_us(to_us(start_s)), from_us(max(to_us(end_s), to_us(start_s) + 1)))
