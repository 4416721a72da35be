"""Checks that ask models, end to end against the test server: whom they ask, what they are shown, and what the rows say."""

from __future__ import annotations

from typing import Any

import pytest
from model_asked import Asked
from model_chat import Abilities
from model_recipes import build_with_models
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
TASKS = ("moment_choice", "temporal_grounding")
ANY = Abilities(names=())


def counts(built: Any) -> dict[tuple[str, str, bool | None], int]:
    rows = built.rows("SELECT check_name, variant, passed, count(*) AS n FROM sample_checks GROUP BY ALL")
    return {(r["check_name"], r["variant"], r["passed"]): r["n"] for r in rows}


def test_all_checks_look_at_samples_and_a_rerun_asks_nothing(tmp_path: Any) -> None:
    checks = {
        "agreement": {"tasks": list(TASKS), "most": 20},
        "ablations": {"tasks": ["moment_choice"], "share": 1.0, "most": 20},
        "judge": {"tasks": list(TASKS), "most": 20},
        "blind": {"most": 20},
    }
    given: dict[str, Any] = {"tasks": list(TASKS), "checks": checks, "settings": {"judge": {"model": "strict"}}}
    with ModelServer(abilities=ANY) as server:
        built = build_with_models(tmp_path, server, **given)
        assert not built.report.failures
        asked = built.rows("SELECT count(*) AS n FROM llm_calls")[0]["n"]
        again = build_with_models(tmp_path, server, **given)
        assert again.report.did_nothing and again.rows("SELECT count(*) AS n FROM llm_calls")[0]["n"] == asked

    of_task = {r["task"]: r["n"] for r in built.rows("SELECT task, count(*) AS n FROM samples GROUP BY task")}
    found = counts(built)
    both = sum(of_task.values())
    # a careful reader with the evidence finds every answer
    assert found["agreement", "", True] == both
    assert found["ablation", "full", True] == of_task["moment_choice"]
    assert sum(n for (name, variant, _), n in found.items() if name == "judge" and not variant) == both
    assert sum(n for (name, _, _), n in found.items() if name == "blind") == of_task["moment_choice"]
    # what is said is lost with the speech, and not with the pictures
    spoken = built.rows(
        "SELECT c.variant, c.passed FROM sample_checks c JOIN samples s USING (sample_id) "
        "WHERE check_name = 'ablation' AND list_contains(s.needs, 'speech_text') AND variant IN ('no_speech', 'no_pictures')"
    )
    assert len(spoken) >= 4 and all(r["passed"] for r in spoken)
    # and a package can choose by it
    strict = built.rows(
        "SELECT count(*) AS n FROM sample_check_view WHERE judge_score >= 0.8 AND NOT leak AND agreement > 0.5"
    )
    assert 0 < strict[0]["n"] <= of_task["moment_choice"]


def test_the_judge_refuses_to_judge_its_own_work(tmp_path: Any) -> None:
    with ModelServer(abilities=ANY) as server:
        built = build_with_models(
            tmp_path,
            server,
            tasks=["video_questions"],
            checks={"judge": {"most": 20}, "blind": False, "agreement": False, "ablations": False},
        )
    rows = built.rows("SELECT * FROM sample_checks WHERE check_name = 'judge'")
    samples = built.rows("SELECT sample_id FROM samples")
    assert samples and {r["sample_id"] for r in rows} == {s["sample_id"] for s in samples}
    assert all(r["passed"] is None and "wrote it" in r["detail"] and r["request_hash"] is None for r in rows)
    assert not built.rows("SELECT * FROM llm_calls WHERE schema_name = 'JudgementReply'")


def test_a_blind_reader_gets_no_footage_and_a_hint_in_the_wording_is_found(tmp_path: Any) -> None:
    seen: list[Asked] = []

    def knowing(asked: Asked) -> dict[str, object]:
        """Knows what the film says by heart, as a model may know a famous film."""
        seen.append(asked)
        lines = [line for line in asked.user.splitlines() if line[:1].isdigit()]
        return {"choice": 1 + max(range(len(lines)), key=lambda i: (len(lines[i]), lines[i]))}

    with ModelServer(abilities=ANY, replies={"AskedChoiceReply": knowing}) as server:
        built = build_with_models(tmp_path, server, tasks=["moment_choice"], roles=("blind",))
    assert seen and all(not a.images and not a.facts for a in seen)
    rows = built.rows("SELECT c.passed, c.detail FROM sample_checks c WHERE check_name = 'blind'")
    guessed = [r for r in rows if r["passed"] is False]
    assert all("3 of 3" in r["detail"] for r in guessed) and len(guessed) < len(rows)


def test_unusable_replies_are_told_and_judge_nothing(tmp_path: Any) -> None:
    with ModelServer(abilities=ANY, replies={"AskedChoiceReply": lambda asked: {"choice": 99}}) as server:
        built = build_with_models(tmp_path, server, tasks=["moment_choice"], roles=("blind",))
    rows = built.rows("SELECT * FROM sample_checks WHERE check_name = 'blind'")
    assert rows and all(r["passed"] is None and r["detail"].startswith("no readable reply") for r in rows)


def test_without_a_model_only_rules_check(tmp_path: Any) -> None:
    built = build_with_models(tmp_path, None, tasks=["moment_choice"])
    assert {r["check_name"] for r in built.rows("SELECT DISTINCT check_name FROM sample_checks")} == {"leak"}


def test_pairs_of_facts_and_fibs_are_judged_right_and_answered_right(tmp_path: Any) -> None:
    checks = {"agreement": {"most": 20}, "judge": {"most": 20}, "blind": False}
    with ModelServer(abilities=ANY) as server:
        built = build_with_models(
            tmp_path, server, tasks=["fact_fib"], checks=checks, settings={"judge": {"model": "strict"}}
        )
    rows = built.rows("SELECT * FROM sample_check_view")
    assert len(rows) >= 4
    assert all(
        r["agreement"] == 1 and r["judge_passed"] and r["slots_hold"] and r["failed_checks"] is None for r in rows
    )
