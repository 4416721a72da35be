"""Cells of the globe that adapt to where pictures were taken: small where there are many, large or none where there are few.

Cells are those of Google's S2 geometry, numbers of 64 bits in which a cell's four parts are one shift away; the rule is PlaNet's
(Weyand et al. 2016): a cell is cut in four while it holds too many, and one with too few is left out. Pure arithmetic on the
numbers of finest cells; which number a place has is the library's matter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from .metrics_spatial import EARTH_KM, great_circle_km

FINEST = 30
"""Level of the smallest cells."""
_BITS = 1 << 64
LEAST_EDGE_RATIO = 2 * math.sqrt(2) / 3
"""Shortest edge of a cell of level 0 on a globe of radius 1 (S2's metric kMinEdge)."""


def parent(cell: int, level: int) -> int:
    """The cell of that level that holds a cell of the same or a finer level."""
    last = 1 << 2 * (FINEST - level)
    return (cell & (_BITS - last)) | last


def level_of(cell: int) -> int:
    """The level of a cell, 0 to 30."""
    return FINEST - ((cell & -cell).bit_length() - 1) // 2


def token(cell: int) -> str:
    """The cell as S2 writes it: hexadecimal without zeros at its end."""
    return f"{cell:016x}".rstrip("0")


def ancestors(cell: int) -> tuple[int, ...]:
    """Cells that hold it, from level 0, itself last."""
    return tuple(parent(cell, level) for level in range(level_of(cell) + 1))


def deepest_level(least_edge_km: float) -> int:
    """The finest level whose cells have no edge shorter than that; 30 for 0."""
    if least_edge_km <= 0:
        return FINEST
    return max(0, min(FINEST, math.floor(math.log2(LEAST_EDGE_RATIO * EARTH_KM / least_edge_km))))


def adaptive_cells(finest: Sequence[int], t_max: int, t_min: int, deepest: int = FINEST) -> list[int | None]:
    """The cell of each place, given as a cell of level 30; None where its cell would hold fewer than `t_min`.

    A cell is cut while it holds more than `t_max`, down to level `deepest`, where it may hold more. Depends on the set of places
    alone. Raises ValueError unless 1 <= t_min <= t_max.
    """
    if not 1 <= t_min <= t_max:
        raise ValueError(f"a cell cannot hold at least {t_min} and at most {t_max}")
    found: dict[int, int | None] = {}
    level, left = 0, list(finest)
    while left:
        held = Counter(parent(cell, level) for cell in left)
        more = []
        for cell in left:
            count = held[parent(cell, level)]
            if count > t_max and level < deepest:
                more.append(cell)
            else:
                found[cell] = parent(cell, level) if count >= t_min else None
        level, left = level + 1, more
    return [found[cell] for cell in finest]


def place_problem(lat: float | None, lon: float | None) -> str:
    """Why a place is not believed: there is none, it is off the globe, zero, or of whole degrees. '' when it is."""
    if lat is None or lon is None or not (math.isfinite(lat) and math.isfinite(lon)):
        return "no place"
    if abs(lat) > 90 or abs(lon) > 180:
        return "off the globe"
    if lat == 0 and lon == 0:
        return "zero place"
    return "whole degrees" if lat == int(lat) and lon == int(lon) else ""


def taken_at(text: str | None) -> float | None:
    """Seconds of a capture time as EXIF (`2019:05:04 12:00:00`) or ISO 8601 writes it, UTC where no zone is said; else None."""
    if not text:
        return None
    said = text.strip()
    if len(said) >= 10 and said[4] == ":" and said[7] == ":":
        said = said[:10].replace(":", "-") + said[10:]
    try:
        when = datetime.fromisoformat(said)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def too_fast(shots: Mapping[str, tuple[float, float, float]], most_kmh: float = 1000.0) -> set[str]:
    """Shots of one device (id -> seconds, latitude, longitude) that it cannot have taken: too far apart for the time between.

    A shot that is too far from both its neighbours goes first; of two that contradict each other alone, both go, since nothing
    says which is wrong.
    """
    left = sorted(shots, key=lambda name: (shots[name][0], name))
    gone: set[str] = set()
    while True:
        wrong: Counter[str] = Counter()
        for a, b in pairwise(left):
            (t0, *first), (t1, *second) = shots[a], shots[b]
            # two shots within a minute may be rounded to the same one
            if float(great_circle_km(first, second)) > most_kmh * max(t1 - t0, 60.0) / 3600:
                wrong.update((a, b))
        if not wrong:
            return gone
        most = max(wrong.values())
        worst = [name for name in left if wrong[name] == most][: 1 if most > 1 else 2]
        gone.update(worst)
        left = [name for name in left if name not in worst]
