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

from pydantic import BaseModel, ConfigDict, ValidationError

from ..engine.answering.trainer_profiles import Profile
from ..engine.catalog import Catalog
from ..engine.llm.ask import Ask, Part, Still
from ..engine.llm.errors import BudgetSpent, EndpointDown, EndpointRefuses, ReplyRejected
from ..engine.llm.live import LiveModels
from ..engine.llm.log import open_record
from ..engine.llm.models import Models
from ..engine.llm.prompts import Prompt, read_prompt
from ..engine.llm.settings import BudgetSettings, ModelSettings, Spent
from ..outputs.posed import Look, Posed, Size, pose
from ..outputs.posed_pictures import PosedPictures
from ..outputs.rendering import LeftOut
from ..outputs.rewards import check
from ..schemas.sample import Sample
from .console import UsageError

PRODUCER = "rollout"
GROUP_PICTURES = 2_000
"""Pictures that are held in memory for one group of samples, about; the next group's are made meanwhile."""
ALL_FRAMES = 1_000_000
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
    profile: Profile
    attempts: int = 8
    temperature: float = 1.0
    think: bool = False
    task: str | None = None
    where: str | None = None
    limit: int | None = None
    max_frames: int | None = None
    """Frames of one question, at most; None: all that the profile draws."""
    everything: bool = False
    """Also samples that the profile cannot answer."""
    seed: int = 0
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
    """Ask and score; nothing is written but the record of calls. Raises `UsageError` when nothing fits."""
    rolled = Rolled()
    with Catalog(root) as catalog:
        posed = _posed(catalog, settings, rolled)
        with open_record(root, catalog) as record:
            asyncio.run(_Run(settings, posed, PosedPictures(catalog), record, run_id, rolled, told).all())
    return rolled


def _posed(catalog: Catalog, settings: RolloutSettings, rolled: Rolled) -> list[list[Posed]]:
    """The questions of each chosen sample, samples in an order drawn by lot."""
    rows = _chosen(catalog, settings)
    sizes = {
        r["media_id"]: Size(r["width"] or 0, r["height"] or 0, r["fps"] or 0.0, r["duration_s"] or 0.0)
        for r in catalog.rows("SELECT media_id, width, height, fps, duration_s FROM media")
    }
    found = []
    for row in rows:
        if not row["answerable"] and not settings.everything:
            rolled.left_out[f"{settings.profile.name} does not show it: {row['rule']}"] += 1
            continue
        if settings.limit is not None and len(found) >= settings.limit:
            break
        try:
            sample = Sample.from_row(row)
            questions = pose(
                sample, row["sample_id"], row["frames"] or (), settings.profile, sizes,
                most=settings.max_frames or ALL_FRAMES, seed=settings.seed,
            )  # fmt: skip
        except LeftOut as reason:
            rolled.left_out[reason.rule] += 1
            continue
        except (ValidationError, ValueError, KeyError, TypeError):
            rolled.left_out["malformed"] += 1
            continue
        if questions:
            rolled.thinned += any(q.shown < q.drawn for q in questions)
            found.append(questions)
    rolled.samples = len(found)
    return found


def _chosen(catalog: Catalog, settings: RolloutSettings) -> list[dict[str, Any]]:
    """Rows of the samples that are asked for, with their frame plan. Raises `UsageError` where there are none."""
    name = settings.profile.name
    planned = {r["profile"] for r in catalog.rows("SELECT DISTINCT profile FROM frame_plans")}
    if name not in planned:
        have = ", ".join(sorted(planned)) or "none"
        raise UsageError(
            f"the dataset has no frame plans of profile {name} (it has: {have}); name it in the recipe's "
            f"`checks: {{frame_plans: {{profiles: [{name}]}}}}` and build again"
        )
    condition = f"coalesce(CAST(({settings.where}\n) AS BOOLEAN), false)" if settings.where else "true"
    rows = catalog.rows(
        f"""
        SELECT s.*, p.frames, p.answerable, p.rule
        FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
        JOIN (SELECT sample_id FROM sample_view WHERE passed AND grade <> 'refuted' AND ($task IS NULL OR task = $task)
              AND {condition}) v USING (sample_id)
        JOIN (SELECT * FROM frame_plans WHERE profile = $profile
              QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) p USING (sample_id)
        ORDER BY md5(concat($seed, sample_id)), sample_id
        """,
        {"task": settings.task, "profile": name, "seed": str(settings.seed)},
    )
    if not rows:
        raise UsageError("no checked sample fits --task and --where")
    return rows


