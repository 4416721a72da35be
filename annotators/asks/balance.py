"""Which solved questions are asked, so that neither a favourite answer nor the options alone tell what is right.

Every text is to be right as often as it would be by chance where it is offered: a table that is always the nearest, or a sofa that
never is, would be told without looking. Questions are taken one by one, variants in turn, each time the one that keeps these
shares most even; one that would push a text too far from its share is not asked at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .ask import Solved
from .reply import Pick


@dataclass(frozen=True)
class Stake:
    """A question as balancing sees it: its variant, and by how much each text it offers is right beyond its share."""

    variant: int
    group: str
    shares: tuple[tuple[str, float], ...]


def stake_of(variant: int, solved: Solved) -> Stake:
    """What taking a question does: the right one of n texts gains 1 - 1/n, the others lose 1/n; numbers offer nothing."""
    match solved.reply:
        case Pick(right=right, wrong=wrong):
            n = 1 + len(wrong)
            return Stake(variant, "", ((right, 1 - 1 / n), *((w.text, -1 / n) for w in wrong)))
    return Stake(variant, solved.group or solved.key, ())


def balanced(stakes: Sequence[Stake], most: int, limit: float, *, even: bool = False) -> tuple[list[int], int]:
    """Indices of at most `most` questions in the order in which they are taken, and how many were refused.

    `limit` is how far a text may be from its share; the share that a single question gives is always allowed. With `even`,
    questions that leave texts off their shares in the end are given back.
    """
    left = list(range(len(stakes)))
    taken: list[int] = []
    off: dict[str, float] = defaultdict(float)
    variants: Counter[int] = Counter()
    groups: Counter[str] = Counter()
    while left and len(taken) < most:
        allowed = [i for i in left if _allowed(stakes[i], off, limit)]
        if not allowed:
            break
        fewest = min(variants[stakes[i].variant] for i in allowed)
        turn = [i for i in allowed if variants[stakes[i].variant] == fewest]
        best = min(turn, key=lambda i: (groups[stakes[i].group], round(_cost(stakes[i], off), 9), i))
        taken.append(best)
        left.remove(best)
        variants[stakes[best].variant] += 1
        groups[stakes[best].group] += 1
        for text, share in stakes[best].shares:
            off[text] += share
    while even and taken:
        back = max(taken, key=lambda i: (round(_relief(stakes[i], off), 9), i))
        if _relief(stakes[back], off) <= 1e-9:
            break
        taken.remove(back)
        for text, share in stakes[back].shares:
            off[text] -= share
        left.append(back)
    if even:
        return taken, len(left)
    refused = sum(not _allowed(stakes[i], off, limit) for i in left) if len(taken) < most else 0
    return taken, refused


def _allowed(stake: Stake, off: dict[str, float], limit: float) -> bool:
    return all(abs(off[text] + share) <= max(limit, abs(share)) + 1e-9 for text, share in stake.shares)


def _relief(stake: Stake, off: dict[str, float]) -> float:
    """By how much that sum shrinks when a question is given back."""
    return sum(off[text] ** 2 - (off[text] - share) ** 2 for text, share in stake.shares)


def _cost(stake: Stake, off: dict[str, float]) -> float:
    """By how much the sum of squared distances from the shares grows."""
    return sum((off[text] + share) ** 2 - off[text] ** 2 for text, share in stake.shares)
