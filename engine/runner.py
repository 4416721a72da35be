"""Runs waves: plan, work where something is stale, commit. With nothing stale a wave costs a look at the ledger.

Small waves of light annotators run in the driver; everything else on Ray, which is imported and started only then. The
runner knows graphs, the store and the ledger; what the stages of a build are is the flow's business (`pipelines/flows`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from .annotator import BatchAnnotator, FrameAnnotator, Medium, UnitAnnotator
from .bundle import Bundle, UnitWork, run_bundle, spec_of
from .catalog import Catalog
from .collect import Collector
from .committer import BATCH_S, Committer
from .fingerprint import LedgerIndex
from .graph import Graph, Wave
from .llm.settings import BudgetSettings, ModelSettings, Spent
from .media_work import MediaItem
from .plan import StaleUnit, WavePlan, plan_wave
from .producer import Producer
from .results import Outcome, UnitKey, UnitResult
from .store import Store

LIGHT_UNITS = 256
"""Waves of at most this many light units run in the driver: starting Ray takes longer than doing them."""
BUNDLE_UNITS = 500
PICTURED_UNITS = 8
"""The same where a producer of the wave reads stored pictures, which are held in memory for all units of a bundle."""
SMALL_WAVE = 16
"""Up to this many units per core a wave is one bundle per core: starting a worker takes longer than a few units."""


@dataclass
class Told:
    """What a build tells whoever watches it. All callbacks may be left out."""

    wave_planned: Callable[[WavePlan], None] = lambda plan: None
    unit_done: Callable[[UnitResult], None] = lambda result: None
    wave_done: Callable[[WavePlan], None] = lambda plan: None
    note: Callable[[str], None] = lambda text: None
    asked: Callable[[Spent], None] = lambda spent: None


@dataclass
class Runner:
    """One build's view of a dataset."""

    store: Store
    committer: Committer
    ledger: LedgerIndex
    graph: Graph
    recipe: str
    scan_name: str
    run_id: str
    media: dict[str, Medium]
    known_media: set[str]
    told: Told = field(default_factory=Told)
    workers: int | None = None
    retry_failed: bool = False
    source_s: float = 0.0
    decoded_s: float = 0.0
    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    spent: Spent = field(default_factory=Spent)
    """What this build has spent on models so far."""

    def __post_init__(self) -> None:
        self.settings = {p.name: p.settings_digest for p in self.graph.producers}
        self._cpus: int | None = None

    @property
    def used_ray(self) -> bool:
        return self._cpus is not None

    def plan(self, wave: Wave) -> WavePlan:
        """What a wave has to do now."""
        return plan_wave(
            wave,
            sorted(self.media),
            self.ledger,
            self.settings,
            known_media=self.known_media,
            retry_failed=self.retry_failed,
        )

    def run(self, wave: Wave) -> WavePlan:
        """Plan a wave, do its work and commit it."""
        plan = self.plan(wave)
        self.told.wave_planned(plan)
        if plan.nothing:
            return plan
        self.committer.add(plan.blocked)
        if plan.stale and wave.kind == "media":
            self._run_media(plan)
        elif plan.stale and wave.kind == "model":
            self._run_models(plan)
        elif plan.stale:
            self._run_units(plan)
        self.committer.flush(plan.gone)
        self.told.wave_done(plan)
        return plan

    def _cpus_of_ray(self) -> int:
        from .ray_waves import start_ray

        if self._cpus is None:
            self.told.note("starting Ray")
            self._cpus = start_ray(self.store.root / "work" / "ray.log", self.workers)
        return self._cpus

    def _run_media(self, plan: WavePlan) -> None:
        from .ray_waves import media_wave

        items = list(self._items(plan))
        collector = Collector()
        packets = media_wave(
            str(self.store.root),
            self.store.pins(),
            items,
            {p.name: p for p in plan.wave.producers},
            run_id=self.run_id,
            cpus=self._cpus_of_ray(),
            workers=self.workers,
        )
        finished = set()
        for packet in packets:
            for result in collector.take(packet):
                finished.add((result.key.producer, result.key.unit))
                self.committer.add([result])
        self.source_s += collector.source_s
        self.decoded_s += collector.decoded_s
        for stale in plan.stale:
            if (stale.key.producer, stale.key.unit) not in finished:
                lost = Outcome("failed", error="the pass ended without an answer", error_kind="transient")
                self.committer.add([UnitResult(stale.key, lost)])

    def _items(self, plan: WavePlan) -> Iterable[MediaItem]:
        by_medium: dict[str, dict[str, UnitKey]] = {}
        for stale in plan.stale:
            by_medium.setdefault(stale.key.unit, {})[stale.key.producer] = stale.key
        shapes = {p.name: p for p in plan.wave.producers}
        longest_first = sorted(by_medium, key=lambda m: (-self.media[m].duration_s, m))
        for media_id in longest_first:
            keys = by_medium[media_id]

            def of(shape: str, keys: dict[str, UnitKey] = keys) -> tuple[str, ...]:
                return tuple(sorted(n for n in keys if shapes[n].shape == shape))

            batch = of("batch")
            stored = {n: s for n in batch if (s := self._stored(shapes[n], media_id, keys)) is not None}
            yield MediaItem(self.media[media_id], keys, of("frame"), of("audio"), batch, stored)

    def _stored(self, producer: Producer, media_id: str, stale: dict[str, UnitKey]) -> str | None:
        """A `frames` producer that holds the pictures of a batch producer already."""
        wanted = cast(BatchAnnotator, producer.annotator).frame_set()
        for other in self.graph.producers:
            annotator = other.annotator
            if other.name in stale or "frames" not in annotator.dynamic_writes():
                continue
            same = isinstance(annotator, FrameAnnotator) and getattr(annotator, "frame_set", lambda: None)() == wanted
            entry = self.ledger.get(other.name, media_id)
            if same and entry is not None and entry["status"] == "done":
                return other.name
        return None

    def _run_units(self, plan: WavePlan) -> None:
        annotators = {p.name: cast(UnitAnnotator, p.annotator) for p in plan.wave.producers}
        if len(plan.stale) <= min(_units_in_driver(type(annotators[s.key.producer])) for s in plan.stale):
            for bundle in self._bundles(plan, 1):
                self.committer.add(run_bundle(bundle))
            return
        from .ray_waves import unit_wave

        cpus, gpus = self._cpus_of_ray(), max(a.resources().gpus for a in annotators.values())
        for results in unit_wave(list(self._bundles(plan, cpus)), run_id=self.run_id, gpus=gpus):
            self.committer.add(results)

    def _run_models(self, plan: WavePlan) -> None:
        """Ask: units without an endpoint are skipped, calls are committed as they come, apart from the units."""
        producers = {p.name: p for p in plan.wave.producers}
        able = []
        for stale in plan.stale:
            rule = producers[stale.key.producer].unmet
            if rule is None:
                able.append(stale)
            else:
                self.committer.add([UnitResult(stale.key, Outcome("skipped", rule=rule))])
        if not able:
            return
        from .llm.log import open_record, piece
        from .llm.wave import Asked, ModelWave, run_wave

        catalog = Catalog(self.store)
        record = open_record(self.store.root, catalog)
        catalog.close()
        wave = ModelWave(
            str(self.store.root),
            self.store.pins(),
            self.recipe,
            self.run_id,
            self.models,
            self.budget,
            {m: medium.uri for m, medium in self.media.items()},
            tuple(Asked(producers[s.key.producer], s.key, self.media.get(s.key.unit)) for s in able),
            self.retry_failed,
        )

        def commit_calls() -> None:
            while (found := piece(record, self.store.root)) is not None:
                self.committer.add([found[0]])
                self.committer.flush()
                record.mark_committed(found[1])

        since = time.monotonic()
        try:
            for results in run_wave(wave, self.spent):
                if results:
                    self.committer.add(results)
                self.told.asked(self.spent)
                if time.monotonic() - since >= BATCH_S:
                    commit_calls()
                    since = time.monotonic()
        finally:
            commit_calls()
            record.close()

    def _bundles(self, plan: WavePlan, cpus: int) -> Iterable[Bundle]:
        pins = self.store.pins()
        specs = {p.name: spec_of(p) for p in plan.wave.producers}
        by_unit: dict[str, list[StaleUnit]] = {}
        for stale in plan.stale:
            by_unit.setdefault(stale.key.unit, []).append(stale)
        units = sorted(by_unit)
        shares = cpus if len(units) <= SMALL_WAVE * cpus else 4 * cpus
        pictured = any("jpeg" in type(p.annotator).columns.get("frames", ()) for p in plan.wave.producers)
        size = max(1, min(PICTURED_UNITS if pictured else BUNDLE_UNITS, math.ceil(len(units) / shares)))
        for first in range(0, len(units), size):
            work = tuple(
                UnitWork(stale.key, self.media.get(stale.key.unit))
                for unit in units[first : first + size]
                for stale in by_unit[unit]
            )
            yield Bundle(str(self.store.root), pins, self.recipe, specs, work)


def _units_in_driver(kind: type[UnitAnnotator]) -> int:
    """How many units of an annotator a wave may have to be worked on in the driver."""
    return LIGHT_UNITS if kind.light else kind.quick_units


def open_ledger(catalog: Catalog) -> LedgerIndex:
    """The ledger at the catalog's pins, in memory."""
    return LedgerIndex.of(catalog.rows("SELECT * EXCLUDE (traceback) FROM ledger"))
