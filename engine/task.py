"""The task contract: a unit annotator that writes samples and can recompute each answer from its evidence.

Writing and checking share one pure function per task, but checking starts from the evidence rows as they are stored
now: the engine first tells malformed samples, missing and changed evidence apart (`engine/check.py`), then asks
`recompute`. A task never sees letters, tokens or pixels.

What makes its samples trustworthy is declared, and measured by parts of the engine that every task gets for free:
which baselines must fail (`must_hurt`) and which second method can find the answer again (`second`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..schemas.chain import Step
from ..schemas.sample import Sample
from ..schemas.verifying import Check
from .annotator import P, Stage, UnitAnnotator

Solver = Literal[
    "prior", "options_only", "question_only", "fixed_interval", "middle_frame", "first_frame", "shuffled_frames"
]
"""Baselines of the ladder: what each may look at is in its name."""
Second = Literal["speech", "text", "motion", "statistics", "stills", "captions"]
"""Second methods of `verify --deep`: what each annotates again."""


@dataclass(frozen=True)
class EvidenceRow:
    """A cited row as it is stored now (all columns of its table)."""

    table: str
    row: dict[str, Any]


class Task(UnitAnnotator[P]):
    """Writes `samples` rows of one medium; the engine fills `verdicts` from `recompute`."""

    stage: ClassVar[Stage] = "task"
    writes: ClassVar[tuple[str, ...]] = ("samples",)
    light: ClassVar[bool] = True
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "fixed_interval")
    """Baselines that must stay near chance; `chronotope report` names those that do not."""
    second: ClassVar[Second | None] = None
    """The method that looks for the answer again in packaged media; None: there is none for this task yet."""

    def status_of(self, sample: Sample) -> Literal["recomputed", "unchecked"]:
        """What `recompute` says of a sample that passes: that its answer follows from rows (recomputed), or only that times,
        places and quotations do, while the answer itself is a model's (unchecked, until a judge or a person looked).
        """
        return "recomputed"

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The way to the answer as typed steps over cited rows, recorded while the sample is rebuilt from `evidence`; empty
        for a task that records none. Raises whatever a sample raises that does not follow from its evidence.
        """
        return ()

    @abstractmethod
    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Whether answer, options and window of `sample` follow from `evidence` (in the order in which it is cited)."""
