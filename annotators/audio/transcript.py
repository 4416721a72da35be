"""What was heard, put in order: words with sane times, and the speech segments that they form.

Recognisers now and then give words times outside of the sound, of no length, or out of order. `tidy` makes
them ordered, disjoint and inside the sound, dropping what lies outside; `sentences` groups words at full
stops and pauses, so that segments do not depend on how a backend cuts its windows. Pure functions; seconds
on any one clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...schemas.span import from_us, to_us

SHORTEST_WORD_S = 0.02
"""Whisper's time resolution: no word is shorter."""
_FULL_STOPS = (".", "?", "!", "…", "。", "？", "！")
_CLOSING = "\"'”’)]»"
_ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "vs.", "no.", "jr.", "sr."})


@dataclass(frozen=True)
class HeardWord:
    """One word as a recogniser gives it; `text` keeps its leading space where the language writes one."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Heard:
    """What a backend heard in one piece of sound: its language (ISO 639-1) and its words, seconds from the
    piece's start.
    """

    language: str | None
    words: tuple[HeardWord, ...]


def tidy(words: Iterable[HeardWord], start_s: float, end_s: float) -> list[HeardWord]:
    """Words inside the sound [start_s, end_s), in order, disjoint, each at least `SHORTEST_WORD_S` long.

    A word without a letter or digit, or wholly outside the sound, is dropped; so is one for which no room
    is left. Times come out on the microsecond grid. Applying it twice changes nothing.
    """
    low, high, shortest = to_us(max(0.0, start_s)), to_us(end_s), to_us(SHORTEST_WORD_S)
    kept: list[HeardWord] = []
    free = low
    for word in words:
        begin, end = to_us(word.start_s), to_us(word.end_s)
        if not any(c.isalnum() for c in word.text) or begin >= high or end < low:
            continue
        begin = max(begin, free)
        end = min(max(end, begin + shortest), high)
        if end - begin < shortest:
            begin = end - shortest
        if begin < free:
            continue
        kept.append(replace(word, start_s=from_us(begin), end_s=from_us(end)))
        free = end
    return kept


def sentences(words: Sequence[HeardWord], pause_s: float, longest_s: float) -> list[list[HeardWord]]:
    """Words grouped into segments: a new one after a full stop, a pause of `pause_s`, or at `longest_s`."""
    groups: list[list[HeardWord]] = []
    for word in words:
        current = groups[-1] if groups else None
        if (
            current is None
            or _ends_sentence(current[-1].text)
            or word.start_s - current[-1].end_s >= pause_s
            or word.end_s - current[0].start_s > longest_s
        ):
            groups.append([word])
        else:
            current.append(word)
    return groups


def _ends_sentence(text: str) -> bool:
    bare = text.strip().rstrip(_CLOSING)
    return bare.endswith(_FULL_STOPS) and bare.lower() not in _ABBREVIATIONS
