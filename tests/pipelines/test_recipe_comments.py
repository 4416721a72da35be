"""What the comments of carried recipes say to put in instead of rooms or composed films is a recipe too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chronotope
import pytest
import yaml
from chronotope.engine.registry import find
from chronotope.pipelines.recipe import Recipe

CARRIED = sorted((Path(chronotope.__file__).parent / "pipelines" / "recipes").glob("*.yaml"))
SECTIONS = ("sources", "material", "annotate", "clips", "tasks")


def told(text: str) -> dict[str, Any]:
    """The sections in the indented lines of the comment at a recipe's beginning."""
    comment = text[: text.index("\nname:")].splitlines()
    lines = [line[4:] for line in comment if line.startswith("#   ")]
    if not any(line.startswith(f"{section}:") for line in lines for section in SECTIONS):
        return {}
    return dict(yaml.safe_load("\n".join(lines)))


WITH_COMMENTS = [path for path in CARRIED if told(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", WITH_COMMENTS, ids=lambda path: path.stem)
def test_other_sources_are_named_as_they_are_read(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONOTOPE_FOOTAGE", str(tmp_path))
    text = path.read_text(encoding="utf-8")
    other = told(text)
    for source in [*other.get("sources", ()), *other.pop("material", ())]:
        if "import" in source:
            find("importer", source["import"]).Params.model_validate(source["with"])
    recipe = Recipe.parse(yaml.safe_dump({**yaml.safe_load(text), **other}, sort_keys=False), tmp_path)
    assert {p.name for p in recipe.graph.producers} >= {"probe"}
