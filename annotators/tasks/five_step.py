"""Questions with chains of thought by Keye-VL's five steps: hardened questions, sampled paths, two grades, repair, weights.

(1) Questions are verified samples, opened or merged where their answer permits. (2) Models write several paths each with
their confidence, without the key: the prompt holds facts of the window, not the answer. (3) The answer is graded by the
question's verifier, the process by rules, and by a judge where there is one: tier A is right and sound, B right with weak
steps, C wrong. (4) Where no path is A, B paths get one repair call; C is dropped. (5) A score of 1 to 5 says how often to
train on it. A question is kept when enough paths agree with the verifier. Every path is a row of `paths`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row, split_of
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import cited, facts_from, facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver
from ...schemas.facts import FactKind, Facts, name_order
from ...schemas.paths import Tier, score_of, told, used_in
from ...schemas.sample import MediumRef, Need, Sample
from ...schemas.slots import resolve
from ...schemas.verifying import Check
from .common import MEDIA_COLUMNS, RowDict, Withheld, cite, kind_of, only_row, rebuilt, rows_of, shuffled, wordings_of
from .five_step_paths import (
    Choice,
    FiveStepJudgeReply,
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
from .five_step_questions import Kind, Question, prompt_text, question_of, questions_of, reachable
from .five_step_typical import typical_path
from .proposed import PROPOSAL_COLUMNS
from .talk import SAMPLE_COLUMNS

KINDS: tuple[FactKind, ...] = ("speech", "text", "event")
NEEDS: tuple[Need, ...] = ("vision", "audio", "speech_text", "on_screen_text", "motion", "3d")


class Params(BaseParams):
    """Parameters of five_step."""

    model: str = Field("writer", description="Role of `models:` that writes paths and repairs.")
    second_model: str | None = Field(
        "writer2", description="Role that writes every other path, where the recipe has it."
    )
    judge: str | None = Field("judge", description="Role that judges the steps, where the recipe has it.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt of paths, relative to the recipe."
    )
    prompts: dict[str, str] = Field(
        default_factory=dict, description="The same for `five_step_repair` and `five_step_judge`, by name."
    )
    tasks: tuple[str, ...] = Field(
        ("speech_grounding", "text_grounding", "temporal_grounding", "moment_choice", "span_choice"),
        min_length=1,
        description="Samples of these tasks become questions.",
    )
    per_medium: int = Field(4, ge=1, description="Questions per medium, at most; a sample is asked about once.")
    merged_share: float = Field(0.25, ge=0, le=1, description="Share of questions that are merged from two, at most.")
    paths: int = Field(8, ge=1, description="Paths per question.")
    temperature: float = Field(0.8, ge=0, description="Sampling temperature of paths.")
    min_agreement: float = Field(
        0.5, ge=0, le=1, description="Least share of paths with the right answer, for a question to be kept."
    )
    keep: tuple[Tier, ...] = Field(("A",), min_length=1, description="Tiers that become samples.")
    repairs: int = Field(2, ge=0, description="Paths of tier B that get a repair call, per question without tier A.")
    judged: int = Field(2, ge=1, description="Paths that are judged per question, the surest first.")
    least_sound: float = Field(0.5, ge=0, le=1, description="Soundness (0..1) below which a judged path is of tier B.")
    min_tiou: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Least tIoU of a right span; below 1 the reasoning may name other times than the answer.",
    )
    longest_s: float = Field(120.0, gt=0, description="Longest window of a merged question.")
    most_facts: int = Field(60, ge=2, description="Facts that a model is shown, at most.")


class FiveStep(AskingTask[Params]):
    """Samples from `samples` of one medium and what is said, written and described in it."""

    name: ClassVar[str] = "five_step"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "samples", "speech", "text_regions", "captions", "footage_groups")
    optional_reads: ClassVar[tuple[str, ...]] = ("speech", "text_regions", "captions", "footage_groups")
    writes: ClassVar[tuple[str, ...]] = ("samples", "proposals", "paths")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "fixed_interval")

    def code_digest(self) -> str:
        """Digest of wordings and prompts."""
        return f"{wordings_of(self.name).digest} {super().code_digest()}"

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def optional_roles(self) -> tuple[str, ...]:
        """The second writer and the judge."""
        return tuple(role for role in (self.params.second_model, self.params.judge) if role is not None)

    def prompts(self) -> Sequence[Prompt]:
        """Of paths, repairs and verdicts."""
        own = {"five_step": self.params.prompt, **self.params.prompts}
        names = ("five_step", "five_step_repair", "five_step_judge")
        return tuple(read_prompt(name, own.get(name), self.folder) for name in names)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """At most `per_medium` samples, and a row per path of every question."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        asked = self._questions(unit, rows)
        if not asked:
            raise SkipUnit("no samples whose answer the facts of their window can give")
        work = _Work(self, unit, media, Landing(unit, self.name), models, split_of(rows, unit.medium.media_id))
        found = await models.each(asked, work.one)
        return [*work.landing.rows(), *(("paths", row) for rows_ in found for row in rows_)]

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the question from its members, grade all cited paths again, and choose among them again."""

        def build() -> Sample:
            kind: Kind = wordings_of(self.name).kind_of(sample.wording) or "as_is"  # type: ignore[assignment]
            question = self._question(kind, rows_of(evidence, "samples"))
            proposals = rows_of(evidence, "proposals")
            if not proposals:
                raise Withheld("no path is cited")
            used = sorted({n for p in proposals for n in _used(p)}, key=name_order)
            tables = ("samples", "media", "proposals")
            facts = facts_from([e for e in evidence if e.table not in tables], used)
            choice, others = self._chosen_again(question, proposals, facts)
            media = only_row(evidence, "media")
            return self._build(
                sample.recipe, media, question, facts, choice, others, sample.wording, sample.answer_form
            )

        return rebuilt(sample, build)

    # -- questions --------------------------------------------------------------------------------------------------

    def _question(self, kind: Kind, rows: Sequence[RowDict]) -> Question:
        return question_of(kind, rows, min_tiou=self.params.min_tiou, longest_s=self.params.longest_s)

    def _questions(self, unit: Unit, rows: Rows) -> list[tuple[Question, Facts]]:
        """Questions that the facts can answer; a sample is asked about once."""
        assert unit.medium is not None
        p, media_id = self.params, unit.medium.media_id
        mine = [row for row in rows["samples"] if row["media_id"] == media_id]
        ways = list(questions_of(mine, p.tasks))
        merged = [w for w in ways if w[0] == "which_first"]
        single = shuffled([w for w in ways if w[0] != "which_first"], unit.seed, self.name, key=lambda w: _drawn(w))
        drawn = shuffled(merged, unit.seed, self.name, key=lambda w: [r["row_id"] for r in w[1]])
        found: list[tuple[Question, Facts]] = []
        done: set[str] = set()
        for kind, members in (*drawn, *single):
            ids = {str(r["sample_id"]) for r in members}
            most = int(p.merged_share * p.per_medium) if kind == "which_first" else p.per_medium
            if ids & done or len(found) >= most:
                continue
            try:
                question = self._question(kind, members)
            except (Withheld, ValueError):
                continue
            facts = facts_of(rows, question.window, KINDS, most=p.most_facts)
            if reachable(question, facts):
                found.append((question, facts))
                done |= ids
        return found

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask_path(
        self, role: str, number: int, told_: tuple[str, str], facts: Facts, question: Question
    ) -> Ask[FiveStepReply]:
        """The question, without its key."""
        prompt = self.prompts()[0]
        text = prompt.fill(question=told_[0], form=told_[1], evidence=facts.listing())
        return Ask(
            role=role, prompt=prompt, parts=(text,), reply=FiveStepReply, about=question.question_id, sample=number,
            temperature=self.params.temperature, typical=lambda: FiveStepReply(**typical_path(question, facts)),
        )  # fmt: skip

    def ask_repair(self, path: Graded, told_: tuple[str, str], facts: Facts, question: Question) -> Ask[FiveStepReply]:
        """The path, and what is wrong with its steps."""
        prompt, problem = self.prompts()[1], path.problem(self.params.least_sound)
        text = prompt.fill(
            question=told_[0],
            form=told_[1],
            evidence=facts.listing(),
            steps=told(path.path.steps),
            problem=str(problem),
        )
        return Ask(
            role=path.role, prompt=prompt, parts=(text,), reply=FiveStepReply, about=question.question_id, sample=path.path.number,
            typical=lambda: FiveStepReply(**typical_path(question, facts)),
        )  # fmt: skip

    def ask_judge(
        self, role: str, path: Graded, told_: tuple[str, str], facts: Facts, about: str
    ) -> Ask[FiveStepJudgeReply]:
        """The steps."""
        prompt = self.prompts()[2]
        text = prompt.fill(question="\n".join(told_), evidence=facts.listing(), steps=told(path.path.steps))
        return Ask(
            role=role, prompt=prompt, parts=(text,), reply=FiveStepJudgeReply, about=about, sample=path.path.number,
            typical=lambda: FiveStepJudgeReply(soundness=5, reason="Every step follows from what it names."),
        )  # fmt: skip

    # -- samples ----------------------------------------------------------------------------------------------------

    def _chosen_again(
        self, question: Question, proposals: Sequence[RowDict], facts: Facts
    ) -> tuple[Choice, list[RowDict]]:
        """The choice that the cited proposals give: the first is the chosen path. Raises `Withheld`."""
        verdicts = {}
        paths: list[Graded] = []
        for row in proposals:
            if '"part":"judge"' in row["proposal_json"]:
                verdict = ProposedVerdict.model_validate_json(row["proposal_json"])
                verdicts[verdict.number, verdict.repaired] = (verdict, row)
            else:
                path = ProposedPath.model_validate_json(row["proposal_json"])
                paths.append(graded(path, row, "", question.asked, facts))
        best = paths[0] if paths else None
        if best is None or best.path.kind != question.kind:
            raise Withheld("the first cited proposal is no path to this question")
        if (best.path.number, best.repaired) in verdicts:
            verdict, row = verdicts[best.path.number, best.repaired]
            best = replace(best, judged=judged_share(verdict.soundness), verdict=row, reason=verdict.reason)
        right, share = agreement(paths, best.path.asked_for)
        if share < self.params.min_agreement:
            raise Withheld(f"{right} of {best.path.asked_for} paths agree")
        choice = chosen_of(
            [best], paths, best.path.asked_for, least_sound=self.params.least_sound, keep=self.params.keep
        )
        if choice is None:
            raise Withheld(f"the path is of tier {best.tier(self.params.least_sound)}: {best.rules.problem}")
        return choice, list(proposals[1:])

    def _build(
        self,
        recipe: str,
        media: RowDict,
        question: Question,
        facts: Facts,
        choice: Choice,
        others: Sequence[RowDict],
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of a question with its chosen path. Raises `Withheld`."""
        window, path = question.window, choice.chosen.path
        steps = [resolve(step.text, facts, window) for step in path.steps]
        proposals = [choice.chosen.row, *others]
        used = {n for p in proposals for n in _used(p)}
        first = question.members[0][1]
        needs = {need for _, member in question.members for need in member.needs}
        clips = {member.clip_id for _, member in question.members}
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=first.clip_id if len(clips) == 1 else None,
            media=(
                MediumRef(media_id=media["media_id"], kind=kind_of(media), start_s=window.start_s, end_s=window.end_s),
            ),
            turns=question.turns(wording, form, media),
            answer=question.asked.key,
            options=question.options,
            rationale=tuple(step.text for step in steps),
            evidence=(
                *(cite("samples", row, SAMPLE_COLUMNS) for row, _ in question.members),
                cite("media", media, MEDIA_COLUMNS),
                *cited(facts, used),
                *(cite("proposals", p, PROPOSAL_COLUMNS) for p in proposals),
            ),
            needs=tuple(need for need in NEEDS if need in needs),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "tier": {"A": 3.0, "B": 2.0, "C": 1.0}[choice.tier],
                "score": float(choice.score),
                "paths": float(choice.paths),
                "n_agree": float(choice.n_agree),
                "agreement": round(choice.agreement, 6),
                "confidence": round(path.confidence, 6),
                "steps": float(len(steps)),
            },
            generator=f"{self.name}@{self.version}",
        )


