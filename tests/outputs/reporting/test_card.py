"""A package's README says how far its own samples can be trusted, and is written again when that changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from chronotope.outputs.packaging import package


def attempt(world: Any, sample_id: str, medium: str, solver: str, reward: float) -> None:
    row = {
        "sample_id": sample_id, "task": "colour", "solver": solver, "answer_json": '{"kind":"choice","index":0}',
        "reward": reward, "correct": reward == 1, "chance": 0.25, "fold": 0,
    }  # fmt: skip
    world.add("attempts", row, "corpus", medium)


def test_the_card_tells_of_the_samples_in_the_package_only(world: Any, films: Any, make: SimpleNamespace) -> None:
    media = [world.film(films.silent), world.film(films.loud)]
    for i in range(30):
        sample = world.sample(make.choice(media[i % 2], i), grade="exact" if i < 10 else "model")
        attempt(world, sample, media[i % 2], "options_only", 1.0)
    out = world.sample(make.choice(media[0], 99), passed=False)
    attempt(world, out, media[0], "options_only", 0.0)
    with world.catalog() as catalog:
        text = (package(catalog, "llava", {}, world.root / "packages/p").path / "README.md").read_text()
    assert "## How far to trust it" in text
    assert "| colour | 10 | 20 |" in text
    assert "| colour | **+0.75** (" in text or "| colour | +0.75 (" in text
    assert "| colour | 1 of ? | 100.0% |" in text


def test_a_new_ladder_is_a_new_card_and_nothing_else_changes_one(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    samples = [world.sample(make.choice(medium, i)) for i in range(4)]
    path = world.root / "packages/p"
    with world.catalog() as catalog:
        package(catalog, "llava", {}, path)
        before = make.tree(path)
        assert package(catalog, "llava", {}, path).unchanged
        assert make.tree(package(catalog, "llava", {}, path, force=True).path) == before
    world.rows = {}
    for sample in samples:
        attempt(world, sample, medium, "prior", 0.0)
    with world.catalog() as catalog:
        assert not package(catalog, "llava", {}, path).unchanged
    after = make.tree(path)
    assert {name for name in before if before[name] != after[name]} == {"README.md", "package.json"}
