"""Whole builds on real Ray: what runs again, what does not, and that equal inputs give equal tables."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.producer import RecipeError
from chronotope.engine.store import Store
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport

pytestmark = pytest.mark.xdist_group("ray")
BuildIt = Callable[..., BuildReport]


def rows(root: Path, query: str) -> list[dict[str, object]]:
    with Catalog(root) as catalog:
        return catalog.rows(query)


def test_first_build_annotates_each_medium_once(build: BuildIt, world: Path) -> None:
    report = build()
    assert report.status == "done" and report.unaccounted == []
    assert report.worked["shots"] == report.worked["signals"] == report.worked["frames"] == 2
    assert report.decoded_s / report.source_s <= 1.05
    root = world / "small.chronotope"
    spans = rows(
        root, "SELECT media_id, min(start_s) AS s, max(end_s) AS e FROM shots GROUP BY media_id ORDER BY media_id"
    )
    media = rows(root, "SELECT media_id, duration_s FROM media ORDER BY media_id")
    assert [m["media_id"] for m in media] == [s["media_id"] for s in spans]
    for span, medium in zip(spans, media, strict=True):
        assert span["s"] == 0 and span["e"] == pytest.approx(medium["duration_s"])
    kept = rows(root, "SELECT count(*) AS n FROM selection WHERE kept")[0]["n"]
    clips = rows(root, "SELECT count(*) AS n FROM clips")[0]["n"]
    statuses = rows(root, "SELECT count(*) AS n FROM ledger WHERE producer = 'select:small' AND grain = 'clip'")[0]["n"]
    assert statuses == clips and 0 < kept <= clips


def test_rebuild_does_nothing_and_does_not_even_import_ray(build: BuildIt, world: Path) -> None:
    build()
    code = (
        "import sys; from pathlib import Path; from chronotope.pipelines.build import Build; "
        "from chronotope.pipelines.recipe import Recipe; "
        "report = Build(Recipe.read('small.yaml'), Path('small.chronotope').resolve()).run(); "
        "assert report.did_nothing, report; "
        "loaded = {'ray', 'av', 'cv2', 'onnxruntime', 'torch', 'scenedetect'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    version = Store.open(world / "small.chronotope").head().dataset_version
    done = subprocess.run([sys.executable, "-c", code], cwd=world, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Store.open(world / "small.chronotope").head().dataset_version == version


def test_one_more_video_costs_that_video(build: BuildIt, world: Path, films: list[Path]) -> None:
    first = build()
    shutil.copy2(films[2], world / "footage" / films[2].name)
    second = build()
    assert second.worked["shots"] == second.worked["signals"] == second.worked["probe"] == 1
    assert second.source_s < 0.7 * first.source_s
    assert rows(world / "small.chronotope", "SELECT count(*) AS n FROM media")[0]["n"] == 3


def test_a_removed_video_takes_its_rows_along(build: BuildIt, world: Path) -> None:
    build()
    root = world / "small.chronotope"
    gone = rows(root, "SELECT media_id FROM sources ORDER BY uri")[0]["media_id"]
    sorted((world / "footage").glob("*.mp4"))[0].unlink()
    build()
    for table in ("media", "shots", "signals", "frames", "clips", "selection", "ledger"):
        assert rows(root, f"SELECT count(*) AS n FROM {table} WHERE media_id = '{gone}'")[0]["n"] == 0, table
    assert rows(root, "SELECT count(*) AS n FROM media")[0]["n"] == 1


def test_a_changed_parameter_runs_its_dependents_as_planned(build: BuildIt, world: Path) -> None:
    build()
    change = ("  - shots\n", "  - shots: {detector: content}\n")
    recipe = Recipe.parse((world / "small.yaml").read_text().replace(*change), world)
    planned = {line.producer: line for line in plan_recipe(recipe, world / "small.chronotope")}
    assert planned["shots"].run == 2 and "adaptive" in planned["shots"].reason
    assert planned["signals"].run == planned["frames"].run == planned["probe"].run == planned["scan"].run == 0
    assert planned["clips"].run == 2 and planned["clips"].at_most
    report = build(change)
    assert report.worked["shots"] == 2
    assert not {"signals", "frames", "probe", "scan"} & set(report.worked)


def test_a_changed_threshold_costs_a_query(build: BuildIt, world: Path) -> None:
    build()
    before = rows(world / "small.chronotope", "SELECT count(*) AS n FROM selection WHERE kept")[0]["n"]
    report = build(("duration_s > 0.5", "duration_s > q('duration_s', 0.5)"))
    after = rows(world / "small.chronotope", "SELECT count(*) AS n FROM selection WHERE kept")[0]["n"]
    assert after < before
    assert set(report.worked) == {"select"} and report.model_calls == 0 and report.decoded_s == 0
    filtered = rows(world / "small.chronotope", "SELECT DISTINCT rule FROM ledger WHERE status = 'filtered'")
    assert [r["rule"] for r in filtered] == ["length"]


def test_equal_tables_whatever_the_number_of_workers(build: BuildIt, world: Path) -> None:
    build(root="one.chronotope", workers=1)
    build(root="two.chronotope", workers=2)
    one, two = (Store.open(world / r).digests() for r in ("one.chronotope", "two.chronotope"))
    assert one == two


def test_another_recipe_may_share_a_producer_but_not_change_it(build: BuildIt, world: Path) -> None:
    build()
    shared = build(("name: small", "name: other"))
    assert not {"shots", "signals", "frames", "probe"} & set(shared.worked)
    with pytest.raises(RecipeError, match=r"'shots' is used by recipe .*adaptive.* -> .*content.*as:"):
        build(("name: small", "name: third"), ("  - shots\n", "  - shots: {detector: content}\n"))


def test_limit_looks_at_some_files_and_keeps_the_others(build: BuildIt, world: Path) -> None:
    report = build(limit=1)
    assert report.worked["probe"] == 1
    build()
    again = build(limit=1)
    assert again.did_nothing
    assert rows(world / "small.chronotope", "SELECT count(*) AS n FROM media")[0]["n"] == 2
