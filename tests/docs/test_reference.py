"""The printed references in `docs/` say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest
from chronotope.pipelines.reference import recipe_reference
from chronotope.pipelines.table_reference import table_reference
from chronotope.schemas.tables import TABLES
from chronotope.schemas.views import CLIP_VIEW

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("file", "printed"),
    [("recipe.md", recipe_reference), ("tables.md", table_reference)],
    ids=["recipe", "tables"],
)
def test_reference_is_what_the_code_prints(file: str, printed: object) -> None:
    assert callable(printed)
    if (DOCS / file).read_text(encoding="utf-8") != printed():
        pytest.fail(f"docs/{file} is not what the code says any more: run `make docs` and commit the result")


def test_every_table_and_column_is_explained() -> None:
    text = table_reference()
    for table in TABLES.values():
        section = text.split(f"### `{table.name}`\n", 1)[1].split("\n### ", 1)[0]
        assert not [c.name for c in table.columns if f"| `{c.name}` |" not in section], table.name
    assert not [c.name for c in CLIP_VIEW.columns if not c.doc]


def test_no_parameter_is_without_a_meaning() -> None:
    empty = [line for line in recipe_reference().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert not empty


def test_no_two_groups_of_parameters_share_a_name() -> None:
    """Two of one name would be printed in an order that differs from machine to machine, and a reader could not tell them apart."""
    groups = recipe_reference().split("## Groups of parameters", 1)[1]
    names = [line for line in groups.splitlines() if line.startswith("### ")]
    assert len(names) > 5
    assert sorted(set(names)) == sorted(names)
