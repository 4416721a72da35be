"""What models write for `five_step` and what becomes of it: paths, repairs and verdicts as proposals, graded, in the order of use.

Everything that decides about a sample is in the proposals that it cites: the chosen path first, then all other paths of the
question, then the verdict of a judge. So agreement, tier and score follow from stored rows again when a sample is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.facts import Facts, SlotProblem
from ...schemas.paths import Asked, Grade, Path, Tier, grade, score_of
from ...schemas.slot_text import slots_in
from ...schemas.slots import resolve
from ...schemas.span import Span


class FiveStepReply(Path):
    """A path of reasoning to the answer of a question."""


class FiveStepJudgeReply(BaseModel):
    """How soundly steps lead to their conclusion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    soundness: int = Field(ge=1, le=5)
    reason: str


class ProposedPath(Path):
    """A path with its place: what table `proposals` keeps of it."""

    part: Literal["path", "repair"]
    kind: str
    number: int
    asked_for: int
    """How many paths were asked for, those included whose reply could not be used."""
    used: list[str]
    """Facts of the list that it speaks of."""


class ProposedVerdict(FiveStepJudgeReply):
    """A judge's verdict with the path that it is about."""

    part: Literal["judge"]
    number: int
    repaired: bool


@dataclass(frozen=True)
class Graded:
    """A path with its grade; `row` is its proposal."""

    path: ProposedPath
    row: Mapping[str, Any]
    role: str
    rules: Grade
    judged: float | None = None
    verdict: Mapping[str, Any] | None = None
    """The proposal that is a judge's verdict about it."""
    reason: str = ""
    """What the judge said."""

    @property
    def repaired(self) -> bool:
        """Whether it is a repair."""
        return self.path.part == "repair"

    def tier(self, least_sound: float) -> Tier:
        """By rules, and by the judge where there is one."""
        weak = self.judged is not None and self.judged < least_sound
        return "B" if self.rules.tier == "A" and weak else self.rules.tier

    def problem(self, least_sound: float) -> SlotProblem | None:
        """Why it is not of tier A."""
        if self.rules.problem is not None:
            return self.rules.problem
        if self.tier(least_sound) == "B":
            return SlotProblem("judged_unsound", self.reason)
        return None


@dataclass(frozen=True)
class Choice:
    """The path that a question's sample carries, and what is said of it."""

    chosen: Graded
    tier: Tier
    score: int
    n_agree: int
    paths: int

    @property
    def agreement(self) -> float:
        """Share of the paths that gave the right answer."""
        return self.n_agree / self.paths


def graded(path: ProposedPath, row: Mapping[str, Any], role: str, asked: Asked, facts: Facts) -> Graded:
    """A path with what rules say of it."""
    return Graded(path, row, role, grade(path, asked, facts))


def judged_share(soundness: int) -> float:
    """1..5 as 0..1."""
    return (soundness - 1) / 4


def agreement(paths: Sequence[Graded], asked_for: int) -> tuple[int, float]:
    """How many of the paths that were asked for gave the right answer, and their share."""
    right = sum(g.rules.answer_ok for g in paths if not g.repaired)
    return right, right / asked_for if asked_for else 0.0


def in_order(paths: Sequence[Graded], least_sound: float) -> list[Graded]:
    """Best first: by tier, whether a judge found it sound, unrepaired ones first, then stated confidence."""
    return sorted(
        paths,
        key=lambda g: (g.tier(least_sound), -(g.judged or 0.0), g.repaired, -g.path.confidence, g.path.number),
    )


def chosen_of(
    candidates: Sequence[Graded], paths: Sequence[Graded], asked_for: int, *, least_sound: float, keep: Sequence[Tier]
) -> Choice | None:
    """The best path of a tier that is kept; None when there is none."""
    right, share = agreement(paths, asked_for)
    for best in in_order(candidates, least_sound)[:1]:
        tier = best.tier(least_sound)
        score = score_of(tier, share, best.path.confidence, best.judged, repaired=best.repaired)
        if tier in keep and score is not None:
            return Choice(best, tier, score, right, asked_for)
    return None


def hints_of(path: Path, facts: Facts, window: Span) -> dict[str, str | None]:
    """The hints that say what they should: the first three without slots, none with a time or an unknown slot."""
    hints = path.hints.model_dump()
    found: dict[str, str | None] = {}
    for name, text in hints.items():
        bad = bool(resolve(text, facts, window).problems) or (name != "key_step" and bool(slots_in(text)))
        found[f"hint_{name}"] = None if bad or not text.strip() else text
    return found
