"""Chronotope: verified spatio-temporal instruction data from footage.

    import chronotope as ct
    ct.build("recipe.yaml")
    ct.sql("SELECT task, count(*) AS n FROM samples GROUP BY task").df()
    ct.show("3fa9")

Importing it loads nothing heavy; each function imports what it needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from .outputs.show import Shown
    from .pipelines.planning import PlanLine
    from .pipelines.run_record import BuildReport
    from .pipelines.verify import VerifyReport

__version__ = "0.1.0"
__all__ = ["__version__", "build", "package", "plan", "show", "sql", "verify"]


def build(recipe: str | Path, root: str | Path | None = None, **options: Any) -> BuildReport:
    """Build a dataset from a recipe file (or a built-in recipe's name), or bring it up to date.

    `root` defaults to ./<recipe name>.chronotope. `options` are those of `chronotope build`: workers, limit,
    retry_failed, rehash. Raises `RecipeError` for a recipe that cannot work and `RootBusy` when another build runs.
    """
    from .pipelines.build import Build
    from .pipelines.console import find_root
    from .pipelines.recipe import Recipe

    read = Recipe.read(recipe)
    return Build(read, find_root(_path(root), read.name), **options).run()


def plan(recipe: str | Path, root: str | Path | None = None, **options: Any) -> list[PlanLine]:
    """What `build` would do, why, and about how long it takes."""
    from .pipelines.console import find_root
    from .pipelines.planning import plan_recipe
    from .pipelines.recipe import Recipe

    read = Recipe.read(recipe)
    return plan_recipe(read, find_root(_path(root), read.name), **options)


def package(recipe: str | Path, root: str | Path | None = None) -> list[dict[str, Any]]:
    """Write the packages that a recipe names; unchanged ones are left alone."""
    from .pipelines.console import find_root
    from .pipelines.packages import package_all
    from .pipelines.recipe import Recipe

    read = Recipe.read(recipe)
    return package_all(read, find_root(_path(root), read.name))


def sql(query: str, root: str | Path | None = None) -> DuckDBPyRelation:
    """A query over a dataset, as a DuckDB relation (`.df()`, `.arrow()`, `.fetchall()`)."""
    from .engine.catalog import Catalog
    from .pipelines.console import find_root

    return Catalog(find_root(_path(root))).sql(query)


def show(*ids: str, root: str | Path | None = None, **options: Any) -> Shown:
    """Draw samples (or a contact sheet when none is named) as PNG files and one HTML page."""
    from .outputs.show import show_samples
    from .pipelines.console import find_root

    return show_samples(find_root(_path(root)), ids=ids, **options)


def verify(root: str | Path | None = None) -> VerifyReport:
    """Recompute every answer of a dataset from its evidence."""
    from .pipelines.console import find_root
    from .pipelines.verify import verify_root

    return verify_root(find_root(_path(root)))


def _path(root: str | Path | None) -> Path | None:
    return None if root is None else Path(root)
