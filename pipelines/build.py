"""The build: scan, annotate, select, enrich, tasks, checks, packages. Each step plans first and does only what is stale.

A build holds the root's lock, first repairs what a killed build left behind, and commits as it goes: stopping it loses
at most the batch in flight. With nothing changed it reads the ledger, finds nothing to do and ends, without Ray.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..engine.accounts import unaccounted
from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.compact import compact
from ..engine.files import write_rows
from ..engine.fingerprint import LedgerIndex
from ..engine.lock import RootLock
from ..engine.media_index import known_media, media_of
from ..engine.plan import WavePlan
from ..engine.producer import RecipeError
from ..engine.results import Outcome, UnitKey, UnitResult
from ..engine.runner import Runner, Told, open_ledger
from ..engine.scan import scan
from ..engine.select import decide, selection_mark
from ..engine.store import Store
from ..schemas.tables import TABLES
from .places import places_of
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

    @property
    def did_nothing(self) -> bool:
        return not self.worked and not self.removed


class Build:
    """One build of one recipe into one root."""

    def __init__(
        self,
        recipe: Recipe,
        root: Path,
        *,
        told: Told | None = None,
        workers: int | None = None,
        limit: int | None = None,
        retry_failed: bool = False,
        rehash: bool = False,
    ) -> None:
        self.recipe, self.root = recipe, root
        self.told = told or Told()
        self.workers, self.limit = workers, limit
        self.retry_failed, self.rehash = retry_failed, rehash
        self.report = BuildReport(_run_id(), recipe.name, str(root))

    def run(self, wait_s: float = 0.0) -> BuildReport:
        """Build. Raises `RecipeError` before anything is written when the recipe cannot work, `RootBusy` when locked."""
        started = time.perf_counter()
        graph = self.recipe.graph
        self.recipe.check()
        check_root(self.root)
        places = places_of(self.recipe, self.limit, self.root)
        settings = {p.name: p.settings for p in graph.producers}
        self.root.mkdir(parents=True, exist_ok=True)
        with RootLock(self.root, f"chronotope build {self.recipe.name}", wait_s=wait_s) as lock:
            store = Store.open_or_create(self.root)
            commit = store.begin(lock)
            catalog = Catalog(store, producers={p.name: p.annotator.dynamic_writes() for p in graph.producers})
            ledger = open_ledger(catalog)
            check_conflicts(catalog, self.recipe.name, settings)
            committer = Committer(commit, ledger, self.report.run_id, self._told_unit, self.recipe.hide)
            with self._stage("scan"):
                self._scan(places, catalog, committer, ledger)
            catalog.refresh()
            runner = Runner(
                store,
                committer,
                ledger,
                graph,
                self.recipe.name,
                self.recipe.scan_name,
                self.report.run_id,
                self._media(catalog, places),
                known_media(catalog),
                self.told,
                self.workers,
                self.retry_failed,
            )
            try:
                self._waves(runner, catalog, places)
                committer.flush()
                self.report.status = "done"
                self.report.unaccounted = self._unaccounted(runner, catalog, places)
            finally:
                committer.flush()
                self._finish(runner, committer, settings, started)
                catalog.close()
        return self.report

    def _waves(self, runner: Runner, catalog: Catalog, places: list[Any]) -> None:
        for wave in runner.graph.waves("annotate"):
            with self._stage(wave.title):
                plan = runner.run(wave)
            self._count(plan)
            if not plan.nothing and any(p.name == "probe" for p in wave.producers):
                catalog.refresh()
                runner.media = self._media(catalog, places)
        with self._stage("select"):
            self._select(runner, catalog)
        for stage in ("enrich", "task"):
            for wave in runner.graph.waves(stage):
                with self._stage(wave.title):
                    self._count(runner.run(wave))

    def _media(self, catalog: Catalog, places: list[Any]) -> dict[str, Any]:
        media = media_of(catalog, self.recipe.scan_name)
        if self.limit is None:
            return media
        uris = {p.uri for p in places}
        rows = catalog.rows("SELECT uri, media_id FROM sources WHERE producer = ?", [self.recipe.scan_name])
        wanted = {r["media_id"] for r in rows if r["uri"] in uris}
        return {m: medium for m, medium in media.items() if m in wanted}

    def _scan(self, places: list[Any], catalog: Catalog, committer: Committer, ledger: LedgerIndex) -> None:
        producer = self.recipe.scan_name
        rows = catalog.rows("SELECT * FROM sources WHERE producer = ?", [producer])
        known = {r["uri"]: r for r in rows}
        changed: list[UnitResult] = []
        new_rows = []
        found = list(scan(places, known, producer, self.root, rehash=self.rehash))
        if known and all(scanned.row is None for scanned in found):
            raise RecipeError(
                f"none of the {len(found)} files of the sources can be read, the first because: "
                f"{found[0].result.outcome.error}. Nothing was changed"
            )
        for scanned in found:
            before = ledger.get(producer, scanned.result.key.unit)
            if before is not None and before["fingerprint"] == scanned.result.key.fingerprint:
                same = before["status"] == scanned.result.outcome.status
                if scanned.row is not None:
                    same = same and known[scanned.row["uri"]]["etag"] == scanned.row["etag"]
                if same and before["error"] == scanned.result.outcome.error:
                    if before["status"] == "failed":
                        self._told_failure(scanned.result)
                    continue
            changed.append(scanned.result)
            if scanned.row is not None:
                new_rows.append(scanned.row)
        if new_rows:
            changed[0].files.append(write_rows(self.root, TABLES["sources"], producer, new_rows))
        if changed:
            committer.add(changed)
            self.report.worked["scan"] += len(changed)
        uris = {p.uri for p in places}
        gone = [(producer, u) for u in ledger.units(producer) if u not in uris] if self.limit is None else []
        self.report.removed += len(gone)
        committer.flush(gone)

    def _select(self, runner: Runner, catalog: Catalog) -> None:
        ledger, producer = runner.ledger, self.recipe.select_name
        marker = selection_mark(self.recipe.model.select, self.recipe.before_selection, ledger)
        before = ledger.get(producer, "corpus")
        if before is not None and before["fingerprint"] == marker:
            return
        catalog.refresh()
        clip_producers = runner.graph.writers("clips")
        decisions = decide(catalog, self.recipe.model.select, producer, self.recipe.name, clip_producers)
        changed = []
        for decision in decisions:
            entry = ledger.get(producer, decision.result.key.unit)
            if entry is None or entry["fingerprint"] != decision.result.key.fingerprint:
                changed.append(decision)
        results = [d.result for d in changed]
        if changed:
            results[0].files.append(write_rows(self.root, TABLES["selection"], producer, [d.row for d in changed]))
        results.append(UnitResult(UnitKey(producer, "corpus", None, "corpus", marker), Outcome()))
        runner.committer.add(results)
        units = {d.result.key.unit for d in decisions} | {"corpus"}
        gone = [(producer, u) for u in ledger.units(producer) if u not in units]
        runner.committer.flush(gone)
        self.report.worked["select"] += len(changed)
        self.report.removed += len(gone)

    def _unaccounted(self, runner: Runner, catalog: Catalog, places: list[Any]) -> list[str]:
        if not self.report.did_nothing:
            catalog.refresh()
        rows = catalog.rows(
            "SELECT clip_id FROM clips WHERE list_contains(?, producer)", [runner.graph.writers("clips")]
        )
        inputs = {self.recipe.scan_name: {p.uri for p in places}, self.recipe.select_name: {r["clip_id"] for r in rows}}
        return unaccounted(runner.graph, runner.ledger, runner.media, inputs)

    def _count(self, plan: WavePlan) -> None:
        for stale in plan.stale:
            self.report.worked[stale.key.producer] += 1
        self.report.removed += len(plan.gone)

    def _told_unit(self, result: UnitResult) -> None:
        self.told.unit_done(result)
        if result.outcome.status == "failed":
            self._told_failure(result)

    def _told_failure(self, result: UnitResult) -> None:
        failure = {"producer": result.key.producer, "unit": result.key.unit, "error": result.outcome.error}
        self.report.failures.append(failure)

    def _stage(self, name: str) -> _Timer:
        return _Timer(self.report.stages, name)

    def _finish(self, runner: Runner, committer: Committer, settings: Mapping[str, Any], started: float) -> None:
        report = self.report
        report.source_s, report.decoded_s = runner.source_s, runner.decoded_s
        report.model_calls, report.used_ray = committer.model_calls, runner.used_ray
        report.seconds = time.perf_counter() - started
        report.models = models_of(self.recipe)
        if not report.did_nothing:
            with self._stage("compact"):
                compact(committer.commit, run_id=report.run_id)
            row = run_row(report, "build", self.recipe, settings)
            committer.commit.commit(runs_rows=[row], run_id=report.run_id)
        report.dataset_version = committer.commit.version
        report.seconds = time.perf_counter() - started


OWN = {".lock", "tables", "work", "media", "packages", "pictures"}
"""What lies in a dataset root."""


def check_root(root: Path) -> None:
    """Raises `RecipeError` for a dataset root that is something else already, so that nothing is mixed up."""
    strange = sorted(p.name for p in root.iterdir() if p.name not in OWN) if root.is_dir() else []
    if strange and not Store.is_root(root):
        raise RecipeError(
            f"--root {root} is no dataset and not empty (it holds {', '.join(strange[:3])}); name a new folder"
        )
    above = next(p for p in (root, *root.parents) if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise RecipeError(
            f"--root {root} cannot be written: {above} is no folder that you may write to; name another one"
        )


class _Timer:
    def __init__(self, into: dict[str, float], name: str) -> None:
        self.into, self.name = into, name

    def __enter__(self) -> None:
        self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.into[self.name] = round(self.into.get(self.name, 0.0) + time.perf_counter() - self.started, 3)


def check_conflicts(catalog: Catalog, recipe: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a producer name that another recipe of this root uses with other settings."""
    for row in latest_runs(catalog):
        if row["recipe"] == recipe:
            continue
        theirs = json.loads(row["producers_json"] or "{}")
        for name, mine in settings.items():
            if name in theirs and theirs[name] != json.loads(json.dumps(mine)) and mine["annotator"] not in BUILT_IN:
                raise RecipeError(
                    f"producer {name!r} is used by recipe {row['recipe']!r} of this root with other settings "
                    f"({difference(theirs[name], mine)}); give it another name here with `as:`, or build into another root"
                )


BUILT_IN = ("probe", "verdicts", "groups")
"""Producers that every recipe has."""


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


def _run_id() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
