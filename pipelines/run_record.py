"""What a build leaves on record: its report, its row of table `runs`, and what earlier rows of that table say.

The newest row of each recipe tells how its producers were configured. Plans compare settings with it to say what changed,
and a second recipe of the same root may share a producer's name only with the same settings.
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..engine.catalog import Catalog
from ..engine.producer import RecipeError
from .recipe import Recipe

LIBRARIES: tuple[str, ...] = (
    "av",
    "deltalake",
    "duckdb",
    "faster-whisper",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pyarrow",
)
LIBRARIES += ("rapidocr", "ray", "scenedetect-headless", "torch", "open_clip_torch")


@dataclass
class BuildReport:
    """What a build did, for the summary and for `--json`."""

    run_id: str
    recipe: str
    root: str
    dataset_version: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    worked: Counter[str] = field(default_factory=Counter)
    """Units worked on, by producer."""
    removed: int = 0
    source_s: float = 0.0
    decoded_s: float = 0.0
    model_calls: int = 0
    used_ray: bool = False
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    """Models that the recipe's producers use: where the weights were found, and their digest."""
    status: str = "interrupted"
    unaccounted: list[str] = field(default_factory=list)
    """Producers whose ledger does not add up to their inputs: a bug to report, never expected."""
    failures: list[dict[str, Any]] = field(default_factory=list)
    packages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Calls to language models by producer and model: requests, tokens, money."""

    @property
    def did_nothing(self) -> bool:
        return not self.worked and not self.removed


def check_conflicts(catalog: Catalog, recipe: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a producer name that another recipe of this root uses with other settings."""
    for row in latest_runs(catalog):
        if row["recipe"] == recipe:
            continue
        theirs = json.loads(row["producers_json"] or "{}")
        for name, mine in settings.items():
            if name in theirs and theirs[name] != json.loads(json.dumps(mine)) and name != "probe":
                raise RecipeError(
                    f"producer {name!r} is used by recipe {row['recipe']!r} of this root with other settings "
                    f"({difference(theirs[name], mine)}); give it another name here with `as:`, or build into another root"
                )


def of_annotator(settings: Mapping[str, Mapping[str, Any]], annotator: str) -> Mapping[str, Any] | None:
    """The settings of the producer that is this annotator, from `producers_json` of a run; None when there is none."""
    return next((s for s in settings.values() if s["annotator"] == annotator), None)


def retired(catalog: Catalog, recipe: str, names: Iterable[str]) -> list[str]:
    """Producers of the recipe's newest build that are not among `names` any more and that no other recipe has: their rows
    are to be removed.
    """
    runs = {row["recipe"]: set(json.loads(row["producers_json"] or "{}")) for row in latest_runs(catalog)}
    mine = runs.pop(recipe, set())
    return sorted(mine - set(names) - set().union(*runs.values()))


def latest_runs(catalog: Catalog) -> list[dict[str, Any]]:
    """The newest build of each recipe."""
    return catalog.rows(
        "SELECT * FROM runs WHERE command = 'build' "
        "QUALIFY row_number() OVER (PARTITION BY recipe ORDER BY started_at DESC, run_id DESC) = 1"
    )


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What changed between two settings of a producer, in words."""
    found = []
    for key in ("annotator", "version", "code", "seed"):
        if before.get(key) != now.get(key):
            found.append(f"{key} {before.get(key)} -> {now.get(key)}")
    old, new = before.get("params", {}), json.loads(json.dumps(now.get("params", {})))
    for key in sorted({*old, *new}):
        was, becomes = old.get(key), new.get(key)
        if isinstance(was, dict) and isinstance(becomes, dict):
            parts = [k for k in sorted({*was, *becomes}) if was.get(k) != becomes.get(k)]
            found += [f"{key}.{k}: {json.dumps(was.get(k))} -> {json.dumps(becomes.get(k))}" for k in parts]
        elif was != becomes:
            found.append(f"{key}: {json.dumps(old.get(key))} -> {json.dumps(new.get(key))}")
    old_variables, new_variables = before.get("variables", {}), now.get("variables", {})
    found += [
        f"another {n}" for n in sorted(new_variables) if n in old_variables and old_variables[n] != new_variables[n]
    ]
    if before.get("models") != now.get("models"):
        found.append("another model")
    if before.get("inputs") != json.loads(json.dumps(now.get("inputs"))):
        found.append("other inputs")
    return "; ".join(found) or "settings"


def run_row(report: BuildReport, command: str, recipe: Recipe, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The row of table `runs`."""
    finished = datetime.now(UTC)
    return {
        "run_id": report.run_id,
        "command": command,
        "recipe": recipe.name,
        "recipe_text": recipe.text,
        "producers_json": json.dumps(settings, sort_keys=True, default=str),
        "versions_json": json.dumps(library_versions(LIBRARIES), sort_keys=True),
        "machine_json": json.dumps({"platform": platform.platform(), "cores": os.cpu_count()}),
        "models_json": json.dumps(report.models, sort_keys=True),
        "counts_json": json.dumps(dict(report.worked), sort_keys=True),
        "stages_json": json.dumps(report.stages),
        "source_s": report.source_s,
        "decoded_s": report.decoded_s,
        "model_calls": report.model_calls,
        "started_at": datetime.fromtimestamp(finished.timestamp() - report.seconds, UTC).isoformat(
            timespec="milliseconds"
        ),
        "finished_at": finished.isoformat(timespec="milliseconds"),
        "seconds": report.seconds,
        "status": report.status,
    }


def models_of(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Models by name: where the weights were found (`path`, `package NAME`, `hub`) and their digest."""
    used = {m.name: m for p in recipe.graph.producers for m in p.annotator.models()}
    return {name: {"found_in": m.found_in, "digest": m.digest} for name, m in sorted(used.items())}


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions of some distributions."""
    found = {}
    for name in ("chronotope", *names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
