"""The build: scan, annotate, select, enrich, tasks, checks, packages. Each step plans first and does only what is stale.

A build holds the root's lock, first repairs what a killed build left behind, and commits as it goes: stopping it loses
at most the batch in flight. With nothing changed it reads the ledger, finds nothing to do and ends, without Ray.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..engine.accounts import unaccounted
from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.compact import compact
from ..engine.files import write_rows
from ..engine.fingerprint import LedgerIndex
from ..engine.llm.log import PRODUCER as CALLS
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
from .composed_places import COMPOSED, sweep
from .places import places_of
from .recipe import Recipe
from .run_record import BuildReport, check_conflicts, models_of, retired, run_row


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
        budget: Mapping[str, float | None] | None = None,
    ) -> None:
        """`budget` sets bounds on language models instead of the recipe's own: requests, tokens, money."""
        given = {name: bound for name, bound in (budget or {}).items() if bound is not None}
        self.budget = recipe.models.budget.model_copy(update=given)
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
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecipeError(f"--root {self.root} cannot be made: {error.strerror}; name another one") from None
        with RootLock(self.root, f"chronotope build {self.recipe.name}", wait_s=wait_s) as lock:
            store = Store.open_or_create(self.root)
            commit = store.begin(lock)
            catalog = Catalog(store, producers={p.name: p.annotator.dynamic_writes() for p in graph.producers})
            ledger = open_ledger(catalog)
            check_conflicts(catalog, self.recipe.name, settings)
            committer = Committer(commit, ledger, self.report.run_id, self._told_unit, self.recipe.hide)
            making = sum(1 for p in places if p.make is not None and not Path(p.uri).exists())
            if making:
                self.told.note(f"composing {making} media")
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
                models=self.recipe.models.roles,
                budget=self.budget,
            )
            try:
                self._waves(runner, catalog, places)
                self._retire(catalog, committer, ledger, list(settings))
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

    def _retire(self, catalog: Catalog, committer: Committer, ledger: LedgerIndex, names: list[str]) -> None:
        """Remove what producers made that the recipe names no more."""
        gone = [(p, u) for p in retired(catalog, self.recipe.name, names) for u in ledger.units(p)]
        self.report.removed += len(gone)
        committer.flush(gone)

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
        if self.limit is None:
            sweep(places, self.root, self.recipe.name)

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
        if result.key.producer == CALLS:
            return
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


OWN = {".lock", "tables", "work", "media", "packages", "pictures", "report", COMPOSED}
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


def _run_id() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
