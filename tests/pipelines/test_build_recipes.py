"""Two recipes in one root keep out of each other's rows; what a recipe names no more is removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.build import Build
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root

pytestmark = pytest.mark.xdist_group("ray")

RECIPE = """
name: {name}
sources: [folder: footage]
annotate: [shots, signals: {{fps: 4}}]
clips: shot
tasks: [{tasks}]
"""


@pytest.fixture
def build(tmp_path: Path, films: list[Path]) -> Callable[..., Any]:
    (tmp_path / "footage").mkdir()
    for film in films[:2]:
        shutil.copy2(film, tmp_path / "footage" / film.name)

    def run(name: str, tasks: str, did_nothing: bool = False) -> Path:
        root = tmp_path / "both.chronotope"
        report = Build(Recipe.parse(RECIPE.format(name=name, tasks=tasks), tmp_path), root).run()
        assert report.did_nothing is did_nothing
        assert report.status == "done" and not report.failures and not report.unaccounted
        return root

    return run


def counts(root: Path, table: str) -> dict[str, int]:
    with Catalog(root) as catalog:
        return {
            r["task"]: r["n"]
            for r in catalog.rows(f"SELECT task, count(DISTINCT sample_id) AS n FROM {table} GROUP BY task")
        }


def test_recipes_of_one_root_keep_their_own_verdicts_and_groups(build: Callable[..., Any]) -> None:
    root = build("one", "camera_motion")
    first = counts(root, "samples")
    build("two", "frame_order")
    made = counts(root, "samples")
    assert set(made) == {"camera_motion", "frame_order"} and made["camera_motion"] == first["camera_motion"]
    assert counts(root, "verdicts") == made and counts(root, "sample_view WHERE group_id IS NOT NULL") == made
    assert not verify_root(root).problems
    assert build("one", "camera_motion", did_nothing=True), "the other recipe changed nothing of this one"


def test_what_a_recipe_names_no_more_is_removed_and_plan_says_so(build: Callable[..., Any], tmp_path: Path) -> None:
    root = build("one", "camera_motion, frame_order")
    assert "frame_order" in counts(root, "samples")
    lines = plan_recipe(Recipe.parse(RECIPE.format(name="one", tasks="camera_motion"), tmp_path), root)
    assert {line.producer: line.gone for line in lines if line.gone}["frame_order"] == 2
    build("one", "camera_motion")
    assert set(counts(root, "samples")) == {"camera_motion"}
    assert not verify_root(root).problems


def test_checks_are_on_by_default_and_can_be_left_out(tmp_path: Path) -> None:
    text = RECIPE.format(name="one", tasks="camera_motion")
    assert {"ladder:one", "frame_plans:one", "contamination:one"} <= {
        s.name for s in Recipe.parse(text, tmp_path).specs
    }
    without = Recipe.parse(text + "checks: {ladder: false, frame_plans: {profiles: [llava-video-64]}}\n", tmp_path)
    specs = {s.name: s for s in without.specs}
    assert "ladder:one" not in specs
    assert specs["frame_plans:one"].params == {"profiles": ["llava-video-64"]}
