"""The list of papers tells the truth: 85 rows, states that are looked up, and a page and a test for each recipe of the literature."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chronotope.pipelines.cli import app
from chronotope.pipelines.recipe import builtin_recipes
from chronotope.pipelines.seeds import Seed, page, seeds
from typer.testing import CliRunner

REPOSITORY = Path(__file__).parents[2]
GENERAL = ("quickstart", "proposed")
"""Recipes that are of no single paper."""


def literature() -> list[str]:
    return [name for name in builtin_recipes() if name not in GENERAL]


def test_every_paper_is_listed_once_with_its_check_or_why_there_is_nothing_to_build() -> None:
    assert [s.row for s in seeds()] == list(range(1, 86))
    assert all(s.why if s.kind == "none" else s.what and s.check and s.names for s in seeds())
    kinds = [s.kind for s in seeds()]
    assert {k: kinds.count(k) for k in set(kinds)} == {"data": 32, "policy": 22, "signal": 8, "none": 23}


def test_a_state_follows_from_what_exists() -> None:
    made = {"row": 1, "paper": "p", "class": "data", "what": "w", "check": "c"}
    assert Seed(**made, recipes=("quickstart",)).state == "ready"
    assert Seed(**made, recipes=("quickstart", "not_there")).state == "partly"
    assert Seed(**made, recipes=("not_there",), columns=("media.nothing",)).state == "not yet"
    assert Seed(**made, columns=("media.fps",), missing="boxes").state == "partly"


@pytest.mark.parametrize("name", literature())
def test_each_recipe_of_the_literature_has_a_page_a_test_and_a_row(name: str) -> None:
    text = (REPOSITORY / "docs" / "recipes" / f"{name}.md").read_text(encoding="utf-8")
    assert "fault" in text.lower() and f"chronotope build {name}" in text
    assert (REPOSITORY / "tests" / "recipes" / f"test_{name}.py").is_file()
    assert any(name in s.recipes for s in seeds()), f"{name} is named by no row of seeds.yaml"


def test_the_printed_page_is_current() -> None:
    assert (REPOSITORY / "docs" / "recipes" / "README.md").read_text(encoding="utf-8") == page(), (
        "run `python -m chronotope.pipelines.seeds > docs/recipes/README.md`"
    )


def test_the_command_prints_all_rows_with_their_state() -> None:
    shown = CliRunner().invoke(app, ["recipes", "--seeds", "--json"])
    assert shown.exit_code == 0
    rows = json.loads(shown.stdout)
    assert len(rows) == 85 and {r["state"] for r in rows} <= {"ready", "partly", "not yet", "nothing to build"}
