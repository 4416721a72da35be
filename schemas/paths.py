"""Free paths of reasoning that a model writes without knowing the key, and what rules can say of them: answer and process apart.

A path is a list of steps over named facts, with slots for times and quotations, and an answer made of facts or options. The
answer is right or wrong by the question's own verifier. The process is sound when each step rests on facts that exist, says
of them what they hold (their own times and words, the order that their spans have), and when what decides the question was
looked up on the way: a right answer for a wrong reason is not sound. Whether a step follows from the one before, rules do not see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .chain_operations import LIKENESS
from .facts import Fact, Facts, SlotProblem
from .number_words import value_of
from .sample import ChoiceAnswer, OrderAnswer, PartAnswer, SpanAnswer, TextAnswer
from .slot_text import slots_in
from .slots import resolve
from .span import Span, overlap_s, span_or_none
from .time_claims import TimeClaim, claim_problems
from .verifying import Check, check_choice, check_order, check_span, check_text

LIKE = 0.75
"""Likeness from which a fact's text counts as the one that a question is about."""
Tier = Literal["A", "B", "C"]
_BEGINS_AT_END = re.compile(r"\b(?:begin|start|appear|open|set)\w*\b[^.;{}]{0,24}\{\s*\w+\.end\s*\}", re.IGNORECASE)
_ENDS_AT_START = re.compile(
    r"\b(?:end|stop|finish|disappear|vanish|last|over|gone)\w*\b[^.;{}]{0,24}\{\s*\w+\.start\s*\}", re.IGNORECASE
)


class PathStep(BaseModel):
    """One step of a path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["locate", "read", "compare", "compute", "conclude"]
    evidence: list[str] = Field(description="names of the evidence that the step rests on")
    text: str = Field(description="one sentence, with slots")
    claims: list[TimeClaim] = Field(description="what the step says about order or position in time")


class PathAnswer(BaseModel):
    """The answer; only the field that the question asks for is filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    option: int | None = Field(description="number of the right option, from 1; null otherwise")
    order: list[int] = Field(description="numbers of the options in the right order; empty otherwise")
    span: str | None = Field(description="a slot such as {e3} or {e2..e4}; null otherwise")
    text: str | None = Field(description="words, or a slot such as {e3.text}; null otherwise")


class PathHints(BaseModel):
    """Help on the way, from little to much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concept: str
    strategy: str
    tool: str
    key_step: str


class Path(BaseModel):
    """A path as a model wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: list[PathStep]
    answer: PathAnswer
    confidence: float = Field(ge=0, le=1)
    hints: PathHints


@dataclass(frozen=True, slots=True)
class Decisive:
    """What must have been looked up: something with this text, at this time."""

    text: str
    span: Span


@dataclass(frozen=True)
class Asked:
    """A question with its key, as paths are graded by it."""

    key: PartAnswer
    window: Span
    decisive: tuple[Decisive, ...]
    min_tiou: float = 0.9
    compared: bool = False
    """Whether the order of the decisive things must have been compared."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What rules say of a path."""

    answer: PartAnswer | None
    answer_ok: bool
    problem: SlotProblem | None
    """What is wrong with the process, or with the answer where that is wrong."""

    @property
    def process_ok(self) -> bool:
        """Whether nothing speaks against the steps."""
        return self.answer_ok and self.problem is None

    @property
    def tier(self) -> Tier:
        """A: right and sound, B: right, C: wrong."""
        return "A" if self.process_ok else "B" if self.answer_ok else "C"


def grade(path: Path, asked: Asked, facts: Facts) -> Grade:
    """Answer by the verifier, process by rules; the process of a wrong answer is not looked at."""
    answer = typed(path.answer, asked.key, facts)
    right = verified(answer, asked.key, asked.min_tiou)
    if not right.ok:
        return Grade(answer, False, SlotProblem("wrong_answer", right.reason))
    return Grade(answer, True, process_problem(path, asked, facts))


