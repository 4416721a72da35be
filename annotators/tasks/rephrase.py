"""Template questions in natural words: a model rewords questions and answer sentences whose values it never sees.

Every value is a slot while the model writes, and is put back by code; the reworded sample keeps answer, options, evidence and
window of its original, which it cites, so that it is as right and as true as that one. What could change the sense is
rejected by rules on words (`rewording_rules.py`). Answers without a slot, and bare ones, keep their form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow
from ...schemas.facts import Fact, Facts
from ...schemas.markup import MarkupError, SpanMark, Text, parse
from ...schemas.sample import AbsentAnswer, ChoiceAnswer, Sample, Turn
from ...schemas.slots import SlotProblem
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import RowDict, Withheld, cite, only_row, rebuilt, shuffled, spread
from .rewording import Masked, masked, unmasked, without_slots
from .rewording_rules import Meant, answer_problem, asked_in, bases_of, question_problem

TASK = "rephrase"
SAMPLE_COLUMNS = ("sample_id", "task", "window_start_s", "window_end_s", "turns", "answer_json")
PROPOSAL_COLUMNS = ("proposal_json", "request_hash", "item")
TEMPLATE_TASKS = (
    "camera_motion", "frame_choice", "frame_order", "moment_choice", "motion_direction", "motion_statistics", "span_choice",
    "speech_grounding", "temporal_grounding", "text_grounding", "transcript_sorting",
)  # fmt: skip
"""Tasks whose questions come from wordings files and whose answers follow from rows."""
_ASKS: dict[str, tuple[str, ...]] = {
    "span": ("when",), "spans": ("when",), "box": ("where",), "span_box": ("when", "where"), "order": ("order",),
}  # fmt: skip


class RewordedQuestion(BaseModel):
    """One question and its answer in other words."""

    model_config = ConfigDict(extra="forbid")

    sample: str = Field(description="name of the question, such as s1")
    question: str = Field(description="the question in other words, with the same slots")
    answer: str | None = Field(description="the answer in other words, with the same slots; null to keep it")


class RephraseReply(BaseModel):
    """Questions in other words."""

    model_config = ConfigDict(extra="forbid")

    items: list[RewordedQuestion] = Field(description="one for each question that was reworded")


class RephraseParams(Params):
    """Parameters of rephrase."""

    model: str = Field("writer", description="role of `models:` that rewords.")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )
    tasks: tuple[str, ...] = Field(TEMPLATE_TASKS, description="Tasks whose questions are reworded.")
    per_medium: int = Field(24, ge=1, description="Samples per medium that are reworded, at most; spread over tasks.")
    batch: int = Field(8, ge=1, le=40, description="Questions of one request.")
    min_change: float = Field(0.25, ge=0, le=1, description="Share of the words of a question that must differ.")
    answers: bool = Field(True, description="Reword the sentences around answers as well.")


@dataclass(frozen=True)
class Original:
    """A sample with its question and answer put into slots."""

    row: RowDict
    sample: Sample
    question: Masked
    answer: Masked | None
    """None: its answer keeps its form."""
    meant: Meant


class Rephrase(AskingTask[RephraseParams]):
    """Samples from `samples` of one medium, in other words."""

    name: ClassVar[str] = TASK
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = RephraseParams
    reads: ClassVar[tuple[str, ...]] = ("media", "samples")
    must_hurt = ()

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("rephrase", self.params.prompt, self.folder),)

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """That of its original: the answers of template tasks follow from rows."""
        tasks = [e.values.get("task") for e in sample.evidence if e.table == "samples"]
        return "recomputed" if tasks and all(task in TEMPLATE_TASKS for task in tasks) else "unchecked"

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Reworded samples of a medium. Raises `SkipUnit` when it has none that can be reworded."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        mine = [r for r in rows["samples"] if r["media_id"] == media_id and r["task"] in self.params.tasks]
        originals = [o for o in (original_of(row, self.params.answers) for row in mine) if o is not None]
        if not originals:
            raise SkipUnit("no sample that can be reworded")
        ordered = shuffled(originals, unit.seed, TASK, key=lambda o: o.sample.sample_id)
        chosen = spread(ordered, lambda o: (o.sample.task, o.sample.answer.kind), self.params.per_medium)
        batches = [chosen[i : i + self.params.batch] for i in range(0, len(chosen), self.params.batch)]
        landing = Landing(unit, TASK)

        async def one(batch: Sequence[Original]) -> None:
            await self._one(unit, batch, models, landing)

        await models.each(batches, one)
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Reword the cited sample again from the cited proposal, by the same rules."""

        def build() -> Sample:
            member, proposal = only_row(evidence, "samples"), only_row(evidence, "proposals")
            original = original_of(member, self.params.answers)
            if original is None:
                raise Withheld("the cited sample cannot be reworded")
            item = RewordedQuestion.model_validate(json.loads(proposal["proposal_json"]))
            shown = {json.loads(e["values_json"])["name"]: e["row_id"] for e in proposal["evidence"]}
            if shown.get(item.sample) != member["row_id"]:
                raise Withheld("the proposal is about another sample")
            return self._reworded(sample.recipe, original, item, proposal)

        return rebuilt(sample, build)

    async def _one(self, unit: Unit, batch: Sequence[Original], models: Models, landing: Landing) -> None:
        named = {f"s{i}": original for i, original in enumerate(batch, start=1)}
        facts = Facts(_fact(name, o) for name, o in named.items())
        (prompt,) = self.prompts()
        question = prompt.fill(count=str(len(batch)), questions="\n".join(_line(n, o) for n, o in named.items()))
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(question,),
            reply=RephraseReply,
            about=f"{unit.unit} {len(batch)} questions",
            typical=lambda: _typical(named),
            check=lambda reply: self._complaint(reply, named),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask)
            return
        done: set[str] = set()
        for position, item in enumerate(answered.value.items):
            original = named.get(item.sample)
            row = landing.proposal(answered, position, item, facts, original.sample.clip_id if original else None)
            if original is None or item.sample in done:
                landing.reject(row, "unknown_evidence", f"{item.sample} was not asked for, or is done already")
                continue
            problem = self._problem(original, item)
            if problem is not None:
                landing.reject(row, problem.rule, problem.detail)
                continue
            done.add(item.sample)
            try:
                landing.land(row, self._reworded(unit.recipe, original, item, row))
            except Withheld as reason:
                landing.reject(row, "malformed", str(reason))
        if not answered.value.items:
            landing.nothing(answered, facts)

    def _complaint(self, reply: RephraseReply, named: dict[str, Original]) -> str:
        """What is wrong, when most of a reply is: a few lost questions are cheaper than asking again."""
        found = []
        for item in reply.items:
            original = named.get(item.sample)
            problem = (
                SlotProblem("unknown_evidence", "was not asked for")
                if original is None
                else self._problem(original, item)
            )
            if problem is not None and problem.rule != "unchanged":
                found.append(f"{item.sample}: {problem.detail}")
        return "; ".join(found[:5]) if 2 * len(found) > len(named) else ""

    def _problem(self, original: Original, item: RewordedQuestion) -> SlotProblem | None:
        found = question_problem(original.question, item.question, original.meant, self.params.min_change)
        if found is None and item.answer is not None and original.answer is not None:
            found = answer_problem(original.answer, item.answer)
        return found

    def _reworded(self, recipe: str, original: Original, item: RewordedQuestion, proposal: RowDict) -> Sample:
        """The original in other words. Raises `Withheld` when the words break a rule."""
        problem = self._problem(original, item)
        if problem is not None:
            raise Withheld(str(problem))
        old = original.sample
        answered = old.turns[1]
        if original.answer is not None and item.answer is not None:
            answered = Turn(role="assistant", text=unmasked(original.answer, item.answer))
        sample = old.model_copy(
            update={
                "task": TASK,
                "recipe": recipe,
                "turns": (Turn(role="user", text=unmasked(original.question, item.question)), answered),
                "pair_id": None,
                "evidence": (
                    cite("samples", original.row, SAMPLE_COLUMNS),
                    cite("proposals", proposal, PROPOSAL_COLUMNS),
                    *old.evidence,
                ),
                "generator": f"{self.name}@{self.version}",
            }
        )
        for malformed in sample.problems():
            raise Withheld(malformed)
        return sample


