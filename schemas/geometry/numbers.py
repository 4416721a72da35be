"""Numbers as answers: decimal rounding, and wrong numbers that are clearly wrong.

Rounding is half up in decimal (0.95 is 1.0, whatever binary makes of it), after noise of computation below a billionth is
dropped. Wrong answers are drawn around the right one and keep a distance from it and from each other (VLM-3R's rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from ..ids import seeded_fraction

_NOISE = Decimal("1e-9")


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_NOISE, ROUND_HALF_EVEN)


def round_half_up(value: float, decimals: int = 0) -> float:
    """`value` to that many decimals, halves away from zero. Raises ValueError for a value that is not finite."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} cannot be rounded; only finite numbers can")
    return float(_decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)) + 0.0


def number_text(value: float, decimals: int = 0) -> str:
    """The rounded number with exactly that many decimals, as an answer says it."""
    return f"{round_half_up(value, decimals):.{decimals}f}"


def least_gap(truth: float, margin: float = 0.20, decimals: int = 1) -> float:
    """The smallest allowed difference between answers: `margin` of the truth, rounded up to the last decimal."""
    step = Decimal(1).scaleb(-decimals)
    return float((_decimal(truth) * _decimal(margin)).quantize(step, ROUND_CEILING))


def mc_numeric(
    truth: float,
    *seed: Any,
    lo: float = 0.25,
    hi: float = 1.75,
    margin: float = 0.20,
    decimals: int = 1,
    count: int = 3,
    tries: int = 30,
    balanced: bool = True,
) -> tuple[float, ...] | None:
    """Wrong answers for a rounded, positive `truth`: uniform in [lo, hi] x truth, at `decimals`, apart by `least_gap`.

    `balanced` first draws how many of them are smaller, each number being equally likely, because otherwise the right answer is
    in the middle three times out of four and can be guessed; the source does not. Only offenders are drawn again, up to `tries`
    times, a few times from the start; then None: the question has to be dropped. Depends on nothing but its arguments. Sizes in
    centimetres take lo 0.4, hi 1.8, decimals 0. Source: VLM-3R's generator of answer options.
    """
    if truth <= 0:
        return None
    gap = least_gap(truth, margin, decimals) - 1e-9
    smaller = int((count + 1) * seeded_fraction("mc_numeric", "smaller", *seed, truth)) if balanced else 0
    ranges = [(lo, 1.0)] * smaller + [(1.0, hi)] * (count - smaller) if balanced else [(lo, hi)] * count
    for start in range(8 if balanced else 1):
        kept: list[float] = []
        for attempt in range(tries + 1):
            for place in range(len(kept), count):
                low, high = ranges[len(kept)]
                share = seeded_fraction("mc_numeric", *seed, truth, start, attempt, place)
                drawn = round_half_up(truth * (low + (high - low) * share), decimals)
                if drawn > 0 and apart([*kept, truth, drawn]) >= gap:
                    kept.append(drawn)
            if len(kept) == count:
                return tuple(kept)
    return None


def apart(values: Sequence[float]) -> float:
    """The smallest difference between any two of the values; infinite for fewer than two."""
    ordered = sorted(values)
    return min((b - a for a, b in pairwise(ordered)), default=float("inf"))
