"""CLIP vectors of pictures: the raw material of similarity to prompts, of search and of near duplicates.

Pictures that hardly changed are not embedded again; each vector says how long its picture stands. With the
default model a picture costs about a twelfth of a second on two cores, so the rate decides the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import BatchAnnotator, FrameSet, Params, Picture, Resources, Row
from ...engine.models import ModelRef
from .clip_choice import ClipParams, extra_of, find_clip, load_clip
from .clip_models import ClipEncoder


class ClipEmbeddingParams(ClipParams):
    """Parameters of `clip_embedding`."""

    fps: float = Field(default=1.0, gt=0, description="pictures per second")
    max_side_px: int = Field(default=256, ge=16, description="longest side of the pictures; models see 224 to 384")
    quality: int = Field(default=90, ge=1, le=100, description="JPEG quality of the pictures")
    min_change: float = Field(
        default=0.02,
        ge=0,
        lt=1,
        description="pictures that differ less from the last embedded one (mean luma difference, "
        "share of full scale) "
        "are left out; 0 embeds every picture",
    )
    batch_size: int = Field(default=16, ge=1, description="fixed batch shape; the last batch is padded")


class ClipEmbedding(BatchAnnotator[ClipEmbeddingParams]):
    """Writes `embeddings`: one L2-normalised vector per picture."""

    name: ClassVar[str] = "clip_embedding"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ClipEmbeddingParams
    writes: ClassVar[tuple[str, ...]] = ("embeddings",)
    needs_extra: ClassVar[str | None] = "clip"

    def __init__(self, params: ClipEmbeddingParams) -> None:
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

    def frame_set(self) -> FrameSet:
        """The pictures that are embedded."""
        p = self.params
        return FrameSet(p.fps, p.max_side_px, p.quality, p.min_change)

    @property
    def batch_size(self) -> int:
        """Pictures per call."""
        return self.params.batch_size

    def setup(self) -> None:
        """Load the model."""
        self._encoder = load_clip(self.params, self.params.batch_size)

    def look(self, pictures: Sequence[Picture]) -> list[list[Row]]:
        """One vector per picture. Raises `ValueError` naming a picture that is no JPEG."""
        import cv2
        import numpy as np

        if self._encoder is None:
            self.setup()
        assert self._encoder is not None
        arrays = []
        for picture in pictures:
            bgr = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
            if bgr is None:
                raise ValueError(f"the picture of {picture.media_id} at {picture.t_s:g} s is no JPEG")
            arrays.append(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
        vectors = self._encoder.encode_images(arrays)
        return [
            [
                (
                    "embeddings",
                    {
                        "t_s": picture.t_s,
                        "until_s": picture.until_s,
                        "model": self._encoder.model_name,
                        "dimension": self._encoder.dimension,
                        "vector": vector.tolist(),
                    },
                )
            ]
            for picture, vector in zip(pictures, vectors, strict=True)
        ]


ANNOTATOR = ClipEmbedding
