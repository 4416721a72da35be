"""Rows of composed media that a composer carried over from rows that are not exact: speech that was recognised, events that were
fused. Their times are exact arithmetic, what they say is as true as what they were made from.

Beside `composed_truth`, which writes the exact rows of the same file. Graded `model`, the lowest grade that annotators of
footage have; media without such rows are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.composed import ComposedFacts
from .composed_truth import KNOWN, known_rows, read_truth


class CarriedTruth(UnitAnnotator[Params]):
    """Writes the rows of a composer's truth whose table it graded lower than exact."""

    name: ClassVar[str] = "carried_truth"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = KNOWN
    grade: ClassVar[Grade] = "model"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of the medium. Raises `SkipUnit` when nothing was carried over, `ValueError` for a bad truth file."""
        assert unit.medium is not None
        truth, name = read_truth(rows)
        if not isinstance(truth, ComposedFacts) or not truth.grades:
            raise SkipUnit("nothing was carried over from rows that are not exact")
        return list(known_rows(truth, name, unit.medium, exact=False))


ANNOTATOR = CarriedTruth
