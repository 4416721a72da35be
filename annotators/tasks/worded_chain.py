"""Samples of other tasks with their chain of reasoning in natural words: a model words the steps, and decides nothing.

The steps come from the task's own run (`trace`), are replayed, and are handed over with slots in the place of times, places
and quotations. Each sentence that comes back must keep its step's slots and say neither more nor less (`schemas/chain_words.py`);
one wrong sentence rejects the chain. The sample is its original with these sentences as rationale: it cites it, stands and
falls with it, and is checked by recording, replaying and filling in the chain again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.configured import Cited, Configured, by_id, tasks_of
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import plain
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Broken, Step, problems, replay, same_answer
from ...schemas.chain_words import Line, chain_facts, lines_of, renamed, reworded
from ...schemas.facts import Facts
from ...schemas.sample import Sample, TurnsAnswer
from ...schemas.tables import TABLES
from ...schemas.verifying import Check
from .common import RowDict, Withheld, cite, only_row, rebuilt, shuffled
from .proposed import PROPOSAL_COLUMNS, Refused
from .talk import SAMPLE_COLUMNS

LETTERS = "abcdefghijklmnop"


class WordedChainItem(BaseModel):
    """One chain in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str
    sentences: list[str]


class WordedChainReply(BaseModel):
    """Chains in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chains: list[WordedChainItem]


class Params(BaseParams):
    """Parameters of worded_chain."""

    model: str = Field("writer", description="Role of `models:` that words the steps.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )
    per_medium: int = Field(24, ge=1, description="Samples per medium, at most; drawn by hash.")
    per_request: int = Field(4, ge=1, le=len(LETTERS), description="Chains that are worded by one request.")
    lines: tuple[int, int] = Field((2, 14), description="Least and greatest number of steps that say something.")
    tasks: tuple[str, ...] | None = Field(None, description="Only samples of these tasks.")
    configured: Configured = Field(
        default_factory=dict, description="Filled in by the recipe: its tasks as it configured them."
    )


@dataclass(frozen=True)
class Reasoned:
    """A sample with the chain to its answer."""

    row: RowDict
    sample: Sample
    lines: tuple[Line, ...]
    facts: Facts

    def told(self, letter: str) -> str:
        """The chain as the prompt tells it."""
        steps = [f"{i}. {renamed(line.text, letter)}" for i, line in enumerate(self.lines, start=1)]
        known = [renamed_line(fact.line(), letter) for fact in self.facts.values()]
        asked = plain(self.sample.turns[0].text)
        return "\n".join((f"Chain {letter}, whose question is: {asked}", *steps, "where", *known))


class WordedChain(AskingTask[Params]):
    """Samples from `samples` of one medium, and the chains behind them."""

    name: ClassVar[str] = "worded_chain"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("samples",)
    optional_reads: ClassVar[tuple[str, ...]] = tuple(name for name in TABLES if name != "samples")
    """What a task cannot do without is its own to say."""
    must_hurt: ClassVar[tuple[Solver, ...]] = ()
    """Its questions are those of other tasks, which are measured there."""

    @cached_property
    def tasks(self) -> dict[str, Task[Any]]:
        """The recipe's other tasks by producer."""
        return tasks_of(self.params.configured)

    def dynamic_reads(self) -> tuple[str, ...]:
        """Samples and everything that the tasks rest on."""
        read = {table for task in self.tasks.values() for table in task.dynamic_reads()}
        return ("samples", *sorted(read - {"samples", "proposals"}))

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The chain of the sample that was worded."""
        return self._traced(only_row(evidence, "samples"), evidence)[1]

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """At most `per_medium` samples; chains that come back changed are rejected."""
        waiting = self._waiting(unit, rows)
        if not waiting:
            raise SkipUnit("no samples with a chain to word")
        size = self.params.per_request
        groups = [waiting[i : i + size] for i in range(0, len(waiting), size)]
        landing = Landing(unit, self.name)

        async def one(group: Sequence[Reasoned]) -> Answered[WordedChainReply] | ReplyRejected:
            try:
                return await models.ask(self._ask(unit.unit, group))
            except ReplyRejected as error:
                return error

        for group, reply in zip(groups, await models.each(groups, one), strict=True):
            if isinstance(reply, ReplyRejected):
                landing.rejected_reply(reply, self._ask(unit.unit, group))
                continue
            for i, item in enumerate(reply.value.chains):
                self._land(landing, unit.recipe, reply, i, item, group)
            if not reply.value.chains:
                landing.rejected_reply(
                    ReplyRejected("empty", "no chain was worded", reply.request_hash), self._ask(unit.unit, group)
                )
        return landing.rows()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Record and replay the chain of the cited sample again, and fill in the proposed sentences."""

        def build() -> Sample:
            row, proposal = only_row(evidence, "samples"), only_row(evidence, "proposals")
            reasoned = self._reasoned(row, evidence)
            return self._build(sample.recipe, reasoned, proposal)

        return rebuilt(sample, build)

    # -- which ------------------------------------------------------------------------------------------------------

    def _waiting(self, unit: Unit, rows: Rows) -> list[Reasoned]:
        wanted, lookup, done = self.params.tasks, Cited(rows), set[str]()
        found: list[Reasoned] = []
        for row in shuffled(rows["samples"], unit.seed, self.name, key=lambda r: r["row_id"]):
            if row["producer"] not in self.tasks or (wanted is not None and row["task"] not in wanted):
                continue
            if row["sample_id"] in done or len(found) == self.params.per_medium:
                continue
            done.add(row["sample_id"])
            try:
                evidence = lookup.evidence(Sample.from_row(row))
                if not isinstance(evidence, str):
                    found.append(self._reasoned(row, evidence))
            except (Withheld, ValueError, KeyError, TypeError):
                continue  # no chain, or a sample that its verdict finds wrong
        return found

    def _traced(self, row: RowDict, evidence: Sequence[EvidenceRow]) -> tuple[Sample, tuple[Step, ...]]:
        """The sample of a row and its chain, recorded from the rows that it cites. Raises `Withheld`."""
        task, sample = self.tasks.get(str(row["producer"])), Sample.from_row(row)
        if task is None or isinstance(sample.answer, TurnsAnswer):
            raise Withheld(f"samples of {row['producer']} have no chain")
        known = {(e.table, str(e.row["row_id"])): e for e in evidence}
        own = [known.get((e.table, e.row_id)) for e in sample.evidence]
        if None in own:
            raise Withheld("a row of the cited sample is not cited")
        return sample, task.trace(sample, [e for e in own if e is not None])

    def _reasoned(self, row: RowDict, evidence: Sequence[EvidenceRow]) -> Reasoned:
        """A sample with its chain in lines. Raises `Withheld` for a chain that is none, or does not give the answer."""
        sample, steps = self._traced(row, evidence)
        lines = tuple(lines_of(steps))
        least, most = self.params.lines
        if problems(steps) or not least <= len(lines) <= most:
            raise Withheld(f"a chain of {len(lines)} lines")
        run = replay(steps, by_id(evidence))
        if isinstance(run, Broken) or not same_answer(run.answer, sample.answer):
            raise Withheld("the chain does not give the answer")
        return Reasoned(row, sample, lines, chain_facts(steps, run.values, row))

    # -- wording ----------------------------------------------------------------------------------------------------

    def _ask(self, about: str, group: Sequence[Reasoned]) -> Ask[WordedChainReply]:
        prompt = self.prompts()[0]
        chains = "\n\n".join(r.told(letter) for r, letter in zip(group, LETTERS, strict=False))
        return Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(count=str(len(group)), chains=chains),),
            reply=WordedChainReply,
            about=about,
            typical=lambda: _typical(group),
            check=lambda reply: self._complaint(reply, group),
        )

    def _complaint(self, reply: WordedChainReply, group: Sequence[Reasoned]) -> str:
        found = []
        for item in reply.chains:
            try:
                _sentences(item, group)
            except Refused as problem:
                found.append(f"chain {item.chain}: {problem.rule}: {problem.reason}")
        missing = len(group) - len({item.chain for item in reply.chains})
        if missing > 0:
            found.append(f"{missing} chains are missing")
        return "; ".join(found[:4])

    def _land(
        self,
        landing: Landing,
        recipe: str,
        reply: Answered[WordedChainReply],
        number: int,
        item: WordedChainItem,
        group: Sequence[Reasoned],
    ) -> None:
        at = LETTERS.find(item.chain) if len(item.chain) == 1 else -1
        reasoned = group[at] if 0 <= at < len(group) else None
        own = item if reasoned is None else WordedChainItem(chain="s", sentences=_renamed(item))
        facts = reasoned.facts if reasoned is not None else Facts()
        row = landing.proposal(reply, number, own, facts, reasoned.sample.clip_id if reasoned else None)
        try:
            if reasoned is None:
                raise Refused("unknown_chain", f"there is no chain {item.chain!r}")
            sample = self._build(recipe, reasoned, row)
        except Refused as problem:
            landing.reject(row, problem.rule, problem.reason)
        else:
            landing.land(row, sample)

    def _build(self, recipe: str, reasoned: Reasoned, proposal: RowDict) -> Sample:
        """The original with the proposed sentences as rationale. Raises `Refused`."""
        item = WordedChainItem.model_validate_json(proposal["proposal_json"])
        sentences = _filled(item.sentences, reasoned)
        original = reasoned.sample
        return original.model_copy(
            update={
                "task": self.name,
                "recipe": recipe,
                "rationale": sentences,
                "evidence": (
                    cite("samples", reasoned.row, SAMPLE_COLUMNS),
                    *original.evidence,
                    cite("proposals", proposal, PROPOSAL_COLUMNS),
                ),
                "difficulty": {**original.difficulty, "steps": float(len(sentences))},
                "generator": f"{self.name}@{self.version}",
            }
        )


