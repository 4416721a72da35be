"""Numbers of a sound as it streams by: energy every millisecond, spectral change every 5 ms, pitch every 10 ms.

Change is the mean rise of forty logarithmic bands against the louder of three neighbouring bands 10 ms before, which ignores
vibrato (Böck and Widmer 2013, "Maximum filter vibrato suppression for onset detection"). Pitch is the first high peak of the
normalised autocorrelation (McLeod and Wyvill 2005). Mono int16 at 16 kHz in, in pieces of any length; the numbers do not
depend on how it was cut into pieces. Limits: one pitch at a time, 50 to 2,000 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RATE_HZ = 16_000
ENERGY_STEP_S = 0.001
CHANGE_STEP_S = 0.005
PITCH_STEP_S = 0.01
PITCH_HZ = (50.0, 2000.0)
_FULL_SCALE = 32_768.0
_ENERGY, _CHANGE, _PITCH = (round(RATE_HZ * s) for s in (ENERGY_STEP_S, CHANGE_STEP_S, PITCH_STEP_S))
_CHANGE_WINDOW, _PITCH_WINDOW = 512, 1024
_LAG = 2
_BANDS = 40
_BLOCK = 30 * RATE_HZ
"""Samples worked on at once, so that memory stays flat."""

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class SoundNumbers:
    """Of a whole sound; index i of each is centred i steps after the first sample (energy: begins there)."""

    energy: Numbers
    """float32 [ms]: mean square of each millisecond, 1 for full scale."""
    change: Numbers
    """float32: mean rise of the bands, 0 where nothing new sounds."""
    pitch_hz: Numbers
    """float32: fundamental frequency; 0 where nothing repeats."""
    clarity: Numbers
    """float32: how much it repeats, 0..1."""


class Meter:
    """Takes a sound piece by piece; `finish` gives its numbers."""

    def __init__(self) -> None:
        self._energy: list[Numbers] = []
        self._change: list[Numbers] = []
        self._pitch: list[tuple[Numbers, Numbers]] = []
        self._loose = np.empty(0, np.float32)
        self._for_change = np.zeros(_CHANGE_WINDOW // 2, np.float32)
        self._for_pitch = np.zeros(_PITCH_WINDOW // 2, np.float32)
        self._bands = np.zeros((_LAG, _BANDS), np.float32)
        self._filters = _filters()

    def feed(self, samples: Numbers) -> None:
        """The next samples, int16 [n]."""
        for first in range(0, len(samples), _BLOCK):
            self._take(samples[first : first + _BLOCK].astype(np.float32) / _FULL_SCALE)

    def finish(self) -> SoundNumbers:
        """After the last samples."""
        half = np.zeros(_CHANGE_WINDOW // 2, np.float32)
        self._for_change = self._measure_change(np.concatenate([self._for_change, half]))
        half = np.zeros(_PITCH_WINDOW // 2, np.float32)
        self._for_pitch = self._measure_pitch(np.concatenate([self._for_pitch, half]))
        if len(self._loose):
            self._energy.append(np.array([np.square(self._loose).mean()], np.float32))
        return SoundNumbers(
            _joined(self._energy),
            _joined(self._change),
            _joined([hz for hz, _ in self._pitch]),
            _joined([clear for _, clear in self._pitch]),
        )

    def _take(self, samples: Numbers) -> None:
        loose = np.concatenate([self._loose, samples])
        whole = len(loose) // _ENERGY * _ENERGY
        self._energy.append(np.square(loose[:whole]).reshape(-1, _ENERGY).mean(axis=1))
        self._loose = loose[whole:]
        self._for_change = self._measure_change(np.concatenate([self._for_change, samples]))
        self._for_pitch = self._measure_pitch(np.concatenate([self._for_pitch, samples]))

    def _measure_change(self, waiting: Numbers) -> Numbers:
        frames = _framed(waiting, _CHANGE_WINDOW, _CHANGE)
        if not len(frames):
            return waiting
        spectra = np.abs(np.fft.rfft(frames * _hann(_CHANGE_WINDOW), axis=1)).astype(np.float32)
        bands = np.concatenate([self._bands, np.log1p(200.0 * (spectra @ self._filters))])
        before = bands[:-_LAG]
        padded = np.pad(before, ((0, 0), (1, 1)), mode="edge")
        loudest = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
        self._change.append(np.clip(bands[_LAG:] - loudest, 0, None).mean(axis=1))
        self._bands = bands[-_LAG:]
        return waiting[len(frames) * _CHANGE :]

    def _measure_pitch(self, waiting: Numbers) -> Numbers:
        frames = _framed(waiting, _PITCH_WINDOW, _PITCH)
        if len(frames):
            self._pitch.append(_pitches(frames))
        return waiting[len(frames) * _PITCH :]


def _pitches(frames: Numbers) -> tuple[Numbers, Numbers]:
    """Pitch and clarity of frames [n, window]: the first peak of the normalised autocorrelation near its highest."""
    n, window = frames.shape
    shortest, longest = int(RATE_HZ / PITCH_HZ[1]), int(RATE_HZ / PITCH_HZ[0])
    spectra = np.fft.rfft(frames, 2 * window, axis=1)
    together = np.fft.irfft(np.abs(spectra) ** 2, axis=1)[:, : longest + 2]
    squares = np.concatenate([np.zeros((n, 1)), np.cumsum(np.square(frames, dtype=np.float64), axis=1)], axis=1)
    lags = np.arange(longest + 2)
    head, tail = squares[:, window - lags], squares[:, -1:] - squares[:, lags]
    likeness = 2 * together / np.maximum(head + tail, 1e-9)
    inner = likeness[:, shortest : longest + 1]
    peaks = (inner > likeness[:, shortest - 1 : longest]) & (inner >= likeness[:, shortest + 1 : longest + 2])
    highest = np.where(peaks, inner, 0).max(axis=1)
    good = peaks & (inner >= 0.92 * highest[:, None]) & (highest[:, None] > 0)
    lag = np.argmax(good, axis=1) + shortest
    at = np.arange(n)
    left, mid, right = likeness[at, lag - 1], likeness[at, lag], likeness[at, lag + 1]
    curve = left - 2 * mid + right
    exact = lag + np.where(np.abs(curve) > 1e-12, 0.5 * (left - right) / np.where(curve == 0, 1, curve), 0)
    found = good.any(axis=1)
    hz = np.where(found, RATE_HZ / np.maximum(exact, 1.0), 0)
    return hz.astype(np.float32), np.where(found, np.clip(mid, 0, 1), 0).astype(np.float32)


def _framed(samples: Numbers, window: int, step: int) -> Numbers:
    if len(samples) < window:
        return np.empty((0, window), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, window)[::step]


def _hann(window: int) -> Numbers:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)


def _filters() -> Numbers:
    """[bins, bands]: triangles on a logarithmic scale of frequency, 60 Hz to 7.6 kHz, each with an area of one."""
    bins = np.fft.rfftfreq(_CHANGE_WINDOW, 1 / RATE_HZ)
    edges = np.geomspace(60.0, 7600.0, _BANDS + 2)
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (bins[:, None] - low) / (mid - low), (high - bins[:, None]) / (high - mid)
    triangles = np.clip(np.minimum(rise, fall), 0, None)
    nearest = np.abs(bins[:, None] - mid).argmin(axis=0)
    triangles[nearest, np.arange(_BANDS)] = np.maximum(triangles[nearest, np.arange(_BANDS)], 1e-3)
    return (triangles / triangles.sum(axis=0)).astype(np.float32)


def _joined(parts: list[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.empty(0, np.float32)
