"""`verify`: recompute every answer of a dataset from its evidence as it is stored now, trusting no earlier verdict.

The tasks are built as the recipes of the root configured them (table `runs`), samples and evidence are read medium by
medium, and each sample is checked as during the build. Samples whose task no recipe names any more are a problem too.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..engine.annotator import Rows, Unit, UnitAnnotator
from ..engine.bundle import read_inputs
from ..engine.catalog import Catalog
from ..engine.plan import CORPUS
from ..engine.producer import ProducerSpec
from .run_record import latest_runs, of_annotator

UNITS_AT_ONCE = 64
CHECKERS = ("verdicts", "corpus_verdicts")
"""Annotators that check samples: those of media, and those of tasks that look at the whole dataset."""


@dataclass
class VerifyReport:
    """What checking found out."""

    samples: int = 0
    recomputed: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    by_task: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return dict(self.__dict__)


def verify_root(root: Path, task: str | None = None) -> VerifyReport:
    """Check all samples of a dataset (or of one task). Raises `StoreError` when there is no dataset."""
    started = time.perf_counter()
    report = VerifyReport()
    counts: dict[str, Counter[str]] = {}
    with Catalog(root) as catalog:
        for verdict in _verdicts(catalog):
            if task is not None and verdict["task"] != task:
                continue
            report.samples += 1
            count = counts.setdefault(str(verdict["task"]), Counter())
            count["samples"] += 1
            if verdict["check_status"] == "recomputed":
                report.recomputed += 1
                count["recomputed"] += 1
            if verdict["passed"]:
                count["passed"] += 1
                count[str(verdict["evidence_grade"])] += 1
            else:
                report.problems.append({k: verdict[k] for k in ("task", "sample_id", "problem", "reason")})
    for name, count in sorted(counts.items()):
        grades = ", ".join(f"{g} {count[g]}" for g in ("exact", "two_source", "model", "judge") if count[g])
        line = {k: count[k] for k in ("samples", "recomputed", "passed")}
        report.by_task.append(
            {"task": name, **line, "mismatches": count["samples"] - count["passed"], "grades": grades}
        )
    report.seconds = time.perf_counter() - started
    return report


def _verdicts(catalog: Catalog) -> Iterator[dict[str, Any]]:
    checked: set[str] = set()
    for run in latest_runs(catalog):
        settings = json.loads(run["producers_json"])
        for name in CHECKERS:
            mine = of_annotator(settings, name)
            if mine is None:
                continue
            annotator = cast(UnitAnnotator, ProducerSpec(name, name, mine["params"]).build())
            for verdict in _check_all(catalog, annotator, mine["inputs"], run["recipe"]):
                if verdict["sample_id"] not in checked:
                    checked.add(verdict["sample_id"])
                    yield verdict
    for row in catalog.rows("SELECT sample_id, task, producer FROM samples ORDER BY sample_id"):
        if row["sample_id"] not in checked:
            yield {
                "sample_id": row["sample_id"],
                "task": row["task"],
                "check_status": "unchecked",
                "passed": False,
                "problem": "unchecked",
                "reason": f"no recipe of this root has a task {row['producer']!r}",
                "evidence_grade": "judge",
            }


def _check_all(
    catalog: Catalog, annotator: UnitAnnotator, inputs: dict[str, list[str]], recipe: str
) -> Iterator[dict[str, Any]]:
    """Verdicts on the samples that the annotator checks, medium by medium, or over the whole corpus at once."""
    if annotator.grain == "corpus":
        whole = Rows({table: read_inputs(catalog, table, names, ()) for table, names in inputs.items()})
        yield from (row for _, row in annotator.annotate(Unit(CORPUS, "corpus", None, recipe, 0), whole))
        return
    rows = catalog.rows(
        "SELECT DISTINCT unit FROM samples WHERE list_contains(?, producer) ORDER BY unit", [inputs["samples"]]
    )
    units = [r["unit"] for r in rows]
    for first in range(0, len(units), UNITS_AT_ONCE):
        yield from _check_units(catalog, annotator, inputs, units[first : first + UNITS_AT_ONCE], recipe)


def _check_units(
    catalog: Catalog, annotator: UnitAnnotator, inputs: dict[str, list[str]], units: list[str], recipe: str
) -> Iterator[dict[str, Any]]:
    tables = {table: read_inputs(catalog, table, names, units) for table, names in inputs.items()}
    for unit in units:
        mine = {t: [r for r in rows if r["unit"] == unit or r["media_id"] == unit] for t, rows in tables.items()}
        for _, verdict in annotator.annotate(Unit(unit, "medium", None, recipe, 0), Rows(mine)):
            yield verdict
