"""The recipe's tasks as the recipe configured them, for what has to run a task's own code on its stored samples.

A parameter called `configured` is filled by the recipe: producer of a task -> annotator, parameters, folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from ..schemas.sample import Sample
from .annotator import Annotator, Rows
from .producer import ProducerSpec
from .task import EvidenceRow, Task

Configured = dict[str, dict[str, Any]]
"""Producer of a task: {annotator, params, folder}."""


def configured_of(built: Iterable[tuple[ProducerSpec, Annotator]]) -> Configured:
    """What a recipe writes into a parameter called `configured`."""
    return {
        spec.name: {"annotator": spec.annotator, "params": dict(spec.params), "folder": spec.folder}
        for spec, annotator in built
        if isinstance(annotator, Task)
    }


def tasks_of(configured: Configured) -> dict[str, Task[Any]]:
    """The tasks by producer."""
    return {
        name: cast(Task[Any], ProducerSpec(name, s["annotator"], s["params"], folder=s["folder"]).build())
        for name, s in configured.items()
    }


class Cited:
    """Rows of one unit by table and identifier, to look up what samples cite."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._index: dict[str, dict[str, dict[str, Any]]] = {}

    def row(self, table: str, row_id: str) -> dict[str, Any] | None:
        """A row as it is stored now."""
        if table not in self._index:
            self._index[table] = {str(row["row_id"]): row for row in self._rows[table]}
        return self._index[table].get(row_id)

    def evidence(self, sample: Sample) -> list[EvidenceRow] | str:
        """The rows that a sample cites, in order; or which one is gone."""
        found = []
        for e in sample.evidence:
            row = self.row(e.table, e.row_id)
            if row is None:
                return f"{e.table} row {e.row_id} is gone"
            found.append(EvidenceRow(e.table, row))
        return found


def by_id(evidence: Sequence[EvidenceRow]) -> dict[str, Mapping[str, Any]]:
    """Evidence rows by identifier."""
    return {str(e.row["row_id"]): e.row for e in evidence}
