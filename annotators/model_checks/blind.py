"""Can it be guessed? A reader who sees nothing of the footage answers from the wording alone.

Each reply gets the options in another order. A question counts as guessable when so many right replies would come about by
chance in at most 5% of cases; with few replies or two options that may never be certain, and then nothing is said. What a
question of one kind gives away over a whole dataset is measured by the `ladder`, without any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb, factorial
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, Stage, Unit
from ...engine.asking import Asking
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.sample import ChoiceAnswer, OrderAnswer, Sample
from .answers import put, puttable
from .drawing import CheckParams, Drawn, drawn

SURPRISING = 0.05


class BlindParams(CheckParams):
    """Parameters of `blind`."""

    model: str = Field("blind", description="role of `models:` that guesses")
    replies: int = Field(3, ge=1, le=16, description="independent replies to each question, options in another order")
    temperature: float | None = Field(0.7, ge=0, description="of the replies after the first; null: that of the role")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class Blind(Asking[BlindParams]):
    """Writes `sample_checks` of the name `blind` about choices and orders."""

    name: ClassVar[str] = "blind"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = BlindParams
    reads: ClassVar[tuple[str, ...]] = ("samples",)
    writes: ClassVar[tuple[str, ...]] = ("sample_checks",)
    stage: ClassVar[Stage] = "task"

    def roles(self) -> tuple[str, ...]:
        """The one who guesses."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("blind", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """A row per sample. Raises `SkipUnit` when there is nothing to guess."""
        chosen = drawn(rows, unit, self.name, self.params, guessable)
        asked = [(d, n) for d in chosen for n in range(self.params.replies)]

        async def one(which: tuple[Drawn, int]) -> tuple[bool | None, str, str]:
            return await self._one(*which, models)

        replies = await models.each(asked, one)
        model = models.settings(self.params.model).name
        found = []
        for i, d in enumerate(chosen):
            mine = replies[i * self.params.replies : (i + 1) * self.params.replies]
            found.append(self._row(d, mine, model))
        return found

    async def _one(self, d: Drawn, number: int, models: Models) -> tuple[bool | None, str, str]:
        (prompt,), question = self.prompts(), put(d.sample, number)
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(question=question.text),),
            reply=question.reply,
            about=d.sample_id,
            sample=number,
            temperature=self.params.temperature if number else None,
            typical=question.typical,
            check=question.complaint,
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            return None, error.kind, error.request_hash
        wrong = question.complaint(answered.value)
        return None if wrong else question.grade(answered.value).ok, wrong, answered.request_hash

    def _row(self, d: Drawn, replies: Sequence[tuple[bool | None, str, str]], model: str) -> Row:
        readable = [right for right, _, _ in replies if right is not None]
        right, chance = sum(readable), chance_of(d.sample)
        if not readable:
            return d.row(self.name, "", None, None, model, f"no readable reply: {replies[0][1]}", replies[0][2])
        share = right / len(readable)
        score = 1 - max(0.0, share - chance) / (1 - chance)
        detail = f"{right} of {len(readable)} right, chance {chance:.2g}"
        return d.row(self.name, "", passed(right, len(readable), chance), score, model, detail, replies[0][2])


def guessable(sample: Sample) -> bool:
    """Whether a blind reader can be asked: a choice or an order in words, with at least two options."""
    told = any(ref.kind == "text" for ref in sample.media)
    return (
        isinstance(sample.answer, (ChoiceAnswer, OrderAnswer))
        and len(sample.options) >= 2
        and puttable(sample)
        and not told
    )


def chance_of(sample: Sample) -> float:
    """How often a blind guess is right."""
    n = len(sample.options)
    return 1 / factorial(n) if isinstance(sample.answer, OrderAnswer) else 1 / n


def passed(right: int, replies: int, chance: float) -> bool | None:
    """False: so many right replies are no chance; None: all were right, and even that could be."""
    if tail(right, replies, chance) <= SURPRISING:
        return False
    return None if right == replies else True


def tail(right: int, replies: int, chance: float) -> float:
    """Probability of at least so many right replies by guessing."""
    return sum(comb(replies, k) * chance**k * (1 - chance) ** (replies - k) for k in range(right, replies + 1))


ANNOTATOR = Blind
