"""Duration buckets, classes and reach of samples: each recomputed from the sample, none lost, and mixtures balanced by them."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

from chronotope.outputs.packaging import package
from chronotope.schemas.sample import AbsentAnswer, BoxAnswer, MediumRef, SpansAnswer, TextAnswer

EDGES = {15: "0_15s", 60: "15_60s", 180: "1_3min", 600: "3_10min", 1800: "10_30min", 3600: "30_60min"}


def bucket(length_s: float) -> str:
    return next((name for edge, name in EDGES.items() if length_s < edge), "over_60min")


def window(medium: str, start: float, length_s: float) -> tuple[MediumRef, ...]:
    return (MediumRef(media_id=medium, start_s=start, end_s=start + length_s),)


def test_every_length_has_one_bucket_and_the_coverage_table_loses_nothing(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent, duration_s=9000.0)
    lengths = [0.5, 14.999, 15.0, 59.9, 60.0, 179.9, 180.0, 599.0, 600.0, 1799.0, 1800.0, 3599.0, 3600.0, 8000.0]
    expected = {
        world.sample(make.choice(medium, k, media=window(medium, 7.3, length))): bucket(length)
        for k, length in enumerate(lengths)
    }
    with world.catalog() as catalog:
        rows = catalog.rows("SELECT sample_id, duration_bucket FROM sample_view")
        table = catalog.rows("SELECT duration_bucket, reach, count(*) AS n FROM sample_view GROUP BY ALL")
    assert {r["sample_id"]: r["duration_bucket"] for r in rows} == expected
    assert Counter(expected.values()) == {name: 2 for name in (*EDGES.values(), "over_60min")}
    assert sum(r["n"] for r in table) == len(lengths) == len(rows)


def test_reach_and_class_follow_from_answer_and_evidence(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    asked = ("<video>\nWhat?", "So.")
    box = (0.1, 0.1, 0.5, 0.5)
    made = {
        "event temporal_grounding": make.grounding(medium),
        "cross_event temporal_grounding": make.sample(medium, asked, SpansAnswer(spans=((12.0, 13.0), (20.0, 21.0)))),
        "frame spatial_grounding": make.sample(medium, asked, BoxAnswer(t_s=12.0, box=box)),
        "whole absence": make.sample(medium, asked, AbsentAnswer()),
        "event multiple_choice": make.choice(medium, 1, difficulty={"evidence_ratio": 0.2, "position": 0.5}),
        "whole multiple_choice": make.choice(medium, 2, difficulty={"evidence_ratio": 0.95, "position": 0.5}),
        "cross_event ordering": make.ordering(medium, 3),
        "whole open_answer": make.sample(medium, asked, TextAnswer(text="So.")),
    }
    ids = {world.sample(sample): label for label, sample in made.items()}
    with world.catalog() as catalog:
        rows = catalog.rows("SELECT sample_id, reach, task_class FROM sample_view")
    assert {r["sample_id"]: f"{r['reach']} {r['task_class']}" for r in rows} == ids


def test_a_mixture_is_balanced_over_buckets_within_one_percent(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent, origin="real")
    for k in range(18):
        world.sample(make.choice(medium, k, media=window(medium, 2.0, 30.0 if k % 3 == 0 else 10.0)))
    mixture = {"size": 12, "quotas": {"duration_bucket": {"0_15s": 0.5, "15_60s": 0.5}}, "composed_share_max": 1}
    with world.catalog() as catalog:
        report = package(catalog, "llamafactory", {"profile": None, "mixture": mixture}, world.root / "p")
        split = "SELECT sample_id, duration_bucket FROM sample_view"
        buckets = {r["sample_id"]: r["duration_bucket"] for r in catalog.rows(split)}
    shown = [json.loads(line)["sample_id"] for line in (report.path / "samples.jsonl").read_text().splitlines()]
    counts = Counter(buckets[sample_id] for sample_id in shown)
    assert set(counts) == {"0_15s", "15_60s"} and max(counts.values()) - min(counts.values()) <= 0.01 * len(shown)
    drawn = Counter(buckets.values())
    assert drawn["0_15s"] == 2 * drawn["15_60s"], "planted: without quotas short ones prevail"
