"""Where to listen: stretches cover what they must and are never longer than a recogniser hears."""

from __future__ import annotations

import itertools

import numpy as np
from chronotope.annotators.audio.voice_activity import (
    LONGEST_S,
    RATE_HZ,
    VoiceActivity,
    join,
    quiet_cuts,
    speech_stretches,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 100)), max_size=30), st.integers(0, 120))
def test_joining_loses_no_stretch_and_stays_within_the_limit(steps, pause) -> None:
    stretches, position = [], 0
    for gap, length in steps:
        stretches.append((position + gap, position + gap + length))
        position += gap + length
    joined = join(stretches, pause, longest=250)
    assert all(any(a <= s and e <= b for a, b in joined) for s, e in stretches)
    assert all(b - a <= 250 for a, b in joined)
    assert all(x[1] < y[0] for x, y in itertools.pairwise(joined))


def test_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 70 * RATE_HZ).astype(np.float32)
    for pause_s in (25.0, 50.0):
        sound[int(pause_s * RATE_HZ) : int((pause_s + 0.4) * RATE_HZ)] = 0
    cuts = quiet_cuts(sound)
    assert cuts[0][0] == 0 and cuts[-1][1] == len(sound)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(cuts))
    assert all(b - a <= LONGEST_S * RATE_HZ for a, b in cuts)
    assert [round(b / RATE_HZ) for _, b in cuts[:-1]] == [25, 50]


def test_silence_and_noise_hold_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 5 * RATE_HZ).astype(np.float32)
    assert speech_stretches(np.zeros(5 * RATE_HZ, np.float32), VoiceActivity()) == []
    assert speech_stretches(noise, VoiceActivity()) == []
