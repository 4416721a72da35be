"""A writer is killed at random moments while a reader looks on: nobody ever sees a torn dataset."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.deltalog import data_files, live_files, open_table
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store

KILLS = 5
WRITER = """
import sys
from chronotope.engine.compact import compact
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.tables import TABLES

root, seed = sys.argv[1], int(sys.argv[2])
with RootLock(root, "writer", wait_s=30) as lock:
    writer = Store.open(root).begin(lock)
    for step in range(10_000):
        units = [f"m{(seed * 5 + step + k) % 9}" for k in range(3)]
        many = 1 + (seed + step) % 4
        files = []
        for name, row in (("signals", {"luma": float(step)}), ("words", {"start_s": 0.0, "word": str(step)})):
            table = TABLES[name]
            rows = [
                table.complete(row | ({"t_s": float(i)} if name == "signals" else {"position": i}), "p", unit, unit)
                for unit in units
                for i in range(many)
            ]
            files.append(write_rows(root, table, "p", rows))
        writer.commit(
            files,
            ledger_rows=[
                {"producer": "p", "unit": u, "media_id": u, "status": "done", "fingerprint": str(step)} for u in units
            ],
        )
        if step % 4 == 3:
            compact(writer)
        if step == 0:
            print("ready", flush=True)
"""
TORN = """
SELECT l.unit, l.row_count, l.fingerprint, s.n, s.versions, w.n, w.versions
FROM ledger l
FULL JOIN (SELECT unit, count(*) n, list(DISTINCT CAST(luma AS BIGINT)::VARCHAR) versions FROM signals GROUP BY 1) s USING (unit)
FULL JOIN (SELECT unit, count(*) n, list(DISTINCT word) versions FROM words GROUP BY 1) w USING (unit)
WHERE (l.row_count = s.n + w.n AND s.n = w.n AND s.versions = [l.fingerprint] AND w.versions = [l.fingerprint])
    IS NOT TRUE
"""


def look(root: Path) -> int:
    """Raises when the dataset is torn; its version."""
    with Catalog(root, threads=1) as catalog:
        assert catalog.rows(TORN) == []
        return catalog.store.head().dataset_version


@pytest.mark.slow
def test_killed_writers_never_tear_the_dataset(tmp_path: Path) -> None:
    root = tmp_path / "root"
    Store.create(root)
    chance = random.Random(7)
    seen = 0
    for attempt in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root), str(attempt)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + chance.uniform(0.0, 0.6)
        while time.monotonic() < deadline:
            seen = max(seen, look(root))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert look(root) >= seen
    before = Store.open(root).digests()
    with RootLock(root, "the next writer") as lock:
        writer = Store.open(root).begin(lock)
        assert writer.store.digests() == before
        for name, pin in writer.pins.items():
            folder = writer.store.table_dir(name)
            newest, pinned = open_table(folder), open_table(folder, pin)
            assert newest is not None and pinned is not None
            assert live_files(newest) == live_files(pinned)
            assert not [f for f in data_files(folder) if f.endswith(".tmp")]
    assert seen >= KILLS  # every writer committed
