"""Shifted spans: wrong answers in time that overlap the right one a little (tIoU 0.1 to 0.4).

A span can be shifted to be earlier, later, longer or shorter. Equally long ones cannot be told from the truth by how long
they are; longer and shorter ones are as frequent as each other, so neither the widest nor the narrowest is a good guess.
All arithmetic is in whole microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ...schemas.ids import seeded_fraction
from ...schemas.span import Span, from_us, tiou, to_us
from .vocabulary import SHIFTED_SPAN, Distractor

Way = Literal["earlier", "later", "longer", "shorter"]
WAYS: tuple[Way, ...] = get_args(Way)
_GRIDS_US = (1_000_000, 500_000, 250_000, 200_000, 100_000, 40_000, 20_000, 10_000, 1_000)


def shifted(
    truth: Span,
    window: Span,
    *seed: object,
    tiou_range: tuple[float, float] = (0.1, 0.4),
    ways: Sequence[Way] = WAYS,
) -> list[Distractor[Span]]:
    """Spans inside `window` whose tIoU with `truth` lies in `tiou_range`, at most one per way, in the order of `ways`.

    How far each is shifted is uniform in tIoU and drawn by `seed`; ends are rounded to the coarsest grid that the
    true ends lie on (1 s to 1 ms), lest round numbers give the truth away. A way for which window or grid have no room is left out. The margin is 1 - tIoU.
    """
    found = []
    for way in ways:
        low, high = tiou_range
        wanted = low + (0.05 + 0.9 * seeded_fraction("shifted", way, truth.start_s, truth.end_s, *seed)) * (high - low)
        where = seeded_fraction("where", way, truth.start_s, truth.end_s, *seed)
        span = _moved(truth, way, wanted, where)
        if span is not None and window.contains_span(span) and low <= tiou(span, truth) <= high:
            found.append(Distractor(span, SHIFTED_SPAN, round(1 - tiou(span, truth), 6)))
    return found


def _moved(truth: Span, way: Way, overlap: float, where: float) -> Span | None:
    """The span moved that way with about that tIoU, on the grid of the truth; None before 0 or when nothing is left."""
    start, end = to_us(truth.start_s), to_us(truth.end_s)
    length = end - start
    if way in ("earlier", "later"):
        by = round(length * (1 - overlap) / (1 + overlap))  # tIoU = (length - by) / (length + by)
        by = -by if way == "earlier" else by
        ends = (start + by, end + by)
    elif way == "shorter":
        kept = max(1, round(length * overlap))
        first = start + int(where * (length - kept + 1))
        ends = (first, first + kept)
    else:
        wide = round(length / overlap)
        first = start - int(where * (wide - length + 1))
        ends = (first, first + wide)
    step = next((g for g in _GRIDS_US if start % g == 0 and end % g == 0), 1)
    low, high = round(ends[0] / step) * step, round(ends[1] / step) * step
    return Span(from_us(low), from_us(high)) if 0 <= low < high else None
