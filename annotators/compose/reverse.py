"""Reversed twins: the clip played backwards, without its sound.

Kept clips with one clear motion are cut again from last frame to first; every motion then has the opposite
direction. A clip at a variable frame rate is brought to its average rate first.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.annotator import Composer, Row, Rows, Unit
from .twin import TwinParams, compose_twins


class Reverse(Composer[TwinParams]):
    """Writes one medium per twin, with its rows of `media`, `sources` and `edits`."""

    name = "reverse"
    Params = TwinParams
    reads = ("media", "clips", "selection", "signals")
    optional_reads = ("selection",)
    writes = ("media", "sources", "edits")
    grade = "exact"

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The twins of one medium."""
        return compose_twins(unit, rows, "reverse", self.params)


ANNOTATOR = Reverse
