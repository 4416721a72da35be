"""Silences, beginnings, loud passages and tones of a sound that was made for it, to the millisecond that each allows."""

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from chronotope.annotators.audio.sounds import Sounds, SoundsParams, note_of
from chronotope.engine.annotator import Medium
from chronotope.engine.media.audio import AudioPiece
from hypothesis import given, settings
from hypothesis import strategies as st

RATE = 16_000
NOTES = ((0.6, 1.4, 261.63, 0.05), (1.45, 2.4, 440.0, 0.05), (3.2, 4.4, 65.41, 0.4), (4.9, 5.3, 880.0, 0.05))
"""(start, end, Hz, amplitude) of four notes in 6 s of silence."""


def world(noise: float = 0.0) -> np.ndarray:
    """The notes, each with an attack of 30 ms and a release of 50 ms, over white noise."""
    rng = np.random.default_rng(7)
    sound = rng.normal(0, noise, 6 * RATE) if noise else np.zeros(6 * RATE)
    for start, end, hz, loud in NOTES:
        t = np.arange(round((end - start) * RATE)) / RATE
        wave = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 6)) / 2
        envelope = np.minimum(1, t / 0.03) * np.minimum(1, (end - start - t) / 0.05)
        sound[round(start * RATE) : round(start * RATE) + len(t)] += loud * wave * envelope
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def heard(samples: np.ndarray, cuts: Sequence[int] = (), start_s: float = 0.0, **params) -> list[dict]:
    medium = Medium("m", "m.flac", None, "audio", len(samples) / RATE, None, None, None, None, False, True)
    session = Sounds(SoundsParams(**params)).open(medium)
    edges = [0, *sorted(cuts), len(samples)]
    for low, high in pairwise(edges):
        assert not list(session.hear(AudioPiece(start_s + low / RATE, RATE, samples[low:high])))
    return [row for _, row in session.close()]


def of(rows: list[dict], label: str) -> list[dict]:
    return [r for r in rows if r["label"] == label]


@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_every_note_begins_within_20_ms_of_its_truth(noise):
    found = of(heard(world(noise)), "onset")
    assert len(found) == len(NOTES)
    for row, (start, end, _, _) in zip(found, NOTES, strict=True):
        assert abs(row["start_s"] - start) <= 0.02
        assert abs(row["end_s"] - end) <= 0.08


def test_tones_have_their_pitch_and_name():
    found = of(heard(world()), "tone")
    assert len(found) == len(NOTES)
    assert all(abs(1200 * np.log2(r["pitch_hz"] / hz)) < 5 for r, (_, _, hz, _) in zip(found, NOTES, strict=True))
    assert [json.loads(r["attributes_json"])["note"] for r in found] == ["C", "A", "C", "A"]
    assert [json.loads(r["attributes_json"])["octave"] for r in found] == [4, 4, 2, 5]


def test_silences_are_the_gaps_between_notes_that_are_long_enough():
    found = [(r["start_s"], r["end_s"]) for r in of(heard(world()), "silence")]
    assert np.allclose(found, [(0, 0.6), (2.4, 3.2), (4.4, 4.9), (5.3, 6.0)], atol=0.02)


def test_hiss_does_not_hide_silence_but_a_steady_tone_is_none():
    assert len(of(heard(world(0.004)), "silence")) == 4
    t = np.arange(3 * RATE) / RATE
    steady = (8000 * np.sin(2 * np.pi * 300 * t)).astype(np.int16)
    assert not of(heard(steady), "silence")


def test_a_click_does_not_end_a_silence():
    clicked = world()
    clicked[round(2.8 * RATE) : round(2.8 * RATE) + 160] = 4000
    found = [(r["start_s"], r["end_s"]) for r in of(heard(clicked), "silence")]
    assert np.allclose(found[1], (2.4, 3.2), atol=0.02)


def test_the_loud_note_is_the_loud_passage():
    (loud,) = of(heard(world()), "loud")
    assert abs(loud["start_s"] - 3.2) <= 0.05
    assert abs(loud["end_s"] - 4.4) <= 0.05
    assert json.loads(loud["attributes_json"])["over_db"] == pytest.approx(18, abs=2)


def test_times_are_on_the_clock_of_the_medium_and_only_wanted_labels_come():
    rows = heard(world(), start_s=12.5, labels=["tone"])
    assert {r["label"] for r in rows} == {"tone"}
    assert rows[0]["start_s"] == pytest.approx(13.1, abs=0.02)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 6 * RATE - 1), max_size=4, unique=True))
def test_rows_do_not_depend_on_how_the_sound_was_cut(cuts):
    whole = heard(world(0.001))
    parted = heard(world(0.001), cuts)
    assert [(r["label"], r["start_s"], r["end_s"], r["pitch_hz"]) for r in parted] == [
        (r["label"], r["start_s"], r["end_s"], r["pitch_hz"]) for r in whole
    ]


def test_a_sound_without_samples_or_events_has_no_beginnings():
    assert heard(np.empty(0, np.int16)) == []
    assert {r["label"] for r in heard(np.zeros(RATE, np.int16))} == {"silence"}


def test_notes_are_named_by_the_nearest_semitone():
    assert note_of(440.0) == {"note": "A", "octave": 4, "cents": 0.0}
    assert note_of(64.0) == {"note": "C", "octave": 2, "cents": pytest.approx(-37.6, abs=0.1)}
