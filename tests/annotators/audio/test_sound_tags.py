"""Tags of a model: the carried one tells real speech from tones, one's own runs as exported, and its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.audio.sound_tags import SoundTags, SoundTagsParams, spans_above
from chronotope.annotators.compose.voice import SAMPLE_RATE_HZ, speak
from chronotope.engine.annotator import Medium
from chronotope.engine.media.audio import AudioPiece
from chronotope.engine.models import ModelNotFound
from pydantic import ValidationError

RATE = 16_000


def tags(sound: np.ndarray, start_s: float = 0.0, **params) -> list[dict]:
    medium = Medium("m", "m.flac", None, "audio", len(sound) / RATE, None, None, None, None, False, True)
    session = SoundTags(SoundTagsParams(**params)).open(medium)
    return [row for _, row in session.hear(AudioPiece(start_s, RATE, sound))]


def tone(hz: float, seconds: float) -> np.ndarray:
    return (9000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def test_the_carried_model_hears_speech_where_somebody_speaks() -> None:
    said = speak("The birds return to their nests before the rain comes over the hills.").samples
    at = np.arange(0, len(said) - 1, SAMPLE_RATE_HZ / RATE)
    voice = np.interp(at, np.arange(len(said)), said).astype(np.int16)
    sound = np.concatenate([np.zeros(3 * RATE, np.int16), voice, np.zeros(3 * RATE, np.int16)])
    found = [r for r in tags(sound, start_s=10.0) if r["label"] == "speech"]
    assert found and all(r["start_s"] > 12.5 and r["end_s"] < 13.5 + len(voice) / RATE for r in found)
    assert sum(r["end_s"] - r["start_s"] for r in found) > 0.6 * len(voice) / RATE
    assert all(0.35 <= r["confidence"] <= 1 and -60 < r["level_db"] < 0 for r in found)
    assert not tags(sound, labels=("music",)) and tags(np.zeros(4 * RATE, np.int16)) == []


@pytest.fixture
def tuned(tmp_path: Path) -> Path:
    """A tagger of 440 Hz and 1,000 Hz: how much of a window's energy lies there."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    n = RATE // 2
    t = np.arange(n) / RATE
    basis = np.stack([f(2 * np.pi * hz * t) for hz in (440, 1000) for f in (np.cos, np.sin)], axis=1) * np.sqrt(2) / n
    pool = np.kron(np.eye(2), np.ones((2, 1))) * 16
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "basis"], ["a"]),
            helper.make_node("Mul", ["a", "a"], ["b"]),
            helper.make_node("MatMul", ["b", "pool"], ["c"]),
            helper.make_node("Clip", ["c", "zero", "one"], ["y"]),
        ],
        "tones",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, n])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        [
            helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.astype(np.float32).ravel())
            for name, values in (("basis", basis), ("pool", pool), ("zero", np.array(0.0)), ("one", np.array(1.0)))
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 10
    onnx.save(model, str(tmp_path / "model.onnx"))
    (tmp_path / "labels.txt").write_text("a\nbeep\n")
    return tmp_path


def test_a_tagger_of_ones_own_says_when_its_labels_sound(tuned: Path) -> None:
    rest = np.zeros(2 * RATE, np.int16)
    sound = np.concatenate([rest, tone(440, 3), rest, tone(1000, 2), rest])
    own = {"backend": "onnx", "path": str(tuned), "window_s": 0.5, "hop_s": 0.25}
    found = tags(sound, **own)
    assert [r["label"] for r in found] == ["a", "beep"]
    for row, (start, end) in zip(found, ((2.0, 5.0), (7.0, 9.0)), strict=True):
        assert abs(row["start_s"] - start) <= 0.3 and abs(row["end_s"] - end) <= 0.3
    assert found == [*tags(sound, **own, labels=("a",)), *tags(sound, **own, labels=("beep",))]


def test_a_span_begins_high_lasts_low_and_bridges_short_pauses() -> None:
    scores = np.array([0.1, 0.4, 0.6, 0.4, 0.1, 0.7, 0.1, 0.1, 0.4, 0.4], np.float32)
    assert spans_above(scores, 0.5, 0.35, 0) == [(1, 4), (5, 6)]
    assert spans_above(scores, 0.5, 0.35, 1) == [(1, 6)]


def test_mistakes_name_what_is_missing(tuned: Path) -> None:
    with pytest.raises(ValidationError, match="names the folder of backend onnx"):
        SoundTagsParams(backend="onnx")
    with pytest.raises(ValueError, match=r"no label dog; it knows speech, singing, music"):
        tags(tone(440, 1), labels=("dog",))
    (tuned / "labels.txt").write_text("a\nbeep\nhorn\n")
    with pytest.raises(ValueError, match=r"gives \[16, 2\] .* labels.txt has 3 labels"):
        tags(tone(440, 1), backend="onnx", path=str(tuned), window_s=0.5)
    (tuned / "labels.txt").unlink()
    with pytest.raises(ModelNotFound, match=r"has no labels.txt; export the tagger there"):
        tags(tone(440, 1), backend="onnx", path=str(tuned))
