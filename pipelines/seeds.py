"""The literature that Chronotope rebuilds: 85 papers, what each asks of a data engine, and whether that is here.

The list is `seeds.yaml`; the state of a row is looked up, not written down: the recipes, policies, producers and columns that it
names must exist. `python -m chronotope.pipelines.seeds` prints the page `docs/recipes/README.md`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ..engine.plans.policies import POLICIES
from ..engine.registry import names as registered
from ..schemas.tables import TABLES
from ..schemas.views import VIEWS
from .recipe import builtin_recipes

State = Literal["ready", "partly", "not yet", "nothing to build"]


class Seed(BaseModel):
    """One paper and what it asks of the engine."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    row: int
    paper: str
    kind: Literal["data", "policy", "signal", "none"] = Field(alias="class")
    why: str = ""
    """Of kind none: why there is nothing to build."""
    what: str = ""
    check: str = ""
    names: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """`table.column` of a table or view."""
    missing: str = ""
    """What is not made yet, in words."""

    @property
    def made_by(self) -> tuple[str, ...]:
        """Everything that it takes."""
        return (*self.recipes, *self.policies, *self.producers, *self.columns)

    @property
    def here(self) -> tuple[str, ...]:
        """What of that exists."""
        columns = {f"{t}.{c.name}" for t, table in TABLES.items() for c in table.all_columns}
        columns |= {f"{v}.{c.name}" for v, view in VIEWS.items() for c in view.columns}
        known = (
            *(r for r in self.recipes if r in builtin_recipes()),
            *(p for p in self.policies if p in POLICIES),
            *(p for p in self.producers if p in registered("annotator")),
            *(c for c in self.columns if c in columns),
        )
        return known

    @property
    def state(self) -> State:
        """Whether what it asks for is here."""
        if self.kind == "none":
            return "nothing to build"
        if self.made_by and len(self.here) == len(self.made_by):
            return "partly" if self.missing else "ready"
        return "partly" if self.here else "not yet"


@cache
def seeds() -> tuple[Seed, ...]:
    """All rows, in order."""
    text = (Path(__file__).parent / "seeds.yaml").read_text(encoding="utf-8")
    return tuple(Seed.model_validate(entry) for entry in yaml.safe_load(text))


def seed_rows() -> list[dict[str, Any]]:
    """Rows for `chronotope recipes --seeds`."""
    return [
        {
            "row": s.row,
            "paper": s.paper,
            "recipe": ", ".join(s.made_by) or ("" if s.kind == "none" else ", ".join(s.names)),
            "check": s.check or s.why,
            "state": s.state + (f" (not yet: {s.missing})" if s.missing and s.state == "partly" else ""),
        }
        for s in seeds()
    ]


def page() -> str:
    """The text of `docs/recipes/README.md`."""
    lines = [
        "# Recipes of the literature",
        "",
        "Printed by `python -m chronotope.pipelines.seeds` from the list of papers; `chronotope recipes --seeds` prints the same. "
        "A row is *ready* when everything that it names is carried. Thresholds of a paper are parameters with the paper's value "
        "as default; each page says what is reproduced, what differs, which check it must pass, and what that check caught.",
        "",
        "| row | paper | made by | state |",
        "|---|---|---|---|",
    ]
    for s in seeds():
        if s.kind != "none":
            lines.append(f"| {s.row} | {s.paper} | {', '.join(_link(n, s) for n in s.made_by) or '-'} | {_said(s)} |")
    idle = [s for s in seeds() if s.kind == "none"]
    lines += ["", f"Nothing to build for {len(idle)} rows:", ""]
    lines += [f"- row {s.row}, {s.paper}: {s.why}" for s in idle]
    return "\n".join(lines) + "\n"


def _said(seed: Seed) -> str:
    return f"{seed.state}; not yet: {seed.missing}" if seed.missing else seed.state


def _link(name: str, seed: Seed) -> str:
    docs = Path(__file__).parents[1] / "docs" / "recipes"
    if (docs / f"{name}.md").is_file():
        return f"[`{name}`]({name}.md)"
    if name in seed.policies and (docs / "policies.md").is_file():
        return f"[`{name}`](policies.md#{name})"
    return f"`{name}`"


if __name__ == "__main__":
    print(page(), end="")
