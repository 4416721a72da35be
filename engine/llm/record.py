"""The record of calls: one SQLite file with a row per request, which shows what was paid and keeps it from being paid twice.

A reply is written before anybody sees it, so that killing the process loses the requests in flight and nothing else (a
write-ahead log without a flush per row: a killed process loses nothing, a loss of power may lose the last rows).
Nothing is held in memory. The columns are those of table `llm_calls`, into which the driver copies new rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from ...schemas.tables_models import LLM_CALLS

COLUMNS = tuple(c.name for c in LLM_CALLS.columns)
REJECTED = ("truncated", "refused", "empty", "malformed", "wrong_schema")
SPENT = ("tries", "prompt_tokens", "reply_tokens", "cached_tokens", "cost")
_AFFINITY = {pa.string(): "TEXT", pa.int64(): "INTEGER", pa.float64(): "REAL"}
_NAMES = ", ".join(COLUMNS)
_MARKS = ", ".join("?" * len(COLUMNS))


class RecordError(ValueError):
    """The file is not a record of calls; the message says what to do."""


class CallRecord:
    """The calls of one dataset on this machine. Several connections to one file may be open, in threads or processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._handed = 0
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60.0)
        self.db.row_factory = sqlite3.Row
        try:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
            self._create()
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise RecordError(
                f"{path}: not a readable record of calls ({error}); move it away, and the calls that are in table "
                "llm_calls are loaded from there"
            ) from None

    def _create(self) -> None:
        columns = ", ".join(f"{c.name} {_AFFINITY[c.type]}" for c in LLM_CALLS.columns)
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS calls (seq INTEGER PRIMARY KEY AUTOINCREMENT, "
            f"committed INTEGER NOT NULL DEFAULT 0, {columns}, UNIQUE (request_hash))"
        )
        there = {row["name"] for row in self.db.execute("PRAGMA table_info(calls)")}
        for column in LLM_CALLS.columns:
            if column.name not in there:
                self.db.execute(f"ALTER TABLE calls ADD COLUMN {column.name} {_AFFINITY[column.type]}")
        self.db.execute("CREATE INDEX IF NOT EXISTS fresh ON calls (seq) WHERE committed = 0")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS habits (endpoint TEXT, model TEXT, what TEXT, value TEXT, "
            "PRIMARY KEY (endpoint, model, what))"
        )
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS batch_replies (line TEXT PRIMARY KEY, request_hash TEXT, batch TEXT, body TEXT)"
        )
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS batches (submission TEXT PRIMARY KEY, batch TEXT, endpoint TEXT, model TEXT, "
            "lines TEXT)"
        )
        self.db.execute("CREATE INDEX IF NOT EXISTS of_request ON batch_replies (request_hash)")

    def get(self, request_hash: str) -> dict[str, Any] | None:
        """The call's row, columns of `llm_calls`; None when it was never asked."""
        row = self.db.execute(f"SELECT {_NAMES} FROM calls WHERE request_hash = ?", [request_hash]).fetchone()
        return dict(row) if row else None

    def put(self, row: Mapping[str, Any]) -> None:
        """Write a call, instead of what was known of the same request; replies of batches that it rests on are let go.

        What the earlier one took is added, unless table `llm_calls` has it: sums over the table are what was spent.
        """
        values = {c: row[c] for c in COLUMNS}
        self.db.execute("BEGIN IMMEDIATE")
        try:
            before = self.db.execute(
                f"SELECT {', '.join(SPENT)} FROM calls WHERE request_hash = ? AND committed = 0", [row["request_hash"]]
            ).fetchone()
            for name in SPENT if before else ():
                values[name] = (values[name] or 0) + (before[name] or 0)
            self.db.execute(
                f"INSERT OR REPLACE INTO calls (committed, {_NAMES}) VALUES (0, {_MARKS})", list(values.values())
            )
            if row["batch"] is not None:
                self.db.execute("DELETE FROM batch_replies WHERE request_hash = ?", [row["request_hash"]])
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def uncommitted(self, limit: int) -> list[dict[str, Any]]:
        """At most `limit` calls that are not in table `llm_calls` yet, oldest first."""
        rows = self.db.execute(
            f"SELECT seq, {_NAMES} FROM calls WHERE committed = 0 ORDER BY seq LIMIT ?", [limit]
        ).fetchall()
        self._handed = max([self._handed, *(row["seq"] for row in rows)])
        return [{c: row[c] for c in COLUMNS} for row in rows]

    def mark_committed(self, hashes: Sequence[str]) -> None:
        """Those calls, as `uncommitted` last gave them, are in the table now; what was asked again since is not."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "UPDATE calls SET committed = 1 WHERE request_hash = ? AND seq <= ?", [(h, self._handed) for h in hashes]
        )
        self.db.execute("COMMIT")

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take over rows of table `llm_calls`, of requests that are not known here."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            f"INSERT OR IGNORE INTO calls (committed, {_NAMES}) VALUES (1, {_MARKS})",
            ([row.get(c) for c in COLUMNS] for row in rows),
        )
        self.db.execute("COMMIT")

    def count(self) -> int:
        """Number of calls."""
        return int(self.db.execute("SELECT count(*) FROM calls").fetchone()[0])

    def habit(self, endpoint: str, model: str, what: str) -> str | None:
        """What an endpoint was found to support."""
        row = self.db.execute(
            "SELECT value FROM habits WHERE endpoint = ? AND model = ? AND what = ?", [endpoint, model, what]
        ).fetchone()
        return row["value"] if row else None

    def remember(self, endpoint: str, model: str, what: str, value: str) -> None:
        """Keep what an endpoint was found to support."""
        self.db.execute("INSERT OR REPLACE INTO habits VALUES (?, ?, ?, ?)", [endpoint, model, what, value])

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> CallRecord:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
