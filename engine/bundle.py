"""Work on a bundle of units: read their input rows once, run each annotator, write the rows, hand back receipts.

The same function runs in the driver (small waves of light annotators) and in Ray tasks. An exception of an annotator
ends its unit with a failed receipt; the other units go on. Files are written for complete units only.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..schemas.tables import TABLES
from .annotator import Annotator, Medium, Row, Rows, Unit, UnitAnnotator
from .catalog import Catalog
from .digest import merge_hex
from .files import write_rows
from .local_media import local_media
from .producer import Producer, ProducerSpec
from .results import Outcome, UnitKey, UnitResult

LEFT_OUT = {"frames": ("jpeg",)}
"""Columns that unit annotators get only where their `columns` name them, since they fill memory: pictures."""
VECTORS = {"embeddings": "vector"}
"""Columns that corpus annotators get as float32 arrays: a list of Python numbers takes eight times the memory."""


@dataclass(frozen=True)
class UnitWork:
    """One unit of a bundle: its key, the producer that wants it, and the medium that it is about."""

    key: UnitKey
    medium: Medium | None


@dataclass(frozen=True)
class Bundle:
    """Units of one wave that are worked on together."""

    root: str
    pins: Mapping[str, int]
    recipe: str
    specs: Mapping[str, tuple[ProducerSpec, Mapping[str, tuple[str, ...]]]]
    """Producer -> its spec and its inputs by table."""
    work: tuple[UnitWork, ...]


def run_bundle(bundle: Bundle, built: Mapping[str, Annotator] | None = None) -> list[UnitResult]:
    """Work on all units of a bundle. Results share files: commit them together."""
    catalog = Catalog(bundle.root, pins=dict(bundle.pins))
    try:
        by_producer: dict[str, list[UnitWork]] = defaultdict(list)
        for work in bundle.work:
            by_producer[work.key.producer].append(work)
        results = []
        read: dict[Any, list[dict[str, Any]]] = {}
        for name in sorted(by_producer):
            spec, inputs = bundle.specs[name]
            try:
                annotator = built[name] if built and name in built else ready(spec)
            except Exception as error:
                results += [UnitResult(work.key, Outcome.of(error)) for work in by_producer[name]]
                continue
            results += _run_producer(bundle, cast(UnitAnnotator, annotator), inputs, by_producer[name], catalog, read)
        return results
    finally:
        catalog.close()


def _run_producer(
    bundle: Bundle,
    annotator: UnitAnnotator,
    inputs: Mapping[str, tuple[str, ...]],
    works: Sequence[UnitWork],
    catalog: Catalog,
    read: dict[Any, list[dict[str, Any]]],
) -> list[UnitResult]:
    inputs_of = inputs_by_unit(annotator, inputs, [w.key.unit for w in works], catalog, read)
    complete: dict[str, list[dict[str, Any]]] = defaultdict(list)
    results = []
    for work in works:
        started = time.perf_counter()
        try:
            made = _annotate(bundle, annotator, work, inputs_of(work.key.unit))
            outcome = Outcome()
        except Exception as error:
            made, outcome = {}, Outcome.of(error)
        for table, full in made.items():
            complete[table] += full
        count = sum(len(full) for full in made.values())
        seconds = time.perf_counter() - started
        calls = 1 if annotator.models() else 0
        results.append(UnitResult(work.key, outcome, count, seconds=seconds, model_calls=calls))
    write_results(bundle.root, results, complete)
    return results


def inputs_by_unit(
    annotator: UnitAnnotator,
    inputs: Mapping[str, tuple[str, ...]],
    works: Sequence[str],
    catalog: Catalog,
    read: dict[Any, list[dict[str, Any]]],
) -> Callable[[str], Rows]:
    """The input rows of some units of one annotator, each table read once; `read` remembers tables between annotators."""
    units = tuple(sorted(works)) if annotator.grain != "corpus" else ()
    tables: dict[str, list[dict[str, Any]]] = {}
    for table, names in inputs.items():
        wanted, fold = tuple(type(annotator).columns.get(table, ())), table in type(annotator).folded
        key = (table, names, units, wanted, fold)
        if key not in read:
            read[key] = (
                read_folded(catalog, table, names, wanted)
                if fold
                else read_inputs(catalog, table, names, units, wanted)
            )
        tables[table] = read[key]
    if annotator.grain == "corpus":
        return lambda unit: Rows(tables)
    grouped = _group(tables, set(units))
    return lambda unit: Rows(grouped[unit])


def write_results(root: str, results: Sequence[UnitResult], complete: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write the rows of finished units of one producer, `complete` by table, and note files and digests in the results."""
    written = [(t, list(rows)) for t, rows in sorted(complete.items()) if rows]
    files = [write_rows(root, TABLES[t], results[0].key.producer, rows) for t, rows in written]
    for result in results:
        if result.outcome.status == "done":
            result.digest = merge_hex(f.digests[result.key.unit] for f in files if result.key.unit in f.digests)
    results[0].files += files


