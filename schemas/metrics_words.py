"""Metrics of spoken words: which words of a transcript are the words of the truth, and how far their boundaries are off.

Words are aligned by the fewest edits over normalised words; among alignments of equal cost the one found from the end is
taken, so equal input gives equal pairs. Boundaries are compared only of words that are equal and aligned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .metrics import normalise_words
from .span import Span

Word = tuple[str, Span]


def plain_words(words: Sequence[Word]) -> list[Word]:
    """Words as they are compared: normalised, without those that are nothing but punctuation; times kept."""
    return [(piece, span) for text, span in words for piece in normalise_words(text)]


def aligned_words(hypothesis: Sequence[str], reference: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
    """(edits, pairs of indices whose words are equal) of a cheapest alignment; O(n m) time and memory.

    An hour of speech needs about 80 MB; longer ones are cut by the caller.
    """
    n, m = len(hypothesis), len(reference)
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys((*hypothesis, *reference)))}
    ref = np.fromiter((vocabulary[word] for word in reference), dtype=np.int64, count=m)
    index = np.arange(m + 1, dtype=np.int64)
    cost = np.empty((n + 1, m + 1), dtype=np.int16 if n + m < 30_000 else np.int32)
    row = index.copy()
    cost[0] = row
    for i, word in enumerate(hypothesis, start=1):
        best = row + 1
        np.minimum(best[1:], row[:-1] + (ref != vocabulary[word]), out=best[1:])
        row = np.minimum.accumulate(best - index) + index
        cost[i] = row
    pairs: list[tuple[int, int]] = []
    i, j = n, m
    while i and j:
        same = hypothesis[i - 1] == reference[j - 1]
        if cost[i, j] == cost[i - 1, j - 1] + (not same):
            if same:
                pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[n, m]), pairs[::-1]


def boundary_errors(hypothesis: Sequence[Word], reference: Sequence[Word]) -> tuple[int, list[float]]:
    """(edits, errors): |start - true start| and |end - true end| in seconds of every word that both have in place."""
    edits, pairs = aligned_words([word for word, _ in hypothesis], [word for word, _ in reference])
    errors: list[float] = []
    for i, j in pairs:
        mine, true = hypothesis[i][1], reference[j][1]
        errors += [abs(mine.start_s - true.start_s), abs(mine.end_s - true.end_s)]
    return edits, errors
