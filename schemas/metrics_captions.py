"""Metrics of dense captions: do the described spans lie where people put them, and do the words beside them agree?

`event_prf` asks for each tIoU level which share of predicted spans meets a true one and the other way round, as dense
captioning on ActivityNet and YouCook2 reports it. `soda` looks for the best pairing that keeps the order of time (Fujita et
al., SODA) and scores tIoU times the likeness of the texts; the source takes METEOR for that likeness, here it is a
parameter whose default is the F1 of the words, so figures are not comparable with published SODA_c unless a METEOR is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from .metrics import PRF, mean, normalise_words
from .span import Span, tiou

DENSE_LEVELS = (0.3, 0.5, 0.7, 0.9)
"""tIoU levels that event precision and recall are averaged over."""
Described = tuple[Span, str]


def word_f1(predicted: str, truth: str) -> float:
    """Harmonic mean of the shares of common words (a bag of normalised words), 0..1; two empty texts agree."""
    mine, theirs = Counter(normalise_words(predicted)), Counter(normalise_words(truth))
    if not mine and not theirs:
        return 1.0
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def event_prf(predicted: Sequence[Span], truth: Sequence[Span], m: float) -> PRF:
    """Shares of predicted spans that meet any true span with tIoU >= m, and of true ones that meet a predicted one.

    Nothing predicted where nothing is true scores 1, nothing predicted where something is true 0.
    """
    if not predicted and not truth:
        return PRF(1.0, 1.0, 1.0, 0, 0, 0, 0)
    mine = sum(any(tiou(p, t) >= m for t in truth) for p in predicted)
    theirs = sum(any(tiou(p, t) >= m for p in predicted) for t in truth)
    precision = mine / len(predicted) if predicted else 0.0
    recall = theirs / len(truth) if truth else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return PRF(precision, recall, f1, mine, theirs, len(predicted), len(truth))


def event_f1(
    predicted: Sequence[Span], truth: Sequence[Span], levels: Sequence[float] = DENSE_LEVELS
) -> tuple[float, float, float]:
    """(precision, recall, F1): precision and recall averaged over tIoU levels, and their harmonic mean."""
    scores = [event_prf(predicted, truth, m) for m in levels]
    precision, recall = mean([s.precision for s in scores]), mean([s.recall for s in scores])
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def soda(
    predicted: Sequence[Described],
    truth: Sequence[Described],
    likeness: Callable[[str, str], float] = word_f1,
    *,
    least_tiou: float = 0.0,
) -> PRF:
    """SODA's F of one medium: the in-order pairing with the greatest sum of tIoU times likeness, over either number.

    Counts hold the pairs that were made. `likeness` gives 0..1; pairs of a tIoU at or below `least_tiou` do not count.
    """
    mine, theirs = sorted(predicted), sorted(truth)
    if not mine and not theirs:
        return PRF(1.0, 1.0, 1.0, 0, 0, 0, 0)
    best = [(0.0, 0)] * (len(theirs) + 1)
    for span, text in mine:
        row = [(0.0, 0)]
        for j, (true_span, true_text) in enumerate(theirs):
            overlap = tiou(span, true_span)
            gain = overlap * likeness(text, true_text) if overlap > least_tiou else 0.0
            total, pairs = best[j]
            row.append(max(best[j + 1], row[j], (total + gain, pairs + (gain > 0))))
        best = row
    total, pairs = best[-1]
    precision = total / len(mine) if mine else 0.0
    recall = total / len(theirs) if theirs else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return PRF(precision, recall, f1, pairs, pairs, len(mine), len(theirs))
