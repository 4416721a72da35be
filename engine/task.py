"""The task contract: a unit annotator that writes samples and can recompute each answer from its evidence.

Writing and checking share one pure function per task, but checking starts from the evidence rows as they are stored
now: the engine first tells malformed samples, missing and changed evidence apart (`engine/check.py`), then asks
`recompute`. A task never sees letters, tokens or pixels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..schemas.sample import Sample
from ..schemas.verifying import Check
from .annotator import P, Stage, UnitAnnotator


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

    @abstractmethod
    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Whether answer, options and window of `sample` follow from `evidence` (in the order in which it is cited)."""
