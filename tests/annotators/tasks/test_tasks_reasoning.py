"""Chains and free paths of a composed film, end to end: recorded, worded and reasoned by a model over HTTP, and checked by rules.

More than every second question of the server meets a fault, so that what lands has survived a storm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.check import check_sample
from chronotope.engine.configured import tasks_of
from chronotope.schemas.sample import Sample
from chronotope.schemas.tables import TABLES
from model_faults import KINDS, storm
from model_recipes import Built, build_with_models
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")

TRUTH = {"from": dict.fromkeys(("words", "speech", "text_regions"), "composed_truth")}
SEEN: list[Any] = [{"signals": {"fps": 8}}, "pixel_stats"]
TASKS: list[Any] = [
    "camera_motion", "motion_direction", "motion_statistics", "frame_order", {"transcript_sorting": {"from": {"words": "composed_truth"}}},
    {"speech_grounding": TRUTH}, {"text_grounding": TRUTH}, "temporal_grounding", {"moment_choice": TRUTH},
    {"span_choice": TRUTH}, {"worded_chain": {"per_request": 2}}, {"five_step": {"per_medium": 4}},
]  # fmt: skip
CHECKS = {"ladder": False, "frame_plans": False, "need_checks": False}
MINE = "('worded_chain', 'five_step')"


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, ModelServer]]:
    faults = storm(0.6, [k for k in KINDS if k not in ("slow", "huge")])
    with ModelServer(faults=faults) as server:
        folder = tmp_path_factory.mktemp("reasoning")
        built = build_with_models(folder, server, annotate=SEEN, tasks=TASKS, checks=CHECKS, roles=("writer", "judge"))
        yield built, server


def verdict_of(built: Built, row: dict[str, Any], changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """The verdict of a row of samples as it is now, another cited row being changed to `changed`."""
    spec = next(s for s in built.recipe.specs if s.name.startswith("verdicts"))
    tasks = tasks_of(spec.params["tasks"])
    producer = built.rows("SELECT producer FROM samples WHERE sample_id = ?", [row["sample_id"]])[0]["producer"]

    def lookup(table: str, row_id: str) -> dict[str, Any] | None:
        if changed is not None and changed["row_id"] == row_id:
            return changed
        found = built.rows(f"SELECT * FROM {table} WHERE row_id = ?", [row_id])
        return found[0] if found else None

    def member(other: dict[str, Any]) -> dict[str, Any]:
        return check_sample(other, lookup, tasks[other["producer"]], lambda table, row: "exact")

    return check_sample(row, lookup, tasks[producer], lambda table, row: "exact", member)


def samples(built: Built, task: str) -> list[dict[str, Any]]:
    return built.rows("SELECT * FROM samples WHERE task = ? ORDER BY sample_id", [task])


def test_every_chain_of_the_film_gives_its_answer_rests_on_what_it_cites_and_is_shown(
    stormy: tuple[Built, ModelServer],
) -> None:
    built, _ = stormy
    rows = built.rows("SELECT * FROM chains")
    traced = built.rows("SELECT count(*) AS n FROM samples WHERE task <> 'five_step'")[0]["n"]
    assert len(rows) >= traced - 2 and len({r["task"] for r in rows}) == 11
    for row in rows:
        assert (row["replayed"], row["faithful"], row["shown"], row["reason"]) == (True, True, True, None), row
        assert row["cited_values"] > 0 and row["idle_values"] == 0


def test_worded_chains_keep_the_sample_and_only_change_its_rationale(stormy: tuple[Built, ModelServer]) -> None:
    built, _ = stormy
    rows = samples(built, "worded_chain")
    assert len(rows) >= 5
    for row in rows:
        sample = Sample.from_row(row)
        (cited,) = [e.row_id for e in sample.evidence if e.table == "samples"]
        original = Sample.from_row(built.rows("SELECT * FROM samples WHERE row_id = ?", [cited])[0])
        assert (sample.turns, sample.answer, sample.options) == (original.turns, original.answer, original.options)
        assert len(sample.rationale) >= 2 and sample.rationale != original.rationale
        assert not any("{" in line for line in sample.rationale)


def test_only_sound_paths_become_samples_and_all_are_rows(stormy: tuple[Built, ModelServer]) -> None:
    built, _ = stormy
    paths = built.rows("SELECT * FROM paths ORDER BY question_id, path_number")
    chosen = [p for p in paths if p["chosen"]]
    assert len(paths) % 8 == 0 and chosen
    assert {p["tier"] for p in chosen} == {"A"} and all(p["score"] >= 2 for p in chosen)
    assert {"A", "B", "C"} <= {p["tier"] for p in paths} and {p["hardened"] for p in paths} >= {"open", "merged"}
    by_id = {row["sample_id"]: json.loads(row["difficulty_json"]) for row in samples(built, "five_step")}
    assert set(by_id) == {p["sample_id"] for p in chosen}
    for path in chosen:
        mine = [p for p in paths if p["question_id"] == path["question_id"]]
        assert by_id[path["sample_id"]]["n_agree"] == sum(p["answer_ok"] for p in mine)
        assert by_id[path["sample_id"]]["score"] == path["score"]
        assert path["hint_solution"] and path["hint_concept"]
    assert all(p["rule"] for p in paths if p["tier"] != "A") and all(
        p["score"] is None for p in paths if p["tier"] == "C"
    )


def test_what_lands_in_a_storm_is_right_and_requests_add_up(stormy: tuple[Built, ModelServer]) -> None:
    built, server = stormy
    verdicts = built.rows(f"SELECT * FROM verdicts WHERE task IN {MINE}")
    assert verdicts and all(v["passed"] and v["check_status"] == "recomputed" for v in verdicts), verdicts
    assert sum(server.requests.faults.values()) >= 4
    calls = built.rows("SELECT request_hash FROM llm_calls WHERE asked_by IN ('worded_chain', 'five_step')")
    settled = built.rows(f"SELECT DISTINCT request_hash, rule, outcome FROM proposals WHERE task IN {MINE}")
    assert {c["request_hash"] for c in calls} == {s["request_hash"] for s in settled}
    assert all(s["outcome"] == "landed" or s["rule"] for s in settled)


def test_a_changed_word_proposal_or_member_is_caught(stormy: tuple[Built, ModelServer]) -> None:
    built, _ = stormy
    for task in ("worded_chain", "five_step"):
        row = samples(built, task)[0]
        sample = Sample.from_row(row)
        assert verdict_of(built, row)["passed"]
        lie = sample.model_copy(update={"rationale": (*sample.rationale[:-1], "I simply know it.")}).to_row()
        assert not verdict_of(built, {**row, "rationale": lie["rationale"]})["passed"]
        easier = {**sample.difficulty, "steps": 99.0}
        assert not verdict_of(built, {**row, "difficulty_json": json.dumps(easier)})["passed"]
        for table in ("proposals", "samples"):
            cited = next(e.row_id for e in sample.evidence if e.table == table)
            stored = built.rows(f"SELECT * FROM {table} WHERE row_id = ?", [cited])[0]
            column = "proposal_json" if table == "proposals" else "answer_json"
            verdict = verdict_of(built, row, {**stored, column: stored[column].replace("1", "2") + " "})
            assert not verdict["passed"], (task, table)


def test_asking_again_costs_nothing(stormy: tuple[Built, ModelServer]) -> None:
    built, server = stormy
    before, rows = server.requests.count, len(samples(built, "five_step"))
    again = build_with_models(
        built.folder, server, annotate=SEEN, tasks=TASKS, checks=CHECKS, roles=("writer", "judge")
    )
    assert server.requests.count == before and len(samples(again, "five_step")) == rows


def test_without_an_endpoint_the_tasks_are_skipped_with_what_to_set(tmp_path: Path) -> None:
    built = build_with_models(
        tmp_path, None, tasks=[{"text_grounding": TRUTH}, "worded_chain", "five_step"], checks=CHECKS
    )
    rules = {r["producer"]: r["rule"] for r in built.rows("SELECT * FROM ledger WHERE status = 'skipped'")}
    assert "writer" in rules["worded_chain"] and "models:" in rules["five_step"]
    assert set(TABLES) >= {"chains", "paths"}
