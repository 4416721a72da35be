"""A wave of units that ask models: all in one event loop beside the driver, so that limits, budget and record are global.

The loop runs in a thread of its own; the driver takes finished units from a queue, writes their rows and commits, so that
a commit never keeps replies waiting. Stopping it loses the requests in flight and nothing else: every reply is in the
record of calls before anybody sees it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..annotator import Medium, Unit
from ..asking import Asking
from ..bundle import full_rows, inputs_by_unit, ready, write_results
from ..catalog import Catalog
from ..producer import Producer
from ..results import Outcome, UnitKey, UnitResult
from .pictures import Pictures, calls_file
from .settings import BudgetSettings, ModelSettings, Spent

if TYPE_CHECKING:
    from .live import LiveModels

AT_ONCE = 32
"""Units whose input rows are read together."""
MOST_UNITS = 1024
"""Units in memory at the same time, at most; fewer where the endpoints have fewer places."""
GATHER_S = 2.0
"""Finished units are written together that end within this time: few files instead of one per unit."""


@dataclass(frozen=True)
class Asked:
    """One unit of a wave."""

    producer: Producer
    key: UnitKey
    medium: Medium | None


@dataclass(frozen=True)
class ModelWave:
    """Everything that a wave needs, as plain data."""

    root: str
    pins: Mapping[str, int]
    recipe: str
    run_id: str
    models: Mapping[str, ModelSettings]
    budget: BudgetSettings
    uris: Mapping[str, str]
    work: tuple[Asked, ...]
    retry_rejected: bool = False


@dataclass
class _Finished:
    asked: Asked
    result: UnitResult
    made: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def run_wave(wave: ModelWave, spent: Spent) -> Iterator[list[UnitResult]]:
    """Results of the units, as they come, their rows written: each list is to be committed together. An empty list now and
    then tells that the wave is still at it.
    """
    finished: queue.Queue[_Finished | BaseException | None] = queue.Queue()
    loop = asyncio.new_event_loop()
    stopping = threading.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(_ask_all(wave, finished, stopping, spent))
            finished.put(None)
        except BaseException as error:
            finished.put(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="models", daemon=True)
    thread.start()
    try:
        for group in _groups(finished):
            yield from _written(wave.root, group)
            yield []
    finally:
        stopping.set()
        thread.join()


def _groups(finished: queue.Queue[_Finished | BaseException | None]) -> Iterator[list[_Finished]]:
    """Units that end within `GATHER_S` of each other; none where none did. Raises what ended the loop."""
    group: list[_Finished] = []
    since = time.monotonic()
    while True:
        left = max(0.0, since + GATHER_S - time.monotonic()) if group else GATHER_S
        try:
            item = finished.get(timeout=left)
        except queue.Empty:
            yield group
            group = []
            continue
        if isinstance(item, _Finished):
            if not group:
                since = time.monotonic()
            group.append(item)
            continue
        if group:
            yield group
        if item is not None:
            raise item
        return


def _written(root: str, group: Sequence[_Finished]) -> Iterator[list[UnitResult]]:
    by_producer: dict[str, list[_Finished]] = defaultdict(list)
    for item in group:
        by_producer[item.asked.key.producer].append(item)
    for _, items in sorted(by_producer.items()):
        complete: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for item in sorted(items, key=lambda f: f.asked.key.unit):
            for table, rows in item.made.items():
                complete[table] += rows
        results = [item.result for item in items]
        write_results(root, results, complete)
        yield results


async def _ask_all(
    wave: ModelWave,
    finished: queue.Queue[_Finished | BaseException | None],
    stopping: threading.Event,
    spent: Spent,
) -> None:
    from .live import LiveModels
    from .record import CallRecord

    record = CallRecord(calls_file(wave.root))
    catalog = Catalog(wave.root, pins=dict(wave.pins))
    try:
        pictures = Pictures(catalog, Path(wave.root), wave.uris.get)
        live = LiveModels(
            wave.models, wave.budget, record, pictures, wave.run_id, spent=spent, retry_rejected=wave.retry_rejected
        )
        async with live:
            asking = asyncio.create_task(_each_unit(wave, live, catalog, finished))
            while not asking.done():
                await asyncio.wait({asking}, timeout=0.2)
                if stopping.is_set():
                    asking.cancel()
            if not asking.cancelled():
                asking.result()
    finally:
        catalog.close()
        record.close()


async def _each_unit(
    wave: ModelWave, live: LiveModels, catalog: Catalog, finished: queue.Queue[_Finished | BaseException | None]
) -> None:
    """Start units in the order of the work, so many at a time that all endpoints stay busy."""
    at_once = max(4, min(MOST_UNITS, live.at_once))
    free = asyncio.Semaphore(at_once)
    running: set[asyncio.Task[None]] = set()
    by_producer: dict[str, list[Asked]] = defaultdict(list)
    for asked in wave.work:
        by_producer[asked.key.producer].append(asked)
    try:
        for name in sorted(by_producer):
            works = by_producer[name]
            for first in range(0, len(works), AT_ONCE):
                chunk = works[first : first + AT_ONCE]
                producer = chunk[0].producer
                try:
                    annotator = cast(Asking[Any], ready(producer.spec))
                    inputs = inputs_by_unit(annotator, producer.inputs, [w.key.unit for w in chunk], catalog, {})
                except Exception as error:
                    for asked in chunk:
                        finished.put(_Finished(asked, UnitResult(asked.key, Outcome.of(error))))
                    continue
                for asked in chunk:
                    await free.acquire()
                    rows = inputs(asked.key.unit)
                    task = asyncio.create_task(_one(wave, live, annotator, asked, rows, finished))
                    running.add(task)
                    task.add_done_callback(lambda t: (running.discard(t), free.release()))  # type: ignore[func-returns-value]
        while running:
            await asyncio.wait(set(running))
    except asyncio.CancelledError:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        raise


async def _one(
    wave: ModelWave,
    live: LiveModels,
    annotator: Asking[Any],
    asked: Asked,
    rows: Any,
    finished: queue.Queue[_Finished | BaseException | None],
) -> None:
    started = time.perf_counter()
    key, spec = asked.key, asked.producer.spec
    models = live.of(key.producer)
    unit = Unit(key.unit, key.grain, asked.medium, wave.recipe, spec.seed, Path(wave.root) / "media", key.producer)
    made: dict[str, list[dict[str, Any]]] = {}
    try:
        made = full_rows(annotator, await annotator.propose(unit, rows, models), key)
        outcome = Outcome()
    except asyncio.CancelledError:
        raise
    except Exception as error:
        made, outcome = {}, Outcome.of(error)
    count = sum(len(full) for full in made.values())
    result = UnitResult(key, outcome, count, seconds=time.perf_counter() - started)
    finished.put(_Finished(asked, result, made))