def renamed_line(line: str, letter: str) -> str:
    """A line of evidence with its name written for another chain."""
    return letter + line[1:]


def _renamed(item: WordedChainItem) -> list[str]:
    """The sentences with slots named as the steps are."""
    return [renamed(sentence, "s", item.chain) for sentence in item.sentences]


def _sentences(item: WordedChainItem, group: Sequence[Reasoned]) -> tuple[str, ...]:
    """The filled sentences of one item. Raises `Refused`."""
    at = LETTERS.find(item.chain) if len(item.chain) == 1 else -1
    if not 0 <= at < len(group):
        raise Refused("unknown_chain", f"there is no chain {item.chain!r}")
    return _filled(_renamed(item), group[at])


def _filled(sentences: Sequence[str], reasoned: Reasoned) -> tuple[str, ...]:
    """Sentences with their slots filled in, each held against its step. Raises `Refused`."""
    if len(sentences) != len(reasoned.lines):
        raise Refused("other_steps", f"{len(sentences)} sentences for {len(reasoned.lines)} steps")
    found = []
    for sentence, line in zip(sentences, reasoned.lines, strict=True):
        said = reworded(" ".join(sentence.split()), line, reasoned.facts, reasoned.sample.window)
        for problem in said.problems:
            raise Refused(problem.rule, problem.detail)
        if not said.text.strip():
            raise Refused("empty", "a sentence is empty")
        found.append(said.text)
    return tuple(found)


def _typical(group: Sequence[Reasoned]) -> WordedChainReply:
    items = [
        WordedChainItem(chain=letter, sentences=[renamed(f"I see: {line.text}", letter) for line in r.lines])
        for r, letter in zip(group, LETTERS, strict=False)
    ]
    return WordedChainReply(chains=items)


ANNOTATOR = WordedChain
