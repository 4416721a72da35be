"""What an option looks like beside the others of its question: longest, most alike, in the middle, said in the question.

Distractors are often made from the right answer, which then stands in their middle, or are shorter than it. Each measure is
given as it stands to the other options (standard score, greatest, least, nearness to the median), never by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_TIMES = re.compile(r"(?<![\w.])(\d+\.\d\d)(?:-(\d+\.\d\d))?(?![\w.])")
_WORDS = re.compile(r"\w+")


def option_style(options: Sequence[str], likeness: np.ndarray) -> np.ndarray:
    """[n options, 24]: lengths, words, digits, mean likeness to the others (`likeness` [n, n] in 0..1), times named."""
    n = len(options)
    others = (likeness.sum(axis=1) - np.diag(likeness)) / max(1, n - 1)
    times = [_TIMES.search(option) for option in options]
    starts = np.array([float(t[1]) if t else 0.0 for t in times])
    lengths = np.array([float(t[2]) - float(t[1]) if t and t[2] else 0.0 for t in times])
    measures = [
        np.array([len(option) for option in options], float),
        np.array([len(_WORDS.findall(option)) for option in options], float),
        others,
        starts,
        lengths,
        _mean_overlap(starts, lengths),
    ]
    return np.hstack([relative(values) for values in measures])


def relative(values: np.ndarray) -> np.ndarray:
    """[n, 4]: standard score, whether the only greatest, whether the only least, nearness in rank to the middle."""
    n, spread = len(values), float(values.std())
    if n < 2 or spread < 1e-9:
        return np.zeros((n, 4))
    greatest, least = values == values.max(), values == values.min()
    below = (values[:, None] > values[None, :] + 1e-12).sum(axis=1)
    level = (np.abs(values[:, None] - values[None, :]) <= 1e-12).sum(axis=1)
    rank = below + (level - 1) / 2
    middle = 1 - np.abs(rank - (n - 1) / 2) / ((n - 1) / 2)
    return np.column_stack(
        [
            (values - values.mean()) / spread,
            greatest & (greatest.sum() == 1),
            least & (least.sum() == 1),
            middle,
        ]
    )


def _mean_overlap(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Mean tIoU of each span with the others."""
    ends = starts + lengths
    common = np.minimum(ends[:, None], ends[None, :]) - np.maximum(starts[:, None], starts[None, :])
    common = np.maximum(common, 0)
    union = lengths[:, None] + lengths[None, :] - common
    shared = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return (shared.sum(axis=1) - np.diag(shared)) / max(1, len(starts) - 1)
