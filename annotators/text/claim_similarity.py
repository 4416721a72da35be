"""Similarity of stored picture vectors and claims: the text side of `engine.claims.similarity`.

The vectors of pictures are those that `clip_embedding` stored; only those of the same model are compared. Texts of claims
and their edits are encoded once each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.annotator import Rows
from ...engine.claims.claim import Claim, Opinion
from ...engine.claims.edits import edits_of
from ...engine.claims.similarity import KINDS, Vectors, check_similarity
from ...engine.claims.world import World
from ...schemas.span import Span
from ..vision.clip_choice import ClipParams, load_clip

MOST_EDITS = 8


class Similarity:
    """Opinions of one image-text model."""

    def __init__(self, clip: ClipParams, margin: float) -> None:
        """Loads the model."""
        self._encoder, self._margin = load_clip(clip, batch_size=8), margin
        self._known: dict[str, Vectors] = {}

    def opinions(self, claims: Sequence[Claim], world: World, rows: Rows) -> list[list[Opinion]]:
        """For each claim what similarity says: one opinion, or none."""
        found: list[list[Opinion]] = []
        for claim in claims:
            pictures = self._pictures(rows, claim.span) if claim.kind in KINDS else _none(self._encoder.dimension)
            edits = edits_of(claim.claim, world.labels)[:MOST_EDITS] if len(pictures) else ()
            if not edits:
                found.append([])
                continue
            vectors = self._encode([claim.claim, *edits])
            opinion = check_similarity(claim, vectors[0], vectors[1:], pictures, self._margin, self._encoder.model_name)
            found.append([opinion] if opinion is not None else [])
        return found

    def _pictures(self, rows: Rows, span: Span) -> Vectors:
        own: list[Any] = [
            r["vector"]
            for r in rows["embeddings"]
            if r["model"] == self._encoder.model_name and r["t_s"] < span.end_s and r["until_s"] > span.start_s
        ]
        return np.asarray(own, np.float32) if own else _none(self._encoder.dimension)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode_texts(new), strict=True))
        return np.stack([self._known[t] for t in texts])


def _none(dimension: int) -> Vectors:
    return np.zeros((0, dimension), np.float32)
