"""Features of a frozen encoder for evenly spread stored pictures, kept once and read ever after (a cache by content).

The key is the hash of the picture and the revision of the encoder, so a changed picture or model is another entry, never a wrong hit;
a picture that comes again is not encoded again. Method: frozen spatial encoders of "Optimizing ViViT Training"; with several
encoders on one frame set also the columns of MouSi's experts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Resources, Row, Rows, Unit, UnitAnnotator
from ...engine.models import ModelRef
from ...schemas.evenly import evenly
from .encoders import Encoder, EncoderParams, extras_of, find_encoder, load_encoder
from .stills import COLUMNS, Still, stills_of

_PICTURES = 32


class FrameFeaturesParams(EncoderParams):
    """Parameters of frame_features."""

    frame_set: str | None = Field(None, description="Stored frame set to encode; null: the first by name.")
    frames: int | None = Field(None, ge=1, description="Pictures per medium, evenly spread; null: all of the set.")


class FrameFeatures(UnitAnnotator[FrameFeaturesParams]):
    """Writes `frame_features` of one medium, from its stored `frames`."""

    name: ClassVar[str] = "frame_features"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = FrameFeaturesParams
    reads: ClassVar[tuple[str, ...]] = ("media", "frames")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("frame_features",)
    quick_units: ClassVar[int] = 4
    needs_extra: ClassVar[str | None] = "onnx"

    def __init__(self, params: FrameFeaturesParams) -> None:
        super().__init__(params)
        self._encoder: Encoder | None = None

    def extras(self) -> tuple[str, ...]:
        """What the encoder needs."""
        return extras_of(self.params)

    def resources(self) -> Resources:
        """A processor per thread, or a GPU."""
        return Resources(cpus=float(self.params.threads), gpus=1.0 if self.params.device == "cuda" else 0.0)

    def models(self) -> Sequence[ModelRef]:
        """The encoder's weights. Raises `ModelNotFound`."""
        return find_encoder(self.params)

    def setup(self) -> None:
        """Load the encoder."""
        self._encoder = load_encoder(self.params)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per picture in order of time. Raises `SkipUnit` without pictures."""
        if self._encoder is None:
            self.setup()
        assert self._encoder is not None
        stills = evenly(stills_of(rows, self.params.frame_set), self.params.frames)
        waiting: dict[str, Still] = {}
        for still in stills:
            waiting.setdefault(hash_of(still), still)
        cache: dict[str, np.ndarray] = {}
        names = list(waiting)
        for first in range(0, len(names), _PICTURES):
            part = names[first : first + _PICTURES]
            encoded = self._encoder.encode([waiting[n].rgb() for n in part])
            cache |= dict(zip(part, encoded, strict=True))
        for still in stills:
            vectors = cache[hash_of(still)]
            yield (
                "frame_features",
                {
                    "t_s": still.t_s, "frame_hash": hash_of(still), "encoder": self._encoder.name, "revision": self._encoder.revision,
                    "tokens": vectors.shape[0], "dimension": vectors.shape[1], "vector": vectors.ravel().tolist(),
                },
            )  # fmt: skip


def hash_of(still: Still) -> str:
    """Hash of the picture's bytes, 32 hexadecimal digits."""
    return hashlib.blake2b(still.jpeg, digest_size=16).hexdigest()


ANNOTATOR = FrameFeatures
