"""How V-STaR scores what-when-where chains: accuracy, tIoU and vIoU, and their arithmetic and logarithmic means.

Of places IoU counts over the annotated seconds, a missing one as 0; boxes at other times neither help nor hurt. The logarithmic
mean `LGM = -(1/3) sum ln(1 - x)` rewards the last steps most and is infinite at 1, so x is cut at 1 - 1e-6 (13.8 for an oracle).
An answer that could not be read counts 0 and stays in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .box import Box, iou
from .span import Span, tiou, to_us

MOST = 1 - 1e-6
JOINT = (0.3, 0.1)
"""tIoU and vIoU from which a right answer counts as grounded."""


@dataclass(frozen=True)
class ChainScore:
    """One chain answered: whether the thing is right, tIoU of when, vIoU of where."""

    right: bool
    when: float
    where: float
    seconds: tuple[float, ...]
    """IoU at each annotated time."""

    @property
    def joint(self) -> bool:
        """Right, and grounded in time and space."""
        return self.right and self.when >= JOINT[0] and self.where >= JOINT[1]


def chain_score(
    right: bool, when: Span | None, where: Mapping[float, Box] | None, true_when: Span, true_where: Mapping[float, Box]
) -> ChainScore:
    """Score of an answer; None for a part that could not be read. Times are equal when their microseconds are."""
    said = {to_us(t): box for t, box in (where or {}).items()}
    each = tuple(iou(said[to_us(t)], box) if to_us(t) in said else 0.0 for t, box in sorted(true_where.items()))
    return ChainScore(
        right, tiou(when, true_when) if when is not None else 0.0, math.fsum(each) / len(each) if each else 0.0, each
    )


def arithmetic_mean(accuracy: float, m_tiou: float, m_viou: float) -> float:
    """AM of the three figures of a chain."""
    return (accuracy + m_tiou + m_viou) / 3


def logarithmic_mean(accuracy: float, m_tiou: float, m_viou: float) -> float:
    """LGM of the three figures of a chain."""
    return -math.fsum(math.log(1 - min(x, MOST)) for x in (accuracy, m_tiou, m_viou)) / 3
