"""What `evaluate` measures: items (a query, a medium, a track, an attempt) with their shares of each figure and their labels.

Figures are sums of shares over items, so every breakdown and every interval is made in one way (`schemas/metrics_intervals.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..schemas.metrics_intervals import DRAWS, Figure, Share, figure

LENGTHS = ((60.0, "under 1 min"), (180.0, "1 to 3 min"), (600.0, "3 to 10 min"), (float("inf"), "over 10 min"))
"""Buckets of the length of media (V-STaR's first three, and longer ones)."""
SPANS = ((2.0, "under 2 s"), (5.0, "2 to 5 s"), (15.0, "5 to 15 s"), (float("inf"), "over 15 s"))
"""Buckets of the length of what is looked for."""


@dataclass(frozen=True)
class Item:
    """One thing that was measured. `group` is who is measured: a localiser, a producer, a solver."""

    media_id: str
    group: str
    values: Mapping[str, Share]
    labels: Mapping[str, str] = field(default_factory=dict)


def bucket(value: float, buckets: Sequence[tuple[float, str]] = LENGTHS) -> str:
    """The bucket that a length in seconds falls into."""
    return next(name for most, name in buckets if value < most or most == float("inf"))


def lines(items: Iterable[Item], by: str | None, *, macro: bool, seed: int, draws: int = DRAWS) -> list[dict[str, Any]]:
    """One line per group (and per value of the label `by`): figures by name, each with its interval, and the counts."""
    cells: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        cells[item.group, item.labels.get(by, "-") if by else ""].append(item)
    return [
        {
            "who": group,
            **({by: label} if by else {}),
            "items": len(own),
            "media": len({i.media_id for i in own}),
            "figures": _figures(own, macro, seed, draws),
        }
        for (group, label), own in sorted(cells.items())
    ]


def _figures(items: Sequence[Item], macro: bool, seed: int, draws: int) -> dict[str, dict[str, float | int | None]]:
    found: dict[str, dict[str, float | int | None]] = {}
    for name in dict.fromkeys(name for item in items for name in item.values):
        shares = [(i.media_id, i.values[name]) for i in items if name in i.values]
        made: Figure | None = figure(shares, macro=macro, seed=(seed, name), draws=draws)
        if made is not None:
            found[name] = {
                "value": round(made.value, 6),
                "low": None if made.low is None else round(made.low, 6),
                "high": None if made.high is None else round(made.high, 6),
                "n": made.items,
            }
    return found
