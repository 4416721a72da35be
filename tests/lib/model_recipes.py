"""Recipes over a small composed film whose roles are played by the test server: built once without models, then with them.

The film (15 s, 256x144, spoken and lettered, with its exact truth) is composed and annotated once in a test process; each call
of `build_with_models` starts from a copy, so that it costs what the enriching, the tasks and the checks cost. The first call of a
process starts Ray: mark such tests with `@pytest.mark.xdist_group("ray")`.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from chronotope.annotators.compose.film import FilmParams, compose_film
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport
from model_server import ModelServer, ServerProcess

ROLES = ("captioner", "second_captioner", "writer", "judge", "blind", "checker")
NAME = "asked"
BASE: dict[str, Any] = {
    "name": NAME,
    "annotate": ["composed_truth", {"frames": {"fps": 2, "max_side_px": 256}}],
    "clips": {"policy": "shot", "from": {"shots": "composed_truth"}},
}
Entry = str | Mapping[str, Any]


@dataclass
class Built:
    """A dataset that was built, and what may be asked of it."""

    folder: Path
    root: Path
    recipe: Recipe
    report: BuildReport

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query over the dataset."""
        with Catalog(self.root) as catalog:
            return catalog.rows(sql, list(params))


@cache
def annotated(films: int = 1) -> Path:
    """A folder with composed films (seeds 0 ...) and their annotated dataset, made once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="asked"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "films").mkdir()
    for seed in range(films):
        film(folder / "films" / f"film{seed}.mp4", seed)
    recipe = Recipe.parse(recipe_text(folder, {}), folder)
    report = Build(recipe, folder / f"{NAME}.chronotope").run()
    assert not report.failures, report.failures
    return folder


def film(path: Path, seed: int = 0) -> None:
    """Compose one small film with its truth file."""
    params = FilmParams(seed=seed, scenes=4, width=256, height=144, scene_s=(3.0, 4.5))
    truth = compose_film(path, params)
    path.with_suffix(".truth.json").write_text(truth.to_json(), encoding="utf-8")


def roles_at(server: ModelServer | ServerProcess, settings: Mapping[str, Any] | None = None,
             roles: Iterable[str] = ROLES) -> dict[str, Any]:  # fmt: skip
    """The section `models:`: all roles at the server, impatient, with further settings of each role, or of all ("*")."""
    common = {
        "base_url": server.url,
        "model": "test-model",
        "limits": {"concurrency": 8, "timeout_s": 20, "retries": 3},
    }
    given = dict(settings or {})
    return {role: {**common, **given.get("*", {}), **given.get(role, {})} for role in roles}


def recipe_text(source: Path, models: Mapping[str, Any], *, annotate: Sequence[Entry] = (), enrich: Sequence[Entry] = (),
                tasks: Sequence[Entry] = (), checks: Mapping[str, Any] | None = None,
                budget: Mapping[str, Any] | None = None, **sections: Any) -> str:  # fmt: skip
    """The recipe as a file has it; `source`: the folder that `annotated` gave."""
    sources = [{"folder": str(source / "films"), "origin": "composed", "licence": "Apache-2.0"}]
    recipe = {**BASE, "sources": sources, **sections, "annotate": [*BASE["annotate"], *annotate]}
    given = {"enrich": list(enrich), "tasks": list(tasks), "checks": checks, "budget": budget, "models": dict(models)}
    return yaml.safe_dump({**recipe, **{k: v for k, v in given.items() if v}}, sort_keys=False)


@dataclass
class World:
    """A copy of the annotated films in a folder of its own, in which a recipe is built again and again."""

    folder: Path
    films: int = 1
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / f"{NAME}.chronotope"
        if not self.root.exists():
            shutil.copytree(annotated(self.films) / self.root.name, self.root)

    def build(self, text: str, **options: Any) -> Built:
        """Build a recipe's text. `options`: of `Build`."""
        (self.folder / f"{NAME}.yaml").write_text(text, encoding="utf-8")
        recipe = Recipe.parse(text, self.folder)
        return Built(self.folder, self.root, recipe, Build(recipe, self.root, **options).run())


def build_with_models(
    folder: Path,
    server: ModelServer | ServerProcess | None,
    *,
    enrich: Sequence[Entry] = (),
    tasks: Sequence[Entry] = (),
    checks: Mapping[str, Any] | None = None,
    annotate: Sequence[Entry] = (),
    settings: Mapping[str, Any] | None = None,
    roles: Iterable[str] = ROLES,
    budget: Mapping[str, Any] | None = None,
    films: int = 1,
    options: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Built:
    """Build with every role played by the server (None: no `models:` at all). Called again with the same folder, the same
    dataset is built on: a rerun. `settings`: of a role by its name, or of all under "*". `sections`: of the recipe.
    """
    models = {} if server is None else roles_at(server, settings, roles)
    text = recipe_text(
        annotated(films),
        models,
        annotate=annotate,
        enrich=enrich,
        tasks=tasks,
        checks=checks,
        budget=budget,
        **sections,
    )
    return World(folder, films).build(text, **(options or {}))
