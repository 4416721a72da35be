"""Checks every sample of a medium against its evidence as it is stored now: one row of table `verdicts` each.

Added to every recipe that has tasks. It builds the recipe's tasks and lets each recompute the samples that it wrote;
`engine/check.py` tells malformed samples, missing or changed evidence and wrong answers apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, cast

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, Stage, Unit, UnitAnnotator
from ...engine.check import check_sample
from ...engine.producer import ProducerSpec
from ...engine.task import Task
from ...schemas.tables import TABLES


class VerdictsParams(Params):
    """Filled in by the recipe; not meant to be written by hand."""

    tasks: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="producer of a task: {annotator, params, folder} that it was configured with",
    )
    grades: dict[str, str] = Field(default_factory=dict, description="producer: evidence grade of its rows")


class Verdicts(UnitAnnotator[VerdictsParams]):
    """The check of every sample: recomputed, passed or why not, and how true its evidence is."""

    name: ClassVar[str] = "verdicts"
    version: ClassVar[int] = 3
    Params: ClassVar[type[Params]] = VerdictsParams
    reads: ClassVar[tuple[str, ...]] = ("samples",)
    optional_reads: ClassVar[tuple[str, ...]] = tuple(name for name in TABLES if name != "samples")
    """What a task cannot do without is its own to say."""
    writes: ClassVar[tuple[str, ...]] = ("verdicts",)
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True

    @cached_property
    def tasks(self) -> dict[str, Task[Any]]:
        """The recipe's tasks by producer: those of this grain, the corpus or anything smaller."""
        built = {
            name: cast(Task[Any], ProducerSpec(name, s["annotator"], s["params"], folder=s["folder"]).build())
            for name, s in self.params.tasks.items()
        }
        return {name: task for name, task in built.items() if (task.grain == "corpus") == (self.grain == "corpus")}

    def dynamic_reads(self) -> tuple[str, ...]:
        """Samples and everything that the tasks rest on: what they read, and the proposals that some of them cite."""
        read = {table for task in self.tasks.values() for table in (*task.dynamic_reads(), *task.dynamic_writes())}
        return ("samples", *sorted(read - {"samples"}))

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One verdict per sample of these tasks."""
        index: dict[str, dict[str, dict[str, Any]]] = {
            table: {row["row_id"]: row for row in rows[table]} for table in rows
        }
        checked: dict[str, dict[str, Any]] = {}

        def lookup(table: str, row_id: str) -> dict[str, Any] | None:
            return index.get(table, {}).get(row_id)

        def grade(table: str, row: Mapping[str, Any]) -> str:
            return self.params.grades.get(str(row["producer"]), "judge")

        def member(row: dict[str, Any]) -> dict[str, Any]:
            """The verdict of a sample that a conversation cites; a conversation cannot be one."""
            if row["row_id"] not in checked:
                checked[row["row_id"]] = check_sample(row, lookup, self.tasks[row["producer"]], grade)
            return checked[row["row_id"]]

        for row in rows["samples"]:
            if row["producer"] in self.tasks:
                yield "verdicts", check_sample(row, lookup, self.tasks[row["producer"]], grade, member)


ANNOTATOR = Verdicts
