"""Which footage is shown with a query: a window around it, now and then with its repetition, or one in which it is absent.

All are functions of the query, what localisers find in the whole medium, and a seed. Windows without the query are drawn
like those with it (log-uniform length, any place that is free), so that neither tells one kind from the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...schemas.ids import seeded_fraction
from ...schemas.span import Span, from_us, merge, overlap_s, to_us
from .localising import Absent, Localiser, above_low, decide
from .windows import NoWindow, WindowPolicy, choose_window

ATTEMPTS = 3
"""Windows without a query that are tried before it is given up."""


@dataclass(frozen=True)
class Footage:
    """What may be shown: all of a medium, or a part of it."""

    duration_s: float
    bounds: Span | None = None

    @property
    def span(self) -> Span:
        """All of the medium."""
        return Span(0.0, self.duration_s)


def window_showing(
    query: str,
    place: Span,
    footage: Footage,
    policy: WindowPolicy,
    primary: Localiser,
    repeated_share: float,
    *seed: Any,
) -> Span | NoWindow:
    """A window by `policy` around `place`; where the query happens again, `repeated_share` of the windows reach to its
    nearest repetition as well, as far as the policy's length allows.
    """
    both = _with_nearest(query, place, footage, primary)
    if both is not None and seeded_fraction(*seed, "repeated") < repeated_share:
        window = choose_window(
            both, footage.duration_s, policy.length_s, *seed, evidence_share_max=1.0, bounds=footage.bounds
        )
        if isinstance(window, Span):
            return window
    share = policy.evidence_share_max
    return choose_window(
        place, footage.duration_s, policy.length_s, *seed, evidence_share_max=share, bounds=footage.bounds
    )


def windows_without(
    query: str,
    place: Span,
    footage: Footage,
    policy: WindowPolicy,
    primary: Localiser,
    others: Sequence[Localiser],
    gap_s: float,
    *seed: Any,
) -> Iterator[Span]:
    """Windows in which every localiser rules the query out, at least `gap_s` from `place` and all that is like it."""
    alike = (f.span for localiser in (primary, *others) for f in above_low(localiser, query, footage.span))
    avoid = merge([place, *alike])
    for attempt in range(ATTEMPTS):
        window = window_without(avoid, footage, policy.length_s, *seed, attempt, gap_s=gap_s)
        if isinstance(window, NoWindow):
            return
        if isinstance(decide(query, window, primary, (), others), Absent):
            yield window


def window_without(
    avoid: Sequence[Span],
    footage: Footage,
    length_s: tuple[float, float],
    *seed: Any,
    gap_s: float,
) -> Span | NoWindow:
    """A window at least `gap_s` away from each span in `avoid`, inside the footage.

    Its length is log-uniform in `length_s` as far as the longest free stretch allows, its place uniform over all places
    that are free, so that neither tells it from a window that holds what is asked for.
    """
    bounds = footage.bounds or footage.span
    low, high = to_us(bounds.start_s), min(to_us(bounds.end_s), to_us(footage.duration_s))
    gap, free, at = to_us(gap_s), [], low
    for start, end in sorted((to_us(s.start_s) - gap, to_us(s.end_s) + gap) for s in avoid):
        if start > at:
            free.append((at, min(start, high)))
        at = max(at, end)
    free.append((at, high))
    shortest = to_us(length_s[0])
    longest = min(to_us(length_s[1]), max((end - start for start, end in free), default=0))
    if shortest > longest:
        return NoWindow(f"no {length_s[0]:g} s of footage are free of it")
    length = round(shortest * (longest / shortest) ** seeded_fraction("window length", *seed))
    length = min(max(length, shortest), longest)
    places = [(start, end - length) for start, end in free if end - start >= length]
    pick = int(seeded_fraction("window start", *seed) * sum(last - first + 1 for first, last in places))
    for first, last in places:
        if pick <= last - first:
            return Span(from_us(first + pick), from_us(first + pick + length))
        pick -= last - first + 1
    return NoWindow("no place is free")  # pragma: no cover


def _with_nearest(query: str, place: Span, footage: Footage, primary: Localiser) -> Span | None:
    found = primary.find(query, footage.span)
    others = [f.span for f in found if f.score >= primary.high and overlap_s(f.span, place) <= 0]
    if not others:
        return None
    near = min(others, key=lambda s: (max(s.start_s - place.end_s, place.start_s - s.end_s), s))
    return Span(min(place.start_s, near.start_s), max(place.end_s, near.end_s))


@dataclass
class AbsentShare:
    """Which samples become absent ones, so that their share is right in expectation also over media with few samples.

    Every sample that could be written as one that is present draws; a draw that cannot be kept (nowhere in the medium
    is it absent) is owed to the next one.
    """

    share: float
    seed: tuple[Any, ...]
    owed: int = field(default=0, init=False)

    def draw(self, key: Any) -> bool:
        """Whether an absent sample is due now."""
        self.owed += seeded_fraction(*self.seed, "absent", key) < self.share
        return self.owed > 0

    def paid(self) -> None:
        """An absent sample was written."""
        self.owed -= 1
