"""Figures made of many media, with an interval: sums of ratios by medium, and a seeded bootstrap that draws whole media.

What is measured in one medium hangs together, so media are drawn, not items. The percentile bootstrap is crude below about
ten media, and with one medium there is nothing to draw: no interval is given then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .ids import derive_id

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a figure: `part` of `whole`. A mean over items has whole 1 per item; a word error rate edits and words."""

    part: float
    whole: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, its 95% interval (None where it cannot be given), and what it stands on."""

    value: float
    low: float | None
    high: float | None
    items: int
    media: int


def figure(
    shares: Iterable[tuple[str, Share]], *, macro: bool = False, seed: object = 0, draws: int = DRAWS
) -> Figure | None:
    """The figure of `(media_id, share)` pairs: sum of parts / sum of wholes, or with `macro` the mean of each medium's.

    None when nothing was measured (the wholes are 0). The interval depends on the shares and the seed only.
    """
    sums: dict[str, list[float]] = {}
    items = 0
    for media_id, share in shares:
        line = sums.setdefault(media_id, [0.0, 0.0])
        line[0] += share.part
        line[1] += share.whole
        items += 1
    named: Mapping[str, list[float]] = {m: sums[m] for m in sorted(sums) if sums[m][1] > 0}
    if not named:
        return None
    table = np.array(list(named.values()))
    value = _of(table, macro)
    if len(table) < 2 or draws < 1:
        return Figure(value, None, None, items, len(table))
    generator = np.random.default_rng(int(derive_id("bootstrap", seed, len(table), draws), 16))
    drawn = table[generator.integers(0, len(table), size=(draws, len(table)))]
    values = (drawn[..., 0] / drawn[..., 1]).mean(1) if macro else drawn[..., 0].sum(1) / drawn[..., 1].sum(1)
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(value, min(float(low), value), max(float(high), value), items, len(table))


def _of(table: np.ndarray, macro: bool) -> float:
    return float((table[:, 0] / table[:, 1]).mean() if macro else table[:, 0].sum() / table[:, 1].sum())
