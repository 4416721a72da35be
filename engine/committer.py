"""Gathers finished units and commits them in batches: every 30 s or 256 MB, complete units only, `head` last.

Also keeps the in-memory ledger in step with what was committed, so that the next wave plans on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .commit import Commit
from .files import DataFile
from .fingerprint import LedgerIndex
from .results import UnitResult, attempts

BATCH_S = 30.0
BATCH_BYTES = 256 << 20


class Committer:
    """Buffers unit results and commits them."""

    def __init__(
        self,
        commit: Commit,
        ledger: LedgerIndex,
        run_id: str,
        told: Callable[[UnitResult], None] | None = None,
        hide: Callable[[str], str] | None = None,
    ) -> None:
        """`told` hears of every unit; `hide` takes out of messages what must not be stored."""
        self.commit, self.ledger, self.run_id = commit, ledger, run_id
        self.told = told or (lambda _: None)
        self.hide = hide or (lambda text: text)
        self._results: list[UnitResult] = []
        self._bytes = 0
        self._since = time.monotonic()
        self.model_calls = 0

    def add(self, results: Sequence[UnitResult]) -> None:
        """Results that share files (a bundle, a unit), committed together."""
        for result in results:
            result.outcome = result.outcome.changed(self.hide)
            self._results.append(result)
            self._bytes += sum(f.size for f in result.files)
            self.model_calls += result.model_calls
            self.told(result)
        if self._bytes >= BATCH_BYTES or time.monotonic() - self._since >= BATCH_S:
            self.flush()

    def flush(self, gone: Sequence[tuple[str, str]] = ()) -> None:
        """Commit what is there, and remove units that are gone."""
        if not self._results and not gone:
            return
        files: list[DataFile] = []
        ledger_rows = []
        for result in self._results:
            before = self.ledger.get(result.key.producer, result.key.unit)
            ledger_rows.append(result.ledger_row(self.run_id, attempts(before, result.key.fingerprint)))
            files += result.files
        self.commit.commit(files, replace=gone, ledger_rows=ledger_rows, run_id=self.run_id)
        for producer, unit in gone:
            if self.ledger.get(producer, unit) is not None:
                self.ledger.drop(producer, unit)
        for row in ledger_rows:
            self.ledger.put(row)
        self._results.clear()
        self._bytes = 0
        self._since = time.monotonic()
