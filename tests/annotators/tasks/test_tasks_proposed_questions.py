"""Tasks whose questions a model proposes, and the tagger, in whole builds over a composed film with the test server as the model."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from chronotope.pipelines.lies import copy_dataset, edit_table
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.tables_tags import VIDEO_CATEGORIES
from model_recipes import build_with_models
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
FAMILIES = ["summary", "generic", "temporal_long", "temporal_short", "spatial", "reasoning", "consistency"]
TASKS = [{"video_questions": {"families": FAMILIES}}, "reasoned_when", "long_questions", "dense_caption"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("questions")


@pytest.fixture(scope="module")
def built(folder):
    with ModelServer() as server:
        yield build_with_models(folder, server, tasks=TASKS, enrich=["categories"])


def test_every_sample_that_lands_passes_and_every_request_is_accounted_for(built):
    assert not built.report.failures
    found = built.rows("SELECT task, passed, check_status, problem, reason FROM verdicts")
    assert {r["task"] for r in found} == {"video_questions", "reasoned_when", "long_questions", "dense_caption"}
    assert [r for r in found if not r["passed"]] == []
    asked = built.rows(
        "SELECT request_hash FROM llm_calls WHERE asked_by IN ('video_questions', 'reasoned_when', 'long_questions')"
    )
    rows = built.rows("SELECT request_hash, outcome, rule, sample_id FROM proposals WHERE task <> 'categories'")
    assert {r["request_hash"] for r in asked} == {r["request_hash"] for r in rows}
    assert all(r["rule"] for r in rows if r["outcome"] == "rejected")
    samples = {r["sample_id"] for r in built.rows("SELECT sample_id FROM samples WHERE task <> 'dense_caption'")}
    assert {r["sample_id"] for r in rows if r["sample_id"]} == samples


def test_only_order_and_position_in_quoted_evidence_are_said_to_be_recomputed(built):
    found = built.rows(
        "SELECT s.wording, v.check_status FROM samples s JOIN verdicts v USING (sample_id) WHERE s.task = 'video_questions'"
    )
    assert Counter(r["check_status"] for r in found if r["wording"].startswith("temporal")) == {"recomputed": 3}
    assert {r["check_status"] for r in found if not r["wording"].startswith("temporal")} == {"unchecked"}


def test_less_than_one_question_in_a_hundred_stands_twice(built):
    rows = built.rows("SELECT media_id, turns FROM samples WHERE task = 'video_questions'")
    keys = Counter((r["media_id"], tuple(normalise_words(r["turns"][0]["text"]))) for r in rows)
    assert len(rows) >= 15 and sum(n - 1 for n in keys.values()) < len(rows) / 100


def test_long_questions_come_with_their_evidence_clips_and_chains(built):
    rows = built.rows(
        "SELECT answer_form, evidence, rationale, difficulty_json FROM samples WHERE task = 'long_questions'"
    )
    assert len(rows) >= 3 and any(r["answer_form"] == "chain" for r in rows)
    for row in rows:
        said = json.loads(row["difficulty_json"])
        clips = [e for e in row["evidence"] if e["source_table"] == "clips"]
        assert said["clips"] == len(clips) > said["evidence_clips"] >= 1


def test_a_histogram_has_all_eighteen_categories(built):
    sql = """SELECT c.label, count(t.media_id) AS media
        FROM unnest($1) AS c(label) LEFT JOIN tags t ON t.label = c.label AND t.position = 0 GROUP BY ALL"""
    found = {r["label"]: r["media"] for r in built.rows(sql, [list(VIDEO_CATEGORIES)])}
    assert len(found) == 18 and sum(found.values()) == 1 and found["film"] == 1


def test_the_queries_of_the_documentation_run(built):
    page = Path(__file__).parents[3] / "docs" / "model_tasks.md"
    queries = re.findall(r"^```sql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(queries) == 3
    found = [built.rows(query.strip().rstrip(";")) for query in queries]
    assert all(found)
    clips = {r["clip_id"] for r in built.rows("SELECT clip_id FROM clips")}
    assert all(set(r["evidence_clips"]) <= clips and r["evidence_clips"] for r in found[1])


def test_a_rerun_asks_nothing_and_writes_nothing(built, folder):
    with ModelServer() as server:
        again = build_with_models(folder, server, tasks=TASKS, enrich=["categories"])
        assert server.requests.count == 0
    assert again.report.did_nothing


def test_edited_rows_are_caught(built, folder):
    """Verify finds nothing in the dataset as it was built, and every sample whose proposal or description was edited."""
    assert verify_root(built.root).problems == []
    copy = copy_dataset(built.root, folder / "edited.chronotope")

    def other_answer(row):
        if row["task"] != "video_questions" or row["outcome"] != "landed":
            return row
        proposal = json.loads(row["proposal_json"])
        return row | {"proposal_json": json.dumps(proposal | {"answer": "Nothing at all."})}

    assert edit_table(copy, "proposals", other_answer) >= 15
    problems = verify_root(copy).problems
    mine = {r["sample_id"] for r in built.rows("SELECT sample_id FROM samples WHERE task = 'video_questions'")}
    assert {p["sample_id"] for p in problems} == mine and {p["problem"] for p in problems} == {"evidence changed"}

    copy = copy_dataset(built.root, folder / "moved.chronotope")
    edit_table(copy, "captions", lambda row: row | {"start_s": row["start_s"] + 0.1})
    problems = verify_root(copy).problems
    assert {p["task"] for p in problems} == {"video_questions", "reasoned_when", "long_questions", "dense_caption"}
