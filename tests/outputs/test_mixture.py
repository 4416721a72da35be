"""Mixtures of whole packages: quotas, caps, pairs, repeated questions and conditions, counted; what cannot be had is said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.outputs.packager import PackageError
from chronotope.outputs.packaging import package
from chronotope.schemas.sample import MediumRef


def window(medium: str, k: int) -> tuple[MediumRef, ...]:
    """Windows of four seconds that do not overlap."""
    return (MediumRef(media_id=medium, start_s=4.0 * k, end_s=4.0 * k + 4.0),)


@pytest.fixture
def filled(world: Any, films: Any, make: SimpleNamespace) -> Any:
    """Two media, 20 real choices and 12 composed orderings, two of each for validation; three minimal pairs of sounds."""
    first, second = world.film(films.silent), world.film(films.loud)
    for i in range(20):
        medium = (first, second)[i % 3 == 0]
        difficulty = {"evidence_ratio": 0.1 + 0.04 * i}
        split = "validation" if i >= 18 else "train"
        world.sample(make.choice(medium, i, difficulty=difficulty, answer_form=f"a{i % 2}"), split=split)
    for i in range(12):
        split = "validation" if i >= 10 else "train"
        world.sample(make.ordering(first, i, origin="composed"), split=split)
    for i in range(3):
        for k in range(2):
            world.sample(
                make.choice(second, 50 + 2 * i + k, task="paired", pair_id=f"p{i}", needs=("vision", "motion")),
                passed=(i, k) != (2, 1),
            )
    return world


def packed(world: Any, mixture: dict[str, Any], **params: Any) -> tuple[Any, list[dict[str, Any]], dict[str, str]]:
    with world.catalog() as catalog:
        report = package(catalog, "llava", {**params, "mixture": mixture}, world.root / "packages/p")
    samples = [json.loads(line) for line in (report.path / "samples.jsonl").read_text().splitlines()]
    left = [json.loads(line) for line in (report.path / "left_out.jsonl").read_text().splitlines()]
    assert report.inputs == report.packaged + sum(report.left_out.values()) == len(samples) + len(left)
    return report, samples, {r["sample_id"]: r["rule"] for r in left}


def test_quotas_caps_and_size_are_kept_and_told(filled: Any) -> None:
    mixture = {
        "size": 10,
        "quotas": {
            "task": {"colour": ">=0.3", "sorting": 0.2, "paired": "<=0.4"},
            "evidence_ratio": {"<0.4": "0.2..0.3"},
            "needs": {"motion": ">=0.2"},
        },
        "per_medium_max": 6,
    }
    report, samples, rules = packed(filled, mixture)
    train = [s for s in samples if s["split"] == "train"]
    assert len(train) == 10
    tasks = Counter(s["task"] for s in train)
    assert tasks["sorting"] == 2 and tasks["colour"] >= 3 and 2 <= tasks["paired"] <= 4
    assert sum(s["origin"] == "composed" for s in train) <= 2
    assert max(Counter(s["media"][0]["media_id"] for s in train).values()) <= 6
    assert sum(s["task"] == "colour" and s["difficulty"]["evidence_ratio"] < 0.4 for s in train) in (2, 3)
    assert Counter(s["split"] for s in samples)["validation"] == 4, "other splits stay whole"
    pairs = Counter(s["pair_id"] for s in train if s["pair_id"])
    assert set(pairs.values()) <= {2} and "p2" not in pairs
    assert "mixture: the rest of its pair is left out" in rules.values()
    told = {row["part"]: row for row in report.mixture}
    assert told["all"]["samples"] == 10 and told["task: sorting"]["samples"] == 2
    assert "| train | task: sorting | 0.2 | 20.0% | 2 |" in (report.path / "README.md").read_text()


def test_without_a_size_the_largest_mixture_is_made(filled: Any) -> None:
    report, samples, _ = packed(filled, {"composed_share_max": 0.25, "pairs": "free"})
    train = [s for s in samples if s["split"] == "train"]
    real = sum(s["origin"] != "composed" for s in train)
    assert (real, len(train) - real) == (23, 7), "all real ones, and as many composed ones as they allow"
    assert report.left_out["mixture: not drawn"] == 3
    assert report.mixture[-1]["asked"] == "real footage: 24 asked (>=0.75), 23 possible, 1 short"


def test_the_same_mixture_again_and_from_rows_in_another_order(
    filled: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    again = make.world(tmp_path / "again")
    again.rows = filled.rows
    params = {"mixture": {"size": 8, "per_medium_max": 5, "quotas": {"answer_form": {"a1": 0.5}}}}
    with filled.catalog() as first, again.catalog(backwards=True) as second:
        made = make.tree(package(first, "llava", params, filled.root / "packages/p").path)
        assert made == make.tree(package(second, "llava", params, again.root / "packages/p").path)
        assert package(first, "llava", params, filled.root / "packages/p").unchanged
        other = {"mixture": {**params["mixture"], "seed": 1}}
        assert not package(first, "llava", other, filled.root / "packages/p").unchanged


def test_a_change_of_what_quotas_look_at_makes_the_package_anew(filled: Any) -> None:
    mixture = {"quotas": {"title": {"a film": ">=0.5"}}, "composed_share_max": 1}
    for row in filled.rows["media"]:
        row["title"] = "a film"
    _, samples, _ = packed(filled, mixture)
    for row in filled.rows["media"][1:]:
        row["title"] = "another film"
    second, fewer, _ = packed(filled, mixture)
    assert not second.unchanged and len(fewer) <= len(samples)


def test_only_what_meets_the_condition_is_mixed(filled: Any) -> None:
    report, samples, _ = packed(filled, {"where": "evidence_ratio < 0.3", "composed_share_max": 1})
    assert Counter(s["split"] for s in samples) == {"train": 5, "validation": 4}
    assert report.left_out["mixture: condition not met"] == 29
    assert report.cuts_made <= 2 + 2, "nothing is cut for the others"


def test_questions_are_not_repeated(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    same = [
        world.sample(
            make.grounding(medium, (1.0 + i / 10, 3.0), media=window(medium, 0), question="<video>\nWhen is it RED?")
        )
        for i in range(3)
    ]
    apart = [
        world.sample(
            make.grounding(
                medium, (4.0 * k + 1, 4.0 * k + 3), media=window(medium, k), question="<video>\nWhen is it red?"
            )
        )
        for k in range(2, 6)
    ]
    _, samples, rules = packed(world, {"composed_share_max": 1})
    kept = {s["sample_id"] for s in samples}
    assert len(kept & set(same)) == 1 and set(apart) <= kept
    assert Counter(rules.values()) == {"mixture: near-duplicate question": 2}
    _, samples, rules = packed(world, {"composed_share_max": 1, "same_question_max": 3})
    assert len(samples) == 3 and Counter(rules.values())["mixture: question asked 3 times already"] == 2
    _, samples, _ = packed(world, {"composed_share_max": 1, "near_duplicate_questions": "keep"})
    assert len(samples) == 7


@pytest.mark.parametrize(
    ("mixture", "said"),
    [
        (
            {"size": 30},
            "at most 27 can: 2 of 30 samples are missing; real footage: 24 asked .>=0.8., 22 possible, 2 short",
        ),
        ({"size": 20, "quotas": {"task": {"sorting": 0.5}}}, "real footage: no more than|real footage: 16 asked"),
        (
            {"quotas": {"task": {"sortings": 0.5}}},
            r"no samples of task: sortings.*task has colour \(18\), sorting \(10\)",
        ),
        ({"quotas": {"tsk": {"sorting": 0.5}}}, "the quota of tsk.*task"),
        ({"where": "origin = real"}, "where: .*real"),
        ({"quotas": {"task": {"sorting": "half"}}}, "'half' is no share"),
        ({"composed_share_max": 0, "where": "origin = 'composed'"}, "no samples of real footage"),
        ({"where": "false"}, "no sample of split train can be taken"),
    ],
)
def test_what_cannot_be_had_is_said(filled: Any, mixture: dict[str, Any], said: str) -> None:
    with filled.catalog() as catalog, pytest.raises(PackageError, match=f"(?s){said}"):
        package(catalog, "llava", {"mixture": mixture}, filled.root / "packages/p")
    assert not (filled.root / "packages/p").exists()


def test_a_package_may_shrink_instead(filled: Any) -> None:
    report, _, _ = packed(filled, {"size": 30, "short": "shrink"})
    assert report.splits["train"] == 27
    assert report.mixture[0] == {"split": "train", "part": "all", "asked": "30", "samples": 27}


def test_twins_count_to_the_medium_that_they_were_made_from(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    medium = world.film(films.silent)
    twin = world.film(make.film(tmp_path / "twin.mp4", seconds=40.0, flash=(5.0, 9.0)))
    world.add("edits", {"step": 0, "operation": "mirror", "source_media_id": medium}, twin, twin)
    for i in range(4):
        world.sample(make.choice(medium, i))
        world.sample(make.choice(twin, 10 + i, origin="edited"))
    _, samples, rules = packed(world, {"per_medium_max": 3, "composed_share_max": 0.5})
    assert len(samples) == 3
    assert Counter(rules.values()) == {"mixture: its medium is used up": 5}
