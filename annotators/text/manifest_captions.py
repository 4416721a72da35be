"""Captions that come with the footage: the caption column of its manifest, as rows of `captions`.

A row with a span describes that clip, or that event where the manifest says `spans: captions`; one without describes the
whole medium. What the text says is taken as it is: people or composers wrote it, so the rows are graded exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ..manifest_rows import manifest_rows


class ManifestCaptionsParams(Params):
    """Parameters of `manifest_captions`."""

    strict: bool = Field(
        default=True, description="a manifest row without footage fails the medium; false: it is left out"
    )


class ManifestCaptions(UnitAnnotator[ManifestCaptionsParams]):
    """Writes `captions` from the captions of manifest rows."""

    name: ClassVar[str] = "manifest_captions"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = ManifestCaptionsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = ("captions",)
    grade: ClassVar[Grade] = "exact"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One row per caption of the medium; skips a medium that has none."""
        medium = unit.medium
        assert medium is not None
        entries = manifest_rows(rows["sources"], medium.duration_s, str(medium), self.params.strict)
        found = [
            {
                "start_s": e.start_s,
                "end_s": e.end_s,
                "level": ("event" if e.is_event else "clip") if e.has_span else "medium",
                "text": e.caption,
                "model": "manifest",
            }
            for e in entries
            if e.caption
        ]
        if not found:
            raise SkipUnit("no caption in the manifest")
        return [("captions", row) for row in found]


ANNOTATOR = ManifestCaptions
