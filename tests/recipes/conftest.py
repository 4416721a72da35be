"""Fixtures of recipe tests: small composed films and rendered rooms with their truth, and a carried recipe built at small size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.composers.rooms import Params as RoomsParams
from chronotope.annotators.composers.rooms import Rooms
from chronotope.pipelines.build import Build
from chronotope.pipelines.composed_places import facts_of, make
from chronotope.pipelines.recipe import Recipe


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two narrated films of about 20 s, 160x90, and their truth."""
    folder = tmp_path_factory.mktemp("films")
    for seed in (5, 6):
        film = folder / f"film{seed}.mp4"
        truth = compose_film(film, FilmParams(seed=seed, scenes=6, width=160, height=90, fps=12))
        film.with_suffix(".truth.json").write_text(truth.to_json())
    return folder


@pytest.fixture(scope="session")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two rendered rooms of 12 s, 160x120 at 5 fps, each with something that moves, and their exact truth."""
    folder = tmp_path_factory.mktemp("rooms")
    settings = {
        "videos": 2,
        "seconds": 12,
        "fps": 5,
        "width": 160,
        "height": 120,
        "movers": (1, 2),
        "area_m2": (14, 24),
    }
    composer = Rooms(RoomsParams.model_validate(settings))
    for number, draft in enumerate(composer.compose((), seed=5)):
        make(draft, facts_of(draft, composer), folder / f"room{number}.mp4")
    return folder


@pytest.fixture(scope="session")
def room(rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of the rendered rooms and its truth."""
    folder = tmp_path_factory.mktemp("room")
    for file in rooms.glob("room0.*"):
        (folder / file.name).hardlink_to(file)
    return folder


@pytest.fixture
def build(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`build(name, **variables)`: a carried recipe, built below `tmp_path` with these environment variables; its root."""

    def run(name: str, **variables: object) -> Path:
        monkeypatch.setenv("CHRONOTOPE_FOOTAGE", str(films))
        for key, value in variables.items():
            monkeypatch.setenv(key, str(value))
        root = tmp_path / f"{name}.chronotope"
        report = Build(Recipe.read(name), root).run()
        assert not report.failures, report.failures
        assert not report.unaccounted, report.unaccounted
        return root

    return run
