"""What `verify --deep` leaves on record: rows of `deep_checks`, one unit per sample, committed like a build's.

A later run replaces the rows of the samples that it looks at again and keeps the others; rows of samples that the dataset no
longer has go away. Views and packages read them: agreement of another model lifts the grade `model` to `two_source` in
`sample_view`, and `deep_agrees` says of each sample whether second methods found the same.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.digest import RowDigest
from ..engine.files import write_rows
from ..engine.lock import RootLock
from ..engine.results import Outcome, UnitKey, UnitResult
from ..engine.runner import open_ledger
from ..engine.store import Store
from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .deep_verify import DeepCheck

PRODUCER = "verify_deep"
_TABLE = "deep_checks"


def write_checks(root: Path, checks: Sequence[DeepCheck], wait_s: float = 0.0) -> int:
    """Commit opinions to the dataset; the number of rows. Raises `RootBusy` while a build holds the root."""
    by_sample: dict[str, list[DeepCheck]] = defaultdict(list)
    for check in checks:
        by_sample[check.drawn.sample_id].append(check)
    run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    with RootLock(root, f"verify --deep {os.getpid()}", wait_s) as lock:
        store = Store.open(root)
        with Catalog(store) as catalog:
            commit = store.begin(lock)
            catalog.refresh()
            ledger = open_ledger(catalog)
            here = {r["sample_id"] for r in catalog.rows("SELECT DISTINCT sample_id FROM samples")}
            committer = Committer(commit, ledger, run_id)
            results, rows = [], []
            for sample_id, mine in sorted(by_sample.items()):
                full = [_row(check) for check in _each_once(mine)]
                digest = RowDigest(TABLES[_TABLE]).add(full).hex()
                key = UnitKey(PRODUCER, sample_id, mine[0].media_id, "clip", derive_id(PRODUCER, digest))
                results.append(UnitResult(key, Outcome(), rows=len(full), digest=digest))
                rows += full
            if rows:
                results[0].files.append(write_rows(root, TABLES[_TABLE], PRODUCER, rows))
                committer.add(results)
            committer.flush([(PRODUCER, unit) for unit in ledger.units(PRODUCER) if unit not in here])
    return len(rows)


def _each_once(checks: Sequence[DeepCheck]) -> list[DeepCheck]:
    """One check per method and what was removed: a disagreement wins (a sample may show two files)."""
    found: dict[tuple[str, str], DeepCheck] = {}
    for check in checks:
        key = (check.opinion.method, check.removed)
        if key not in found or (found[key].opinion.agrees is not False and check.opinion.agrees is False):
            found[key] = check
    return [found[key] for key in sorted(found)]


def _row(check: DeepCheck) -> dict[str, object]:
    opinion = check.opinion
    values = {
        "sample_id": check.drawn.sample_id,
        "task": check.drawn.task,
        "package": check.drawn.package,
        "method": opinion.method,
        "removed": check.removed,
        "agrees": opinion.agrees,
        "score": None if opinion.score is None else round(float(opinion.score), 6),
        "found": opinion.found,
    }
    return TABLES[_TABLE].complete(values, PRODUCER, check.drawn.sample_id, check.media_id)
