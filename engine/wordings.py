"""Question wordings and answer forms of a task, read from `annotators/tasks/wordings/<task>.yaml` and
checked while loading.

A wording is text with named slots such as `{quote}`; the task fills them with neutral markup, so that a
sample's text can be rebuilt exactly from the identifiers that it stores. Answer forms are written per outcome (once,
several times, not at all); questions are the same for all outcomes, so that none gives it away. Which wording a sample
gets depends only on a hash of what the sample is about: uniform over samples, and untouched by whatever other samples
a build makes. Wordings never hold times, places or letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..schemas.ids import derive_id, seeded_fraction
from ..schemas.markup import validate

MIN_QUESTIONS = 25
MIN_ANSWERS = 8
MIN_PER_KIND = 8
"""Question wordings that each kind of question needs at least (half as many answer forms)."""
MIN_HELD_OUT = 5
"""Question wordings of a task that are kept for evaluation, at least; one per kind."""
EVALUATION = ("validation", "test")
"""Splits that are asked with held-out wordings."""

Outcome = Literal["unique", "repeated", "absent"]
SLOTS_OF: dict[str, tuple[tuple[str, ...], ...]] = {"repeated": (("spans",),), "absent": ((),)}
"""Slots of answer forms for other outcomes than one place: all spans, or nothing that could be filled in."""

Register = Literal["formal", "casual", "imperative", "terse", "polite"]

W = TypeVar("W", bound="Wording")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_STRAY = re.compile(r"[{}]")


class WordingError(ValueError):
    """A wordings file is wrong; the message names the file, the wording and what to change."""


class Wording(BaseModel):
    """One way to ask, or to answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="Identifier that samples store; unique in the file.")
    registers: tuple[Register, ...] = Field((), description="Tone: formal, casual, imperative, terse, polite.")
    text: str = Field(description="Words with slots in braces.")

    @property
    def slots(self) -> frozenset[str]:
        """Names of the slots in its text."""
        return frozenset(_SLOT.findall(self.text))

    def fill(self, slots: Mapping[str, str]) -> str:
        """The text with every slot replaced by markup. Raises KeyError for a slot without a value."""
        return _SLOT.sub(lambda match: slots[match[1]], self.text)


class Answer(Wording):
    """One way to answer, for one outcome of looking for what is asked about."""

    outcome: Outcome = Field("unique", description="unique: once; repeated: several times; absent: nowhere.")


class Kind(BaseModel):
    """The wordings of one kind of question of a task, with the slots that they may use and those that they
    must.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_slots: tuple[str, ...] = Field((), description="Slots that every question must use.")
    answer_slots: tuple[tuple[str, ...], ...] = Field(
        description="Sets of slots; each answer form for one place must use exactly one of the sets."
    )
    questions: tuple[Wording, ...] = Field(description="Ways to ask.")
    answers: tuple[Answer, ...] = Field(description="Ways to answer; the question does not tell for which outcome.")
    held_out: tuple[str, ...] = Field(
        description="Identifiers of questions that only samples of the splits validation and test are asked with."
    )

    def asked(self, split: str) -> tuple[Wording, ...]:
        """The questions for samples of a split: those held out for evaluation, or the others."""
        return tuple(w for w in self.questions if (w.id in self.held_out) == (split in EVALUATION))

    def answered(self, outcome: Outcome) -> tuple[Answer, ...]:
        """The answer forms for an outcome."""
        return tuple(w for w in self.answers if w.outcome == outcome)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    kinds: dict[str, Kind]


@dataclass(frozen=True)
class Wordings:
    """All wordings of a task by kind of question."""

    task: str
    kinds: Mapping[str, Kind]
    digest: str
    """Digest of the whole content: a task's `code_digest`, so that edited wordings make its samples stale."""

    def choose(
        self, kind: str, *about: Any, split: str = "train", outcome: Outcome = "unique"
    ) -> tuple[Wording, Answer]:
        """The question wording and the answer form for a sample about `about`; independent of each other and
        uniform. The question is one of those for `split`, the answer form one of those for `outcome`.
        """
        chosen = self.kinds[kind]
        question = _pick(chosen.asked(split), self.task, "question", about)
        return question, _pick(chosen.answered(outcome), self.task, "answer", about)

    def question(self, kind: str, wording: str) -> Wording | None:
        """The question wording of that identifier, or None."""
        return next((w for w in self.kinds[kind].questions if w.id == wording), None)

    def answer(self, kind: str, form: str) -> Answer | None:
        """The answer form of that identifier, or None."""
        return next((w for w in self.kinds[kind].answers if w.id == form), None)

    @property
    def held_out(self) -> frozenset[str]:
        """Identifiers of all questions that are kept for evaluation."""
        return frozenset(i for kind in self.kinds.values() for i in kind.held_out)

    def kind_of(self, wording: str) -> str | None:
        """The kind of question that a question wording belongs to, or None."""
        return next((k for k, v in self.kinds.items() if any(w.id == wording for w in v.questions)), None)


