"""All policies over two composed films: plans that can be made again from stored rows and show every true scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.temporal.plan_inputs import PlanParams, inputs_of, plan_rows, shot_spans
from chronotope.engine.annotator import Rows
from chronotope.engine.catalog import Catalog
from chronotope.engine.plans.policies import POLICIES


@pytest.fixture
def root(build: Callable[..., Path]) -> Path:
    return build("frame_plans_of_the_literature", CHRONOTOPE_PATCH_RULE="colour_difference")


@pytest.mark.xdist_group("ray")
def test_plans_of_composed_films_follow_from_their_rows_and_meet_every_scene(root: Path, films: Path) -> None:
    catalog = Catalog(root)
    rows = catalog.rows("SELECT * FROM sampling_plans ORDER BY media_id, policy")
    media = catalog.rows("SELECT * FROM media ORDER BY media_id")
    assert [r["policy"] for r in rows] == sorted(POLICIES) * 2
    waiting = {r["policy"] for r in rows if not r["frames"]}
    queried = {"text_conditioned_balanced_tokens", "tstar_keyframe_search"}
    assert waiting == {*queried, "space_aware_sampling"}, "nobody asked a query, and nobody told depth"
    assert all("left_out" in r["attributes_json"] for r in rows if not r["frames"])

    # again from stored rows: the same frames, hashes and digests
    params = PlanParams(features="frames", patch_rule="colour_difference")
    by_id = {(r["media_id"], r["policy"]): r for r in rows}
    for medium in media:
        stored = {
            t: catalog.rows(f"SELECT * FROM {t} WHERE media_id = $m", {"m": medium["media_id"]})
            for t in ("shots", "frames")
        }
        inputs = inputs_of(medium, Rows(stored), None, params, seed=0)
        for again in plan_rows(inputs, params, "medium", medium["media_id"], shot_spans(inputs)):
            row = by_id[medium["media_id"], again["policy"]]
            assert {k: row[k] for k in again} == again
        # planted: another picture in place of one changes the digest, and with it the plan's identity
        tampered = [dict(r) for r in stored["frames"]]
        tampered[3]["jpeg"] = tampered[20]["jpeg"]
        other = inputs_of(medium, Rows({**stored, "frames": tampered}), None, params, seed=0)
        assert other.digest != inputs.digest

    # every true scene is shown by the policies that follow change, and uniform frames never show more
    cuts = {m["media_id"]: _true_cuts(films, m) for m in media}
    for row in rows:
        if row["policy"] not in ("slow_fast_similarity", "density_cubes", "temporal_dynamic_context", "keyframe"):
            continue
        times = [f["t_s"] for f in row["frames"] if f["role"] in ("slow", "static", "cube", "key")]
        edges = [0.0, *cuts[row["media_id"]], row["end_s"]]
        met = sum(any(a - 1e-3 <= t < b for t in times) for a, b in pairwise(edges))
        assert met >= len(edges) - 1 - (row["policy"] == "keyframe"), (row["policy"], times, edges)

    pairs = catalog.rows("SELECT kind, count(*) AS n FROM clip_pairs GROUP BY kind ORDER BY kind")
    assert [(p["kind"], p["n"]) for p in pairs] == [("contrastive", 8), ("flow_snippet", 6), ("long_short", 8)]
    measured = [dict(r["measured"]) for r in catalog.rows("SELECT measured FROM clip_view WHERE measured IS NOT NULL")]
    assert all(0 <= value <= 1 for m in measured for value in m.values())
    assert sum("red_temporal" in m and "red_spatial" in m for m in measured) >= 10


def _true_cuts(films: Path, medium: dict[str, Any]) -> list[float]:
    facts = (films / medium["title"]).with_suffix(".truth.json")
    return sorted(s["start_s"] for s in json.loads(facts.read_text())["shots"])[1:]
