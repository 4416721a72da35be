"""What batches are under way, and replies of theirs that nobody has asked for yet: kept in the file of the record of calls.

A submission is written down before the endpoint hears of it and again with the identifier that the endpoint gives, so
that after a crash the next run collects what was submitted instead of paying for it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .record import CallRecord


@dataclass(frozen=True)
class Submission:
    """A batch that was submitted, or was about to be (`batch` is None)."""

    name: str
    batch: str | None
    lines: Mapping[str, str]
    """Request hashes by the names of the lines."""


class BatchLog:
    """Batches of one model at one endpoint."""

    def __init__(self, record: CallRecord, endpoint: str, model: str) -> None:
        self._db, self._scope = record.db, (endpoint, model)

    def pending(self) -> list[Submission]:
        """Submissions that are not collected."""
        rows = self._db.execute(
            "SELECT submission, batch, lines FROM batches WHERE endpoint = ? AND model = ? ORDER BY submission",
            self._scope,
        ).fetchall()
        return [Submission(row["submission"], row["batch"], json.loads(row["lines"])) for row in rows]

    def write(self, submission: Submission) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?)",
            [submission.name, submission.batch, *self._scope, json.dumps(dict(submission.lines))],
        )

    def drop(self, name: str) -> None:
        """It is collected, or never was submitted."""
        self._db.execute("DELETE FROM batches WHERE submission = ?", [name])

    def keep(self, replies: Iterable[tuple[str, str, str, str]]) -> None:
        """Keep (line, request hash, batch, body) until the call is on record."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO batch_replies VALUES (?, ?, ?, ?)", replies)
        self._db.execute("COMMIT")

    def reply(self, line: str) -> tuple[str, str] | None:
        """(batch, body) of a line that came back."""
        row = self._db.execute("SELECT batch, body FROM batch_replies WHERE line = ?", [line]).fetchone()
        return (row["batch"], row["body"]) if row else None