def _annotate(bundle: Bundle, annotator: UnitAnnotator, work: UnitWork, rows: Rows) -> dict[str, list[dict[str, Any]]]:
    root = Path(bundle.root)
    unit = Unit(
        work.key.unit,
        work.key.grain,
        work.medium,
        bundle.recipe,
        bundle.specs[work.key.producer][0].seed,
        root / "media",
        work.key.producer,
    )
    if type(annotator).reads_media and work.medium is not None:
        with local_media(work.medium.uri, root) as path:
            medium = Medium(**{**work.medium.__dict__, "path": path})
            made = list(annotator.annotate(Unit(**{**unit.__dict__, "medium": medium}), rows))
    else:
        made = list(annotator.annotate(unit, rows))
    return full_rows(annotator, made, work.key)


def full_rows(annotator: UnitAnnotator, made: Iterable[Row], key: UnitKey) -> dict[str, list[dict[str, Any]]]:
    """Complete stored rows by table. Raises `ValueError` for a table that the annotator does not declare."""
    allowed = annotator.dynamic_writes()
    full: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, values in made:
        if table not in allowed:
            raise ValueError(f"annotator {annotator.name} wrote to table {table}, which it does not declare")
        full[table].append(TABLES[table].complete(values, key.producer, key.unit, key.media_id))
    return {table: distinct(table, rows) for table, rows in full.items()}


def distinct(table: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without exact repetitions. Raises `ValueError` when two different rows have the same key."""
    kept: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = kept.setdefault(row["row_id"], row)
        if before is not row and before != row:
            key = {k: row[k] for k in TABLES[table].key}
            raise ValueError(f"two different rows for table {table} have the same key {key}")
    return list(kept.values())


def read_inputs(
    catalog: Catalog, table: str, producers: Sequence[str], units: Sequence[str], wanted: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Rows of a table by some producers, about some media (all of them when `units` is empty), in key order. With
    `wanted`, only these columns and those that say whose the rows are.
    """
    if not producers:
        return []
    left_out = LEFT_OUT.get(table, ())
    owners = ("producer", "media_id", "unit") if units else ("producer", "media_id")
    columns = ", ".join(
        c.name
        for c in TABLES[table].all_columns
        if (c.name in wanted or c.name in owners if wanted else c.name not in left_out)
    )
    order = ", ".join(dict.fromkeys(["media_id", *TABLES[table].key, "row_id"]))
    where, params = "list_contains(?, producer)", [list(producers)]
    if units:
        where += " AND (list_contains(?, unit) OR list_contains(?, media_id))"
        params += [list(units), list(units)]
    query = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order}"
    if units or table not in VECTORS:
        return catalog.rows(query, params)
    found = catalog.arrow(query, params)
    vectors = found.column(VECTORS[table])
    rows: list[dict[str, Any]] = found.drop_columns([VECTORS[table]]).to_pylist()
    for row, vector in zip(rows, vectors, strict=True):
        row[VECTORS[table]] = vector.values.to_numpy() if vector.is_valid else None
    return rows


def read_folded(catalog: Catalog, table: str, producers: Sequence[str], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """One row per producer and medium, ordered by medium: {producer, media_id, rows: Arrow table of columns `wanted` in
    key order}.
    """
    if not producers:
        return []
    order = ", ".join(dict.fromkeys(["media_id", "producer", *TABLES[table].key, "row_id"]))
    found = catalog.arrow(
        f"SELECT producer, media_id, {', '.join(wanted)} FROM {table} WHERE list_contains(?, producer) ORDER BY {order}",
        [list(producers)],
    )
    owners = [found.column(name).dictionary_encode().combine_chunks() for name in ("media_id", "producer")]
    codes = np.stack([o.indices.to_numpy() for o in owners]) if len(found) else np.zeros((2, 0))
    starts = np.concatenate([[0], np.flatnonzero((np.diff(codes) != 0).any(axis=0)) + 1])
    rows = found.select(list(wanted))
    return [
        {"producer": owners[1][a].as_py(), "media_id": owners[0][a].as_py(), "rows": rows.slice(a, b - a)}
        for a, b in pairwise([*starts.tolist(), len(found)])
        if b > a
    ]


def _group(tables: Mapping[str, list[dict[str, Any]]], units: set[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    grouped: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for table, rows in tables.items():
        for row in rows:
            unit = row["unit"] if row["unit"] in units else row["media_id"]
            grouped[unit][table].append(row)
    return grouped


class _Frozen:
    """A hashable handle on a spec, so that a worker process builds and sets up each annotator once."""

    def __init__(self, spec: ProducerSpec) -> None:
        self.spec = spec
        settings = sorted(spec.params.items(), key=str), sorted(spec.variables.items())
        self.key = repr((spec.name, spec.annotator, settings, spec.seed, spec.folder))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and self.key == other.key


@lru_cache(maxsize=32)
def _built(handle: _Frozen) -> Annotator:
    annotator = handle.spec.build()
    annotator.setup()
    return annotator


def ready(spec: ProducerSpec) -> Annotator:
    """The annotator of a spec, built and set up once per process."""
    return _built(_Frozen(spec))


def spec_of(producer: Producer) -> tuple[ProducerSpec, Mapping[str, tuple[str, ...]]]:
    """What a bundle needs to know of a producer."""
    return producer.spec, dict(producer.inputs)
