"""Held-out folds: every group of footage is answered by solvers that have seen other groups only.

Groups are dealt largest first to the emptiest fold, ties by a seeded hash, so folds are of similar size and do not
depend on the order of rows. With too few groups or samples nothing can be held out, and no solver answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...schemas.ids import seeded_fraction


def too_few(samples: int, groups: int, min_samples: int, min_groups: int) -> str | None:
    """Why a task cannot be held out, or None."""
    if groups < min_groups:
        return f"{groups} {'group' if groups == 1 else 'groups'} of footage; {min_groups} are needed to hold some out"
    if samples < min_samples:
        return f"{samples} {'sample' if samples == 1 else 'samples'}; {min_samples} are needed"
    return None


def fold_of(groups: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Fold of each group, from the group of each sample; never more folds than groups."""
    sizes = Counter(groups)
    folds = min(folds, len(sizes))
    filled = [0] * folds
    found: dict[str, int] = {}
    for group in sorted(sizes, key=lambda g: (-sizes[g], seeded_fraction("fold", seed, g), g)):
        fold = min(range(folds), key=lambda f: (filled[f], f))
        found[group] = fold
        filled[fold] += sizes[group]
    return found
