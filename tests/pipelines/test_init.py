"""`init`: the recipe that it writes suits the footage, parses, plans, and says what else there is."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest
from chronotope.pipelines.console import UsageError
from chronotope.pipelines.init import Written, write_recipe
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe


@pytest.fixture
def here(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: two films in `footage`, and `small.yaml`."""
    monkeypatch.chdir(world)
    return world


def write(source: str, output: str | None = None, name: str | None = None) -> Written:
    return write_recipe(source, Path(output) if output else None, name, False)


def producers(path: Path) -> list[str]:
    """Producers that the written recipe plans."""
    recipe = Recipe.read(path)
    recipe.check()
    return [line.producer for line in plan_recipe(recipe, path.parent / "no.chronotope")]


def test_a_folder_becomes_a_recipe_that_plans(here: Path) -> None:
    made = write("footage")
    assert made.path == Path("footage.yaml") and made.found == "2 files, 0 of 2 looked at have sound"
    text = made.path.read_text()
    assert '- folder: "footage"' in text, "relative, so that the project can be moved"
    assert {"shots", "signals", "frames", "text_regions", "motion_direction"} <= set(producers(made.path))
    assert "speech" not in producers(made.path), "there is no sound"
    for comment in ("--limit 3", "whole | shot | merged | window", "NULL never passes", "relative_tokens_100"):
        assert comment in text


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("footage/*.mp4", "footage", '- videos: "footage/*.mp4"'),
        ("footage/film0.mp4", "film0", '- videos: "footage/film0.mp4"'),
        ("./footage/", "footage", '- folder: "footage"'),
        ("**/*.mp4", "footage", '- videos: "**/*.mp4"'),
    ],
)
def test_globs_and_files_name_the_recipe_after_themselves(here: Path, source: str, name: str, line: str) -> None:
    made = write(source)
    assert made.path.name == f"{name}.yaml" and line in made.path.read_text()
    assert producers(made.path)


def test_a_manifest_is_mapped_by_its_column_names(here: Path) -> None:
    Path("clips.csv").write_text("Video,start,end,sentence,license,stars\nfootage/film0.mp4,0,1,x,CC0,3\n")
    made = write("clips.csv", "recipes/mine.yaml")
    recipe = Recipe.read(made.path)
    manifest = recipe.model.sources[0].manifest
    assert manifest is not None
    assert manifest.columns == {
        "uri": "Video", "start_s": "start", "end_s": "end", "caption": "sentence", "licence": "license",
    }  # fmt: skip
    assert "manifest_captions" in producers(made.path)
    text = made.path.read_text()
    assert "kept as user columns: stars" in text and "build recipes/mine.yaml --limit 3" in text
    assert "clips by themselves" in text


def test_sound_alone_gets_no_annotators_of_pictures(here: Path) -> None:
    with wave.open("talk.wav", "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 16000)
    made = write("talk.wav")
    assert "speech" in producers(made.path) and "signals" not in producers(made.path)
    assert "clips: {policy: window" in made.path.read_text()


def test_broken_files_among_good_ones_are_told_once(here: Path) -> None:
    Path("footage/notes.mp4").write_text("a shopping list\n" * 20)
    made = write("footage")
    (note,) = [n for n in made.notes if "notes.mp4" in n]
    assert note.count("notes.mp4") == 1 and "it holds text, not media" in note


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        ("nowhere", None, "nowhere does not exist; give a folder of videos, a glob, or a CSV"),
        ("nowhere.csv", None, "nowhere.csv does not exist"),
        ("empty", None, "empty holds no video, image or sound files"),
        ("footage/*.mkv", None, "holds no video"),
        ("headless.csv", None, "which column holds the paths. Its columns are a, b"),
        ("hollow.csv", None, "has no rows"),
        ("small.yaml", None, "is a recipe, not footage; build it with `chronotope build small.yaml`"),
        ("broken", None, "no video or sound in the 1 file looked at: .*notes.mp4: it holds text"),
        ("footage", "a b", "'a b'.*a recipe's name is letters"),
        ("footage", "small", "small.yaml exists already; choose another name with -o, or replace it with --force"),
    ],
)
def test_what_cannot_become_a_recipe_says_why(here: Path, source: str, name: str | None, said: str) -> None:
    (here / "empty").mkdir()
    (here / "broken").mkdir()
    (here / "broken" / "notes.mp4").write_text("a shopping list\n" * 20)
    (here / "headless.csv").write_text("a,b\n1,2\n")
    (here / "hollow.csv").write_text("path,caption\n")
    before = sorted(p.name for p in here.iterdir())
    with pytest.raises(UsageError, match=said):
        write(source, name=name)
    assert sorted(p.name for p in here.iterdir()) == before


def test_what_is_not_installed_stands_there_as_a_comment(here: Path) -> None:
    code = (
        "import sys; sys.modules['rapidocr'] = None\n"
        "from pathlib import Path; from chronotope.pipelines.init import write_recipe\n"
        "print(write_recipe('footage', Path('r.yaml'), None, False).path.read_text())"
    )
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "# - text_regions: {fps: 1}" in text and "pip install 'chronotope[ocr]'" in text
    assert "  - text_grounding" not in text
