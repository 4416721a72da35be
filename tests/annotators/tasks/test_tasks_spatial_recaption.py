"""Spatial captions end to end: a model proposes over real HTTP, boxes decide, every sample is checked again from its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.tasks.spatial_recaption import SpatialRecaption
from chronotope.engine.check import check_sample
from model_asked import Asked
from model_recipes import Built, build_with_models
from model_replies.spatial_recaption_reply import reply as careful
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
SWAPPED = {"left": "right", "right": "left", "above": "below", "below": "above"}


def liar(asked: Asked) -> dict[str, Any]:
    """Every second sentence of the careful writer says the opposite."""
    sentences = careful(asked)["sentences"]
    for sentence in sentences[::2]:
        sentence["text"] = " ".join(SWAPPED.get(word, word) for word in sentence["text"].split(" "))
        for claim in sentence["claims"]:
            first, _, rest = claim["relation"].partition(" ")
            claim["relation"] = f"{SWAPPED[first]} {rest}".strip()
    return {"sentences": sentences}


def samples(built: Built) -> list[dict[str, Any]]:
    return built.rows(
        "SELECT s.*, v.passed, v.check_status, v.evidence_grade FROM samples s JOIN verdicts v USING (sample_id) ORDER BY window_start_s"
    )


def true_of(built: Built, sample: dict[str, Any]) -> list[bool]:
    """For each relation of a kept sentence, whether the centres of the truth say so."""
    found = []
    claims = built.rows(
        "SELECT c.*, p.sample_id FROM claims c JOIN proposals p ON c.caption_id = p.row_id WHERE p.sample_id = ?",
        [sample["sample_id"]],
    )
    for claim in claims:
        told = json.loads(claim["arguments_json"])
        if not told["kept"] or not (told["a_track"] and told["b_track"]):
            continue
        ends = [
            built.rows("SELECT avg(x1 + x2) AS x, avg(y1 + y2) AS y FROM boxes WHERE track_id = ?", [told[side]])[0]
            for side in ("a_track", "b_track")
        ]
        axis = "x" if told["relation"] in ("left of", "right of") else "y"
        less = told["relation"] in ("left of", "above")
        found.append((ends[0][axis] < ends[1][axis]) == less)
    return found


def test_a_liar_is_cut_to_what_the_boxes_bear_out(tmp_path: Path) -> None:
    with ModelServer(replies={"SpatialRecaptionReply": liar}) as server:
        built = build_with_models(tmp_path, server, enrich=["captions"], tasks=["spatial_recaption"])
    assert not built.report.failures
    made = samples(built)
    assert {s["evidence_grade"] for s in made} == {"exact"}  # the boxes', not that of a caption beside it
    assert len(made) >= 2 and all(s["passed"] and s["check_status"] == "recomputed" for s in made)
    judged = {r["status"]: r["n"] for r in built.rows("SELECT status, count(*) AS n FROM claims GROUP BY status")}
    assert judged["contradicted"] >= 3 and judged["supported"] >= 3
    right = [one for sample in made for one in true_of(built, sample)]
    assert right and sum(right) >= 0.9 * len(right)
    for sample in made:
        factors = json.loads(sample["difficulty_json"])
        assert factors["dropped"] >= 1
        assert factors["spatial_phrases"] > factors["general_spatial_phrases"]
        answer = sample["turns"][1]["text"]
        assert (factors["flip_safe"] == 0) == (" left of" in answer or " right of" in answer)


def test_a_changed_box_caption_or_proposal_is_noticed(tmp_path: Path) -> None:
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, tasks=["spatial_recaption"])
    sample = max(samples(built), key=lambda s: len(s["evidence"]))
    stored = {
        (e["source_table"], e["row_id"]): built.rows(
            f"SELECT * FROM {e['source_table']} WHERE row_id = ?", [e["row_id"]]
        )[0]
        for e in sample["evidence"]
    }
    tables = [e["source_table"] for e in sample["evidence"]]
    assert tables[:2] == ["media", "clips"] and tables[-1] == "proposals" and {"tracks", "boxes"} <= set(tables)
    task = SpatialRecaption(SpatialRecaption.Params())
    row = {k: v for k, v in sample.items() if k not in ("passed", "check_status", "evidence_grade")}

    def verdict(changed: dict[str, Any], world: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
        return check_sample(changed, lambda table, row_id: world.get((table, row_id)), task, lambda table, row: "exact")

    assert verdict(row, stored)["passed"]
    mirrored = {
        key: value | {"x1": 1 - value["x2"], "x2": 1 - value["x1"]} if key[0] == "boxes" else value
        for key, value in stored.items()
    }
    assert not verdict(row, mirrored)["passed"]
    said = {
        key: value | {"proposal_json": '{"sentences": []}'} if key[0] == "proposals" else value
        for key, value in stored.items()
    }
    assert not verdict(row, said)["passed"]


def test_one_still_instead_of_the_clip(tmp_path: Path) -> None:
    with ModelServer(keep_bodies=True) as server:
        built = build_with_models(tmp_path, server, tasks=[{"spatial_recaption": {"shown": "frame"}}])
        shown = [str(b).count("data:image/jpeg") for b in server.requests.bodies]
    made = samples(built)
    assert len(made) >= 2 and all(s["passed"] for s in made) and set(shown) == {1}
    for sample in made:
        (still,) = sample["media"]
        assert still["kind"] == "image" and sample["turns"][0]["text"].startswith("<image>")
        assert built.rows("SELECT 1 AS one FROM frames WHERE abs(t_s - ?) < 1e-6", [still["start_s"]])
