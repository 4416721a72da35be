"""A build with `import:` in its sources: rows in their tables, what is not there as failures, and edits of one annotation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.build import Build
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from made_footage import write_media

RECIPE = """
name: both
sources:
  - import: youcook2
    with: {files: youcook.json}
    media: "media/*.mp4"
    licence: mine
  - import: srt_vtt
    with: {files: "subs/*.vtt"}
    media: media
annotate: [imported]
clips: {policy: window, length_s: 1}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    (tmp_path / "subs").mkdir()
    for shade, name in enumerate(("one", "two", "bare"), 1):
        picture = np.full((48, 64, 3), 60 * shade, np.uint8)
        write_media(tmp_path / "media" / f"{name}.mp4", frames=75, picture=lambda i, p=picture: p)
    (tmp_path / "subs" / "one.vtt").write_text("WEBVTT\n\n00:00.500 --> 00:09.000\nHello there\n")
    _annotate(tmp_path, one=[("cut it", 0, 1), ("fry it", 1, 2.5)], two=[("eat it", 0, 9)], gone=[("x", 0, 1)])
    return tmp_path


def _annotate(folder: Path, **videos: list[tuple[str, float, float]]) -> None:
    database = {
        name: {
            "duration": 3.0,
            "subset": "training",
            "annotations": [{"segment": [a, b], "id": 0, "sentence": s} for s, a, b in steps],
        }
        for name, steps in videos.items()
    }
    (folder / "youcook.json").write_text(json.dumps({"database": database}))


def _rows(root: Path, sql: str) -> list[dict[str, Any]]:
    with Catalog(root) as catalog:
        return catalog.rows(sql)


def test_imports_are_rows_and_what_is_missing_is_told(world: Path) -> None:
    root = world / "both.chronotope"
    recipe = Recipe.parse(RECIPE, world)
    report = Build(recipe, root).run()
    [failure] = report.failures
    assert (
        failure["unit"] == str(world / "media" / "gone.mp4") and "gone is annotated in youcook.json" in failure["error"]
    )
    assert not report.unaccounted and not report.used_ray
    events = _rows(
        root, "SELECT title, start_s, end_s, text, events.kind FROM events JOIN media USING (media_id) ORDER BY ALL"
    )
    assert [tuple(e.values()) for e in events] == [
        ("one.mp4", 0.0, 1.0, "cut it", "step"), ("one.mp4", 1.0, 2.5, "fry it", "step"), ("two.mp4", 0.0, 3.0, "eat it", "step"),
    ]  # fmt: skip
    assert _rows(root, "SELECT text, start_s, end_s, origin FROM speech") == [
        {"text": "Hello there", "start_s": 0.5, "end_s": 3.0, "origin": "sidecar"}
    ]
    notes = "SELECT title, rule, action, items FROM import_notes JOIN media USING (media_id) ORDER BY ALL"
    assert [tuple(n.values()) for n in _rows(root, notes)] == [
        ("one.mp4", "past_the_end", "cut", 1), ("two.mp4", "past_the_end", "cut", 1),
    ]  # fmt: skip
    media = _rows(root, "SELECT title, official_split, licence, user_json FROM media ORDER BY ALL")
    assert [tuple(m.values()) for m in media] == [
        ("one.mp4", "train", "mine", None),
        ("two.mp4", "train", "mine", None),
    ]
    assert _rows(root, "SELECT count(*) AS n FROM clips WHERE policy = 'window'") == [{"n": 6}], "imports make no clips"
    assert Build(recipe, root).run().did_nothing


def test_an_edited_annotation_makes_its_own_medium_stale(world: Path) -> None:
    root = world / "both.chronotope"
    recipe = Recipe.parse(RECIPE.replace("youcook.json}", "youcook.json, missing: leave_out}"), world)
    assert not Build(recipe, root).run().failures
    _annotate(world, one=[("cut it", 0, 1), ("fry it", 1, 2.5)], two=[("eat it all", 0, 2)])
    report = Build(recipe, root).run()
    assert report.worked["imported"] == 1
    assert [r["text"] for r in _rows(root, "SELECT text FROM events ORDER BY text")] == [
        "cut it",
        "eat it all",
        "fry it",
    ]
    lines = {line.producer: line.run for line in plan_recipe(recipe, root)}
    assert lines["scan"] == lines["imported"] == 0
