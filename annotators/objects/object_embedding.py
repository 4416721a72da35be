"""What an object looks like as one vector: the mean of the CLIP vectors of its crops. Agreement tells how alike they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Resources, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...engine.models import ModelRef
from ..vision.clip_choice import ClipParams, extra_of, find_clip, load_clip
from ..vision.clip_models import ClipEncoder
from .stills import Still


class ObjectEmbeddingParams(ClipParams):
    """Parameters of object_embedding; model, weights and backend as in clip_embedding."""

    batch_size: int = Field(default=8, ge=1, description="fixed batch shape; the last batch is padded")


class ObjectEmbedding(UnitAnnotator[ObjectEmbeddingParams]):
    """Writes `object_embeddings` from `object_crops`."""

    name: ClassVar[str] = "object_embedding"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = ObjectEmbeddingParams
    reads: ClassVar[tuple[str, ...]] = ("media", "object_crops", "tracks")
    optional_reads: ClassVar[tuple[str, ...]] = ("tracks",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "object_crops": ("track_id", "t_s", "object_id", "width", "height", "jpeg", "crop_set")
    }
    writes: ClassVar[tuple[str, ...]] = ("object_embeddings",)
    quick_units: ClassVar[int] = 4
    needs_extra: ClassVar[str | None] = "clip"

    def __init__(self, params: ObjectEmbeddingParams) -> None:
        super().__init__(params)
        self._encoder: ClipEncoder | None = None

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        return (extra_of(self.params),)

    def models(self) -> Sequence[ModelRef]:
        """The CLIP model."""
        return [find_clip(self.params)]

    def resources(self) -> Resources:
        """A processor per thread, or a GPU."""
        return Resources(cpus=float(self.params.threads), gpus=1.0 if self.params.device == "cuda" else 0.0)

    def setup(self) -> None:
        """Load the model."""
        self._encoder = load_clip(self.params, self.params.batch_size)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One vector per track. Raises `SkipUnit` without crops."""
        crops = one_producer(rows["object_crops"])
        if not crops:
            raise SkipUnit("no crops of objects")
        if self._encoder is None:
            self.setup()
        assert self._encoder is not None
        first_set = min(c["crop_set"] for c in crops)
        mine = sorted((c for c in crops if c["crop_set"] == first_set), key=lambda c: (c["track_id"], c["t_s"]))
        vectors = self._encoder.encode_images([Still(c["t_s"], c["width"], c["height"], c["jpeg"]).rgb() for c in mine])
        labels = {str(t["track_id"]): str(t["label"]) for t in one_producer(rows["tracks"])}
        for track_id in sorted({str(c["track_id"]) for c in mine}):
            own = [k for k, c in enumerate(mine) if c["track_id"] == track_id]
            mean = vectors[own].astype(np.float64).mean(axis=0)
            length = float(np.linalg.norm(mean))
            yield (
                "object_embeddings",
                {
                    "track_id": track_id, "object_id": mine[own[0]]["object_id"], "label": labels.get(track_id, ""),
                    "model": self._encoder.model_name, "dimension": len(mean),
                    "vector": (mean / max(length, 1e-12)).astype(np.float32).tolist(), "crops": len(own), "agreement": round(length, 6),
                },
            )  # fmt: skip


ANNOTATOR = ObjectEmbedding