def original_of(row: RowDict, answers: bool = True) -> Original | None:
    """The sample of a row as it can be reworded; None for one with several questions, or that is malformed."""
    try:
        sample = Sample.from_row(row)
        if [t.role for t in sample.turns] != ["user", "assistant"]:
            return None
        question, answer = masked(sample.turns[0].text), masked(sample.turns[1].text)
    except (ValueError, KeyError, TypeError):
        return None
    if question is None:
        return None
    fixed = answer is None or not answer.slots or without_slots(answer.words).strip(" \x01.,") == ""
    return Original(row, sample, question, None if fixed or not answers else answer, _meant(sample, question))


def _meant(sample: Sample, question: Masked) -> Meant:
    texts = [
        str(e.values["text"])
        for e in sample.evidence
        if e.table in ("captions", "speech", "text_regions") and "text" in e.values
    ]
    return Meant(_asks(sample, question), bases_of(texts), _telling(sample))


def _asks(sample: Sample, question: Masked) -> frozenset[str]:
    """What the question is for, by the kind of its answer; of something absent, by its words."""
    if isinstance(sample.answer, AbsentAnswer):
        return asked_in(question.words) & {"when", "where"}
    if sample.options and all(any(isinstance(t, SpanMark) for t in parse(o.text)) for o in sample.options):
        return frozenset({"when"})
    return frozenset(_ASKS.get(sample.answer.kind, ()))


def _telling(sample: Sample) -> frozenset[str]:
    """Words that only the right option has."""
    if not isinstance(sample.answer, ChoiceAnswer):
        return frozenset()
    words = [bases_of([_plain(o.text)]) for o in sample.options]
    right = words[sample.answer.index]
    return right.difference(*(w for i, w in enumerate(words) if i != sample.answer.index))


def _plain(markup: str) -> str:
    try:
        return "".join(t.text for t in parse(markup) if isinstance(t, Text))
    except MarkupError:
        return markup


def _fact(name: str, original: Original) -> Fact:
    window: Span = original.sample.window
    return Fact(name, "sample", "samples", original.row, window, text=original.question.words)


def _line(name: str, original: Original) -> str:
    """A question as the model sees it, on one line."""
    asked = " ".join(original.question.words.split())
    kind = f" [{_WANTED[k]}]" if (k := original.sample.answer.kind) in _WANTED else ""
    return f"{name} (sample): {asked}{kind} =>" + (f" {original.answer.words}" if original.answer else "")


_WANTED = {"choice": "lets choose among options", "order": "asks for the order of options", "box": "asks for a place"}


def _typical(named: dict[str, Original]) -> RephraseReply:
    """Rewordings of usual length."""
    return RephraseReply(
        items=[
            RewordedQuestion(
                sample=name,
                question=f"Going by what is to be seen and heard in the footage, kindly tell me this: {o.question.words}",
                answer=o.answer.words if o.answer else None,
            )
            for name, o in named.items()
        ]
    )


ANNOTATOR = Rephrase
