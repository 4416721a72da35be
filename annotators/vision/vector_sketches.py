"""Embedding sketches of a benchmark's video: its pictures' CLIP vectors as signs of projections.

The same model and picture size as `clip_embedding` gives the dataset's vectors, so that both can be compared. Two pictures
a second are embedded whatever changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engine.annotator import FrameSession, Row, Sampling
from ...engine.contamination.index import Hashes
from ...engine.contamination.vectors import STEP_S, sketch_vectors
from .clip_choice import ClipParams, load_clip
from .clip_models import ClipEncoder

if TYPE_CHECKING:
    from ...engine.media.frame import Frame
    from ...engine.media.shared_pass import FrameTap

SIDE_PX = 256
BATCH = 16


class VectorSession(FrameSession):
    """Embeds the pictures of one video in batches; yields no rows. `times` in seconds and `sketches` are [n]."""

    def __init__(self, encoder: ClipEncoder) -> None:
        self.encoder = encoder
        self.times: list[float] = []
        self._hashes: list[Hashes] = []
        self._waiting: list[NDArray[np.uint8]] = []

    def see(self, frame: Frame) -> Iterable[Row]:
        self.times.append(frame.t_s)
        self._waiting.append(frame.rgb(SIDE_PX).copy())
        if len(self._waiting) == BATCH:
            self._embed()
        return ()

    def close(self) -> Iterable[Row]:
        self._embed()
        return ()

    @property
    def sketches(self) -> Hashes:
        """One sketch per picture."""
        return np.concatenate(self._hashes) if self._hashes else np.zeros(0, np.uint64)

    def _embed(self) -> None:
        if self._waiting:
            self._hashes.append(sketch_vectors(self.encoder.encode_images(self._waiting)))
            self._waiting = []


class VectorSketcher:
    """A loaded model that sketches videos."""

    def __init__(self, model: str) -> None:
        """`model` is a folder of weights, `hf-hub:owner/name`, a name, or a name and a tag with a slash between.

        Raises `ModelNotFound` with the remedies.
        """
        self.encoder = load_clip(_params(model), BATCH)

    def tap(self) -> tuple[FrameTap, VectorSession]:
        """A session over one video, and how to have it see the decoded frames."""
        from ...engine.media.shared_pass import FrameTap

        session = VectorSession(self.encoder)
        return FrameTap("vectors", session, Sampling(1 / STEP_S)), session


def _params(model: str) -> ClipParams:
    if Path(model).expanduser().exists():
        return ClipParams(path=model)
    name, _, tag = ("", "", "") if model.startswith("hf-hub:") else model.partition("/")
    return ClipParams(model=name, pretrained=tag) if tag else ClipParams(model=model)
