"""A model under test is shown what its trainer would show, is scored by the verifiers, and nothing is asked twice."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.answering.trainer_profiles import load_profile
from chronotope.engine.catalog import Catalog
from chronotope.outputs.posed import Look, Posed, Size, pose
from chronotope.outputs.reporting.card_section import trust_state
from chronotope.pipelines.cli import app
from chronotope.schemas.box import Box
from chronotope.schemas.boxcodec import box_codec
from chronotope.schemas.sample import Sample
from model_asked import Asked
from model_faults import Fault
from model_recipes import build_with_models
from model_server import ModelServer
from PIL import Image
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("ray")
PROFILE = "llava-video-64"
TRUTH = {table: "composed_truth" for table in ("words", "speech", "text_regions")}
TASKS = [{"text_grounding": {"from": TRUTH}}, "temporal_grounding", {"moment_choice": {"from": TRUTH}}]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build_with_models(tmp_path_factory.mktemp("rollout"), None, tasks=TASKS)
    assert not made.report.failures
    return made.root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(built, tmp_path / built.name)
    yield tmp_path / built.name


def roll(root: Path, server: ModelServer, *more: str, k: int = 2) -> tuple[int, dict[str, Any]]:
    given = [
        "rollout",
        str(root),
        "--base-url",
        server.url,
        "--model",
        "test-model",
        "-k",
        str(k),
        "--profile",
        PROFILE,
    ]
    told = CliRunner().invoke(app, [*given, *more, "--json"])
    assert told.exit_code in (0, 1), told.output
    return told.exit_code, json.loads(told.stdout)


def rows(root: Path, sql: str) -> list[dict[str, Any]]:
    with Catalog(root) as catalog:
        return catalog.rows(sql)


def posed_in(root: Path) -> list[Posed]:
    """All questions that the profile can answer, as they are asked."""
    with Catalog(root) as catalog:
        sizes = {
            r["media_id"]: Size(r["width"], r["height"], r["fps"], r["duration_s"])
            for r in catalog.rows("SELECT media_id, width, height, fps, duration_s FROM media")
        }
        found = catalog.rows(
            "SELECT s.*, p.frames FROM samples s JOIN frame_plans p USING (sample_id) "
            f"WHERE p.profile = '{PROFILE}' AND p.answerable"
        )
    made = [
        pose(Sample.from_row(r), r["sample_id"], r["frames"], load_profile(PROFILE), sizes, most=1000) for r in found
    ]
    return [question for questions in made for question in questions]


def knowing(root: Path) -> Callable[[Asked], dict[str, Any]]:
    """A responder that knows the right answers, by the text that it is asked."""
    truths = {
        "\n".join(c.label if isinstance(c, Look) else c for c in question.content): right(question)
        for question in posed_in(root)
    }

    def reply(asked: Asked) -> dict[str, Any]:
        (truth,) = {t for text, t in truths.items() if text in asked.user}
        return {"answer": truth}

    return reply


def right(question: Posed) -> str:
    truth = question.reward["truth"]
    match question.reward["verifier"]:
        case "choice":
            return str(truth)
        case "tiou":
            return f"{truth[0]:.2f} - {truth[1]:.2f}"
        case "box_iou":
            return box_codec("float01", width=1, height=1, decimals=3).encode(Box(*truth))
    raise AssertionError(question.reward["verifier"])


def test_right_answers_score_1_and_a_second_run_asks_nothing(root: Path) -> None:
    with ModelServer(replies={"AnswerReply": knowing(root)}) as server:
        code, said = roll(root, server)
        first = server.requests.count
        again_code, again = roll(root, server)
        assert server.requests.count == first == said["requests"]
    assert (code, again_code, again["calls"], again["known"]) == (0, 0, 0, first)
    assert {t["task"]: t["difficulty"] for t in said["tasks"]} == dict.fromkeys(
        ("moment_choice", "temporal_grounding", "text_grounding"), 0.0
    )
    assert rows(root, "SELECT count(*) AS n FROM attempts WHERE model IS NOT NULL")[0]["n"] == said["rows"] == first
    assert rows(root, "SELECT count(*) AS n FROM llm_calls WHERE asked_by = 'rollout'")[0]["n"] == first


def test_it_is_shown_exactly_the_frames_that_the_profile_draws(root: Path) -> None:
    seen: list[Asked] = []

    def look(asked: Asked) -> dict[str, Any]:
        seen.append(asked)
        return {"answer": "A"}

    with ModelServer(replies={"AnswerReply": look}) as server:
        roll(root, server, "--task", "temporal_grounding", k=1)
    plans = rows(
        root,
        "SELECT frames FROM frame_plans JOIN samples USING (sample_id) "
        f"WHERE task = 'temporal_grounding' AND answerable AND profile = '{PROFILE}'",
    )
    assert sorted(a.pictures for a in seen) == sorted(len({f["t_s"] for f in p["frames"]}) for p in plans)
    assert {Image.open(io.BytesIO(image)).size for asked in seen for image in asked.images} == {(384, 384)}


def test_what_cannot_be_read_or_used_counts_0_and_stays_with_its_reason(root: Path) -> None:
    replies = {"AnswerReply": lambda asked: {"answer": "I would rather not say."}}
    faults = [Fault("refusal", 0.5, always=True)]
    with ModelServer(replies=replies, faults=faults) as server:
        code, said = roll(root, server, k=3)
    assert code == 0 and said["unusable_replies"].keys() == {"refused"}
    found = rows(root, "SELECT reward, reason FROM attempts WHERE model IS NOT NULL")
    assert len(found) == said["rows"] and all(r["reward"] == 0 and r["reason"] for r in found)
    assert any(r["reason"].startswith("refused") for r in found)


def test_difficulty_is_1_minus_the_mean_reward_and_leaves_the_ladder_alone(root: Path) -> None:
    truth = knowing(root)

    def sometimes(asked: Asked) -> dict[str, Any]:
        return truth(asked) if asked.number % 4 == 0 else {"answer": "no idea"}

    with Catalog(root) as catalog:
        ladder = trust_state(catalog)
    with ModelServer(replies={"AnswerReply": sometimes}) as server:
        roll(root, server, k=4)
        found = rows(root, "SELECT difficulty, attempts FROM rollout_view")
        assert found and all((r["difficulty"], r["attempts"]) == (0.75, 4) for r in found)
        roll(root, server, "--temperature", "0.5", k=1)
    told = rows(
        root, "SELECT rollout_difficulty, rollout_attempts FROM sample_view WHERE rollout_difficulty IS NOT NULL"
    )
    assert len(told) == len(found) and {r["rollout_attempts"] for r in told} == {1}
    with Catalog(root) as catalog:
        assert trust_state(catalog) == ladder


def test_a_spent_budget_ends_cleanly_and_the_next_run_asks_the_rest(root: Path) -> None:
    with ModelServer(replies={"AnswerReply": knowing(root)}) as server:
        code, said = roll(root, server, "--max-requests", "5")
        assert code == 1 and said["requests"] == server.requests.count == 5
        assert any(reason.startswith("budget spent") for reason in said["samples_without_replies"])
        assert said["rows"] == 2 * (said["samples"] - sum(said["samples_without_replies"].values()))
        code, said = roll(root, server)
    assert code == 0 and said["known"] == 5 and said["rows"] == 2 * said["samples"] == server.requests.count


def test_without_its_media_the_stored_pictures_stand_in(root: Path) -> None:
    film = Path(rows(root, "SELECT uri FROM sources")[0]["uri"])
    film.rename(film.with_suffix(".away"))
    try:
        with ModelServer() as server:
            code, said = roll(root, server, "--task", "temporal_grounding", "--limit", "1", k=1)
    finally:
        film.with_suffix(".away").rename(film)
    assert code == 0 and said["pictures_from_stored_frames"] > 5


def test_wrong_usage_says_what_to_do(root: Path) -> None:
    def said(*arguments: str) -> str:
        told = CliRunner().invoke(app, ["rollout", *arguments])
        assert told.exit_code == 2
        return " ".join(told.output.split())

    assert "RECIPE --role ROLE" in said(str(root))
    assert "has no frame plans" in said(
        str(root), "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--profile", own_profile(root.parent)
    )
    assert "--where" in said(
        str(root), "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--where", "nonsense > 1"
    )


def own_profile(folder: Path) -> str:
    file = folder / "mine.yaml"
    file.write_text("video: {sampler: qwen_vl}\n")
    return str(file)
