"""Answers about rendered rooms, and about the canonical scene, equal what brute force finds in the scene's own state.

The other side (`tests/lib/brute.py`) shares no code with the tasks. Set CHRONOTOPE_BRUTE_ROOMS to look at more rooms than the
suite has time for; the counts are printed with `-s`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import brute
import pytest
import yaml
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.catalog import Catalog
from chronotope.engine.registry import find
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root
from s0 import s0_rows

WORDINGS = Path(__file__).parents[2] / "annotators" / "tasks" / "wordings"
TASKS = ("room_questions", "camera_questions", "ost_online_turns", "mulset_multiview", "vlm4d_motion_qa")
RECIPE = """
name: brute
seed: {seed}
sources:
  - compose: rooms
    with: {{videos: {rooms}, seconds: 14, fps: 5, width: 160, height: 120, objects: [10, 20], movers: [1, 3]}}
annotate: [composed_truth]
clips: {{policy: whole}}
tasks: [{tasks}]
checks: {{ladder: false}}
"""


def kinds_of(task: str) -> dict[str, str]:
    """The kind of each wording."""
    told = yaml.safe_load((WORDINGS / f"{task}.yaml").read_text(encoding="utf-8"))
    return {question["id"]: name for name, kind in told["kinds"].items() for question in kind["questions"]}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brute")
    text = RECIPE.format(
        seed=20261123, rooms=int(os.environ.get("CHRONOTOPE_BRUTE_ROOMS", "2")), tasks=", ".join(TASKS)
    )
    (folder / "brute.yaml").write_text(text)
    root = folder / "brute.chronotope"
    report = Build(Recipe.read(folder / "brute.yaml"), root).run()
    assert not report.failures, report.failures
    return root


def worlds_of(catalog: Catalog) -> dict[str, brute.World]:
    found = {}
    for row in catalog.rows("SELECT media_id, uri FROM sources"):
        film = Path(row["uri"].removeprefix("file://"))
        found[row["media_id"]] = brute.World(json.loads(film.with_name(f"{film.stem}.truth.json").read_text())["rows"])
    return found


def compared(samples: list[Mapping[str, Any]], worlds: Mapping[str, brute.World]) -> tuple[Counter[str], list[str]]:
    """Questions by kind, and those that brute force answers otherwise."""
    kinds = {task: kinds_of(task) for task in TASKS}
    counted: Counter[str] = Counter()
    wrong = []
    for row in samples:
        for asked in brute.questions(row, kinds[row["task"]], worlds[row["media_id"]]):
            counted[asked.kind] += 1
            if not brute.right(asked):
                wrong.append(f"{asked.kind}: {asked.text} {asked.options} {asked.answer}")
    return counted, wrong


def test_every_answer_about_a_room_equals_brute_force(rooms: Path) -> None:
    with Catalog(rooms) as catalog:
        counted, wrong = compared(catalog.rows("SELECT * FROM samples"), worlds_of(catalog))
    print("\n".join(f"{kind}: {number}" for kind, number in sorted(counted.items())), sum(counted.values()), sep="\n")
    assert not wrong, wrong[:5]
    assert sum(counted.values()) > 150 and len(counted) > 30
    assert verify_root(rooms).problems == []


def test_a_wrong_answer_is_noticed(rooms: Path) -> None:
    """Every answer replaced by another one that the question allows: brute force disagrees with nearly all of them."""
    kinds = {task: kinds_of(task) for task in TASKS}
    agreed: Counter[bool] = Counter()
    with Catalog(rooms) as catalog:
        worlds = worlds_of(catalog)
        for row in catalog.rows("SELECT * FROM samples"):
            for asked in brute.questions(row, kinds[row["task"]], worlds[row["media_id"]]):
                if asked.answer["kind"] == "number":
                    asked.answer = {**asked.answer, "value": asked.answer["value"] * 1.2 + 1}
                elif asked.answer["kind"] == "choice":
                    asked.answer = {**asked.answer, "index": (asked.answer["index"] + 1) % len(asked.options)}
                else:
                    asked.answer = {**asked.answer, "order": asked.answer["order"][::-1]}
                try:
                    agreed[brute.right(asked)] += 1
                except (ValueError, AssertionError, StopIteration):
                    agreed[False] += 1
    assert agreed[True] == 0 and agreed[False] > 150


def test_every_answer_about_the_canonical_scene_equals_brute_force() -> None:
    rows = {name: list(found) for name, found in s0_rows().items()}
    media = {"media_id": "s0", "kind": "video", "duration_s": 4.0, "origin": "rendered", "width": 640, "height": 480}
    clip = {"clip_id": "c", "media_id": "s0", "start_s": 0.0, "end_s": 4.0}
    rows |= {
        "media": [{**media, "row_id": "m", "producer": "probe"}],
        "clips": [{**clip, "row_id": "c", "producer": "clips"}],
    }
    medium = Medium("s0", "s0.mp4", None, "video", 4.0, 1.0, 4, 640, 480, True, False)
    samples = []
    for name in ("room_questions", "camera_questions", "mulset_multiview"):
        task = find("annotator", name)
        params = task.Params.model_validate({"per_kind": 60})
        written = task(params).annotate(Unit("s0", "medium", medium, "s0", 1), Rows(rows))
        samples += [row for table, row in written if table == "samples"]
    counted, wrong = compared(samples, {"s0": brute.World(rows)})
    print(dict(counted))
    assert not wrong, wrong[:5]
    assert counted["obj_rel_dir"] >= 4 and counted["obj_obj_nf"] >= 8 and sum(counted.values()) >= 50
