"""From the numbers of a sound to its events: silences, beginnings, loud passages, tones. Pure functions; times in seconds from
the first sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sound_measure import CHANGE_STEP_S, ENERGY_STEP_S, PITCH_STEP_S, SoundNumbers

_LEAST_DB = -90.0
"""16 bits hold nothing quieter."""
_SMOOTH_MS = 20
_USUAL_MS = 400
"""Loudness is judged over 0.4 s, as loudness meters do."""
_REFINE_MS = (60, 40)
"""How far before and after a peak of change its sound may begin."""

Numbers = np.ndarray[Any, Any]


class Heard:
    """A sound's numbers with its levels (dBFS per millisecond) and the level up to which it is silent."""

    def __init__(self, numbers: SoundNumbers, silence_db: float, floor_db: float, most_silence_db: float) -> None:
        self.numbers = numbers
        self._sums = np.concatenate([[0.0], np.cumsum(numbers.energy, dtype=np.float64)])
        self.level = self._smoothed(_SMOOTH_MS)
        self.fine = self._smoothed(3)
        quietest = float(np.percentile(self.level, 5)) if len(self.level) else _LEAST_DB
        self.silence_db = min(max(silence_db, quietest + floor_db), max(silence_db, most_silence_db))

    @property
    def end_s(self) -> float:
        """Length of the sound."""
        return len(self.level) * ENERGY_STEP_S

    def level_db(self, start_s: float, end_s: float) -> float:
        """Mean level of a span."""
        low, high = (min(len(self.level), round(t / ENERGY_STEP_S)) for t in (start_s, end_s))
        return decibel((self._sums[high] - self._sums[low]) / max(1, high - low))

    def smoothed(self, width_ms: int) -> Numbers:
        """Level of `width_ms` around each millisecond."""
        return self._smoothed(width_ms)

    def _smoothed(self, width: int) -> Numbers:
        n = len(self._sums) - 1
        low = np.clip(np.arange(n) - width // 2, 0, n)
        high = np.clip(np.arange(n) - width // 2 + width, 0, n)
        return np.maximum(
            10 * np.log10(np.maximum((self._sums[high] - self._sums[low]) / (high - low), 1e-12)), _LEAST_DB
        )


def decibel(mean_square: float) -> float:
    """Level relative to full scale, not below that of 16 bits."""
    return max(_LEAST_DB, 10 * float(np.log10(max(mean_square, 1e-12))))


def runs(flags: Numbers) -> Iterator[tuple[int, int]]:
    """Half-open ranges in which flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def silences(heard: Heard, least_s: float, bridge_s: float) -> Iterator[tuple[float, float]]:
    """Where nothing sounds for at least `least_s`, apart from clicks shorter than `bridge_s`."""
    quiet = heard.level < heard.silence_db
    for first, past in list(runs(~quiet)):
        if (past - first) * ENERGY_STEP_S < bridge_s and first > 0 and past < len(quiet):
            quiet[first:past] = True
    for first, past in runs(quiet):
        if (past - first) * ENERGY_STEP_S >= least_s - 1e-9:
            yield first * ENERGY_STEP_S, past * ENERGY_STEP_S


def loud_passages(heard: Heard, over_db: float, least_s: float) -> Iterator[tuple[float, float, float]]:
    """(start, end, by how many dB) where it is louder than the median of all that is not silent."""
    level = heard.smoothed(_USUAL_MS)
    sounding = level[level >= heard.silence_db]
    if not len(sounding):
        return
    usual = float(np.median(sounding))
    for first, past in runs(level >= usual + over_db):
        loud = first + np.flatnonzero(heard.level[first:past] >= usual + over_db)
        if len(loud) and (int(loud[-1]) + 1 - int(loud[0])) * ENERGY_STEP_S >= least_s - 1e-9:
            over = float(level[first:past].max()) - usual
            yield int(loud[0]) * ENERGY_STEP_S, (int(loud[-1]) + 1) * ENERGY_STEP_S, over


def onsets(
    heard: Heard, least_change: float, least_rise_db: float, least_gap_s: float, release_db: float
) -> list[tuple[float, float, float]]:
    """(start, end, rise in dB) of each sound that begins: until it has died down, or the next begins."""
    found: list[tuple[float, float]] = []
    for peak in _peaks(heard.numbers.change, least_change):
        begun = _begins(heard, round(peak * CHANGE_STEP_S / ENERGY_STEP_S))
        if begun is None or begun[1] < least_rise_db:
            continue
        if found and begun[0] - found[-1][0] < least_gap_s:
            found[-1] = (found[-1][0], max(found[-1][1], begun[1]))
        else:
            found.append(begun)
    ends = [*(start for start, _ in found[1:]), heard.end_s][: len(found)]
    made = []
    for (start, rise), limit in zip(found, ends, strict=True):
        first, past = round(start / ENERGY_STEP_S), round(limit / ENERGY_STEP_S)
        level = heard.level[first:past]
        if not len(level):
            continue
        loudest = int(level.argmax())
        over = np.flatnonzero(level[loudest:] < max(heard.silence_db, float(level[loudest]) - release_db))
        last = first + loudest + int(over[0]) if len(over) else past
        made.append((start, max(last, first + 1) * ENERGY_STEP_S, rise))
    return made


def _peaks(change: Numbers, least: float) -> list[int]:
    """Highest of their neighbourhood (30 ms on each side) and above its mean by `least`."""
    if not len(change):
        return []
    reach = round(0.03 / CHANGE_STEP_S)
    padded = np.pad(change, reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    wide = round(0.1 / CHANGE_STEP_S)
    sums = np.concatenate([[0.0], np.cumsum(change, dtype=np.float64)])
    at = np.arange(len(change))
    low, high = np.clip(at - wide, 0, None), np.clip(at + wide + 1, None, len(change))
    mean = (sums[high] - sums[low]) / (high - low)
    return np.flatnonzero((change >= highest) & (change >= mean + least)).tolist()


def _begins(heard: Heard, peak_ms: int) -> tuple[float, float] | None:
    """(start, rise in dB) of the sound behind a peak of change: where its level leaves the quietest moment before."""
    before, after = _REFINE_MS
    low, high = max(0, peak_ms - before), min(len(heard.fine), peak_ms + after)
    fine = heard.fine[low:high]
    if len(fine) < 2:
        return None
    head = fine[: max(1, min(len(fine), peak_ms - low + 10))]
    quietest = len(head) - 1 - int(head[::-1].argmin())
    top = float(fine[quietest:].max())
    if top < heard.silence_db:
        return None
    bottom = max(float(fine[quietest]), -80.0)
    rising = np.flatnonzero(fine[quietest:] >= bottom + 0.25 * (top - bottom))
    return (low + quietest + int(rising[0])) * ENERGY_STEP_S, top - bottom


def tones(
    heard: Heard, least_clarity: float, cents: float, least_s: float
) -> Iterator[tuple[float, float, float, float]]:
    """(start, end, pitch in Hz, clarity) where one pitch is kept."""
    hz, clarity = heard.numbers.pitch_hz, heard.numbers.clarity
    at = np.minimum(
        np.round(np.arange(len(hz)) * PITCH_STEP_S / ENERGY_STEP_S).astype(int), max(0, len(heard.level) - 1)
    )
    if not len(heard.level):
        return
    clear = (clarity >= least_clarity) & (hz > 0) & (heard.level[at] >= heard.silence_db)
    for first, past in runs(clear):
        steps = 1200 * np.log2(np.maximum(hz[first:past], 1.0))
        begin = 0
        for i in range(1, len(steps) + 1):
            if i < len(steps) and abs(steps[i] - float(np.median(steps[begin:i][-20:]))) <= cents:
                continue
            start, end = (first + begin) * PITCH_STEP_S, min((first + i) * PITCH_STEP_S, heard.end_s)
            if end - start >= least_s - 1e-9:
                part = slice(first + begin, first + i)
                yield start, end, float(np.median(hz[part])), float(clarity[part].mean())
            begin = i
