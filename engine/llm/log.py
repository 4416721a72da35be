"""The record of calls and the table `llm_calls`: what was asked on this machine goes into the dataset, and comes back on another.

Calls are committed in pieces of their own (producer `llm_calls`), independent of the units that asked: a unit that is
worked on again, or goes away, leaves its calls on record.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schemas.ids import derive_id
from ...schemas.tables import TABLES
from ..catalog import Catalog
from ..digest import RowDigest
from ..files import write_rows
from ..results import Outcome, UnitKey, UnitResult
from .pictures import calls_file

if TYPE_CHECKING:
    from .record import CallRecord

PRODUCER = "llm_calls"
AT_ONCE = 5_000
"""Calls of one committed piece, at most."""


def open_record(root: Path, catalog: Catalog) -> CallRecord:
    """The record of a dataset's calls, filled from its table where this machine has no record of them yet; calls that a
    killed build had committed already count as committed.
    """
    from .record import CallRecord

    record = CallRecord(calls_file(root))
    if record.count() == 0:
        last = ""
        while rows := catalog.rows(
            "SELECT * FROM llm_calls WHERE request_hash > ? "
            "QUALIFY row_number() OVER (PARTITION BY request_hash ORDER BY asked_at DESC) = 1 ORDER BY request_hash LIMIT ?",
            [last, AT_ONCE],
        ):
            record.load(
                [{k: v for k, v in row.items() if k not in ("row_id", "producer", "unit", "media_id")} for row in rows]
            )
            last = rows[-1]["request_hash"]
        return record
    waiting = {(r["request_hash"], r["asked_at"]) for r in record.uncommitted(10 * AT_ONCE)}
    if waiting:
        known = catalog.rows(
            "SELECT request_hash, asked_at FROM llm_calls WHERE list_contains(?, request_hash)",
            [sorted({h for h, _ in waiting})],
        )
        record.mark_committed([r["request_hash"] for r in known if (r["request_hash"], r["asked_at"]) in waiting])
    return record


def piece(record: CallRecord, root: Path) -> tuple[UnitResult, list[str]] | None:
    """The next piece of calls as a unit to commit, and their hashes to mark afterwards; None when there is nothing new."""
    calls = record.uncommitted(AT_ONCE)
    if not calls:
        return None
    table = TABLES[PRODUCER]
    known = {c.name for c in table.columns}
    hashes = [str(call["request_hash"]) for call in calls]
    unit = derive_id("calls", [(c["request_hash"], c["asked_at"]) for c in calls])
    rows: list[dict[str, Any]] = [
        table.complete({k: v for k, v in call.items() if k in known}, PRODUCER, unit, None) for call in calls
    ]
    result = UnitResult(
        UnitKey(PRODUCER, unit, None, "corpus", unit), Outcome(), len(rows), digest=RowDigest(table).add(rows).hex()
    )
    result.files.append(write_rows(root, table, PRODUCER, rows))
    return result, hashes
