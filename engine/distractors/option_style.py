"""Can a classifier tell true from false options by their wording? Character n-grams with logistic regression.

It sees one option at a time, without question or footage, and is judged on groups of footage that it has not seen. An AUC
near 0.5 means that options cannot be told by their style; 0.6 and more that something gives them away (edits that sound
wrong, longer truths ...). Fixed answer lists (nine camera motions) measure the prior instead. Needs scikit-learn, loaded
when called; options that are pictures or spans only have no wording, and count nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...schemas.ids import seeded_fraction

FOLDS = 5
_TAG = re.compile(r"<[a-z]+(?:@\d+)?(?::[^<>]*)?>")


@dataclass(frozen=True)
class OptionSet:
    """The options of one sample, which is right, and the group of footage that it belongs to."""

    texts: tuple[str, ...]
    right: int
    group: str


@dataclass(frozen=True)
class OptionStyle:
    """What the wording of options gives away."""

    samples: int
    options: int
    auc: float
    """Area under the ROC curve of "this option is right", over held-out groups; 0.5: nothing to tell."""
    low: float
    high: float
    """95% interval of the AUC (Hanley and McNeil 1982)."""
    longest_share: float
    """How often the right option is the longest (ties shared); `chance_share` by chance."""
    shortest_share: float
    chance_share: float


def option_style(sets: Sequence[OptionSet]) -> OptionStyle | None:
    """Style figures of options; None with fewer than 20 samples with wording or fewer than two groups.

    The folds are drawn by a hash of the group's name, so the result depends on nothing but the options.
    """
    worded = [s for s in sets if len(s.texts) > 1 and any(_TAG.sub("", t).strip() for t in s.texts)]
    groups = sorted({s.group for s in worded}, key=lambda g: (seeded_fraction("fold", g), g))
    if len(worded) < 20 or len(groups) < 2:
        return None
    fold = {group: i % min(FOLDS, len(groups)) for i, group in enumerate(groups)}
    texts = [t for s in worded for t in s.texts]
    right = [i == s.right for s in worded for i in range(len(s.texts))]
    auc = _held_out_auc(texts, right, [fold[s.group] for s in worded for _ in s.texts])
    low, high = _interval(auc, sum(right), len(right) - sum(right))
    chance = sum(1 / len(s.texts) for s in worded) / len(worded)
    return OptionStyle(len(worded), len(texts), auc, low, high, _extreme(worded, 1), _extreme(worded, -1), chance)


def _held_out_auc(texts: Sequence[str], right: Sequence[bool], folds: Sequence[int]) -> float:
    """Ranks are pooled within folds, so that a fold's own base rate cannot look like skill."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    won = pairs = 0.0
    for held in sorted(set(folds)):
        train = [i for i, f in enumerate(folds) if f != held]
        test = [i for i, f in enumerate(folds) if f == held]
        if len({right[i] for i in train}) < 2 or len({right[i] for i in test}) < 2:
            continue
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=500)
        model.fit(grams.fit_transform([texts[i] for i in train]), [right[i] for i in train])
        scores = model.decision_function(grams.transform([texts[i] for i in test]))
        of_fold = dict(zip(test, scores, strict=True))
        a, n = _won([of_fold[i] for i in test if right[i]], [of_fold[i] for i in test if not right[i]])
        won, pairs = won + a, pairs + n
    return won / pairs if pairs else 0.5


def _won(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """How many (true, false) pairs are ranked rightly, ties half; and how many there are."""
    from scipy.stats import rankdata

    ranks = rankdata([*ours, *theirs])
    return float(ranks[: len(ours)].sum()) - len(ours) * (len(ours) + 1) / 2, float(len(ours) * len(theirs))


def _interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    half = 1.96 * (max(spread, 0.0) / (positives * negatives)) ** 0.5
    return max(0.0, auc - half), min(1.0, auc + half)


def _extreme(sets: Sequence[OptionSet], sign: int) -> float:
    """How often the right option is the longest (sign 1) or shortest (-1); a tie counts its share."""
    total = 0.0
    for s in sets:
        lengths = [sign * len(t) for t in s.texts]
        best = max(lengths)
        total += (lengths[s.right] == best) / lengths.count(best)
    return total / len(sets)
