"""Which footage must stay together, and its split, before any sample is written: tasks ask the splits for evaluation in
words that training never uses.

The same components and the same draw as `groups`, which adds what samples join (several media, minimal pairs). Only for
such samples the two can differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ...engine.annotator import Grain as GrainName
from ...engine.annotator import Params, Row, Rows, Stage, Unit, UnitAnnotator
from .groups import GroupsParams, footage_groups, splits_of


class FootageGroups(UnitAnnotator[GroupsParams]):
    """Writes `footage_groups`: one row per medium."""

    name: ClassVar[str] = "footage_groups"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = GroupsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "duplicates", "edits")
    optional_reads: ClassVar[tuple[str, ...]] = ("duplicates", "edits")
    writes: ClassVar[tuple[str, ...]] = ("footage_groups",)
    stage: ClassVar[Stage] = "task"
    grain: ClassVar[GrainName] = "corpus"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Group and split of every medium. Raises `ValueError` for contradictory official splits."""
        groups = footage_groups(rows["media"], rows["duplicates"], rows["edits"], ())
        split = splits_of(groups, rows["media"], self.params, unit.seed)
        for media_id in sorted({str(m["media_id"]) for m in rows["media"]}):
            group = groups.name(media_id)
            yield "footage_groups", {"media_id": media_id, "group_id": group, "split": split(group)}


ANNOTATOR = FootageGroups
