"""Six instruments by additive synthesis, told apart by register, spectrum, attack and vibrato; and a room with hiss.

Loudness is the root mean square of a note (quiet -30, loud -16 dBFS); brightness tilts the spectrum. These are caricatures of
instruments, not imitations: each is one recipe of partials, and the same note always gives the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RATE_HZ = 22_050
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LEVEL_DBFS = {"quiet": -30.0, "loud": -16.0}
TILT = {"bright": 0.35, "dark": -0.8}
"""Exponent of the number of a partial, on top of the instrument's own."""
RELEASE_S = 0.04
_LIMIT = 0.98

Samples = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Timbre:
    """How an instrument sounds."""

    octave: int
    slope: float
    """Partial k has amplitude k ** -slope."""
    even: float
    """Share of the even partials."""
    attack_s: float
    vibrato_hz: float = 0.0
    vibrato_cents: float = 0.0
    decay_s: float = 0.0
    """Time constant of a plucked string; 0: sustained."""
    breath: float = 0.0
    """Share of noise."""
    swell: float = 0.0
    """By how much brightness comes in later than the note, as of brass."""


TIMBRES: dict[str, Timbre] = {
    "bass": Timbre(2, 1.3, 1.0, 0.006, decay_s=0.7),
    "cello": Timbre(3, 1.0, 1.0, 0.045, vibrato_hz=5.0, vibrato_cents=12),
    "clarinet": Timbre(4, 0.9, 0.06, 0.02),
    "flute": Timbre(5, 2.6, 0.8, 0.035, vibrato_hz=4.5, vibrato_cents=8, breath=0.03),
    "trumpet": Timbre(4, 0.55, 1.0, 0.012, swell=0.06),
    "violin": Timbre(5, 0.9, 1.0, 0.03, vibrato_hz=6.0, vibrato_cents=18),
}
INSTRUMENTS = tuple(sorted(TIMBRES))


def pitch_hz(instrument: str, note: str) -> float:
    """Fundamental frequency, equal temperament, A4 = 440 Hz."""
    semitone = 12 * (TIMBRES[instrument].octave + 1) + NOTES.index(note)
    return float(440.0 * 2 ** ((semitone - 69) / 12))


def played(instrument: str, note: str, loudness: str, brightness: str, samples: int) -> Samples:
    """float32 [samples] of one note, from its attack to the end of its release."""
    timbre, hz = TIMBRES[instrument], pitch_hz(instrument, note)
    t = np.arange(samples) / RATE_HZ
    depth = hz * (2 ** (timbre.vibrato_cents / 1200) - 1)
    phase = 2 * np.pi * hz * t
    if timbre.vibrato_hz:
        phase += depth / timbre.vibrato_hz * (1 - np.cos(2 * np.pi * timbre.vibrato_hz * t))
    wave = np.zeros(samples)
    for k in range(1, max(2, min(24, int(0.45 * RATE_HZ / hz)) + 1)):
        amplitude = k ** (TILT[brightness] - timbre.slope) * (timbre.even if k % 2 == 0 else 1.0)
        fade = 1.0 if not timbre.swell else np.minimum(1.0, t / (timbre.swell * np.sqrt(k)))
        wave += amplitude * fade * np.sin(k * phase)
    if timbre.breath:
        seed = NOTES.index(note) * 100 + samples % 100
        wave += timbre.breath * np.random.Generator(np.random.PCG64(seed)).normal(0, 1, samples)
    if timbre.decay_s:
        wave *= np.exp(-t / timbre.decay_s)
    wave *= 10 ** (LEVEL_DBFS[loudness] / 20) / max(1e-9, float(np.sqrt(np.square(wave).mean())))
    wave *= np.minimum(1.0, (t + 1 / RATE_HZ) / timbre.attack_s) * np.minimum(
        1.0, (samples - np.arange(samples)) / (RELEASE_S * RATE_HZ)
    )
    return np.asarray(wave, np.float32)


def in_a_room(sound: Samples, room: float, delay_s: float, seed: int) -> Samples:
    """The sound with reverberation: hiss that dies down over `room` (0..100) hundredths of 1.2 s, begun after a twentieth of
    `delay_s` with an echo at `delay_s`.
    """
    from scipy.signal import fftconvolve

    rng = np.random.Generator(np.random.PCG64(seed))
    length = round(1.2 * room / 100 * RATE_HZ)
    t = np.arange(length) / RATE_HZ
    tail = rng.normal(0, 1, length) * np.exp(-6.9 * t / (1.2 * room / 100))
    tail *= 0.35 / max(1e-9, float(np.sqrt(np.square(tail).sum())))
    early, echo = round(delay_s / 20 * RATE_HZ), round(delay_s * RATE_HZ)
    response = np.zeros(max(echo + 1, early + length))
    response[0] = 1.0
    response[early : early + length] += tail
    response[echo] += 0.15
    return np.asarray(fftconvolve(sound, response)[: len(sound)], np.float32)


def with_hiss(sound: Samples, level_dbfs: float, seed: int) -> Samples:
    """The sound under white noise of a level."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return np.asarray(sound + rng.normal(0, 10 ** (level_dbfs / 20), len(sound)), np.float32)


def sixteen_bits(sound: Samples) -> Samples:
    """int16 samples; what is too loud is turned down as a whole."""
    peak = float(np.abs(sound).max(initial=0.0))
    return np.round(sound * (min(1.0, _LIMIT / peak) if peak else 1.0) * 32767).astype(np.int16)
