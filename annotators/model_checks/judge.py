"""A judge reads question, answer and evidence, and scores five criteria: grounded, correct, answerable, unambiguous, well worded.

The judge must not be the model that wrote the sample: then it refuses, and says so in the row. A passing judgement makes an
unchecked sample `judged` in `sample_view`; it never outweighs a failed verdict. One row for the whole and one per criterion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Grade, Params, Row, Rows, Stage, Unit
from ...engine.asking import Asking
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.sample import Sample, TurnsAnswer
from .answers import plain_words, question_of, said_answer
from .drawing import CheckParams, Drawn, drawn, of_medium, proposed, writers
from .seen import COLUMNS, TABLES, Seen, seen

CRITERIA = ("grounded", "correct", "answerable", "unambiguous", "well_worded")
BEST = 5


class JudgementReply(BaseModel):
    """Scores from 1 to 5."""

    model_config = ConfigDict(extra="forbid")

    grounded: int = Field(description="1 to 5: is everything claimed in the evidence")
    correct: int = Field(description="1 to 5: is the answer right")
    answerable: int = Field(description="1 to 5: can it be found in the footage")
    unambiguous: int = Field(description="1 to 5: is only this answer right")
    well_worded: int = Field(description="1 to 5: is it clear and natural")
    problem: str = Field(description="the gravest problem in one sentence, or empty")

    def scores(self) -> dict[str, int]:
        """Criterion -> score."""
        return {name: getattr(self, name) for name in CRITERIA}


class JudgeParams(CheckParams):
    """Parameters of `judge`."""

    model: str = Field("judge", description="role of `models:` that judges")
    least: int = Field(4, ge=1, le=BEST, description="score that every criterion needs for the sample to pass")
    most_facts: int = Field(60, ge=1, description="evidence of one window, at most")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class Judge(Asking[JudgeParams]):
    """Writes `sample_checks` of the name `judge` about samples that a model proposed, or of the named tasks."""

    name: ClassVar[str] = "judge"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = JudgeParams
    reads: ClassVar[tuple[str, ...]] = ("samples", "proposals", *TABLES)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    optional_reads: ClassVar[tuple[str, ...]] = ("proposals", *TABLES)
    writes: ClassVar[tuple[str, ...]] = ("sample_checks",)
    stage: ClassVar[Stage] = "task"
    grade: ClassVar[Grade] = "judge"

    def roles(self) -> tuple[str, ...]:
        """The judge."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("judge", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Rows of the drawn samples. Raises `SkipUnit` when there are none."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        named = self.params.tasks is not None

        def wanted(sample: Sample) -> bool:
            mine = sample.media[0].media_id == media_id and not isinstance(sample.answer, TurnsAnswer)
            return mine and (named or proposed(sample))

        chosen, mine = drawn(rows, unit, self.name, self.params, wanted), of_medium(rows, media_id)
        wrote = writers(rows["proposals"])
        model = models.settings(self.params.model).name

        async def one(d: Drawn) -> list[Row]:
            if model in wrote.get(d.sample_id, ()):
                refusal = f"not judged: {model} wrote it; give the role {self.params.model} another model"
                return [d.row(self.name, "", None, None, model, refusal, None)]
            shown = seen(d.sample, mine, models, self.params.model, most_facts=self.params.most_facts)
            return await self._judged(d, shown, model, models)

        return [row for group in await models.each(chosen, one) for row in group]

    async def _judged(self, d: Drawn, shown: Seen, model: str, models: Models) -> list[Row]:
        (prompt,) = self.prompts()
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(**_case(d.sample), **shown.fill()), *shown.pictures),
            reply=JudgementReply,
            about=d.sample_id,
            typical=_typical,
            check=_complaint,
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            return [d.row(self.name, "", None, None, model, f"no readable reply: {error.kind}", error.request_hash)]
        if wrong := _complaint(answered.value):
            return [d.row(self.name, "", None, None, model, f"no readable reply: {wrong}", answered.request_hash)]
        scores = answered.value.scores()
        mean = sum(scores.values()) / len(scores)
        words = ", ".join(f"{name.replace('_', ' ')} {score}" for name, score in scores.items())
        detail = f"{words}; {answered.value.problem}" if answered.value.problem else words
        whole = d.row(
            self.name, "", min(scores.values()) >= self.params.least, (mean - 1) / (BEST - 1), model, detail,
            answered.request_hash,
        )  # fmt: skip
        each = [
            d.row(
                self.name, name, score >= self.params.least, (score - 1) / (BEST - 1), model, "", answered.request_hash
            )
            for name, score in scores.items()
        ]
        return [whole, *each]


def _case(sample: Sample) -> dict[str, str]:
    listed = "\n".join(f"- {plain_words(option.text)}" for option in sample.options)
    steps = "\n".join(plain_words(step) for step in sample.rationale)
    return {
        "question": question_of(sample, listed),
        "answer": said_answer(sample),
        "reasons": f"Reasons given for it:\n{steps}" if steps else "",
    }


def _complaint(reply: JudgementReply) -> str:
    wrong = [f"{name} is {score}" for name, score in reply.scores().items() if not 1 <= score <= BEST]
    return f"{', '.join(wrong)}; scores are from 1 to {BEST}" if wrong else ""


def _typical() -> JudgementReply:
    return JudgementReply(
        grounded=5, correct=5, answerable=4, unambiguous=5, well_worded=5,
        problem="Part of what is asked about can hardly be seen in the footage.",
    )  # fmt: skip


ANNOTATOR = Judge
