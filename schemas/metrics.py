"""Metrics of the field as pure functions with one set of conventions.

An answer that could not be read is None: it scores 0 and stays in the denominator. Thresholds are `>=` unless
`strict_gt` (LLaVA-ST's grounding evaluation). Means are over samples; `macro_by_video` averages per video
first (LITA). Times are compared in whole microseconds, so a difference of exactly the tolerance counts as
within it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .box import Box, viou
from .span import Span, tiou, to_us

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def mean(scores: Sequence[float]) -> float:
    """Mean of the scores; raises ValueError when there is none, since no number would be true."""
    if not scores:
        raise ValueError("mean of no scores; there is nothing to evaluate")
    return math.fsum(scores) / len(scores)


def wilson_interval(k: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share of `k` in `n` independent trials: (low, high) within 0..1; 95% at z = 1.96.

    It stays honest where the normal approximation does not: at few trials, and at none or all (3 of 3 is 0.44..1). No
    trials say nothing: (0, 1). Raises ValueError unless 0 <= k <= n. Source: E. B. Wilson, JASA 22 (1927).
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if n == 0:
        return 0.0, 1.0
    p, zz = k / n, z * z / n
    middle = (p + zz / 2) / (1 + zz)
    half = math.sqrt(p * (1 - p) * zz + zz * zz / 4) / (1 + zz)
    return (0.0 if k == 0 else max(0.0, middle - half)), (1.0 if k == n else min(1.0, middle + half))


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two judges of the same things beyond chance: 1 all alike, 0 as by chance, negative below.

    None when it is not defined: nothing judged, or both gave one and the same verdict to everything, so that chance
    alone agrees always. Raises ValueError when the lengths differ. Source: J. Cohen, Educ. Psychol. Meas. 20 (1960).
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        return None
    n = len(pairs)
    seen, ours, theirs = sum(a == b for a, b in pairs), Counter(first), Counter(second)
    chance = sum(count * theirs[verdict] for verdict, count in ours.items())
    return None if chance == n * n else (seen * n - chance) / (n * n - chance)


def tiou_scores(predicted: Sequence[Span | None], truth: Sequence[Span]) -> list[float]:
    """tIoU per sample, 0 for an unread answer. Raises ValueError when the lengths differ."""
    return [0.0 if p is None else tiou(p, t) for p, t in zip(predicted, truth, strict=True)]


def mean_tiou(predicted: Sequence[Span | None], truth: Sequence[Span]) -> float:
    """mIoU over samples."""
    return mean(tiou_scores(predicted, truth))


def share_at(scores: Sequence[float], m: float, *, strict_gt: bool = False) -> float:
    """Share of scores >= m (> m with `strict_gt`): R@1@m on tIoU scores, vIoU@m on vIoU scores."""
    return mean([float(score > m if strict_gt else score >= m) for score in scores])


def recall_at_1(predicted: Sequence[Span | None], truth: Sequence[Span], m: float, *, strict_gt: bool = False) -> float:
    """R@1@m: share of samples whose single predicted span has tIoU >= m."""
    return share_at(tiou_scores(predicted, truth), m, strict_gt=strict_gt)


def macro_by_video(scores: Sequence[float], video_ids: Sequence[str]) -> float:
    """Mean over videos of the mean within each video."""
    by_video: dict[str, list[float]] = {}
    for score, video_id in zip(scores, video_ids, strict=True):
        by_video.setdefault(video_id, []).append(score)
    return mean([mean(of_video) for of_video in by_video.values()])


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and their harmonic mean, 0..1, with the counts behind them."""

    precision: float
    recall: float
    f1: float
    predicted_hits: int
    truth_hits: int
    predicted: int
    truth: int


def _prf(predicted_hits: int, truth_hits: int, predicted: int, truth: int) -> PRF:
    if not predicted and not truth:
        return PRF(1.0, 1.0, 1.0, 0, 0, 0, 0)
    precision = predicted_hits / predicted if predicted else 0.0
    recall = truth_hits / truth if truth else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return PRF(precision, recall, f1, predicted_hits, truth_hits, predicted, truth)


def temporal_prf(
    predicted: Sequence[float], truth: Sequence[float], tolerance_s: float, *, one_to_one: bool = False
) -> PRF:
    """Temporal precision, recall and F1 over two sets of times in seconds.

    As LV-Haystack: a time counts when any of the other set lies within `tolerance_s`. With `one_to_one` each
    true time serves one prediction only. Nothing predicted where something is true scores 0; nothing
    predicted where nothing is true scores 1.
    """
    p, g, tolerance_us = sorted(map(to_us, predicted)), sorted(map(to_us, truth)), to_us(tolerance_s)
    if one_to_one:
        hits = _matched_in_order(p, g, tolerance_us)
        return _prf(hits, hits, len(p), len(g))
    return _prf(_near(p, g, tolerance_us), _near(g, p, tolerance_us), len(p), len(g))


