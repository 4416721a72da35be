"""Mirrored twins: what went left goes right, and writing is reversed too.

Kept clips whose motion has a side (a pan, a roll, something going left or right) are cut again with left and
right exchanged. What moves up or nearer does the same in a mirror, so such clips get no mirrored twin.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.annotator import Composer, Row, Rows, Unit
from .twin import TwinParams, compose_twins


class Mirror(Composer[TwinParams]):
    """Writes one medium per twin, with its rows of `media`, `sources` and `edits`."""

    name = "mirror"
    Params = TwinParams
    reads = ("media", "clips", "selection", "signals")
    optional_reads = ("selection",)
    writes = ("media", "sources", "edits")
    grade = "exact"

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The twins of one medium."""
        return compose_twins(unit, rows, "mirror", self.params)


ANNOTATOR = Mirror
