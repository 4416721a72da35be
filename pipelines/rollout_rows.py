"""What `rollout` leaves on record: rows of `attempts`, one unit per sample, model and profile, and the calls of the run.

Committed like a build's. A later run of the same model and profile replaces the rows of the samples that it asks again and
keeps the others; rows of samples that the dataset no longer has go away.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..engine.catalog import Catalog
from ..engine.committer import Committer
from ..engine.digest import RowDigest
from ..engine.files import write_rows
from ..engine.llm.log import open_record, piece
from ..engine.lock import RootLock
from ..engine.results import Outcome, UnitKey, UnitResult
from ..engine.runner import open_ledger
from ..engine.store import Store
from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .rollout import PRODUCER, Attempt

_TABLE = TABLES["attempts"]


def write_attempts(
    root: Path, attempts: Sequence[Attempt], model: str, profile: str, run_id: str, wait_s: float = 0.0
) -> int:
    """Commit attempts and the calls that are not in the dataset yet; the number of rows. Raises `RootBusy`."""
    by_sample: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_sample[attempt.sample_id].append(attempt)
    mark = derive_id(PRODUCER, model, profile)[:12]
    count = 0
    with RootLock(root, f"rollout {os.getpid()}", wait_s) as lock:
        store = Store.open(root)
        with Catalog(store) as catalog:
            commit = store.begin(lock)
            catalog.refresh()
            ledger = open_ledger(catalog)
            here = {r["sample_id"] for r in catalog.rows("SELECT DISTINCT sample_id FROM samples")}
            committer = Committer(commit, ledger, run_id)
            results, rows = [], []
            for sample_id, mine in sorted(by_sample.items()):
                unit = f"{sample_id}:{mark}"
                full = [_row(a, model, profile, unit) for a in sorted(mine, key=lambda a: a.number)]
                digest = RowDigest(_TABLE).add(full).hex()
                known = ledger.get(PRODUCER, unit)
                count += len(full)
                if known is not None and known["output_digest"] == digest:
                    continue
                key = UnitKey(PRODUCER, unit, mine[0].media_id, "clip", derive_id(PRODUCER, digest))
                results.append(UnitResult(key, Outcome(), rows=len(full), digest=digest))
                rows += full
            if rows:
                results[0].files.append(write_rows(root, _TABLE, PRODUCER, rows))
                committer.add(results)
            gone = [unit for unit in ledger.units(PRODUCER) if unit.partition(":")[0] not in here]
            committer.flush([(PRODUCER, unit) for unit in gone])
            with open_record(root, catalog) as record:
                while made := piece(record, root):
                    committer.add([made[0]])
                    committer.flush()
                    record.mark_committed(made[1])
    return count


def _row(attempt: Attempt, model: str, profile: str, unit: str) -> dict[str, object]:
    values = {
        "sample_id": attempt.sample_id,
        "task": attempt.task,
        "solver": f"model:{model}/{profile}#{attempt.number}",
        "reward": round(attempt.reward, 6),
        "correct": attempt.correct,
        "model": model,
        "profile": profile,
        "attempt": attempt.number,
        "shown_frames": attempt.frames,
        "reply": attempt.reply,
        "reason": attempt.reason or None,
        "request_hash": attempt.request_hash,
    }
    return _TABLE.complete(values, PRODUCER, unit, attempt.media_id)