def boundary_prf(predicted: Sequence[float], truth: Sequence[float], tolerance_s: float) -> PRF:
    """Shot boundaries: one-to-one within `tolerance_s`, matched greedily in time order (which is a largest
    matching).
    """
    return temporal_prf(predicted, truth, tolerance_s, one_to_one=True)


def _near(these: list[int], those: list[int], tolerance_us: int) -> int:
    if not those:
        return 0
    values = np.asarray(these, dtype=np.int64)
    grid = np.asarray(those, dtype=np.int64)
    right = np.searchsorted(grid, values).clip(max=len(grid) - 1)
    left = (right - 1).clip(min=0)
    distance = np.minimum(np.abs(grid[right] - values), np.abs(grid[left] - values))
    return int((distance <= tolerance_us).sum())


def _matched_in_order(p: list[int], g: list[int], tolerance_us: int) -> int:
    i = j = hits = 0
    while i < len(p) and j < len(g):
        if abs(p[i] - g[j]) <= tolerance_us:
            i, j, hits = i + 1, j + 1, hits + 1
        elif p[i] < g[j]:
            i += 1
        else:
            j += 1
    return hits


def is_permutation(predicted: Sequence[Hashable] | None, truth: Sequence[Hashable]) -> bool:
    """True when `predicted` holds exactly the items of `truth`, each once, in any order."""
    return (
        predicted is not None and len(predicted) == len(truth) == len(set(predicted)) and set(predicted) == set(truth)
    )


def order_accuracy(predicted: Sequence[Hashable] | None, truth: Sequence[Hashable]) -> float:
    """Share of item pairs in the right relative order = (Kendall tau + 1) / 2; 0 when not a permutation of
    `truth`.
    """
    if predicted is None or not is_permutation(predicted, truth):
        return 0.0
    place = {item: i for i, item in enumerate(predicted)}
    pairs = list(combinations(truth, 2))
    return sum(place[a] < place[b] for a, b in pairs) / len(pairs) if pairs else 1.0


def kendall_tau(predicted: Sequence[Hashable] | None, truth: Sequence[Hashable]) -> float:
    """Kendall's tau of two orders without ties, -1..1; -1 when not a permutation of `truth`."""
    return 2 * order_accuracy(predicted, truth) - 1


def exact_order(predicted: Sequence[Hashable] | None, truth: Sequence[Hashable]) -> float:
    """1 when the whole order is right, else 0."""
    return float(predicted is not None and list(predicted) == list(truth))


def pair_accuracy(correct: Mapping[str, bool], pair_ids: Mapping[str, str | None]) -> float | None:
    """Share of minimal pairs whose members are all right; None when there is no pair.

    `correct` says for each sample whether its answer was right, `pair_ids` which pair a sample belongs to (None or
    missing: to none). Samples that were not attempted are left out, and a pair of which fewer than two members were
    attempted is no pair. Guessing blindly gets one member of a pair right, rarely both.
    """
    pairs: dict[str, list[bool]] = {}
    for sample_id, right in correct.items():
        pair = pair_ids.get(sample_id)
        if pair is not None:
            pairs.setdefault(pair, []).append(right)
    whole = [float(all(members)) for members in pairs.values() if len(members) > 1]
    return mean(whole) if whole else None


def normalise_words(text: str) -> list[str]:
    """Words for comparing speech and signs: NFKC, case folded, punctuation gone, apostrophes inside words
    kept.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word.replace("’", "'") for word in _WORD.findall(folded)]


def word_edits(hypothesis: Sequence[str], reference: Sequence[str]) -> int:
    """Levenshtein distance over words; O(n m) time, one row of memory (an hour of speech takes about a
    second).
    """
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys((*hypothesis, *reference)))}
    ref = np.fromiter((vocabulary[word] for word in reference), dtype=np.int64, count=len(reference))
    index = np.arange(len(reference) + 1, dtype=np.int64)
    row = index.copy()
    for word in hypothesis:
        best = row + 1
        np.minimum(best[1:], row[:-1] + (ref != vocabulary[word]), out=best[1:])
        row = np.minimum.accumulate(best - index) + index
    return int(row[-1])


def word_error_rate(hypothesis: str, reference: str) -> float:
    """Word edits / words of the reference, after `normalise_words`; may exceed 1. Empty reference: 0 if both
    are, else 1.
    """
    hyp, ref = normalise_words(hypothesis), normalise_words(reference)
    if not ref:
        return float(bool(hyp))
    return word_edits(hyp, ref) / len(ref)


def viou_scores(predicted: Sequence[Mapping[float, Box] | None], truth: Sequence[Mapping[float, Box]]) -> list[float]:
    """vIoU per sample of tracks {t_s: box}, 0 for an unread answer; m_vIoU is their mean, vIoU@m is
    `share_at`.
    """
    return [0.0 if p is None else viou(p, t) for p, t in zip(predicted, truth, strict=True)]
