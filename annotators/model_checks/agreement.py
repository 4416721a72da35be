"""Does a model that gets the evidence find the same answer? Several independent replies, and how many agree with the key.

Agreement is no proof: question, key and answering model may share a mistake. Disagreement of all replies is the more
telling. Free answers are compared by words, spans by tIoU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, Stage, Unit
from ...engine.asking import Asking
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.sample import Sample
from .answers import put, puttable
from .drawing import CheckParams, Drawn, drawn, of_medium, proposed
from .seen import COLUMNS, TABLES, Seen, seen


class AgreementParams(CheckParams):
    """Parameters of `agreement`."""

    model: str = Field("checker", description="role of `models:` that answers")
    replies: int = Field(3, ge=1, le=16, description="independent replies to each question")
    temperature: float | None = Field(0.7, ge=0, description="of the replies after the first; null: that of the role")
    min_share: float = Field(0.5, gt=0, le=1, description="share of replies that must agree with the key")
    most_facts: int = Field(60, ge=1, description="evidence of one window, at most")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class Agreement(Asking[AgreementParams]):
    """Writes `sample_checks` of the name `agreement` about samples that a model proposed, or of the named tasks."""

    name: ClassVar[str] = "agreement"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = AgreementParams
    reads: ClassVar[tuple[str, ...]] = ("samples", *TABLES)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    optional_reads: ClassVar[tuple[str, ...]] = TABLES
    writes: ClassVar[tuple[str, ...]] = ("sample_checks",)
    stage: ClassVar[Stage] = "task"
    on_request: ClassVar[bool] = True

    def roles(self) -> tuple[str, ...]:
        """The one who answers."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("answer", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """A row per sample. Raises `SkipUnit` when there is no sample to answer."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        named = self.params.tasks is not None

        def wanted(sample: Sample) -> bool:
            return sample.media[0].media_id == media_id and puttable(sample) and (named or proposed(sample))

        chosen, mine = drawn(rows, unit, self.name, self.params, wanted), of_medium(rows, media_id)
        shown = {
            d.sample_id: seen(d.sample, mine, models, self.params.model, most_facts=self.params.most_facts)
            for d in chosen
        }
        asked = [(d, n) for d in chosen for n in range(self.params.replies) if not shown[d.sample_id].nothing]

        async def one(which: tuple[Drawn, int]) -> tuple[float | None, str]:
            d, n = which
            return await answered(d, n, shown[d.sample_id], self, self.params.model, self.params.temperature, models)

        got = dict(zip([(d.sample_id, n) for d, n in asked], await models.each(asked, one), strict=True))
        model = models.settings(self.params.model).name
        return [self._row(d, [got[k] for k in sorted(got) if k[0] == d.sample_id], model) for d in chosen]

    def _row(self, d: Drawn, replies: Sequence[tuple[float | None, str]], model: str) -> Row:
        readable = [score for score, _ in replies if score is not None]
        if not readable:
            why = "no readable reply" if replies else "nothing is known of the window"
            return d.row(self.name, "", None, None, model, why, replies[0][1] if replies else None)
        share = sum(readable) / len(readable)
        detail = f"{sum(readable):g} of {len(readable)} replies agree with the key"
        return d.row(self.name, "", share >= self.params.min_share, share, model, detail, replies[0][1])


async def answered(
    d: Drawn, number: int, shown: Seen, check: Asking, role: str, temperature: float | None, models: Models
) -> tuple[float | None, str]:
    """(1 or 0 for a right or wrong answer, None for an unusable reply; the request's hash)."""
    (prompt,), question = check.prompts(), put(d.sample, number)
    ask = Ask(
        role=role,
        prompt=prompt,
        parts=(prompt.fill(question=question.text, **shown.fill()), *shown.pictures),
        reply=question.reply,
        about=d.sample_id,
        sample=number,
        temperature=temperature if number else None,
        typical=question.typical,
        check=question.complaint,
    )
    try:
        reply = await models.ask(ask)
    except ReplyRejected as error:
        return None, error.request_hash
    if question.complaint(reply.value):
        return None, reply.request_hash
    return float(question.grade(reply.value).ok), reply.request_hash


ANNOTATOR = Agreement
