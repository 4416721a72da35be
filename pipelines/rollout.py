"""`rollout`: a model under test answers stored samples k times, with the frames that its trainer would show, and is scored.

Questions go through the client of the builds: the record of calls, limits and the hard budget hold, so that a run that was
stopped goes on where it was, and a second one asks nothing. A reply that cannot be used counts 0 and stays on record with
its reason; a question that never got a reply (endpoint down, budget spent) leaves its sample out until the next run.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..engine.catalog import Catalog
from ..engine.llm.ask import Ask, Part, Still
from ..engine.llm.errors import BudgetSpent, EndpointDown, EndpointRefuses, ReplyRejected
from ..engine.llm.live import LiveModels
from ..engine.llm.log import open_record
from ..engine.llm.loop import run
from ..engine.llm.models import Models
from ..engine.llm.prompts import Prompt, read_prompt
from ..engine.llm.record import CallRecord
from ..engine.llm.settings import BudgetSettings, ModelSettings, Spent
from ..outputs.posed import Look, Posed
from ..outputs.rewards import check
from .rollout_source import Choice, Group, RolloutSource

PRODUCER = "rollout"
MIN_TIOU = 0.5
"""Score from which a span counts as right, as for the baselines of the ladder."""
TIMED = ("tiou", "span_set", "viou")
Told = Callable[[int, int], None]


class AnswerReply(BaseModel):
    """The answer to one question."""

    model_config = ConfigDict(extra="forbid")
    answer: str


class ThoughtAnswerReply(BaseModel):
    """The answer to one question, after a thought."""

    model_config = ConfigDict(extra="forbid")
    thought: str
    answer: str


@dataclass(frozen=True)
class RolloutSettings:
    """What is rolled out, and how."""

    model: ModelSettings
    choice: Choice
    attempts: int = 8
    temperature: float = 1.0
    think: bool = False
    budget: BudgetSettings = field(default_factory=BudgetSettings)


@dataclass(frozen=True)
class Attempt:
    """One attempt at one sample: the mean of the rewards of its questions."""

    sample_id: str
    task: str
    media_id: str
    number: int
    reward: float
    correct: bool
    reply: str
    reason: str
    request_hash: str
    frames: int


@dataclass
class Rolled:
    """What came of a run."""

    attempts: list[Attempt] = field(default_factory=list)
    samples: int = 0
    """Samples that were chosen and posed."""
    left_out: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    """Replies that could not be used, by kind; each counts 0."""
    failed: Counter[str] = field(default_factory=Counter)
    """Samples without all their replies, by reason; nothing is written of them."""
    calls: int = 0
    cached: int = 0
    thinned: int = 0
    """Samples that show fewer frames than the profile draws, because `--max-frames` holds no more."""
    from_stored: int = 0
    spent: Spent = field(default_factory=Spent)


def roll(root: Path, settings: RolloutSettings, run_id: str, told: Told | None = None) -> Rolled:
    """Ask and score; nothing is written but the record of calls.

    Raises `UsageError` when nothing fits, `QueryError` for a condition that is no SQL.
    """
    rolled = Rolled()
    with Catalog(root) as catalog:
        source = RolloutSource(catalog, settings.choice)
        with open_record(root, catalog) as record:
            run(_Run(settings, source, record, run_id, rolled, told).all())
    rolled.left_out, rolled.thinned, rolled.from_stored = source.left_out, source.thinned, source.from_stored
    return rolled


@dataclass
class _Run:
    """One run in its event loop; samples are posed, and their pictures made, in a thread beside it."""

    settings: RolloutSettings
    source: RolloutSource
    record: CallRecord
    run_id: str
    rolled: Rolled
    told: Told | None
    ended: str = ""
    """Why no further question is asked."""
    done: int = 0

    async def all(self) -> None:
        prompt = read_prompt("rollout")
        loop = asyncio.get_running_loop()
        live = LiveModels(
            {PRODUCER: self.settings.model},
            self.settings.budget,
            self.record,
            None,
            self.run_id,
            spent=self.rolled.spent,
        )
        with ThreadPoolExecutor(1) as worker:
            async with live:
                coming = loop.run_in_executor(worker, self.source.next_group)
                while (group := await coming) is not None and not self.ended:
                    coming = loop.run_in_executor(worker, self.source.next_group)
                    await self._group(live.of(PRODUCER), prompt, group)
        if self.ended:
            before = sum(self.rolled.failed.values()) + len({a.sample_id for a in self.rolled.attempts})
            self.rolled.failed[self.ended] += max(0, self.source.total - before)
        self.rolled.samples = sum(self.rolled.failed.values()) + len({a.sample_id for a in self.rolled.attempts})

    async def _group(self, models: Models, prompt: Prompt, group: Group) -> None:
        jobs = [(questions, number) for questions in group.questions for number in range(self.settings.attempts)]

        async def one(job: tuple[Sequence[Posed], int]) -> Attempt | str:
            if self.ended:
                return self.ended
            questions, number = job
            made = await self._attempt(models, prompt, questions, group.stills[questions[0].sample_id], number)
            self.done += 1
            if self.told is not None:
                self.told(self.done, self.source.total * self.settings.attempts)
            return made

        found: dict[str, list[Attempt | str]] = defaultdict(list)
        for (questions, _), made in zip(jobs, await models.each(jobs, one), strict=True):
            found[questions[0].sample_id].append(made)
        for made_all in found.values():
            reasons = [made for made in made_all if isinstance(made, str)]
            if reasons:
                self.rolled.failed[reasons[0]] += 1
            else:
                self.rolled.attempts += [made for made in made_all if isinstance(made, Attempt)]

    async def _attempt(
        self, models: Models, prompt: Prompt, questions: Sequence[Posed], pictures: Mapping[Look, Still], number: int
    ) -> Attempt | str:
        """One attempt, or why there is none."""
        scores, right, replies, reasons, hashes = [], True, [], [], []
        for posed in questions:
            ask = self._ask(prompt, posed, pictures, number)
            try:
                answered = await models.ask(ask)
            except ReplyRejected as error:
                self.rolled.unusable[error.kind] += 1
                scores.append(0.0)
                right = False
                reasons.append(f"{error.kind}: {error.reason}")
                hashes.append(error.request_hash)
                continue
            except BudgetSpent as error:
                self.ended = f"budget spent: {error}"
                return self.ended
            except (EndpointDown, EndpointRefuses) as error:
                return str(error)
            self.rolled.cached += answered.cached
            self.rolled.calls += not answered.cached
            said = answered.value.answer
            found = check({"reward": posed.reward}, said)
            scores.append(found.score)
            right = right and (found.ok or (posed.reward["verifier"] in TIMED and found.score >= MIN_TIOU))
            replies.append(said)
            hashes.append(answered.request_hash)
            if not found.ok and found.reason:
                reasons.append(found.reason)
        first = questions[0]
        return Attempt(
            first.sample_id, first.task, first.media_id, number, sum(scores) / len(scores), right,
            "\n".join(replies), "; ".join(reasons), hashes[0], first.shown,
        )  # fmt: skip

    def _ask(self, prompt: Prompt, posed: Posed, pictures: Mapping[Look, Still], number: int) -> Ask[Any]:
        seen = self.settings.model.sees != "nothing"
        before, _, after = prompt.fill(question="\x00", form=posed.form).partition("\x00")
        parts: list[Part] = [before.strip()] if before.strip() else []
        for item in posed.content:
            if isinstance(item, str):
                parts.append(item)
            elif seen:
                parts.append(pictures[item])
        parts.append(after.strip())
        return Ask(
            PRODUCER, prompt, tuple(parts), ThoughtAnswerReply if self.settings.think else AnswerReply,
            about=posed.sample_id, sample=number, temperature=self.settings.temperature,
        )  # fmt: skip
