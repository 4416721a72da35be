"""The questions that `five_step` asks models: for a path, for its repair, for a judge's verdict. None of them holds the key."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.llm.ask import Ask
from ...engine.llm.prompts import Prompt
from ...schemas.facts import Facts
from ...schemas.paths import told
from .five_step_paths import FiveStepJudgeReply, FiveStepReply, Graded
from .five_step_questions import Question
from .five_step_typical import typical_path


@dataclass(frozen=True)
class Asks:
    """Prompts and settings of one configured task."""

    path_prompt: Prompt
    repair_prompt: Prompt
    judge_prompt: Prompt
    temperature: float
    least_sound: float

    def path(
        self, role: str, number: int, asked_as: tuple[str, str], facts: Facts, question: Question
    ) -> Ask[FiveStepReply]:
        """The question, without its key."""
        prompt = self.path_prompt
        text = prompt.fill(question=asked_as[0], form=asked_as[1], evidence=facts.listing())
        return Ask(
            role=role, prompt=prompt, parts=(text,), reply=FiveStepReply, about=question.question_id, sample=number,
            temperature=self.temperature, typical=lambda: FiveStepReply(**typical_path(question, facts)),
        )  # fmt: skip

    def repair(self, graded: Graded, asked_as: tuple[str, str], facts: Facts, question: Question) -> Ask[FiveStepReply]:
        """The path, and what is wrong with its steps."""
        prompt, problem = self.repair_prompt, graded.problem(self.least_sound)
        text = prompt.fill(
            question=asked_as[0],
            form=asked_as[1],
            evidence=facts.listing(),
            steps=told(graded.path.steps),
            problem=str(problem),
        )
        return Ask(
            role=graded.role, prompt=prompt, parts=(text,), reply=FiveStepReply, about=question.question_id, sample=graded.path.number,
            typical=lambda: FiveStepReply(**typical_path(question, facts)),
        )  # fmt: skip

    def judge(
        self, role: str, graded: Graded, asked_as: tuple[str, str], facts: Facts, about: str
    ) -> Ask[FiveStepJudgeReply]:
        """The steps."""
        prompt = self.judge_prompt
        text = prompt.fill(question="\n".join(asked_as), evidence=facts.listing(), steps=told(graded.path.steps))
        return Ask(
            role=role, prompt=prompt, parts=(text,), reply=FiveStepJudgeReply, about=about, sample=graded.path.number,
            typical=lambda: FiveStepJudgeReply(soundness=5, reason="Every step follows from what it names."),
        )  # fmt: skip
