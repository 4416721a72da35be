"""Worlds for whole builds: small composed films, made once per test run, and a recipe over them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport

RECIPE = """
name: small
sources:
  - folder: footage
annotate:
  - shots
  - signals: {fps: 4}
  - frames: {fps: 1, max_side_px: 160}
clips: {policy: shot}
select:
  length: duration_s > 0.5
  lit: luma_mean > 10
"""


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three short silent films of 160x90."""
    folder = tmp_path_factory.mktemp("films")
    made = []
    for seed in range(3):
        path = folder / f"film{seed}.mp4"
        compose_film(path, FilmParams(seed=seed, scenes=3, width=160, height=90, narration=False, scene_s=(1.5, 2.5)))
        made.append(path)
    return made


@pytest.fixture
def world(tmp_path: Path, films: list[Path]) -> Path:
    """A folder with a recipe and two films."""
    (tmp_path / "footage").mkdir()
    for film in films[:2]:
        shutil.copy2(film, tmp_path / "footage" / film.name)
    (tmp_path / "small.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def build(world: Path) -> Callable[..., BuildReport]:
    """Build the world's recipe, optionally with a replaced text, into `root`."""

    def run(*changes: tuple[str, str], root: str = "small.chronotope", **options: object) -> BuildReport:
        text = (world / "small.yaml").read_text()
        for old, new in changes:
            assert old in text, f"the recipe has no {old!r}"
            text = text.replace(old, new)
        recipe = Recipe.parse(text, world)
        return Build(recipe, world / root, **options).run()  # type: ignore[arg-type]

    return run
