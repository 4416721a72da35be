"""What was found out about a sample after it was written decides whether packages take it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.outputs.packaging import package


def reasons(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in (path / "left_out.jsonl").read_text().splitlines()]
    return {row["sample_id"]: row["rule"] for row in rows}


@pytest.fixture
def judged(world: Any, films: Any, make: SimpleNamespace) -> SimpleNamespace:
    """Samples of grade model, five for training and three for the test split, each with another thing known about it."""
    medium = world.film(films.silent)
    names = ("plain", "wrong", "right", "benchmark", "shortcut")
    ids = {name: world.sample(make.choice(medium, i)) for i, name in enumerate(names)}
    for i, name in enumerate(("test_plain", "test_right", "test_wrong"), start=10):
        ids[name] = world.sample(make.choice(medium, i), split="test")
    for name, verdict in (("wrong", "wrong"), ("right", "right"), ("test_right", "right"), ("test_wrong", "wrong")):
        row = {"sample_id": ids[name], "task": "colour", "reviewer": "ann", "verdict": verdict}
        world.add("reviews", row, ids[name], medium)
    found = {"sample_id": ids["benchmark"], "benchmark": "lake", "item": "film", "found_by": "copy"}
    world.add("contamination", found, "corpus", medium)
    for solver in ("question_only", "middle_frame"):
        row = {"sample_id": ids["shortcut"], "solver": solver, "correct": True, "reward": 1.0}
        world.add("attempts", row, "corpus", medium)
    row = {"sample_id": ids["plain"], "method": "other", "removed": "nothing", "agrees": True}
    world.add("deep_checks", row, ids["plain"], medium)
    return SimpleNamespace(world=world, **ids)


def test_refuted_and_contaminated_samples_stay_out_and_reviewed_ones_may_test(judged: Any) -> None:
    with judged.world.catalog() as catalog:
        report = package(catalog, "llava", {}, judged.world.root / "packages/p")
    assert reasons(report.path) == {
        judged.wrong: "called wrong by a reviewer",
        judged.test_wrong: "called wrong by a reviewer",
        judged.benchmark: "stands in a benchmark",
        judged.test_plain: "evidence less true than exact or reviewed for the split test",
    }
    assert report.splits == {"test": 1, "train": 3}


def test_a_package_may_ask_for_more_or_for_less(judged: Any) -> None:
    with judged.world.catalog() as catalog:
        stricter = {"shortcuts": "drop", "min_grade": "two_source"}
        strict = package(catalog, "llava", stricter, judged.world.root / "packages/strict")
        lax = package(catalog, "llava", {"contaminated": "keep"}, judged.world.root / "packages/lax")
    assert reasons(strict.path)[judged.shortcut] == "shortcut"
    kept = {json.loads(line)["sample_id"] for line in (strict.path / "samples.jsonl").read_text().splitlines()}
    assert kept == {judged.plain, judged.right, judged.test_right}, "a second method, or a person, agreed"
    assert judged.benchmark not in reasons(lax.path)


def test_the_view_says_what_is_known(judged: Any) -> None:
    with judged.world.catalog() as catalog:
        rows = catalog.rows("SELECT sample_id, grade, shortcut, contaminated_by, deep_agrees FROM sample_view")
    known = {row.pop("sample_id"): row for row in rows}
    assert {k: known[getattr(judged, k)]["grade"] for k in ("plain", "wrong", "right", "benchmark")} == {
        "plain": "two_source", "wrong": "refuted", "right": "reviewed", "benchmark": "model",
    }  # fmt: skip
    assert known[judged.shortcut]["shortcut"] is True and known[judged.plain]["shortcut"] is None
    assert known[judged.benchmark]["contaminated_by"] == ["lake"]