@dataclass
class _Run:
    """One run in its event loop."""

    settings: RolloutSettings
    posed: list[list[Posed]]
    pictures: PosedPictures
    record: Any
    run_id: str
    rolled: Rolled
    told: Told | None
    ended: str = ""
    """Why no further question is asked."""
    done: int = 0

    async def all(self) -> None:
        prompt = read_prompt("rollout")
        live = LiveModels(
            {PRODUCER: self.settings.model},
            self.settings.budget,
            self.record,
            None,
            self.run_id,
            spent=self.rolled.spent,
        )
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as worker:
            async with live:
                groups = list(_groups(self.posed))
                made = loop.run_in_executor(worker, self._stills, groups[0]) if groups else None
                for n, group in enumerate(groups):
                    assert made is not None
                    stills = await made
                    made = (
                        loop.run_in_executor(worker, self._stills, groups[n + 1])
                        if n + 1 < len(groups) and not self.ended
                        else None
                    )
                    await self._group(live.of(PRODUCER), prompt, group, stills)
                    if self.ended and n + 1 < len(groups):
                        left = sum(len(g) for g in groups[n + 1 :])
                        self.rolled.failed[self.ended] += left
                        if made is not None:
                            await made
                        break
        self.rolled.from_stored = self.pictures.from_stored

    def _stills(self, group: Sequence[Sequence[Posed]]) -> dict[str, dict[Look, Still] | LeftOut]:
        """Pictures by sample; a medium that is gone is its samples' reason."""
        if self.settings.model.sees == "nothing":
            return {questions[0].sample_id: {} for questions in group}
        by_sample = {
            questions[0].sample_id: [c for q in questions for c in q.content if isinstance(c, Look)]
            for questions in group
        }
        try:
            found = self.pictures.stills(look for looks in by_sample.values() for look in looks)
            return {sample_id: {look: found[look] for look in looks} for sample_id, looks in by_sample.items()}
        except LeftOut:
            return {sample_id: self._of_one(looks) for sample_id, looks in by_sample.items()}

    def _of_one(self, looks: Sequence[Look]) -> dict[Look, Still] | LeftOut:
        try:
            return self.pictures.stills(looks)
        except LeftOut as gone:
            return gone

    async def _group(
        self, models: Models, prompt: Prompt, group: Sequence[Sequence[Posed]], stills: Mapping[str, Any]
    ) -> None:
        jobs = []
        for questions in group:
            pictures = stills[questions[0].sample_id]
            if isinstance(pictures, LeftOut):
                self.rolled.left_out[pictures.rule] += 1
                self.rolled.samples -= 1
                continue
            jobs += [(questions, pictures, number) for number in range(self.settings.attempts)]

        async def one(job: tuple[Sequence[Posed], Mapping[Look, Still], int]) -> Attempt | str:
            if self.ended:
                return self.ended
            made = await self._attempt(models, prompt, *job)
            self.done += 1
            if self.told is not None:
                self.told(self.done, len(self.posed) * self.settings.attempts)
            return made

        found: dict[str, list[Attempt | str]] = defaultdict(list)
        for (questions, _, _), made in zip(jobs, await models.each(jobs, one), strict=True):
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


def _groups(posed: Sequence[list[Posed]]) -> list[list[list[Posed]]]:
    """Samples in groups of about `GROUP_PICTURES` pictures."""
    groups: list[list[list[Posed]]] = [[]]
    held = 0
    for questions in posed:
        count = sum(isinstance(c, Look) for q in questions for c in q.content)
        if groups[-1] and held + count > GROUP_PICTURES:
            groups.append([])
            held = 0
        groups[-1].append(questions)
        held += count
    return [group for group in groups if group]
