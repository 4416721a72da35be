"""Checks the samples of tasks that look at the whole dataset: their evidence lies in many media.

Added to recipes that have such tasks; the check itself is that of `verdicts`, over the rows of all media.
"""

from __future__ import annotations

from typing import ClassVar

from ...engine.annotator import Grain
from .verdicts import Verdicts


class CorpusVerdicts(Verdicts):
    """The check of every sample of a task of grain corpus."""

    name: ClassVar[str] = "corpus_verdicts"
    version: ClassVar[int] = 1
    grain: ClassVar[Grain] = "corpus"

    def dynamic_reads(self) -> tuple[str, ...]:
        """Samples and everything that the tasks of this grain rest on, of all media."""
        return super().dynamic_reads()


ANNOTATOR = CorpusVerdicts
