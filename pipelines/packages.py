"""Writes the packages that a recipe names, from the dataset as it is, into `<root>/packages/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..engine.producer import RecipeError
from ..outputs.packaging import package
from .decontaminate import require_current
from .recipe import Recipe


def package_all(recipe: Recipe, root: Path, *, only: str | None = None) -> list[dict[str, Any]]:
    """Package everything that the recipe names, or one of them; unchanged packages are left alone.

    A packager that is named twice needs `as:`. Raises `RecipeError` for doubled or unknown names, and when benchmarks were
    registered that the samples have not been compared with.
    """
    wanted: dict[str, tuple[str, dict[str, Any]]] = {}
    for packager, given in recipe.packages:
        params = dict(given)
        name = str(params.pop("as", packager.rpartition(":")[2] if ".py:" in packager else packager))
        if name in wanted:
            raise RecipeError(f"two packages are called {name!r}: give one of them another name with `as:`")
        wanted[name] = (packager, params)
    if only is not None and only not in wanted:
        raise RecipeError(f"recipe {recipe.name} has no package {only!r}; it has {', '.join(wanted)}")
    made = []
    with Catalog(root) as catalog:
        if any(p.get("contaminated") != "keep" for n, (_, p) in wanted.items() if only in (None, n)):
            require_current(catalog)
        for name, (packager, params) in wanted.items():
            if only is None or name == only:
                folder = root / "packages" / name
                report = package(
                    catalog,
                    packager,
                    params,
                    folder,
                    recipe=recipe.name,
                    relative_to=recipe.folder,
                    variables=recipe.variables,
                )
                made.append({"package": name, **report.as_dict()})
    return made
