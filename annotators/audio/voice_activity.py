"""Where to listen: stretches of sound that hold speech, none longer than a speech model hears at once.

Voice activity comes from the Silero model (ONNX, no torch) that faster-whisper carries. Neighbouring
stretches are joined over short pauses, because a recogniser writes better text from whole sentences than
from fragments. Without voice activity the sound is cut at its quietest moments instead. Pure functions of
the samples; mono float32, 16 kHz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

RATE_HZ = 16_000
"""Samples per second of the sound."""
LONGEST_S = 28.0
"""Longest stretch: Whisper hears 30 s at once; two are left for padding."""
_SEARCH_S = 6.0  # how far back from the limit a quiet moment is looked for
_QUIET_S = 0.1  # length of that moment

Stretch = tuple[int, int]
"""Half-open range of samples."""


class VoiceActivity(BaseModel):
    """Parameters of the voice activity detection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(
        default=0.5, gt=0, lt=1, description="probability from which a 32 ms window counts as speech"
    )
    min_speech_s: float = Field(default=0.1, ge=0, description="shorter speech is dropped")
    min_silence_s: float = Field(default=0.4, ge=0, description="a pause at least this long ends a stretch")
    pad_s: float = Field(default=0.15, ge=0, description="sound kept on both sides of a stretch")
    join_s: float = Field(
        default=2.0, ge=0, description="stretches with a shorter pause between them are heard together"
    )


def model_file() -> Path | None:
    """The weights of the voice activity model; None when faster-whisper is not installed."""
    import importlib.util

    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or not spec.submodule_search_locations:
        return None
    found = sorted((Path(next(iter(spec.submodule_search_locations))) / "assets").glob("*vad*.onnx"))
    return found[0] if found else None


def speech_stretches(sound: NDArray[np.float32], params: VoiceActivity) -> list[Stretch]:
    """Stretches of `sound` with speech, in order, disjoint, at most `LONGEST_S` long; empty when there is
    none.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=params.threshold,
        min_speech_duration_ms=round(params.min_speech_s * 1000),
        max_speech_duration_s=LONGEST_S,
        min_silence_duration_ms=round(params.min_silence_s * 1000),
        speech_pad_ms=round(params.pad_s * 1000),
    )
    found = get_speech_timestamps(sound, options, sampling_rate=RATE_HZ)
    return join([(int(s["start"]), int(s["end"])) for s in found], round(params.join_s * RATE_HZ))


def join(stretches: list[Stretch], pause: int, longest: int = round(LONGEST_S * RATE_HZ)) -> list[Stretch]:
    """Neighbours with less than `pause` samples between them become one, as long as it stays within
    `longest`.
    """
    joined: list[Stretch] = []
    for start, end in stretches:
        if joined and start - joined[-1][1] < pause and end - joined[-1][0] <= longest:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def quiet_cuts(sound: NDArray[np.float32]) -> list[Stretch]:
    """All of `sound` as stretches of at most `LONGEST_S`, cut in the quietest tenth of a second near each
    limit.
    """
    longest, search, quiet = (round(x * RATE_HZ) for x in (LONGEST_S, _SEARCH_S, _QUIET_S))
    stretches: list[Stretch] = []
    start = 0
    while len(sound) - start > longest:
        candidates = np.arange(start + longest - search, start + longest - quiet, quiet // 2)
        loudness = [float(np.square(sound[c : c + quiet]).sum()) for c in candidates]
        cut = int(candidates[int(np.argmin(loudness))]) + quiet // 2
        stretches.append((start, cut))
        start = cut
    if start < len(sound):
        stretches.append((start, len(sound)))
    return stretches