def typed(answer: PathAnswer, key: PartAnswer, facts: Facts) -> PartAnswer | None:
    """The answer as the key's kind; None when it cannot be read as that."""
    match key:
        case ChoiceAnswer():
            return None if answer.option is None else ChoiceAnswer(index=answer.option - 1)
        case OrderAnswer():
            return OrderAnswer(order=tuple(n - 1 for n in answer.order)) if answer.order else None
        case TextAnswer():
            return None if not answer.text else TextAnswer(text=_plain(answer.text, facts))
        case SpanAnswer():
            span = _span(answer.span, facts)
            return None if span is None else SpanAnswer(start_s=span.start_s, end_s=span.end_s)
    return None


def verified(answer: PartAnswer | None, key: PartAnswer, min_tiou: float) -> Check:
    """Whether an answer is right: spans from a tIoU on, words by words, options and orders exactly."""
    match key, answer:
        case ChoiceAnswer(index=truth), ChoiceAnswer(index=given):
            return check_choice(given, truth)
        case OrderAnswer(order=truth), OrderAnswer(order=given):
            return check_order(given, truth)
        case TextAnswer(text=truth), TextAnswer(text=given):
            return check_text(given, truth)
        case SpanAnswer() as truth, SpanAnswer() as given:
            check = check_span(Span(given.start_s, given.end_s), Span(truth.start_s, truth.end_s), 0.0)
            near = check.score >= min_tiou
            return Check(near, "" if near else f"{check.reason} (tIoU {check.score:.2f})", check.score)
    return Check(False, "no readable answer", 0.0)


def process_problem(path: Path, asked: Asked, facts: Facts) -> SlotProblem | None:
    """The first thing that speaks against the steps of a path whose answer is right."""
    if len(path.steps) < 2 or [s.kind == "conclude" for s in path.steps] != [False] * (len(path.steps) - 1) + [True]:
        return SlotProblem("no_conclusion", "a path has steps that look something up, and ends with its one conclusion")
    for number, step in enumerate(path.steps, start=1):
        problem = _step_problem(step, facts, asked.window)
        if problem is not None:
            return SlotProblem(problem.rule, f"step {number}: {problem.detail}")
    return _unsupported(path, asked, facts)


def used_in(path: Path, facts: Facts, window: Span) -> tuple[str, ...]:
    """Names of all facts that a path speaks of, in no particular order."""
    texts = [s.text for s in path.steps] + [path.hints.key_step, path.answer.span or "", path.answer.text or ""]
    named = [n for s in path.steps for n in s.evidence]
    claimed = [n for s in path.steps for c in s.claims for n in (c.a, c.b) if n]
    cited = [n for text in texts for n in resolve(text, facts, window).cited]
    slots = [n for text in texts for slot in slots_in(text) for n in slot.names]
    return tuple(dict.fromkeys(n for n in (*named, *claimed, *cited, *slots) if n in facts))


def score_of(tier: Tier, agreement: float, confidence: float, judged: float | None, *, repaired: bool) -> int | None:
    """1 to 5, how often a path should be seen in training; None for a wrong one."""
    if tier == "C":
        return None
    if tier == "B":
        return 2 if agreement >= 0.75 else 1
    score = 5 - int(repaired) - int(agreement < 0.75) - int(confidence < 0.5)
    return max(3 if not repaired else 2, score - int(judged is not None and judged < 0.75))


def _step_problem(step: PathStep, facts: Facts, window: Span) -> SlotProblem | None:
    for name in step.evidence:
        if name not in facts:
            return SlotProblem("unknown_evidence", f"there is no {name}")
    said = resolve(step.text, facts, window)
    for problem in (*said.problems, *claim_problems(step.claims, "", facts, window)):
        return problem
    unknown = [n for n in said.numbers if value_of(n) != len(step.evidence)]
    if unknown:
        return SlotProblem("number", f"{', '.join(unknown)} stands in none of the evidence")
    if not step.evidence:
        return SlotProblem("no_evidence", f"{step.text!r} rests on nothing")
    spoken = dict.fromkeys((*said.cited, *(n for slot in slots_in(step.text) for n in slot.names), *_claimed(step)))
    for name in spoken:
        if name not in step.evidence:
            return SlotProblem("other_evidence", f"it speaks of {name}, but rests on {', '.join(step.evidence)}")
    for name in step.evidence:
        if name not in spoken:
            return SlotProblem("other_evidence", f"it names {name} as evidence, but says nothing of it")
    if step.kind in ("locate", "read") and len(step.evidence) != 1:
        return SlotProblem("mixed_evidence", f"a step of the kind {step.kind} speaks of one piece of evidence")
    if step.kind == "compare" and not step.claims:
        return SlotProblem("no_claim", "a comparison lists what it claims")
    if _BEGINS_AT_END.search(step.text) or _ENDS_AT_START.search(step.text):
        return SlotProblem("swapped_ends", f"{step.text!r} takes an end for a start, or a start for an end")
    return None


