"""Tubes: the boxes of one thing at regular times of a span, as spatio-temporal grounding asks for them (VidSTG, LLaVA-ST).

Times count from the start of the shown window in a fixed rhythm, so that they are known to whoever is asked; places between
stored boxes are interpolated as everywhere. A time at which the place is unknown makes no tube: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .objects import Placed
from .span import Span, from_us, to_us

Place = tuple[float, float, float, float, float]
"""t_s, x1, y1, x2, y2."""
COLUMNS = ("track_id", "t_s", "x1", "y1", "x2", "y2")
"""Columns of `boxes` that a tube is made of."""


def rhythm(window: Span, span: Span, step_s: float) -> tuple[float, ...]:
    """The times `window.start_s + k * step_s` that lie in the half-open span."""
    start, step = to_us(window.start_s), to_us(step_s)
    first = -(-(to_us(span.start_s) - start) // step)
    last = -(-(to_us(span.end_s) - start) // step)
    return tuple(from_us(start + k * step) for k in range(max(0, first), last))


def tube_of(thing: Placed, times: Sequence[float], max_gap_s: float) -> tuple[Place, ...] | None:
    """The boxes of a thing at the times; None when its place at one of them is unknown."""
    found: list[Place] = []
    for t_s in times:
        box = thing.at(t_s, max_gap_s)
        if box is None:
            return None
        x1, y1, x2, y2 = (round(v, 6) for v in box.edges)
        found.append((t_s, x1, y1, x2, y2))
    return tuple(found)


def around_times(rows: Iterable[Mapping[str, Any]], times: Sequence[float]) -> list[Mapping[str, Any]]:
    """Of the boxes of one track those that decide about its places at the times: the stored one, or the two around."""
    mine = sorted(rows, key=lambda r: r["t_s"])
    stamps = [to_us(r["t_s"]) for r in mine]
    wanted: set[int] = set()
    for t_s in times:
        t = to_us(t_s)
        if t in stamps:
            wanted.add(stamps.index(t))
            continue
        before = [i for i, s in enumerate(stamps) if s < t]
        after = [i for i, s in enumerate(stamps) if s > t]
        wanted |= {*before[-1:], *after[:1]}
    return [mine[i] for i in sorted(wanted)]


def moved(tube: Sequence[Place]) -> float:
    """How far the centre goes from the first box to the last, in shares of the picture's sides."""
    (_, a1, b1, a2, b2), (_, c1, d1, c2, d2) = tube[0], tube[-1]
    return round(max(abs(a1 + a2 - c1 - c2), abs(b1 + b2 - d1 - d2)) / 2, 6)
