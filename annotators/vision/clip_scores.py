"""How much each embedded picture looks like the recipe's prompts: cosine similarities, pooled per clip by
a view.

A prompt may have several wordings; their vectors are averaged, which is steadier than any one of them. New
prompts cost no picture: vectors are read from `embeddings`. Similarities of one model compare only with
its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.models import ModelRef
from .clip_choice import ClipParams, extra_of, find_clip, load_clip

_TEXT_BATCH = 8


class ClipScoresParams(ClipParams):
    """Parameters of `clip_scores`; model, weights and backend as in `clip_embedding`."""

    prompts: dict[str, str | tuple[str, ...]] = Field(
        min_length=1, description="name of a score: what the picture should look like, as a text or a list of wordings"
    )

    @field_validator("prompts")
    @classmethod
    def _named(cls, prompts: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
        for name, texts in prompts.items():
            if not name.isidentifier():
                raise ValueError(f"prompt name {name!r}: use letters, digits and _ only, so that SQL can name it")
            if not _wordings(texts):
                raise ValueError(f"prompt {name}: its text is empty")
        return prompts


class ClipScores(UnitAnnotator[ClipScoresParams]):
    """Writes `clip_scores`: one row per picture and prompt."""

    name: ClassVar[str] = "clip_scores"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ClipScoresParams
    reads: ClassVar[tuple[str, ...]] = ("embeddings",)
    writes: ClassVar[tuple[str, ...]] = ("clip_scores",)
    needs_extra: ClassVar[str | None] = "clip"

    def __init__(self, params: ClipScoresParams) -> None:
        super().__init__(params)
        self._model = ""
        self._texts: dict[str, NDArray[np.float64]] | None = None

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        return (extra_of(self.params),)

    def models(self) -> Sequence[ModelRef]:
        """The CLIP model, whose text side is used."""
        return [find_clip(self.params)]

    def setup(self) -> None:
        """Load the model, encode the prompts, and let the model go."""
        encoder = load_clip(self.params, _TEXT_BATCH)
        self._model = encoder.model_name
        self._texts = {}
        for name, texts in self.params.prompts.items():
            mean = encoder.encode_texts(_wordings(texts)).astype(np.float64).mean(axis=0)
            self._texts[name] = mean / np.sqrt(mean @ mean)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Similarities of all embedded pictures of a medium; skips one without any.

        Raises `ValueError` when the embeddings are another model's.
        """
        if self._texts is None:
            self.setup()
        assert self._texts is not None
        own = [row for row in rows["embeddings"] if row["model"] == self._model]
        if not rows["embeddings"]:
            raise SkipUnit("no embeddings")
        if not own:
            others = ", ".join(sorted({str(row["model"]) for row in rows["embeddings"]}))
            raise ValueError(
                f"clip_scores uses the model {self._model}, but the embeddings are of {others}: give "
                f"clip_embedding and "
                "clip_scores the same model, pretrained and path"
            )
        pictures: dict[float, dict[str, Any]] = {}
        for row in sorted(own, key=lambda r: (r["t_s"], str(r.get("producer")))):
            pictures.setdefault(row["t_s"], row)
        for name, text in self._texts.items():
            prompt = " | ".join(_wordings(self.params.prompts[name]))
            for row in pictures.values():
                yield (
                    "clip_scores",
                    {
                        "t_s": row["t_s"],
                        "until_s": row["until_s"],
                        "name": name,
                        "prompt": prompt,
                        "model": self._model,
                        "value": round(float(np.asarray(row["vector"], np.float64) @ text), 6),
                    },
                )


def _wordings(texts: str | tuple[str, ...]) -> list[str]:
    return [t.strip() for t in ((texts,) if isinstance(texts, str) else texts) if t.strip()]


ANNOTATOR = ClipScores
