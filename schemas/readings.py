"""From what was read in single pictures to texts that appear for a while.

A text recogniser reads each picture for itself: the same sign gives one reading per picture, now and then
with a wrong letter or missed once. `merge_readings` chains readings of the same text at the same place
over consecutive pictures into appearances. Pure and independent of the order of its input; the text
grounding task and its verifier share it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import fsum

from .box import Box, hull
from .span import to_us


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of `text_regions`: a text at a place, standing for [start_s, end_s)."""

    row_id: str
    text: str
    start_s: float
    end_s: float
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """A text from when it is first read to when it is no longer read.

    `text` is the most frequent reading (the surer one among equals), `box` the hull of all places,
    `confidence` the mean of the readings', `members` their row identifiers in order of time.
    """

    text: str
    start_s: float
    end_s: float
    box: Box
    confidence: float
    members: tuple[str, ...]


@dataclass(slots=True)
class _Chain:
    readings: list[Reading] = field(default_factory=list)

    @property
    def last(self) -> Reading:
        return self.readings[-1]

    @property
    def end_us(self) -> int:
        return max(to_us(r.end_s) for r in self.readings)


def normalised(text: str) -> str:
    """Text for comparing: compatibility forms unified, lower case, letters and digits only (all of it when
    none).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum()) or "".join(folded.split())


def edit_distance(a: str, b: str, limit: int) -> int:
    """Levenshtein distance of `a` and `b`, or `limit + 1` when it is larger.

    A column of the table at a time as the bits of two integers, which hold where it grows and where it falls (Myers 1999, as
    Hyyrö 2003 gives it for whole strings).
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    if not a:
        return min(len(b), limit + 1)
    places: dict[str, int] = {}
    for i, x in enumerate(a):
        places[x] = places.get(x, 0) | 1 << i
    whole, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    grows, falls, distance = whole, 0, len(a)
    for y in b:
        same = places.get(y, 0)
        diagonal = same | falls
        across = (((same & grows) + grows) ^ grows) | same
        up, down = falls | (~(across | grows) & whole), grows & across
        distance += bool(up & last) - bool(down & last)
        up, down = (up << 1) | 1, down << 1
        grows, falls = (down | ~(diagonal | up)) & whole, up & diagonal & whole
    return min(distance, limit + 1)


def overlap_of_smaller(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other, 0..1."""
    common = a.intersection(b)
    return 0.0 if common is None else min(1.0, common.area / min(a.area, b.area))


def merge_readings(
    readings: Iterable[Reading],
    *,
    gap_s: float = 1.5,
    max_error_share: float = 0.25,
    min_overlap: float = 0.5,
) -> tuple[Appearance, ...]:
    """Appearances of the texts in `readings` (of one medium), ordered by start, end and text.

    A reading continues an appearance when its text differs from the last one's by at most
    `max_error_share` of the letters, at least `min_overlap` of the smaller box lies in the other, and at
    most `gap_s` have passed since. The closest text wins, then the larger overlap. Every reading becomes a
    member of exactly one appearance.
    """
    gap_us = to_us(gap_s)
    open_chains: list[_Chain] = []
    closed: list[_Chain] = []
    for picture in _by_start(readings):
        start_us = to_us(picture[0].start_s)
        closed += [c for c in open_chains if start_us - c.end_us > gap_us]
        open_chains = [c for c in open_chains if start_us - c.end_us <= gap_us]
        taken_chains: set[int] = set()
        taken: set[int] = set()
        for _, _, i, k in sorted(_pairs(picture, open_chains, max_error_share, min_overlap)):
            if i not in taken and k not in taken_chains:
                open_chains[k].readings.append(picture[i])
                taken.add(i)
                taken_chains.add(k)
        open_chains += [_Chain([r]) for i, r in enumerate(picture) if i not in taken]
    found = [_appearance(c.readings) for c in (*closed, *open_chains)]
    return tuple(sorted(found, key=lambda a: (to_us(a.start_s), to_us(a.end_s), a.text, a.members)))


def _by_start(readings: Iterable[Reading]) -> list[list[Reading]]:
    ordered = sorted(readings, key=lambda r: (to_us(r.start_s), r.box, r.text, r.row_id))
    pictures: list[list[Reading]] = []
    for reading in ordered:
        if pictures and to_us(pictures[-1][0].start_s) == to_us(reading.start_s):
            pictures[-1].append(reading)
        else:
            pictures.append([reading])
    return pictures


def _pairs(
    picture: Sequence[Reading], chains: Sequence[_Chain], max_error_share: float, min_overlap: float
) -> list[tuple[int, float, int, int]]:
    """(edit distance, -overlap, reading, chain) of every reading and chain that may go together."""
    pairs = []
    texts = [normalised(r.text) for r in picture]
    for k, chain in enumerate(chains):
        known = normalised(chain.last.text)
        for i, reading in enumerate(picture):
            overlap = overlap_of_smaller(chain.last.box, reading.box)
            if overlap < min_overlap:
                continue
            limit = int(max_error_share * max(len(known), len(texts[i])))
            distance = edit_distance(known, texts[i], limit)
            if distance <= limit:
                pairs.append((distance, -overlap, i, k))
    return pairs


def _appearance(readings: Sequence[Reading]) -> Appearance:
    votes: dict[str, list[Reading]] = {}
    for reading in readings:
        votes.setdefault(reading.text, []).append(reading)
    text = min(votes, key=lambda t: (-len(votes[t]), -max(r.confidence for r in votes[t]), t))
    return Appearance(
        text=text,
        start_s=min(r.start_s for r in readings),
        end_s=max(r.end_s for r in readings),
        box=hull(r.box for r in readings),
        confidence=fsum(r.confidence for r in readings) / len(readings),
        members=tuple(r.row_id for r in readings),
    )
