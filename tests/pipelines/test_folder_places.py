"""A recipe over folders of scans: films with all that is known of them; folders that fail are failed places with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.producer import RecipeError
from chronotope.pipelines.build import Build
from chronotope.pipelines.places import places_of
from chronotope.pipelines.recipe import Recipe
from layouts import sets2d
from layouts.reading import NAME, written
from layouts.world import world

RECIPE = """
name: scans
sources:
  - import: scannet
    with: {scenes: ["scans/*"], longest_side_px: 96, splits: {validation: val.txt}}
  - import: youtube_vos
    with: {sequences: "vos/JPEGImages/*"}
annotate:
  - imported
clips: {policy: whole}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Two scans, one of them with masks off by one, and a video with masks."""
    written("scannet", tmp_path / "scans")
    (tmp_path / "scans" / NAME).rename(tmp_path / "scans" / "scene0001_02")
    for file in (tmp_path / "scans" / "scene0001_02").glob(f"{NAME}*"):
        file.rename(file.with_name(file.name.replace(NAME, "scene0001_02")))
    written("scannet", tmp_path / "scans", {"mask_offset": 0})
    sets2d.write_youtube_vos(world(), tmp_path / "vos")
    (tmp_path / "val.txt").write_text("scene0001_02\n")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return Recipe.read(tmp_path / "recipe.yaml")


def test_scans_become_films_with_their_geometry(recipe: Recipe, tmp_path: Path) -> None:
    root = tmp_path / "scans.chronotope"
    assert not list(tmp_path.glob("*.chronotope")) and len(places_of(recipe, root=root)) == 3, (
        "naming them writes nothing"
    )
    report = Build(recipe, root).run()
    [failure] = report.failures
    assert "scene0000_00: self-check masks failed: 0% of the visible points" in str(failure)
    assert "masks number objects as the scan does; set mask_offset: 0" in str(failure)
    rows = Catalog(root).rows
    [scene] = rows("SELECT * FROM scenes JOIN media USING (media_id)")
    assert scene["scene_id"] == "scannet:scene0001_02" and (scene["width"], scene["height"]) == (96, 72)
    assert (scene["group_id"], scene["official_split"], scene["origin"]) == ("scene0001", "validation", "real")
    assert scene["licence"] == "ScanNet Terms of Use" and json.loads(scene["checks_json"])["masks"]["passed"]
    assert rows("SELECT count(*) AS n FROM boxes3d")[0]["n"] == len(world().labels)
    assert rows("SELECT count(*) AS n FROM cameras WHERE pose IS NULL")[0]["n"] == 1
    seen = "SELECT o.label FROM boxes b JOIN tracks t USING (media_id, track_id) JOIN boxes3d o USING (media_id, object_id)"
    assert {r["label"] for r in rows(seen)} <= set(world().labels) and len(rows(seen)) > 20
    assert len(rows("SELECT * FROM depths WHERE octet_length(png) > 100")) == 12
    assert {r["rule"] for r in rows("SELECT rule FROM import_notes")} >= {"lost_pose", "not_checked"}
    assert rows("SELECT count(*) AS n FROM boxes WHERE media_id NOT IN (SELECT media_id FROM scenes)")[0]["n"] == sum(
        len(sets2d.things(world(), f)) for f in range(12)
    )
    again = Build(recipe, root).run()
    assert len(again.failures) == 1 and not again.worked["imported"], "nothing that is unchanged is read again"


def test_media_belong_to_importers_of_files(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE.replace("  - import: youtube_vos", "    media: x\n  - import: youtube_vos"))
    with pytest.raises(RecipeError, match="take `media:` away"):
        places_of(Recipe.read(tmp_path / "r.yaml"))
    (tmp_path / "r.yaml").write_text(
        RECIPE.replace("longest_side_px: 96", "splits: {some: val.txt}").replace(", splits: {validation: val.txt}", "")
    )
    with pytest.raises(RecipeError, match="'some' is no split"):
        places_of(Recipe.read(tmp_path / "r.yaml"))
    (tmp_path / "r.yaml").write_text(RECIPE)
    with pytest.raises(RecipeError, match=r"there is no folder scans/\*"):
        places_of(Recipe.read(tmp_path / "r.yaml"))
