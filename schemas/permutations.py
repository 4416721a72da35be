"""Permutations by number: rank 0 is the identity, the rest follow in lexicographic order (Lehmer code).

A sample stores a permutation as one number, and a draw among all but the identity is a draw of a number. `shown[i] =
units[perm[i]]`, where `units` stand in time order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial


def permutation_of(rank: int, n: int) -> tuple[int, ...]:
    """The permutation of `n` things with that rank. Raises ValueError when there is none."""
    if not 0 <= rank < factorial(n):
        raise ValueError(f"{n} things have no permutation number {rank}")
    left = list(range(n))
    found = []
    for k in range(n - 1, -1, -1):
        place, rank = divmod(rank, factorial(k))
        found.append(left.pop(place))
    return tuple(found)


def rank_of(permutation: Sequence[int]) -> int:
    """The rank of a permutation of 0 .. n-1. Raises ValueError when it is none."""
    left = list(range(len(permutation)))
    if sorted(permutation) != left:
        raise ValueError(f"{list(permutation)} is no permutation")
    rank = 0
    for i, value in enumerate(permutation):
        place = left.index(value)
        rank += place * factorial(len(permutation) - 1 - i)
        left.pop(place)
    return rank


def inverse(permutation: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes it: what stands where."""
    return tuple(sorted(range(len(permutation)), key=lambda i: permutation[i]))


def swapped_pairs(permutation: Sequence[int]) -> int:
    """How many pairs stand in the wrong relative order (Kendall distance to the identity)."""
    n = len(permutation)
    return sum(permutation[i] > permutation[j] for i in range(n) for j in range(i + 1, n))
