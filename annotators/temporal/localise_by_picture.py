"""Localiser of pictures and text: the similarity of stored picture vectors and a description, as a curve over the medium.

What a picture shows is compared with the description, and with edits of it (another colour, another thing) and background
prompts: how far the description leads, against its lead in a usual picture of the medium, is the curve; its peaks are spans. A direction of motion is no matter of a
picture, so of a moving thing only the thing is looked for. Limits: the model's own; the one in this package knows composed
scenes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.claims.edits import edits_of
from ...engine.grounding.asked import asked
from ...engine.grounding.in_curve import Curve, curve_of, in_curve
from ...engine.grounding.proposals import candidate_rows
from ...engine.kept import medium_row, one_producer
from ...engine.models import ModelRef
from ...schemas.matching import content_words
from ..compose.scenes import SHAPES
from ..vision.clip_choice import COMPOSED_TINY, ClipParams, extra_of, find_clip, load_clip
from .localise import not_found, shot_spans
from .looked_for import QUERY_TABLES, QueryParams, wanted_in

_TEXT_BATCH = 8
_SHAPES = frozenset(SHAPES)
USUAL = 2.0
"""Units of certainty by which a picture must lead before it is as likely as not that it shows what is described."""


class LocaliseByPictureParams(ClipParams, QueryParams):
    """Parameters of `localise_by_picture`; model, weights and backend as in `clip_embedding`."""

    background: tuple[str, ...] = Field(
        ("a photo", "a picture of nothing", "an empty background", "a blurred picture"),
        description="prompts that any picture is like, against which the description is measured",
    )
    most_edits: int = Field(16, ge=0, description="edits of a description that it is measured against, at most")
    temperature: float = Field(
        0.05, gt=0, description="cosine by which a lead above that of a usual picture counts as one unit of certainty"
    )


class LocaliseByPicture(UnitAnnotator[LocaliseByPictureParams]):
    """Writes `candidates` of the family pixels from `embeddings`."""

    name: ClassVar[str] = "localise_by_picture"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = LocaliseByPictureParams
    reads: ClassVar[tuple[str, ...]] = ("media", "embeddings", *QUERY_TABLES, "shots")
    optional_reads: ClassVar[tuple[str, ...]] = reads[2:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"embeddings": ("row_id", "t_s", "until_s", "model", "vector")}
    writes: ClassVar[tuple[str, ...]] = ("candidates", "import_notes")
    stage: ClassVar[Literal["enrich"]] = "enrich"
    needs_extra: ClassVar[str | None] = "clip"

    def __init__(self, params: LocaliseByPictureParams) -> None:
        super().__init__(params)
        self._encoder: Any = None
        self._known: dict[str, NDArray[np.float64]] = {}

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        return (extra_of(self.params),)

    def models(self) -> Sequence[ModelRef]:
        """The CLIP model, whose text side is used."""
        return [find_clip(self.params)]

    def leaves_out(self) -> tuple[str, ...]:
        """Events that were fused from candidates."""
        return ("events",)

    def setup(self) -> None:
        """Load the model."""
        self._encoder = load_clip(self.params, _TEXT_BATCH)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Proposals for every description that is about what is seen. Raises `SkipUnit` without vectors or descriptions."""
        assert unit.medium is not None
        medium = medium_row(rows, unit.medium.media_id)
        wanted = [(one, asked(one.text)) for one in wanted_in(self.params, rows)]
        wanted = [(one, read) for one, read in wanted if read.plain and self._knows(read.plain)]
        if not wanted:
            raise SkipUnit("no description of what is seen and the model knows")
        if not rows["embeddings"]:
            raise SkipUnit("no embeddings")
        if self._encoder is None:
            self.setup()
        name = f"clip {self._encoder.model_name}"
        own = [r for r in one_producer(rows["embeddings"]) if r["model"] == self._encoder.model_name]
        if not own:
            others = ", ".join(sorted({str(r["model"]) for r in rows["embeddings"]}))
            raise ValueError(f"the embeddings are of {others}, but localise_by_picture uses {self._encoder.model_name}: "
                             "give clip_embedding and localise_by_picture the same model")  # fmt: skip
        pictures = sorted(own, key=lambda r: r["t_s"])
        vectors = np.asarray([r["vector"] for r in pictures], np.float64)
        shots = shot_spans(one_producer(rows["shots"]))
        for one, read in wanted:
            curve = self._curve(read.plain, pictures, vectors, medium["duration_s"])
            proposals = in_curve(curve, shots, self.params.most)
            found = candidate_rows(one.text, name, "pixels", proposals, medium["duration_s"])
            yield from found or [not_found(one.text, name)]

    def _knows(self, text: str) -> bool:
        """The model in this package knows coloured shapes; what else it says is noise."""
        return (
            self.params.model != COMPOSED_TINY
            or self.params.path is not None
            or bool(_SHAPES & set(content_words(text)))
        )

    def _curve(self, text: str, pictures: Sequence[Any], vectors: NDArray[np.float64], duration_s: float) -> Curve:
        rivals = [*edits_of(text)[: self.params.most_edits], *self.params.background]
        cosine = vectors @ self._encode([text, *rivals]).T
        lead = cosine[:, 0] - cosine[:, 1:].mean(axis=1)
        values = 1 / (1 + np.exp(USUAL - (lead - np.median(lead)) / self.params.temperature))
        return curve_of(
            [r["t_s"] for r in pictures], [r["until_s"] for r in pictures], values.tolist(),
            [str(r["row_id"]) for r in pictures], duration_s,
        )  # fmt: skip

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float64]:
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode_texts(new).astype(np.float64), strict=True))
        return np.stack([self._known[t] for t in texts])


ANNOTATOR = LocaliseByPicture