class _Work:
    """The questions of one medium on their way."""

    def __init__(
        self, task: FiveStep, unit: Unit, media: RowDict, landing: Landing, models: Models, split: str
    ) -> None:
        self.task, self.unit, self.media, self.landing, self.models = task, unit, media, landing, models
        self.split = split

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
            ask = self.task.ask_path(roles[number % len(roles)], number, asked_as, facts, question)
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
        asked, said = wordings_of(self.task.name).choose(
            question.kind, self.unit.seed, question.question_id, split=self.split
        )
        return asked.id, said.id

    async def _graded(
        self, ask: Ask[FiveStepReply], part: Any, number: int, question: Question, facts: Facts
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
            ask = self.task.ask_judge(role, path, asked_as, facts, question.question_id)
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
            ask = self.task.ask_repair(path, asked_as, facts, question)
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
                self.landing.reject(dict_of(path.row), problem.rule, problem.detail)
            elif choice is None and share < self.task.params.min_agreement:
                self.landing.reject(
                    dict_of(path.row), "no_agreement", f"{share:.2f} of the paths gave the right answer"
                )
            else:
                self.landing.reject(dict_of(path.row), "not_chosen", "another path of this question was chosen")
        if choice is None:
            return
        others = [g.row for g in paths if g is not choice.chosen and not g.repaired]
        if choice.chosen.verdict is not None:
            others.append(choice.chosen.verdict)
        sample = self.task._build(self.unit.recipe, self.media, question, facts, choice, others, wording, form)
        self.landing.land(dict_of(choice.chosen.row), sample)

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


def dict_of(row: Any) -> dict[str, Any]:
    """A proposal's row, to be completed."""
    assert isinstance(row, dict)
    return row


def _used(proposal: RowDict) -> list[str]:
    """Facts that a proposal speaks of; a verdict of none."""
    if '"part":"judge"' in proposal["proposal_json"]:
        return []
    return ProposedPath.model_validate_json(proposal["proposal_json"]).used


def _drawn(way: tuple[Kind, tuple[RowDict, ...]]) -> list[str]:
    """What an order of questions derives from: ways to ask about one sample stay apart."""
    return [way[0], *(str(row["row_id"]) for row in way[1])]


ANNOTATOR = FiveStep
