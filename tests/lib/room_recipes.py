"""A carried spatial recipe on rooms that are rendered already: its sources are replaced by a folder, its packages left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import chronotope
import pytest
import yaml
from chronotope.engine.catalog import Catalog
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe
from chronotope.schemas.sample import Sample

CARRIED = Path(chronotope.__file__).parent / "pipelines" / "recipes"


def build_on(
    rooms: Path,
    name: str,
    below: Path,
    patch: pytest.MonkeyPatch,
    change: Callable[[dict], None] | None = None,
    **variables: object,
) -> Path:
    """The root of recipe `name`, built on the films of a folder with `variables` in the environment; `change` may edit it."""
    told = yaml.safe_load((CARRIED / f"{name}.yaml").read_text(encoding="utf-8"))
    told["sources"] = [{"folder": str(rooms)}]
    told.pop("package", None)
    if change is not None:
        change(told)
    for key, value in variables.items():
        patch.setenv(key, str(value))
    file = below / f"{name}.yaml"
    file.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    root = below / f"{name}.chronotope"
    report = Build(Recipe.read(str(file)), root).run()
    assert not report.failures, report.failures
    assert not report.unaccounted, report.unaccounted
    return root


def samples_of(catalog: Catalog) -> list[Sample]:
    """All samples."""
    return [Sample.from_row(row) for row in catalog.rows("SELECT * FROM samples")]


def evidence_of(catalog: Catalog, sample: Sample) -> list[EvidenceRow]:
    """The cited rows as they are stored, in the order in which they are cited."""
    found = {}
    for table in sorted({e.table for e in sample.evidence}):
        ids = ", ".join(f"'{e.row_id}'" for e in sample.evidence if e.table == table)
        found |= {(table, r["row_id"]): r for r in catalog.rows(f"SELECT * FROM {table} WHERE row_id IN ({ids})")}
    return [EvidenceRow(e.table, dict(found[e.table, e.row_id])) for e in sample.evidence]
