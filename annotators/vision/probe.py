"""Reads a medium's headers and packets, without decoding more than its first frame: one row of table `media`.

Recipe metadata (licence, group, official split, origin, user columns) is copied from `sources`, so that `media` has one
producer. A file that cannot be opened, is truncated or holds no media fails here, with cause and remedy; everything
behind it is then blocked for that medium.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, Unit, UnitAnnotator
from ...engine.media.probe import probe


class ProbeParams(Params):
    """Parameters of `probe`."""

    allow_truncated: bool = Field(
        False, description="accept files that hold less than their header promises; what is there is used"
    )


class Probe(UnitAnnotator[ProbeParams]):
    """What a medium is: kind, duration, frames, size, sound, subtitles, capture time and place."""

    name: ClassVar[str] = "probe"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ProbeParams
    reads: ClassVar[tuple[str, ...]] = ("sources",)
    writes: ClassVar[tuple[str, ...]] = ("media",)
    grade: ClassVar[Grade] = "exact"
    reads_media: ClassVar[bool] = True
    quick_units: ClassVar[int] = 16

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One `media` row."""
        assert unit.medium is not None and unit.medium.path is not None
        places = sorted(rows["sources"], key=lambda r: str(r["uri"]))
        facts = probe(unit.medium.path, allow_truncated=self.params.allow_truncated)

        def said(column: str) -> str | None:
            return next((p[column] for p in places if p[column]), None)

        entries = [e for p in places for e in json.loads(p["entries_json"] or "[]")]
        users = [e["user"] for e in entries if "user" in e and e["start_s"] is None]
        yield (
            "media",
            {
                **facts,
                "media_id": unit.unit,
                "title": Path(places[0]["uri"]).name,
                "licence": said("licence"),
                "group_id": said("group_id") or unit.unit,
                "official_split": said("official_split"),
                "origin": said("origin") or "real",
                "user_json": json.dumps(users[0], sort_keys=True, default=str) if users and users[0] else None,
            },
        )


ANNOTATOR = Probe
