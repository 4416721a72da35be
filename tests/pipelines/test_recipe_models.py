"""The sections `models:` and `budget:`: roles, other names for them, variables that are not set, and mistakes."""

from pathlib import Path

import pytest
from chronotope.engine.producer import RecipeError
from chronotope.pipelines.recipe import Recipe

HEAD = "name: asked\nsources: [{folder: films}]\n"
ENDPOINT = "{base_url: 'http://127.0.0.1:9/v1', model: small}"


def read(text: str, folder: Path = Path()) -> Recipe:
    return Recipe.parse(HEAD + text, folder)


def test_a_role_may_be_another_roles_name() -> None:
    recipe = read(f"models: {{writer: {ENDPOINT}, judge: writer}}")
    assert recipe.models.roles["judge"] == recipe.models.roles["writer"]
    assert recipe.models.roles["writer"].model == "small"


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("{base_url: '${NO_SUCH_URL}', model: small}", "NO_SUCH_URL"),
        ("{base_url: 'http://127.0.0.1:9/v1', model: small, key_variable: NO_SUCH_KEY}", "NO_SUCH_KEY"),
    ],
)
def test_a_role_whose_variable_is_not_set_has_no_endpoint_and_the_reason_names_it(entry: str, name: str) -> None:
    recipe = read(f"models: {{writer: {entry}, judge: writer}}")
    assert not recipe.models.roles
    assert recipe.models.missing == {"writer": f"{name} is not set", "judge": f"{name} is not set"}


def test_keys_and_addresses_are_hidden_in_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_URL", "http://secret-host:8000/v1")
    monkeypatch.setenv("MODELS_KEY", "sk-not-to-be-told")
    recipe = read("models: {writer: {base_url: '${MODELS_URL}', model: small, key_variable: MODELS_KEY}}")
    told = recipe.hide("http://secret-host:8000/v1 says no to sk-not-to-be-told")
    assert told == "${MODELS_URL} says no to ${MODELS_KEY}"
    assert "sk-not" not in recipe.text + repr(recipe.models)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"models: {{writer: {ENDPOINT}, judge: writr}}", "did you mean 'writer'"),
        (
            "models: {writer: {base_url: 'http://127.0.0.1:9/v1', model: small, max_frame: 4}}",
            "did you mean 'max_frames'",
        ),
        ("models: {writer: {base_url: '127.0.0.1:9', model: small}}", "http://"),
        ("models: [writer]", "models is a mapping"),
        ("models: {writer: 3}", "another role's name"),
        ("budget: {requests: -1}", "requests"),
        ("budget: {request: 1}", "did you mean 'requests'"),
    ],
)
def test_mistakes_are_named(text: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        read(text)


def test_where_a_model_stands_and_what_it_costs_does_not_make_anything_stale() -> None:
    here = read(f"models: {{writer: {ENDPOINT}}}").models.roles["writer"]
    there = read(
        "models: {writer: {base_url: 'https://other/v1', model: small, price: {input_per_million: 3}, limits: {concurrency: 2}}}"
    ).models.roles["writer"]
    newer = read("models: {writer: {base_url: 'https://other/v1', model: small, revision: b}}").models.roles["writer"]
    assert here.digest == there.digest
    assert here.digest != newer.digest


def test_a_misspelt_role_is_skipped_with_what_was_probably_meant() -> None:
    recipe = read(
        f"models: {{writer: {ENDPOINT}}}\nenrich: [{{triples: {{model: writter}}}}]\nannotate: [composed_truth]"
    )
    assert "did you mean 'writer'?" in str(recipe.graph["triples"].unmet)


@pytest.mark.parametrize(("text", "says"), [(None, "no prompt file"), ("prompt: x", "p.yaml: name")])
def test_a_prompt_of_ones_own_that_cannot_be_read_is_named_before_anything_runs(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    recipe = read("annotate: [composed_truth]\nenrich: [{captions: {prompt: p.yaml}}]", tmp_path)
    with pytest.raises(RecipeError, match=says):
        _ = recipe.graph
