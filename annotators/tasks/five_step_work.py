"""One question of `five_step` on its way: paths are asked for, graded, judged and mended, and the best one lands.

Every path ends up in table `paths` with what was found, every reply in `proposals`; requests add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ...engine.annotator import Unit
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...schemas.facts import Facts, name_order
from ...schemas.paths import score_of, told, used_in
from .common import RowDict, wordings_of
from .five_step_asks import Asks
from .five_step_paths import (
    Choice,
    FiveStepReply,
    Graded,
    ProposedPath,
    ProposedVerdict,
    agreement,
    chosen_of,
    graded,
    hints_of,
    in_order,
    judged_share,
)
from .five_step_questions import TASK, Question, prompt_text

if TYPE_CHECKING:
    from .five_step import FiveStep


@dataclass
class Work:
    """The questions of one medium on their way."""

    task: FiveStep
    asks: Asks
    unit: Unit
    media: RowDict
    landing: Landing
    models: Models
    split: str

    async def one(self, item: tuple[Question, Facts]) -> list[dict[str, Any]]:
        """Paths, grades, verdicts, repairs and perhaps a sample of one question; its rows of `paths`."""
        question, facts = item
        p = self.task.params
        wording, form = self._worded(question)
        turns = question.turns(wording, form, self.media)
        asked_as = prompt_text(question, turns)
        roles = [p.model]
        if p.second_model is not None and self.models.has(p.second_model):
            roles.append(p.second_model)
        numbers = list(range(p.paths))

        async def path(number: int) -> Graded | ReplyRejected:
            ask = self.asks.path(roles[number % len(roles)], number, asked_as, facts, question)
            return await self._graded(ask, "path", number, question, facts)

        replies = await self.models.each(numbers, path)
        paths = [r for r in replies if isinstance(r, Graded)]
        paths = await self._judged(paths, question, asked_as, facts)
        _, share = agreement(paths, p.paths)
        kept = share >= p.min_agreement
        mended: list[Graded] = []
        weak = [g for g in in_order(paths, p.least_sound) if g.tier(p.least_sound) == "B"]
        if kept and weak and not any(g.tier(p.least_sound) == "A" for g in paths):
            mended = await self._repaired(weak[: p.repairs], question, asked_as, facts)
        choice = None
        if kept:
            choice = chosen_of([*paths, *mended], paths, p.paths, least_sound=p.least_sound, keep=p.keep)
        self._land(question, facts, choice, [*paths, *mended], wording, form, share)
        by_number = {g.path.number: g for g in (*paths, *mended)}
        told_by = [roles[n % len(roles)] for n in numbers]
        return [
            self._row(question, turns[0].text, n, told_by[n], by_number.get(n), reply, facts, choice, share)
            for n, reply in zip(numbers, replies, strict=True)
        ]

    def _worded(self, question: Question) -> tuple[str, str]:
        first = question.members[0][1]
        if question.slots is None:
            return first.wording, first.answer_form
        asked, said = wordings_of(TASK).choose(question.kind, self.unit.seed, question.question_id, split=self.split)
        return asked.id, said.id

    async def _graded(
        self, ask: Ask[FiveStepReply], part: Literal["path", "repair"], number: int, question: Question, facts: Facts
    ) -> Graded | ReplyRejected:
        try:
            reply: Answered[FiveStepReply] = await self.models.ask(ask)
        except ReplyRejected as error:
            self.landing.rejected_reply(error, ask, question.members[0][1].clip_id)
            return error
        path = ProposedPath(
            **reply.value.model_dump(), part=part, kind=question.kind, number=number, asked_for=self.task.params.paths,
            used=sorted(used_in(reply.value, facts, question.window), key=name_order),
        )  # fmt: skip
        row = self.landing.proposal(reply, 0, path, facts, question.members[0][1].clip_id)
        return graded(path, row, ask.role, question.asked, facts)

    async def _judged(
        self, paths: list[Graded], question: Question, asked_as: tuple[str, str], facts: Facts
    ) -> list[Graded]:
        """The paths, the best of them with a verdict where there is a judge."""
        p = self.task.params
        if p.judge is None or not self.models.has(p.judge):
            return paths
        role = p.judge
        best = [g for g in in_order(paths, p.least_sound) if g.rules.tier == "A"][: p.judged]

        async def verdict(path: Graded) -> Graded:
            ask = self.asks.judge(role, path, asked_as, facts, question.question_id)
            try:
                reply = await self.models.ask(ask)
            except ReplyRejected as error:
                self.landing.rejected_reply(error, ask, question.members[0][1].clip_id)
                return path
            said = ProposedVerdict(
                **reply.value.model_dump(), part="judge", number=path.path.number, repaired=path.repaired
            )
            row = self.landing.proposal(reply, 0, said, Facts(), question.members[0][1].clip_id)
            self.landing.keep(row)
            return replace(path, judged=judged_share(said.soundness), verdict=row, reason=said.reason)

        found = {id(old): new for old, new in zip(best, await self.models.each(best, verdict), strict=True)}
        return [found.get(id(g), g) for g in paths]

    async def _repaired(
        self, weak: Sequence[Graded], question: Question, asked_as: tuple[str, str], facts: Facts
    ) -> list[Graded]:
        """One repair call for each of the paths; those whose reply can be used, judged."""

        async def repair(path: Graded) -> Graded | ReplyRejected:
            ask = self.asks.repair(path, asked_as, facts, question)
            return await self._graded(ask, "repair", path.path.number, question, facts)

        found = [r for r in await self.models.each(list(weak), repair) if isinstance(r, Graded)]
        return await self._judged(found, question, asked_as, facts)

    def _land(
        self,
        question: Question,
        facts: Facts,
        choice: Choice | None,
        paths: Sequence[Graded],
        wording: str,
        form: str,
        share: float,
    ) -> None:
        """The chosen path lands; of every other it is said why not."""
        least = self.task.params.least_sound
        for path in paths:
            problem = path.problem(least)
            if problem is not None:
                self.landing.reject(_own(path.row), problem.rule, problem.detail)
            elif choice is None and share < self.task.params.min_agreement:
                self.landing.reject(_own(path.row), "no_agreement", f"{share:.2f} of the paths gave the right answer")
            else:
                self.landing.reject(_own(path.row), "not_chosen", "another path of this question was chosen")
        if choice is None:
            return
        others = [g.row for g in paths if g is not choice.chosen and not g.repaired]
        if choice.chosen.verdict is not None:
            others.append(choice.chosen.verdict)
        sample = self.task.build(self.unit.recipe, self.media, question, facts, choice, others, wording, form)
        self.landing.land(_own(choice.chosen.row), sample)

    def _row(
        self,
        question: Question,
        text: str,
        number: int,
        role: str,
        path: Graded | None,
        reply: Graded | ReplyRejected,
        facts: Facts,
        choice: Choice | None,
        share: float,
    ) -> dict[str, Any]:
        """The row of table `paths` of one path: as it was repaired, where it was."""
        least = self.task.params.least_sound
        chosen = choice is not None and path is choice.chosen
        base = {
            "media_id": self.media["media_id"],
            "sample_id": choice.chosen.row["sample_id"] if choice is not None else None,
            "question_id": question.question_id,
            "question": text,
            "hardened": question.hardened,
            "from_samples": [s.sample_id for _, s in question.members],
            "role": role,
            "path_number": number,
            "repaired": path is not None and path.repaired,
            "chosen": chosen,
        }
        if path is None:
            assert isinstance(reply, ReplyRejected)
            failed = {"request_hash": reply.request_hash, "answer_ok": False, "process_ok": False, "tier": "C"}
            return {**base, **failed, "rule": reply.kind, "reason": reply.reason[:500]}
        problem, tier = path.problem(least), path.tier(least)
        return {
            **base,
            "request_hash": path.row["request_hash"],
            "model": path.row["model"],
            "steps": [step.text for step in path.path.steps],
            "answer_json": path.rules.answer.model_dump_json() if path.rules.answer is not None else None,
            "confidence": path.path.confidence,
            "answer_ok": path.rules.answer_ok,
            "process_ok": tier == "A",
            "judge_score": path.judged,
            "tier": tier,
            "score": choice.score
            if choice is not None and chosen
            else score_of(tier, share, path.path.confidence, path.judged, repaired=path.repaired),
            "rule": problem.rule if problem is not None else None,
            "reason": problem.detail[:500] if problem is not None else None,
            **(hints_of(path.path, facts, question.window) if tier != "C" else {}),
            "hint_solution": told(path.path.steps) if tier != "C" else None,
        }


def _own(row: Any) -> dict[str, Any]:
    """A proposal's row, to be completed."""
    assert isinstance(row, dict)
    return row