def _pick(choices: Sequence[W], *seed: Any) -> W:
    return choices[int(seeded_fraction(*seed) * len(choices))]


@cache
def load_wordings(file: Path) -> Wordings:
    """Read and check a wordings file.

    Raises `WordingError` for fewer than 25 questions or 8 answer forms, too few held out for evaluation, repeated
    identifiers or texts, questions without a register, unknown or missing slots, and text that is not markup.
    """
    try:
        content = _File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise WordingError(f"{file.name}: {error}") from None
    if content.task != file.stem:
        raise WordingError(f"{file.name}: says task {content.task!r}; name the file after the task")
    for problem in _problems(content):
        raise WordingError(f"{file.name}: {problem}")
    return Wordings(content.task, content.kinds, derive_id("wordings", content.model_dump()))


def _problems(content: _File) -> list[str]:
    found = []
    for what, least in (("questions", MIN_QUESTIONS), ("answers", MIN_ANSWERS)):
        wordings = [w for kind in content.kinds.values() for w in getattr(kind, what)]
        if len(wordings) < least:
            found.append(f"{len(wordings)} {what}; write at least {least}")
        ids = [w.id for w in wordings]
        found += [
            f"{what}: identifier {i!r} stands more than once" for i in sorted({i for i in ids if ids.count(i) > 1})
        ]
    kept = sum(len(kind.held_out) for kind in content.kinds.values())
    if kept < MIN_HELD_OUT:
        found.append(f"{kept} questions held out for evaluation; name at least {MIN_HELD_OUT} under held_out")
    return found + [problem for name, kind in content.kinds.items() for problem in _kind_problems(name, kind)]


def _kind_problems(name: str, kind: Kind) -> list[str]:
    found = []
    if len(kind.questions) < MIN_PER_KIND or 2 * len(kind.answered("unique")) < MIN_PER_KIND:
        found.append(
            f"kind {name} has {len(kind.questions)} questions and {len(kind.answered('unique'))} answer forms; "
            f"write at least {MIN_PER_KIND} and {MIN_PER_KIND // 2}"
        )
    for outcome in get_args(Outcome)[1:]:
        if 0 < 2 * len(kind.answered(outcome)) < MIN_PER_KIND:
            found.append(f"kind {name}: write at least {MIN_PER_KIND // 2} answer forms for the outcome {outcome}")
    found += [f"{w.id}: no register" for w in kind.questions if not w.registers]
    ids = {w.id for w in kind.questions}
    found += [f"kind {name}: held_out names {i!r}, which is no question of it" for i in kind.held_out if i not in ids]
    if not kind.held_out or len(kind.held_out) * 2 > len(kind.questions):
        found.append(f"kind {name}: hold out at least one question, and at most half of them")
    for what, group in (("question", kind.questions), ("answer", kind.answers)):
        skeletons = [_skeleton(w.text) for w in group]
        for w, skeleton in zip(group, skeletons, strict=True):
            allowed = SLOTS_OF.get(w.outcome, kind.answer_slots) if isinstance(w, Answer) else (kind.question_slots,)
            sets = [sorted(slots) for slots in allowed]
            if sorted(w.slots) not in sets:
                found.append(f"{w.id}: uses slots {sorted(w.slots)}; kind {name}, {what}: one of {sets}")
            if skeletons.count(skeleton) > 1:
                found.append(f"{w.id}: same words as another")
            rest = _SLOT.sub("", w.text)
            if _STRAY.search(rest):
                found.append(f"{w.id}: a stray brace; slots are lower-case names in braces")
            found += [f"{w.id}: {problem}" for problem in validate(rest, media=1)]
    return found


def _skeleton(text: str) -> str:
    return " ".join(re.findall(r"[a-z_]+", text.lower()))
