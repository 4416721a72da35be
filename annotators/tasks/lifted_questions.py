"""Questions of short clips, asked of the whole episode that the clips were joined to, as TVQA-long does.

The options are those that people wrote; the moment that answers is the short clip's moment moved by the clip's offset, which
is checked to the microsecond. A second kind asks which part of the episode answers the question: the source clip, the target
of retrieval. Whether an answer is right is as true as the question's row; where it is follows by arithmetic.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id
from ...schemas.markup import escape, quote
from ...schemas.sample import ChoiceAnswer, MediumRef, Need, Option, Sample, SpanAnswer
from ...schemas.span import Span, from_us, to_us
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    kind_of,
    only_row,
    rebuilt,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)

Kind = Literal["answer", "part"]
COLUMNS = (
    "question_id", "question", "options", "answer_index", "start_s", "end_s", "needs", "attributes_json",
)  # fmt: skip
NEEDS: tuple[Need, ...] = ("vision", "audio", "speech_text")


class Params(BaseParams):
    """Parameters of lifted_questions."""

    ask: tuple[Kind, ...] = Field(
        ("answer", "part"), min_length=1, description="Ask for the answer, or where it is found."
    )
    per_medium: int = Field(40, ge=1, description="Samples per medium and kind, at most.")
    options: tuple[int, int] = Field((2, 8), description="Least and greatest number of options.")


@dataclass(frozen=True)
class Lifted:
    """A question of a short clip, with the clip's place in the episode."""

    row: RowDict
    moment: Span
    short: Span
    """The moment on the clip's own clock."""
    part: Span
    """The clip in the episode."""
    number: int
    """Which clip of the episode, from 0."""
    clip: str
    """What the clip is called in its source."""


def lifted(row: RowDict) -> Lifted:
    """Read a row of `questions`. Raises `Withheld` when it is of no joined clip, or its times do not add up."""
    try:
        said: dict[str, Any] = json.loads(row["attributes_json"] or "{}")
        short, part = Span(*said["short_s"]), Span(*said["part_s"])
        found = Lifted(row, span_of(row), short, part, int(said["part"]), str(said["clip"]))
    except (KeyError, TypeError, ValueError):
        raise Withheld("the question does not say which clip it was asked about") from None
    for mine, own in ((found.moment.start_s, short.start_s), (found.moment.end_s, short.end_s)):
        if to_us(mine) - to_us(part.start_s) != to_us(own):
            raise Withheld(f"{mine:g} s less the offset {part.start_s:g} s is not {own:g} s")
    if not part.contains_span(found.moment):
        raise Withheld("the moment leaves its clip")
    return found


class LiftedQuestions(Task[Params]):
    """Samples from `questions` of one joined medium."""

    name: ClassVar[str] = "lifted_questions"
    version: ClassVar[int] = 1
    Params = Params
    reads = ("media", "clips", "selection", "questions", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "fixed_interval")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples of each kind."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, clips, split = medium_row(rows, media_id), kept_clips(rows, media_id), split_of(rows, media_id)
        asked = one_producer([q for q in rows["questions"] if q["start_s"] is not None and q["end_s"] is not None])
        if not asked:
            raise SkipUnit("no questions with their moments")
        for kind in self.params.ask:
            made = 0
            for row in shuffled(asked, unit.seed, self.name, kind, key=lambda q: q["row_id"]):
                question, form = wordings_of(self.name).choose(kind, unit.seed, row["row_id"], split=split)
                clip = next((c for c in clips if span_of(c).contains_span(Span(row["start_s"], row["end_s"]))), None)
                if clip is None:
                    continue
                try:
                    sample = self._build(unit.recipe, media, clip, row, kind, question.id, form.id)
                except Withheld:
                    continue
                yield "samples", sample.to_row()
                made += 1
                if made == self.params.per_medium:
                    break

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Move the question's moment again, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Where the question's moment is, and what its row says is right."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind not in get_args(Kind):
            raise Withheld(f"unknown wording {sample.wording}")
        media, clip, row = (only_row(evidence, table) for table in ("media", "clips", "questions"))
        return self._build(sample.recipe, media, clip, row, kind, sample.wording, sample.answer_form, trail)  # type: ignore[arg-type]

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        row: RowDict,
        kind: Kind,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about a question. Raises `Withheld`."""
        window, asked = span_of(clip), lifted(row)
        if not window.contains_span(asked.moment) or not window.contains_span(asked.part):
            raise Withheld("the clip that answers is not shown")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        texts = [" ".join(str(o).split()) for o in row["options"] or ()]
        right, shown = row["answer_index"], kind_of(media)
        if kind == "answer" and (
            right is None
            or not self.params.options[0] <= len(texts) <= self.params.options[1]
            or not 0 <= right < len(texts)
            or len({t.casefold() for t in texts}) < len(texts)
            or not all(texts)
        ):
            raise Withheld("the question has no options of which one is right")
        ordered = sorted(texts, key=lambda t: (derive_id("option", self.name, t), t)) if kind == "answer" else []
        options = tuple(Option(text=escape(t)) for t in ordered)
        place = span_mark(asked.part)
        notes = trail if trail is not None else Trail()
        _chain(notes, asked, kind, texts, ordered)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=shown, start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue(
                f"<{shown}>",
                question.fill({"question": quote(str(row["question"]))}),
                answer.fill({"answer": "<answer>"} if kind == "answer" else {"span": place}),
                options=kind == "answer",
            ),
            answer=ChoiceAnswer(index=ordered.index(texts[right]))
            if kind == "answer"
            else SpanAnswer(start_s=asked.part.start_s, end_s=asked.part.end_s),
            options=options,
            rationale=(
                f"The question is about the clip in {place}.",
                f"What answers it is in {span_mark(asked.moment)}.",
            ),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                cite("questions", row, COLUMNS),
            ),
            needs=tuple(row["needs"] or ()) or NEEDS,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "part": float(asked.number),
                "offset_s": from_us(to_us(asked.part.start_s)),
                "evidence_start_s": asked.moment.start_s,
                "evidence_end_s": asked.moment.end_s,
                "evidence_ratio": round(asked.moment.length_s / window.length_s, 6),
                "position": round((asked.moment.centre_s - window.start_s) / window.length_s, 6),
                "length_s": round(window.length_s, 6),
            },
            generator=f"{self.name}@{self.version}",
        )


def _chain(notes: Trail, asked: Lifted, kind: Kind, texts: Sequence[str], ordered: Sequence[str]) -> None:
    """The moment lies in the clip; the answer is the option that the question's row names."""
    moment = notes.locate("questions", [asked.row], note="What answers the question is in {@}.")
    part = (asked.part.start_s, asked.part.end_s)
    notes.require(moment, "within", part, note="It lies within the clip that the question was asked about.")
    if kind == "part":
        notes.conclude("span", notes.compute("component", values=[part], at=0), note="So that clip is the answer.")
        return
    options = notes.read("questions", [asked.row], "options")
    index = int(asked.row["answer_index"])
    named = notes.read("questions", [asked.row], "answer_index")
    notes.require(named, "equal", index)
    text = notes.compute("component", options, at=index)
    notes.conclude("choice", notes.compute("index_of", notes.compute("joined", text), options=list(ordered)))


ANNOTATOR = LiftedQuestions
