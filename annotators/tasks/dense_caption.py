"""Describe everything: a detailed description of a stretch of kept footage, as flowing text or with the time of each part.

The text is that of `captions` and `events`: what people or composers wrote, which wins, and beside it the kept sentences of a
model's dense captions (VideoGPT+ merges both with a model; here nothing is reworded, so every sentence is traced to a row). The
timed kind is dense captioning as LITA writes it. What nobody described is missing from the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import LEAST_P
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Second, Solver, Task
from ...schemas.markup import validate
from ...schemas.sample import MediumRef, Sample, TextAnswer
from ...schemas.span import Span, union_length_s
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    span_mark,
    wordings_of,
)
from .descriptions import (
    Description,
    cited_captions,
    cited_sources,
    descriptions,
    sentence,
    sources_of,
    stretches,
)

Kind = Literal["told", "timed"]


class Params(BaseParams):
    """Parameters of dense_caption."""

    kinds: tuple[Kind, ...] = Field(("told", "timed"), min_length=1, description="Flowing text, and a list with times.")
    longest_s: float = Field(180.0, gt=0, description="Longest shown footage; longer footage is cut at clips.")
    min_parts: int = Field(3, ge=1, description="Descriptions that a text needs at least.")
    most_parts: int = Field(20, ge=1, description="And at most: a stretch that has more is cut at clips.")
    least_p: float = Field(
        LEAST_P, ge=0, le=1, description="Least calibrated probability of fused events; 0 takes uncalibrated ones too."
    )
    min_covered: float = Field(0.5, ge=0, le=1, description="Share of the footage that the descriptions must cover.")


class DenseCaption(Task[Params]):
    """Samples from `captions` or `events` (and `claims`) of one medium."""

    name: ClassVar[str] = "dense_caption"
    version: ClassVar[int] = 2
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", "captions", "events", "claims", "footage_groups")
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "captions", "events", "claims", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "question_only", "middle_frame", "first_frame")
    second: ClassVar[Second | None] = None

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A sample of each kind per stretch of kept footage."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media = medium_row(rows, media_id)
        captions, claims = sources_of(rows, least_p=self.params.least_p)
        if not captions:
            raise SkipUnit("no descriptions with spans")
        split, wordings = split_of(rows, media_id), wordings_of(self.name)

        def enough(span: Span) -> bool:
            return len(descriptions(captions, claims, span)) <= self.params.most_parts

        for window, clips in stretches(kept_clips(rows, media_id), self.params.longest_s, enough):
            ids = {d.row["row_id"] for d in descriptions(captions, claims, window)}
            own = [c for c in captions if c["row_id"] in ids]
            for kind in self.params.kinds:
                question, answer = wordings.choose(kind, unit.seed, media_id, window.start_s, kind, split=split)
                try:
                    yield "samples", self._build(
                        unit.recipe, media, clips, own, claims, window, kind, question.id, answer.id
                    ).to_row()  # fmt: skip
                except Withheld:
                    continue

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from media, clips, captions and the claims that cut them."""

        def build() -> Sample:
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind is None:
                raise Withheld(f"unknown wording {sample.wording}")
            return self._build(
                sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"),
                cited_sources(evidence, least_p=self.params.least_p), rows_of(evidence, "claims"), sample.window, kind, sample.wording, sample.answer_form,
            )  # fmt: skip

        return rebuilt(sample, build)

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        captions: Sequence[RowDict],
        claims: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample about `window`, which the clips make up. Raises `Withheld`."""
        if [(w.start_s, w.end_s) for w, _ in stretches(clips, window.length_s)] != [(window.start_s, window.end_s)]:
            raise Withheld("the shown window is not what the cited clips make up")
        found = descriptions(captions, claims, window)
        covered = union_length_s(d.span for d in found) / window.length_s
        if not self.params.min_parts <= len(found) <= self.params.most_parts:
            raise Withheld(f"{len(found)} descriptions")
        if covered < self.params.min_covered:
            raise Withheld(f"the descriptions cover {covered:.2f} of the footage")
        text = _text(found) if kind == "told" else _list(found)
        if validate(text, media=1, windows=[window]):
            raise Withheld("a description cannot be written as markup")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill({}), answer.fill({"text": text, "list": text})),
            answer=TextAnswer(text=text),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *cited_captions(found, claims),
            ),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "parts": float(len(found)),
                "told": float(sum(d.told for d in found)),
                "covered": round(covered, 6),
            },
            generator=f"{self.name}@{self.version}",
        )


def _text(found: Sequence[Description]) -> str:
    return " ".join(sentence(d.text) for d in found)


def _list(found: Sequence[Description]) -> str:
    return "\n".join(f"{span_mark(d.span)} {sentence(d.text)}" for d in found)


ANNOTATOR = DenseCaption
