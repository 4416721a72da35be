"""Questions that a model proposes, end to end: a recipe is built over a composed film with the test server as the writer."""

from __future__ import annotations

import pytest
from model_recipes import build_with_models
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
FAMILIES = ["summary", "generic", "temporal_long", "temporal_short", "spatial", "reasoning", "consistency"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    with ModelServer() as server:
        tasks = [{"video_questions": {"families": FAMILIES}}, "reasoned_when"]
        yield build_with_models(tmp_path_factory.mktemp("questions"), server, tasks=tasks)


def test_every_sample_that_lands_passes(built):
    assert not built.report.failures
    found = built.rows("SELECT task, passed, check_status, problem, reason FROM verdicts")
    assert {r["task"] for r in found} == {"video_questions", "reasoned_when"}
    assert [r for r in found if not r["passed"]] == []
