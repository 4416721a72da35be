"""Letters: which option becomes A, B, C ... in a package, balanced whatever the order in which samples were built.

Samples are ranked by a hash of identifier and seed within (task, number of options); the rank alone decides where the
right option stands (rank mod n), or which permutation is the answer of an ordering (rank mod n!). So each letter is
right equally often within one, and the letters depend on nothing but the set of samples and the seed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from ..schemas.ids import seeded_fraction
from ..schemas.sample import Answer, ChoiceAnswer, OrderAnswer, Sample, TurnsAnswer

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


def part_keys(sample: Sample) -> list[Key]:
    """The keys by which the parts of a conversation are ranked; none for other samples."""
    if not isinstance(sample.answer, TurnsAnswer):
        return []
    return [
        (part_id(sample.sample_id, i), f"{sample.task}: {part.task}", part.options[1] - part.options[0])
        for i, part in enumerate(sample.answer.parts)
    ]


def part_id(sample_id: str, part: int) -> str:
    """What a part of a conversation is ranked as, counted from 0."""
    return f"{sample_id}/{part}"


def letters_of(sample: Sample, ranked: Mapping[str, int], seed: int) -> tuple[int, ...]:
    """`shown_order` with the ranks that `ranks` gave to the samples and to the parts of conversations.

    Letters begin with A in each part, and each part keeps its range of the options.
    """
    if not isinstance(sample.answer, TurnsAnswer):
        return shown_order(sample, ranked[sample.sample_id], seed)
    order: list[int] = []
    for i, part in enumerate(sample.answer.parts):
        name, (first, end) = part_id(sample.sample_id, i), part.options
        order += [first + k for k in _shown(part.answer, end - first, name, ranked.get(name, 0), seed)]
    return tuple(order)


def shown_order(sample: Sample, rank: int, seed: int) -> tuple[int, ...]:
    """Canonical index of the option behind each letter: `shown_order(...)[0]` is shown as A.

    The wrong options of a choice are shuffled by hash, so that their canonical order (often by size or time) does not
    betray the right one.
    """
    return _shown(sample.answer, len(sample.options), sample.sample_id, rank, seed)


def _shown(answer: Answer, n: int, name: str, rank: int, seed: int) -> tuple[int, ...]:
    match answer:
        case ChoiceAnswer(index=right):
            wrong = sorted(
                (i for i in range(n) if i != right),
                key=lambda i: (seeded_fraction("options", seed, name, i), i),
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
