"""Plans as rows: of media, clips and samples, from whatever features there are, and plain words where one is missing."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from chronotope.annotators.checks.sample_plans import ANNOTATOR as SamplePlans
from chronotope.annotators.temporal.sampling_plans import ANNOTATOR as SamplingPlans
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.engine.depth_maps import depth_values
from chronotope.engine.plans.policies import POLICIES
from chronotope.schemas.sample import AbsentAnswer, Evidence, MediumRef, Sample, SpanAnswer, Turn
from chronotope.schemas.tables import TABLES
from pydantic import ValidationError

MEDIUM = {
    "media_id": "m", "kind": "video", "duration_s": 40.0, "fps": 25.0, "frames": 1000, "variable_fps": False,
    "width": 640, "height": 360, "audio_codec": "aac",
}  # fmt: skip
UNIT = Unit("m", "medium", None, "hand", 0)
CUTS = (7.0, 9.0, 21.5, 30.0)


def features(step_s: float = 0.5) -> dict[str, list[dict[str, Any]]]:
    """Embeddings, signals, frames and scores of a film with four cuts; a prompt fits the second scene."""
    rows: dict[str, list[dict[str, Any]]] = {t: [] for t in ("embeddings", "signals", "frames", "clip_scores")}
    chance = np.random.default_rng(3)
    vectors, hashes = chance.standard_normal((5, 64)), chance.integers(0, 2**62, 5)
    colours = [(20, 20, 230), (20, 220, 20), (220, 20, 20), (220, 220, 20), (20, 220, 220)]
    for t in np.arange(0, 40, step_s):
        scene = int(np.searchsorted(CUTS, t, side="right"))
        jpeg = cv2.imencode(".jpg", np.full((56, 84, 3), colours[scene], np.uint8))[1].tobytes()
        base = {"producer": "p", "media_id": "m", "t_s": float(t)}
        rows["embeddings"].append({**base, "model": "e", "vector": vectors[scene].tolist()})
        rows["signals"].append({**base, "phash": int(hashes[scene]), "luma": 100.0})
        rows["frames"].append({**base, "frame_set": "a", "jpeg": jpeg})
        rows["clip_scores"].append({**base, "name": "cup", "model": "e", "value": 0.3 if scene == 1 else 0.1})
    return rows


def room() -> dict[str, list[dict[str, Any]]]:
    """Cameras and depths of a walk: a wall 2 to 4 m away, and depth of another producer, whose unit nobody knows."""
    place = {"width": 640, "height": 360, "fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 180.0}
    tables: dict[str, list[dict[str, Any]]] = {"cameras": [], "depths": []}
    for t in range(0, 40, 2):
        pose = np.eye(4)
        pose[0, 3] = 0.3 * t
        tables["cameras"].append({"producer": "r", "t_s": float(t), **place, "pose": pose.ravel().tolist()})
        for producer, factor in (("other", 7.0), ("r", 1.0)):
            depth = factor * np.linspace(2, 4, 32 * 18).reshape(18, 32)
            tables["depths"].append({"producer": producer, "t_s": float(t), "model": "", **depth_values(depth)})
    return tables


def shots() -> list[dict[str, Any]]:
    edges = [0.0, *CUTS, 40.0]
    return [{"producer": "s", "start_s": a, "end_s": b} for a, b in pairwise(edges)]


def rows_of(annotator: Any, tables: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    made = annotator(annotator.Params(**params))
    given = {"media": [MEDIUM], "shots": shots(), **tables}
    found = list(made.annotate(UNIT, Rows({t: given.get(t, []) for t in ("samples", "clips", *made.dynamic_reads())})))
    for table, row in found:
        assert table == "sampling_plans"
        TABLES[table].complete(row, "p", "m", "m")
    return [row for _, row in found]


@pytest.mark.parametrize("kind", ["embeddings", "signals", "frames"])
def test_slow_frames_open_at_the_cuts_whatever_the_pictures_are_compared_by(kind: str) -> None:
    plans = ("slow_fast_similarity",)
    (row,) = rows_of(SamplingPlans, features(), plans=plans, features=kind, patch_rule="colour_difference")
    slow = [f["t_s"] for f in row["frames"] if f["role"] == "slow"]
    assert slow == pytest.approx([0.0, *CUTS], abs=0.04) and row["coverage"] == 1.0
    assert row["feature_model"] == {"embeddings": "e", "signals": "phash", "frames": "patches/colour_difference"}[kind]
    assert row["tokens"] == sum(f["tokens"] for f in row["frames"]) <= row["budget_tokens"]
    again = rows_of(SamplingPlans, features(), plans=plans, features=kind, patch_rule="colour_difference")
    assert again == [row]
    other = features()
    other["embeddings"][5]["vector"] = [1.0] * 64
    other["signals"][5]["luma"] = 250.0
    other["frames"][5]["jpeg"] = other["frames"][60]["jpeg"]
    (changed,) = rows_of(SamplingPlans, other, plans=plans, features=kind, patch_rule="colour_difference")
    assert changed["inputs_digest"] != row["inputs_digest"] and changed["plan_id"] != row["plan_id"]


def test_all_policies_have_a_row_and_what_is_missing_is_said() -> None:
    rows = {r["policy"]: r for r in rows_of(SamplingPlans, {**features(), **room()})}
    assert set(rows) == set(POLICIES) and all(r["frames"] for r in rows.values())
    best = rows["text_conditioned_balanced_tokens"]["frames"]
    assert any(7.0 <= f["t_s"] < 9.0 for f in best), "the scene that fits the prompt"
    bare = {r["policy"]: r for r in rows_of(SamplingPlans, {})}
    assert {p for p, r in bare.items() if not r["frames"]} == {p for p, policy in POLICIES.items() if policy.needs}, (
        "policies that need features or a query"
    )
    assert "needs embeddings" in json.loads(bare["density_cubes"]["attributes_json"])["left_out"]


def test_clips_are_planned_from_their_own_frames_and_features() -> None:
    clips = [
        {"media_id": "m", "clip_id": f"c{k}", "start_s": a, "end_s": b} for k, (a, b) in enumerate([(0, 20), (20, 40)])
    ]
    plans = ({"uniform": {"frames": 4}}, "density_cubes")
    rows = rows_of(SamplingPlans, {**features(), "clips": clips}, scopes=("clip",), plans=plans)
    assert [(r["scope_id"], r["policy"]) for r in rows] == [
        (c, p) for c in ("c0", "c1") for p in ("uniform", "density_cubes")
    ]
    assert all(r["start_s"] <= f["t_s"] < r["end_s"] for r in rows for f in r["frames"])
    assert rows[2]["frames"][0]["t_s"] == 20.0 and rows[2]["frames"][-1]["t_s"] == 39.96
    changed = features()
    changed["embeddings"][-1]["vector"] = [1.0] * 64
    later = rows_of(SamplingPlans, {**changed, "clips": clips}, scopes=("clip",), plans=plans)
    assert [a["plan_id"] == b["plan_id"] for a, b in zip(rows, later, strict=True)] == [True, True, False, False]


def test_variable_rates_need_rows_that_tell_true_times() -> None:
    variable = {"media": [{**MEDIUM, "variable_fps": True}]}
    (row,) = rows_of(SamplingPlans, {**features(0.7), **variable}, plans=("slow_fast_similarity",))
    true = {round(0.7 * k, 6) for k in range(60)}
    assert all(round(f["t_s"], 6) in true for f in row["frames"])
    with pytest.raises(SkipUnit, match="variable frame rate"):
        rows_of(SamplingPlans, variable, plans=("uniform",))
    with pytest.raises(SkipUnit, match="no pictures"):
        rows_of(SamplingPlans, {"media": [{**MEDIUM, "kind": "audio", "width": None}]}, plans=("uniform",))
    with pytest.raises(ValidationError, match="did you mean uniform"):
        SamplingPlans.Params(plans=("uniformly",))


def sample(answer: Any, window: tuple[float, float] = (5.0, 35.0)) -> dict[str, Any]:
    return Sample(
        task="t", recipe="hand", media=(MediumRef(media_id="m", start_s=window[0], end_s=window[1]),),
        turns=(Turn(role="user", text="<video>\nWhen?"), Turn(role="assistant", text="Then.")), answer=answer,
        needs=("vision",), wording="w", evidence=(Evidence(table="media", row_id="m", values={}),), answer_form="a",
        generator="g",
    ).to_row()  # fmt: skip


def test_samples_are_planned_in_their_window_and_coverage_is_over_their_evidence() -> None:
    asked = sample(SpanAnswer(start_s=16.0, end_s=16.5))
    plans = ({"uniform": {"frames": 4}}, {"uniform": {"frames": 100}}, {"tstar_keyframe_search": {"look_share": 0.9}},
             {"text_conditioned_balanced_tokens": {"fps": 4, "budget_tokens": 40}}, "memory_propagated_clip_stream")  # fmt: skip
    rows = rows_of(SamplePlans, {**features(0.25), "samples": [asked]}, plans=plans)
    assert all(r["scope"] == "sample" and (r["start_s"], r["end_s"]) == (5.0, 35.0) for r in rows)
    assert [r["coverage"] for r in rows] == [0.0, 1.0, 1.0, 1.0, 1.0], "four frames in 30 s miss half a second"
    said = [json.loads(r["attributes_json"]) for r in rows]
    assert all(s["oracle"] for s in said) and said[4]["evidence_clips"] == [0] and 0 in said[4]["selected_clips"]
    whole = sample(AbsentAnswer())
    (row,) = rows_of(SamplePlans, {"samples": [whole]}, plans=({"uniform": {"frames": 4}},))
    assert row["coverage"] == 1.0, "the window is its own evidence"
    with pytest.raises(SkipUnit, match="no samples"):
        rows_of(SamplePlans, {"samples": []}, plans=("uniform",))


def test_space_aware_frames_see_more_of_a_room_than_even_ones_and_only_by_depth_in_the_cameras_unit() -> None:
    plans = ({"space_aware_sampling": {"frames": 5}},)
    (row,) = rows_of(SamplingPlans, room(), plans=plans)
    said = json.loads(row["attributes_json"])
    assert len(row["frames"]) == 5 and said["space_coverage"] >= said["even_coverage"] > 0.3
    mine = {**room(), "depths": [d for d in room()["depths"] if d["producer"] == "r"]}
    assert rows_of(SamplingPlans, mine, plans=plans) == [row], "depth of another producer is not looked at"
    strange = {**room(), "depths": [d for d in room()["depths"] if d["producer"] != "r"]}
    (bare,) = rows_of(SamplingPlans, strange, plans=plans)
    assert not bare["frames"] and "depths and cameras of one producer" in bare["attributes_json"]
