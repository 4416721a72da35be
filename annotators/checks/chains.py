"""Chains of the samples of one medium: recorded by their tasks, run again, doubted value by value, and held to what is shown.

A chain is trusted when running it gives the answer, when the answer rests on every value that it cites and on nothing
else, and when a reader of the sample can perceive all of it. Tasks that record no chain have no rows here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.answering.perceptible import why_imperceptible
from ...engine.configured import Cited, Configured, by_id, tasks_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Broken, Step, cited, problems, replay, same_answer, to_json
from ...schemas.chain_doubt import doubt
from ...schemas.sample import Sample, TurnsAnswer
from ...schemas.tables import TABLES


class Params(BaseParams):
    """Parameters of chains."""

    min_text_px: float = Field(
        8.0, ge=0, description="Height below which cited writing cannot be read, px of the footage."
    )
    configured: Configured = Field(
        default_factory=dict, description="Filled in by the recipe: its tasks as it configured them."
    )


class Chains(UnitAnnotator[Params]):
    """Writes `chains`: one row per sample whose task records how it got to the answer."""

    name: ClassVar[str] = "chains"
    version: ClassVar[int] = 2
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("samples",)
    optional_reads: ClassVar[tuple[str, ...]] = tuple(name for name in TABLES if name != "samples")
    """What a task cannot do without is its own to say."""
    writes: ClassVar[tuple[str, ...]] = ("chains",)
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True

    @cached_property
    def tasks(self) -> dict[str, Task[Any]]:
        """The recipe's tasks about single media, by producer."""
        return {name: task for name, task in tasks_of(self.params.configured).items() if task.grain != "corpus"}

    def dynamic_reads(self) -> tuple[str, ...]:
        """Samples and everything that the tasks rest on: what they read, and the proposals that some of them cite."""
        read = {table for t in self.tasks.values() for table in (*t.dynamic_reads(), *t.dynamic_writes())}
        return ("samples", *sorted(read - {"samples"}))

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One row per sample with a chain, or of which its task could not record one."""
        if not rows["samples"]:
            raise SkipUnit("no samples")
        lookup, done = Cited(rows), set[str]()
        for row in rows["samples"]:
            if row["sample_id"] in done or row["producer"] not in self.tasks:
                continue
            done.add(str(row["sample_id"]))
            try:
                sample = Sample.from_row(row)
            except (ValueError, KeyError, TypeError):
                continue  # malformed: the verdict says so
            found = self._chain(sample, lookup.evidence(sample), self.tasks[row["producer"]])
            if found is not None:
                identity = {"media_id": row["media_id"], "sample_id": row["sample_id"], "task": row["task"]}
                yield "chains", {**identity, **found}

    def _chain(self, sample: Sample, evidence: list[EvidenceRow] | str, task: Task[Any]) -> dict[str, Any] | None:
        """The values of a row; None for a task without chains."""
        if isinstance(evidence, str):
            return _failed((), evidence) if type(task).trace is not Task.trace else None
        try:
            steps = task.trace(sample, evidence)
        except Exception as error:  # whatever a corrupted sample provokes is a finding, not a crash
            return _failed((), f"not recorded: {error}")
        if not steps or isinstance(sample.answer, TurnsAnswer):
            return None
        rows, wrong = by_id(evidence), problems(steps)
        run = replay(steps, rows)
        if wrong:
            return _failed(steps, wrong[0])
        if isinstance(run, Broken):
            return _failed(steps, f"{run.step} {run.reason}")
        replayed = same_answer(run.answer, sample.answer)
        tried = doubt(steps, rows, run)
        unseen = why_imperceptible(steps, sample, rows, min_text_px=self.params.min_text_px)
        idle = "" if not tried.idle else "nothing rests on {2} of {0} row {1}".format(*tried.idle[0])
        reasons = ("" if replayed else f"the steps give {run.answer.model_dump_json()}", idle, unseen)
        cited_rows = {row_id for _, row_id, _ in cited(steps)}
        return {
            "steps_json": to_json(steps),
            "answer_json": run.answer.model_dump_json(),
            "step_count": len(steps),
            "cited_rows": len(cited_rows),
            "uncited_rows": len(set(rows) - cited_rows),
            "cited_values": tried.values,
            "idle_values": len(tried.idle),
            "replayed": replayed,
            "faithful": replayed and tried.faithful,
            "shown": not unseen,
            "reason": next(filter(None, reasons), None),
        }


def _failed(steps: tuple[Step, ...], reason: str) -> dict[str, Any]:
    return {
        "steps_json": to_json(steps) if steps else None,
        "step_count": len(steps),
        "replayed": False,
        "faithful": False,
        "reason": reason,
    }


ANNOTATOR = Chains
