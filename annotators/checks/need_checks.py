"""Is what a sample says it needs really needed? What must be heard may also stand on screen, and the other way round.

Asked only where the other modality was annotated (words or speech, and text on screen), and only about words: a row says
that the answer was found there, or that it was not. Packages that show both modalities leave refuted samples out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.answering.answerable import AUDIBLE, VISUAL
from ...engine.answering.other_way import Found, doubt, heard, readable
from ...engine.kept import one_producer, stored_samples


class Params(BaseParams):
    """Parameters of need_checks."""

    min_share: float = Field(
        0.8, gt=0, le=1, description="Least share of a phrase's words, in order, that must be found the other way."
    )
    min_tiou: float = Field(
        0.3, gt=0, le=1, description="Least tIoU of where they are found with the answer, for the need to be refuted."
    )


class NeedChecks(UnitAnnotator[Params]):
    """Rows of `need_checks` about the samples of one medium."""

    name: ClassVar[str] = "need_checks"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("samples", "words", "speech", "text_regions")
    optional_reads: ClassVar[tuple[str, ...]] = ("words", "speech", "text_regions")
    writes: ClassVar[tuple[str, ...]] = ("need_checks",)
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per doubted need of each sample that the other modality has something to say about."""
        if not rows["samples"] or not any(rows[table] for table in self.optional_reads):
            raise SkipUnit("no samples, or neither words nor text")
        known: dict[str, tuple[list[Found], list[Found]]] = {}
        for sample_id, sample in stored_samples(rows):
            media_id = sample.media[0].media_id
            if media_id not in known:
                known[media_id] = _known(rows, media_id)
            said, shown = known[media_id]
            found = doubt(sample, said, shown, self.params.min_share, self.params.min_tiou)
            if found is None:
                continue
            doubted = sorted(set(sample.needs) & (AUDIBLE if found.other_way == "vision" else VISUAL))
            for need in doubted:
                yield "need_checks", {
                    "media_id": media_id,
                    "sample_id": sample_id,
                    "task": sample.task,
                    "need": need,
                    "other_way": found.other_way,
                    "needed": not found.given,
                    "score": found.score,
                    "why": found.why,
                }  # fmt: skip


def _known(rows: Rows, media_id: str) -> tuple[list[Found], list[Found]]:
    """What is said in a medium, and what is readable; twins have rows of their own, or none."""
    words, speech, texts = (
        one_producer([row for row in rows[table] if row["media_id"] == media_id])
        for table in ("words", "speech", "text_regions")
    )
    return heard(words, speech), readable(texts)


ANNOTATOR = NeedChecks