def _unsupported(path: Path, asked: Asked, facts: Facts) -> SlotProblem | None:
    """What decides the question, but was never looked up."""
    read, located = _looked_up(path, facts, asked.window)
    looked_up = read & located
    held: list[set[str]] = []
    for need in asked.decisive:
        found = {name for name in looked_up if _is(facts[name], need)}
        if not found:
            what = f"no step says both that {need.text!r} is told and when"
            return SlotProblem("unsupported_answer", f"{what}, on which the answer rests")
        held.append(found)
    concluded = set(path.steps[-1].evidence)
    if asked.decisive and not any(found & concluded for found in held):
        return SlotProblem("unsupported_answer", "the conclusion rests on evidence that does not decide the question")
    if path.answer.span is not None:
        stray = [n for slot in slots_in(path.answer.span) for n in slot.names if n not in located]
        if stray:
            return SlotProblem("unsupported_answer", f"no step looks up {stray[0]}, which the answer names")
    if asked.compared and not any(
        any((c.a in a and c.b in b) or (c.a in b and c.b in a) for a in held[:1] for b in held[1:])
        for s in path.steps
        for c in s.claims
        if c.b is not None
    ):
        return SlotProblem("unsupported_answer", "no step compares when the two are")
    return None


def _looked_up(path: Path, facts: Facts, window: Span) -> tuple[set[str], set[str]]:
    """Facts of which a step before the conclusion says what they are, and of which one says when."""
    read, located = set[str](), set[str]()
    for step in path.steps[:-1]:
        slots = slots_in(step.text)
        quoted = {s.name for s in slots if s.field == "text"}
        timed = {name for s in slots if s.field in (None, "start", "end") for name in s.names}
        read |= quoted | (set(resolve(step.text, facts, window).cited) - timed)
        located |= timed
    return read & set(facts), located & set(facts)


def _is(fact: Fact, need: Decisive) -> bool:
    if fact.span is None or overlap_s(fact.span, need.span) <= 0:
        return False
    return like(need.text, fact.text or "") >= LIKE


def like(text: str, other: str) -> float:
    """How much two texts are alike by the most generous of the rules for words, writing and descriptions."""
    return max(alike(text, other) for alike in LIKENESS.values())


def _claimed(step: PathStep) -> list[str]:
    return [n for c in step.claims for n in (c.a, c.b) if n]


def _span(text: str | None, facts: Facts) -> Span | None:
    slots = slots_in(text or "")
    if len(slots) != 1 or slots[0].field is not None or any(n not in facts for n in slots[0].names):
        return None
    first, last = facts[slots[0].names[0]].times, facts[slots[0].names[-1]].times
    return None if first is None or last is None else span_or_none(first[0], last[1])


def _plain(text: str, facts: Facts) -> str:
    """A text answer with `{e3.text}` filled in, quotation marks taken off."""
    slots = slots_in(text)
    for slot in slots:
        told = facts[slot.name].text if slot.name in facts and slot.field == "text" else None
        text = text.replace(slot.raw, told or "")
    return " ".join(text.split()).strip("“”\"' ")


def told(steps: Sequence[PathStep]) -> str:
    """Steps as a numbered list, as prompts for repair and judging show them."""
    return "\n".join(
        f"{i}. ({s.kind}; {', '.join(s.evidence) or 'nothing'}) {s.text}" for i, s in enumerate(steps, start=1)
    )
