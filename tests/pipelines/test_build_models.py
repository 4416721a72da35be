"""Builds that ask models: skipped without an endpoint, planned before, paid once, stopped by the budget, resumed after a kill."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from chronotope.pipelines.costs import costs
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.status import summary
from model_recipes import NAME, Entry, World, annotated, build_with_models, recipe_text, roles_at
from model_server import ModelServer, ServerProcess

pytestmark = pytest.mark.xdist_group("ray")
ENRICH = ("captions", "media_captions", "claims")


def test_without_an_endpoint_everything_else_is_built_and_the_rule_says_what_to_set(tmp_path: Path) -> None:
    text = recipe_text(
        annotated(),
        {"captioner": {"base_url": "${NO_SUCH_URL}", "model": "small"}},
        enrich=["captions"],
        tasks=["span_choice"],
    )
    built = World(tmp_path).build(text)
    skipped = summary(built.root, NAME)["without_models"]
    assert [row["producer"] for row in skipped] == ["captions"]
    assert "NO_SUCH_URL is not set" in skipped[0]["rule"]
    assert not built.report.failures
    assert built.rows("SELECT count(*) AS n FROM captions WHERE producer = 'captions'")[0]["n"] == 0


def test_a_rerun_asks_nothing_and_a_lost_record_is_read_back_from_the_dataset(tmp_path: Path) -> None:
    with ModelServer() as server:
        first = build_with_models(tmp_path, server, enrich=ENRICH)
        asked = server.requests.count
        assert asked > 4
        again = build_with_models(tmp_path, server, enrich=ENRICH)
        assert again.report.did_nothing
        for file in (first.root / "work" / "llm").iterdir():
            file.unlink()
        # another seed changes every producer's settings, but not one question
        other = build_with_models(tmp_path, server, enrich=ENRICH, seed=7)
        assert other.report.worked["captions"] == 1
        assert server.requests.count == asked


def test_the_plan_says_what_the_build_then_asks(tmp_path: Path) -> None:
    with ModelServer() as server:
        world = World(tmp_path)

        seeing = {"captions": {"facts": ["speech", "text", "shot", "object"]}}

        def planned_and_asked(*enrich: Entry) -> tuple[dict[str, int], dict[str, int]]:
            text = recipe_text(annotated(), roles_at(server), enrich=enrich)
            lines = plan_recipe(Recipe.parse(text, tmp_path), world.root)
            planned = {line.producer: sum(ask["requests"] for ask in line.asks) for line in lines if line.asks}
            built = world.build(text)
            asked = costs(world.root, built.report.run_id)["by_producer"]
            real: Counter[str] = Counter()
            for row in asked:
                real[row["producer"]] += row["requests"]
            return {k: v for k, v in planned.items() if v}, dict(real)

        planned, asked = planned_and_asked(seeing)
        assert planned == asked != {}
        planned, asked = planned_and_asked(seeing, "media_captions", {"claims": {"ask_about": "all"}})
        assert set(planned) == {"media_captions", "claims"}
        assert sum(planned.values()) == pytest.approx(sum(asked.values()), rel=0.1)
        assert planned_and_asked(seeing, "media_captions", {"claims": {"ask_about": "all"}}) == ({}, {})


def test_a_budget_stops_cleanly_and_the_next_build_goes_on_from_there(tmp_path: Path) -> None:
    with ModelServer() as server:
        short = build_with_models(tmp_path, server, enrich=["captions"], budget={"requests": 2})
        assert server.requests.count == 2
        ledger = short.rows("SELECT status, rule FROM ledger WHERE producer = 'captions'")
        assert [row["status"] for row in ledger] == ["undecided"]
        assert "2" in ledger[0]["rule"]
        done = build_with_models(tmp_path, server, enrich=["captions"])
        clips = done.rows("SELECT count(DISTINCT clip_id) AS n FROM clips")[0]["n"]
        assert server.requests.count == clips
        assert done.rows("SELECT status FROM ledger WHERE producer = 'captions'") == [{"status": "done"}]


def test_status_tells_the_costs_by_producer_model_and_day(tmp_path: Path) -> None:
    price = {"price": {"input_per_million": 1.0, "output_per_million": 2.0}}
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, enrich=["captions"], settings={"*": price})
    spent = costs(built.root)
    (row,) = spent["by_producer"]
    assert row["requests"] == server.requests.count
    assert row["cost"] == pytest.approx((row["prompt_tokens"] + 2 * row["reply_tokens"]) / 1e6)
    assert spent["by_day"][0]["calls"] == row["calls"]


def test_a_killed_build_repeats_at_most_what_was_in_flight(tmp_path: Path) -> None:
    """SIGKILL in mid-wave: what was answered is on record, whatever of the dataset was committed."""
    with ServerProcess(("--latency", "0.2")) as server:
        world = World(tmp_path)
        at_once = 2
        text = recipe_text(annotated(), roles_at(server, {"*": {"limits": {"concurrency": at_once}}}), enrich=ENRICH)
        file = tmp_path / f"{NAME}.yaml"
        file.write_text(text, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "chronotope.pipelines.cli",
            "build",
            str(file),
            "--root",
            str(world.root),
            "--json",
        ]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
        deadline = time.monotonic() + 120
        while server.requests()["count"] < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert server.requests()["count"] >= 4
        world.build(text)
        total = server.requests()["count"]
        distinct = world.build(text).rows("SELECT count(*) AS n FROM llm_calls")[0]["n"]
    assert total - distinct <= at_once
