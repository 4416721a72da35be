"""The registry of benchmarks in a dataset: add to it, list it, take out of it. Rows of table `benchmarks`, one unit each.

All rows are written by the driver under one producer, `benchmarks`, so that the check `contamination` of any recipe reads
them and is stale as soon as one changes. Adding to a name that exists extends it; equal items are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..engine.bundle import distinct
from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.files import write_rows
from ..engine.lock import RootLock
from ..engine.results import Outcome, UnitKey, UnitResult
from ..engine.runner import open_ledger
from ..engine.store import Store
from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .build import check_root
from .console import UsageError

PRODUCER = "benchmarks"
_COLUMNS = ", ".join(c.name for c in TABLES["benchmarks"].columns)


def add(root: Path, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Register rows (without their benchmark) under a name; returns its line of `list_all`. The root is created when
    there is none, so that benchmarks can be registered before the first build.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise UsageError(f"a benchmark's name is letters, digits, '_', '.' and '-', not {name!r}")
    check_root(root)
    root.mkdir(parents=True, exist_ok=True)
    table = TABLES["benchmarks"]

    def write(catalog: Catalog, committer: Committer) -> None:
        known = {(r["item"], r["kind"]): r for r in rows_of(catalog, name)}
        known.update({(r["item"], r["kind"]): {**r, "benchmark": name} for r in rows})
        full = distinct(table.name, [table.complete(known[key], PRODUCER, name, None) for key in sorted(known)])
        file = write_rows(root, table, PRODUCER, full)
        digest = file.digests[name]
        key = UnitKey(PRODUCER, name, None, "corpus", derive_id("benchmark", name, digest))
        committer.add([UnitResult(key, Outcome(), len(full), digest, files=[file])])

    _with_root(root, f"chronotope benchmark add {name}", write)
    return next(line for line in list_all(root) if line["benchmark"] == name)


def remove(root: Path, name: str) -> None:
    """Forget a benchmark. Raises `UsageError` for one that is not registered."""
    with Catalog(root) as catalog:
        known = [
            r["unit"] for r in catalog.rows("SELECT unit FROM ledger WHERE producer = ? ORDER BY unit", [PRODUCER])
        ]
    if name not in known:
        raise UsageError(f"no benchmark {name} is registered here; there are {', '.join(known) or 'none'}")
    _with_root(root, f"chronotope benchmark remove {name}", lambda _, committer: committer.flush([(PRODUCER, name)]))


def list_all(root: Path) -> list[dict[str, Any]]:
    """One line per benchmark: how much of what is registered, and how many samples were found in it so far."""
    with Catalog(root) as catalog:
        return catalog.rows(
            """
            SELECT benchmark, count(*) FILTER (kind = 'id') AS ids, count(*) FILTER (kind = 'video') AS videos,
                coalesce(sum(len(times)) FILTER (kind = 'video'), 0)::BIGINT AS pictures,
                count(*) FILTER (kind = 'question') AS questions, any_value(coalesce(c.samples, 0)) AS samples_found
            FROM benchmarks LEFT JOIN
                (SELECT benchmark, count(DISTINCT sample_id) AS samples FROM contamination GROUP BY benchmark) c
                USING (benchmark)
            GROUP BY benchmark ORDER BY benchmark
            """
        )


def rows_of(catalog: Catalog, name: str) -> list[dict[str, Any]]:
    """Rows of one benchmark, its own columns only, ordered by item."""
    return catalog.rows(f"SELECT {_COLUMNS} FROM benchmarks WHERE benchmark = ? ORDER BY item, kind", [name])


def _with_root(root: Path, holder: str, work: Callable[[Catalog, Committer], None]) -> None:
    """Do something under the root's lock and commit it."""
    with RootLock(root, holder) as lock:
        store = Store.open_or_create(root)
        commit = store.begin(lock)
        with Catalog(store) as catalog:
            run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            committer = Committer(commit, open_ledger(catalog), run_id)
            work(catalog, committer)
            committer.flush()
