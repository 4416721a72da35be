"""openai-whisper's own code path, on a small randomly initialised checkpoint in its own format.

No known package carries weights for this library, so the words are nonsense; their rows must be in order
all the same.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.audio.speech import Speech, SpeechParams
from chronotope.annotators.compose.voice import SAMPLE_RATE_HZ, speak
from chronotope.engine.annotator import Medium
from chronotope.engine.media.audio import AudioPiece
from chronotope.engine.models import ModelNotFound

torch = pytest.importorskip("torch")
pytest.importorskip("whisper")

TALK = Medium(
    media_id="m1",
    uri="talk.wav",
    path=None,
    kind="audio",
    duration_s=60.0,
    fps=None,
    frames=None,
    width=None,
    height=None,
    has_video=False,
    has_audio=True,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(5)
    dimensions = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=16,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=51864,
        n_text_ctx=32,
        n_text_state=16,
        n_text_head=2,
        n_text_layer=2,
    )
    model = Whisper(dimensions)
    torch.nn.init.normal_(model.decoder.positional_embedding, 0.0, 2.0)  # else it repeats one token
    path = tmp_path_factory.mktemp("whisper") / "random.pt"
    torch.save({"dims": dataclasses.asdict(dimensions), "model_state_dict": model.state_dict()}, path)
    return path


def spoken(seconds: float = 3.0) -> np.ndarray:
    samples = speak("The red ball rolls slowly across the wooden floor.").samples
    at_16k = np.interp(
        np.arange(0, len(samples) / SAMPLE_RATE_HZ, 1 / 16_000),
        np.arange(len(samples)) / SAMPLE_RATE_HZ,
        samples,
    )
    return at_16k.astype(np.int16)[: round(seconds * 16_000)]


@pytest.mark.slow  # imports torch and compiles the library's numba code
@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")),
    ],
)
@pytest.mark.parametrize("vad", [True, False])
def test_the_librarys_own_checkpoint_runs_and_gives_orderly_rows(checkpoint, device, vad) -> None:
    params = SpeechParams(
        backend="openai-whisper", model_path=str(checkpoint), device=device, vad=vad, beam_size=1, threads=1
    )
    annotator = Speech(params)
    annotator.setup()
    sound = spoken()

    def run() -> list:
        session = annotator.open(TALK)
        return [*session.hear(AudioPiece(2.0, 16_000, sound)), *session.close()]

    rows = run()
    words = [row for table, row in rows if table == "words"]
    assert words, "the random model says something"
    assert all(a["end_s"] <= b["start_s"] for a, b in itertools.pairwise(words))
    assert words[0]["start_s"] >= 2.0 and words[-1]["end_s"] <= 2.0 + len(sound) / 16_000
    assert {row["language"] for table, row in rows if table == "speech"} == {"en"}
    if vad:
        assert run() == rows


def test_the_checkpoint_enters_the_fingerprint(checkpoint) -> None:
    weights = Speech(SpeechParams(backend="openai-whisper", model_path=str(checkpoint))).models()[0]
    assert weights.found_in == "path" and weights.path == str(checkpoint)


def test_a_missing_model_names_the_remedies() -> None:
    with pytest.raises(ModelNotFound, match=r"openai-whisper minuscule.*there are .*tiny.*model_path"):
        Speech(SpeechParams(backend="openai-whisper", model="minuscule")).models()
