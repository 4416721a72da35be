"""Brings table `contamination` up to date after a benchmark was registered or removed, without building anything else.

It runs the check of each recipe's newest build, with that build's settings and inputs, so its rows and its fingerprint
are those that the next build would write, and that build then has nothing to do. Limits: what a build has not annotated
yet is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..engine.annotator import UnitAnnotator
from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.fingerprint import fingerprint
from ..engine.graph import Graph, Wave
from ..engine.lock import RootLock
from ..engine.media_index import known_media, media_of
from ..engine.producer import Producer, ProducerSpec, RecipeError
from ..engine.runner import Runner, Told, open_ledger
from ..engine.store import Store
from ..engine.variables import values_of
from .run_record import latest_runs

CHECK = "contamination"


def decontaminate(root: Path, told: Told | None = None) -> dict[str, Any]:
    """Run the check where it is stale; says what was found.

    Returns {samples, contaminated, changed, found: [{benchmark, found_by, task, samples, items}]}. Raises `RecipeError`
    when no build of this root has the check, or when it failed.
    """
    with RootLock(root, "chronotope decontaminate") as lock:
        store = Store.open(root)
        commit = store.begin(lock)
        with Catalog(store) as catalog:
            ledger = open_ledger(catalog)
            committer = Committer(commit, ledger, datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f"))
            known, changed = known_media(catalog), False
            for recipe, producer in _checks(catalog):
                media, scan = media_of(catalog, f"sources:{recipe}"), f"sources:{recipe}"
                about = (Graph((producer,)), recipe, scan, committer.run_id, media, known, told or Told())
                plan = Runner(store, committer, ledger, *about).run(Wave("unit", (producer,)))
                changed |= not plan.nothing
                entry = ledger.get(producer.name, "corpus")
                if entry is not None and entry["status"] == "failed":
                    raise RecipeError(f"the check failed: {entry['error']}; `chronotope show-error corpus` tells more")
            return {"changed": changed, **found(catalog.refresh())}


def require_current(catalog: Catalog) -> None:
    """Raises `RecipeError` when benchmarks are registered and samples were not checked against them as they are now."""
    if not catalog.rows("SELECT 1 FROM benchmarks LIMIT 1"):
        return
    ledger = open_ledger(catalog)
    for _, producer in _checks(catalog, needed=False):
        entry = ledger.get(producer.name, "corpus")
        now = fingerprint(producer, producer.settings_digest, "corpus", None, ledger)
        if entry is None or entry["fingerprint"] != now or entry["status"] != "done":
            raise RecipeError(
                "benchmarks or samples have changed since samples were checked for contamination; run `chronotope "
                "decontaminate` first, or say `contaminated: keep` in the package"
            )


def found(catalog: Catalog) -> dict[str, Any]:
    """What the table says now, by benchmark, way of finding and task."""
    total = catalog.rows(
        "SELECT (SELECT count(DISTINCT sample_id) FROM samples) AS samples, "
        "(SELECT count(DISTINCT sample_id) FROM contamination) AS contaminated"
    )[0]
    lines = catalog.rows(
        "SELECT benchmark, found_by, task, count(DISTINCT sample_id) AS samples, count(DISTINCT item) AS items "
        "FROM contamination GROUP BY ALL ORDER BY ALL"
    )
    return {**total, "found": lines}


def _checks(catalog: Catalog, *, needed: bool = True) -> list[tuple[str, Producer]]:
    """Recipes and their checks; of one that two recipes call the same, the newest build's. Raises `RecipeError` when there
    are none and one is needed.
    """
    checks: dict[str, tuple[str, Producer]] = {}
    for run in sorted(latest_runs(catalog), key=lambda r: (r["started_at"], r["run_id"]), reverse=True):
        for name, settings in json.loads(run["producers_json"] or "{}").items():
            if settings["annotator"] == CHECK and name not in checks:
                checks[name] = run["recipe"], _producer(name, run["recipe"], settings)
    if checks or not needed:
        return [checks[name] for name in sorted(checks)]
    raise RecipeError(
        "no build of this dataset has the check `contamination` so far; run `chronotope build RECIPE` once (a recipe with "
        "tasks has it unless it says `checks: {contamination: false}`)"
    )


def _producer(name: str, recipe: str, settings: Mapping[str, Any]) -> Producer:
    params = settings["params"]
    spec = ProducerSpec(name, CHECK, params, "task", seed=settings["seed"], variables=values_of(params))
    annotator = spec.build()
    assert isinstance(annotator, UnitAnnotator)
    inputs = {
        table: tuple(sorted(f"sources:{recipe}" if n == table == "sources" else n for n in names))
        for table, names in settings["inputs"].items()
    }
    return Producer(spec, annotator, "task", inputs)
