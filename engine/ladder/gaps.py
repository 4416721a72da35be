"""How far a baseline is above chance, with a 95% interval that knows that samples of one piece of footage are alike.

Rewards of 0 or 1: Wilson's interval at the effective number of samples (all of them, divided by the design effect of the
groups; Kish 1965). Partial rewards: Student's t on the groups' sums. With fewer than two groups nothing is known, and the
interval is the whole range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...schemas.metrics import wilson_interval


@dataclass(frozen=True)
class Gap:
    """Mean reward of a solver, mean chance, their difference and its 95% interval."""

    samples: int
    groups: int
    reward: float
    chance: float
    gap: float
    low: float
    high: float


def gap_of(rewards: Sequence[float], chances: Sequence[float], groups: Sequence[str]) -> Gap:
    """The gap of one solver over the samples of a task; `groups` names the footage of each. Raises ValueError for none."""
    if not rewards:
        raise ValueError("no attempts; there is no gap to tell")
    got, by_chance = np.asarray(rewards, float), np.asarray(chances, float)
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    n, parts = len(got), int(group.max()) + 1
    reward, chance = float(got.mean()), float(by_chance.mean())
    if parts < 2:
        low, high = -chance, 1 - chance
    elif bool(np.isin(got, (0.0, 1.0)).all()):
        effective = _effective(got, group, parts)
        right = round(reward * effective)
        low, high = (edge - chance for edge in wilson_interval(min(right, effective), effective))
    else:
        from scipy.stats import t

        sums = np.bincount(group, weights=got - by_chance - (reward - chance))
        error = float(np.sqrt((sums**2).sum() * parts / (parts - 1)) / n)
        half = float(t.ppf(0.975, parts - 1)) * error
        low, high = reward - chance - half, reward - chance + half
    return Gap(n, parts, *(round(v, 4) for v in (reward, chance, reward - chance, low, high)))


def _effective(right: np.ndarray, group: np.ndarray, parts: int) -> int:
    """Independent samples that would tell as much: between the number of groups and the number of samples."""
    n, share = len(right), float(right.mean())
    if share in (0.0, 1.0):
        return parts
    sums = np.bincount(group, weights=right - share)
    variance = float((sums**2).sum()) * parts / (parts - 1) / n**2
    if variance <= 0:
        return n
    return int(min(n, max(min(parts, n), round(share * (1 - share) / variance))))
