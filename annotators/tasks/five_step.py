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
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import AskingTask
from ...engine.kept import medium_row, split_of
from ...engine.llm.evidence import cited, facts_from, facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...engine.task import EvidenceRow, Solver
from ...schemas.facts import FactKind, Facts, name_order
from ...schemas.paths import Tier
from ...schemas.sample import MediumRef, Need, Sample
from ...schemas.slots import resolve
from ...schemas.verifying import Check
from .common import MEDIA_COLUMNS, RowDict, Withheld, cite, kind_of, only_row, rebuilt, rows_of, shuffled, wordings_of
from .five_step_asks import Asks
from .five_step_paths import (
    Choice,
    Graded,
    ProposedPath,
    ProposedVerdict,
    agreement,
    chosen_of,
    graded,
    judged_share,
)
from .five_step_questions import Kind, Question, question_of, questions_of, reachable
from .five_step_work import Work
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
        path, repair, judge = self.prompts()
        asks = Asks(path, repair, judge, self.params.temperature, self.params.least_sound)
        split = split_of(rows, unit.medium.media_id)
        work = Work(self, asks, unit, media, Landing(unit, self.name), models, split)
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
            return self.build(sample.recipe, media, question, facts, choice, others, sample.wording, sample.answer_form)

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

    def build(
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


def _used(proposal: RowDict) -> list[str]:
    """Facts that a proposal speaks of; a verdict of none."""
    if '"part":"judge"' in proposal["proposal_json"]:
        return []
    return ProposedPath.model_validate_json(proposal["proposal_json"]).used


def _drawn(way: tuple[Kind, tuple[RowDict, ...]]) -> list[str]:
    """What an order of questions derives from: ways to ask about one sample stay apart."""
    return [way[0], *(str(row["row_id"]) for row in way[1])]


ANNOTATOR = FiveStep
