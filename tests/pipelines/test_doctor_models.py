"""`doctor --models` says of each role what its endpoint really does, and fails when that is not enough for the recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chronotope.pipelines.cli import app
from model_chat import Abilities
from model_server import ModelServer, ServerLimits
from typer.testing import CliRunner


def look(folder: Path, models: dict[str, Any]) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and (state, detail) by name."""
    recipe = folder / "r.yaml"
    recipe.write_text(json.dumps({"name": "r", "sources": [{"folder": "."}], "models": models}))
    told = CliRunner().invoke(app, ["doctor", "--models", str(recipe), "--json"])
    return told.exit_code, {c["name"]: (c["state"], c["detail"]) for c in json.loads(told.stdout)}


def test_an_able_endpoint_is_looked_at_once_for_all_its_roles(tmp_path: Path) -> None:
    limits = ServerLimits(requests=500, window_s=60)
    with ModelServer(limits=limits) as server:
        models = {
            "captioner": {"base_url": server.url, "model": "test-model", "sees": "video_url", "price": {"input_per_million": 1}},
            "writer": "captioner",
            "blind": {"base_url": "${NO_SUCH_VARIABLE}", "model": "m"},
        }  # fmt: skip
        code, found = look(tmp_path, models)
        assert server.requests.count == 11
    assert code == 0
    states = {name.removeprefix("captioner, writer: "): state for name, (state, _) in found.items()}
    assert states == {
        "blind": "missing", "key": "ok", "reach": "ok", "structured output": "ok", "vision": "ok", "video": "ok",
        "context": "ok", "limits": "ok", "price": "ok",
    }  # fmt: skip
    assert "NO_SUCH_VARIABLE is not set" in found["blind"][1]
    assert "limit-requests 500" in found["captioner, writer: limits"][1]
    assert found["captioner, writer: structured output"][1].endswith("auto takes json_schema")


@pytest.mark.parametrize(
    ("abilities", "settings", "finding", "words"),
    [
        (Abilities(images=False), {}, "vision", "sees: nothing"),
        (Abilities(json_schema="refused", tool="refused", json_object="refused"), {"structured": "tool"}, "structured output", "set `structured: prompt`"),
        (Abilities(videos=False), {"sees": "video_url"}, "video", "sees: frames"),
        (Abilities(context_tokens=900), {}, "context", "maximum context length is 900"),
        (Abilities(batch=False), {"mode": "batch"}, "batch", "not offered"),
    ],
)  # fmt: skip
def test_what_the_recipe_asks_for_in_vain_fails_with_advice(
    tmp_path: Path, abilities: Abilities, settings: dict[str, Any], finding: str, words: str
) -> None:
    with ModelServer(abilities=abilities) as server:
        code, found = look(tmp_path, {"writer": {"base_url": server.url, "model": "test-model", **settings}})
    state, detail = found[f"writer: {finding}"]
    assert (code, state) == (1, "bad") and words in detail


def test_a_model_that_does_not_see_the_picture_is_found_out(tmp_path: Path) -> None:
    replies = {"SeenReply": lambda asked: {"count": 1, "colour": "purple", "shape": "star"}}
    with ModelServer(replies=replies) as server:
        code, found = look(tmp_path, {"writer": {"base_url": server.url, "model": "test-model"}})
    assert code == 1 and "it said 1 x purple star: 0 of 3 right" in found["writer: vision"][1]


def test_a_wrong_key_is_told_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret-word")
    with ModelServer(key="another") as server:
        code, found = look(
            tmp_path, {"writer": {"base_url": server.url, "model": "test-model", "key_variable": "MY_KEY"}}
        )
    assert code == 1 and "does not accept the key in MY_KEY" in found["writer: reach"][1]
    assert "very-secret-word" not in str(found)


def test_an_endpoint_that_is_not_there_ends_the_look_quickly(tmp_path: Path) -> None:
    with ModelServer() as server:
        url = server.url
    code, found = look(tmp_path, {"writer": {"base_url": url, "model": "test-model"}})
    assert code == 1 and "is not reached" in found["writer: reach"][1] and len(found) == 2
