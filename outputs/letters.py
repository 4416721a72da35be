"""Letters: which option becomes A, B, C ... in a package, balanced whatever the order in which samples were built.

Samples are ranked by a hash of identifier and seed within (task, number of options); the rank alone decides where the
right option stands (rank mod n), or which permutation is the answer of an ordering (rank mod n!). So each letter is
right equally often within one, and the letters depend on nothing but the set of samples and the seed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from ..schemas.ids import seeded_fraction
from ..schemas.sample import ChoiceAnswer, OrderAnswer, Sample

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Key = tuple[str, str, int]
"""(sample_id, task, number of options)."""


def ranks(samples: Iterable[Key], seed: int) -> dict[str, int]:
    """Rank of each sample, from 0, within its task and number of options, by hash of identifier and seed."""
    found: dict[str, int] = {}
    seen: Counter[tuple[str, int]] = Counter()
    for sample_id, task, options in sorted(samples, key=lambda s: (seeded_fraction("letters", seed, s[0]), s[0])):
        found[sample_id] = seen[task, options]
        seen[task, options] += 1
    return found


def shown_order(sample: Sample, rank: int, seed: int) -> tuple[int, ...]:
    """Canonical index of the option behind each letter: `shown_order(...)[0]` is shown as A.

    The wrong options of a choice are shuffled by hash, so that their canonical order (often by size or time) does not
    betray the right one.
    """
    n = len(sample.options)
    match sample.answer:
        case ChoiceAnswer(index=right):
            wrong = sorted(
                (i for i in range(n) if i != right),
                key=lambda i: (seeded_fraction("options", seed, sample.sample_id, i), i),
            )
            place = rank % n
            return (*wrong[:place], right, *wrong[place:])
        case OrderAnswer(order=order):
            shown = [0] * n
            for item, place in zip(order, permutation(rank, n), strict=True):
                shown[place] = item
            return tuple(shown)
    return tuple(range(n))


def permutation(number: int, n: int) -> tuple[int, ...]:
    """Permutation `number` mod n! of 0..n-1, in an enumeration whose beginnings are balanced too.

    Each run of n numbers is one permutation rotated by 0..n-1, so every value stands equally often in every place
    after n samples already; the rotated ones follow each other with a stride prime to (n-1)!, not in dictionary order.
    """
    base, turn = divmod(number % math.factorial(n), n) if n else (0, 0)
    rest = list(range(1, n))
    code = base * _stride(math.factorial(n - 1)) % math.factorial(n - 1) if n else 0
    values = [0][:n]
    for left in range(n - 1, 0, -1):
        index, code = divmod(code, math.factorial(left - 1))
        values.append(rest.pop(index))
    return tuple((value + turn) % n for value in values)


def _stride(size: int) -> int:
    """A number near the golden section of `size` without a common divisor with it."""
    stride = max(1, round(size * 0.6180339887))
    while math.gcd(stride, size) != 1:
        stride += 1
    return stride
