"""Builds that are killed at random moments, and resumed: the dataset ends up as if nothing had happened.

While the builds run and die, a reader keeps looking: at every version the rows of each unit are those that the ledger
counts, and no row is there twice.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.store import Store
from chronotope.pipelines.run_record import BuildReport

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.slow]

KINDS = ("driver", "worker", "driver", "worker", "driver")
"""Who is killed, in turn: the driver at a random moment, a worker within a second of its appearance."""
BUILD = (
    "from pathlib import Path; from chronotope.pipelines.build import Build; from chronotope.pipelines.recipe import Recipe; "
    "Build(Recipe.read('small.yaml'), Path('small.chronotope').resolve()).run()"
)
TORN = """
WITH counted AS (SELECT producer, unit, count(*) AS n FROM {table} GROUP BY ALL)
SELECT l.producer, l.unit, l.row_count, c.n FROM ledger l LEFT JOIN counted c USING (producer, unit)
WHERE l.producer = '{producer}' AND l.status = 'done' AND coalesce(c.n, 0) <> l.row_count
"""


def look(root: Path, seen: list[str]) -> None:
    """One consistent look at the dataset; anything torn goes to `seen`."""
    with Catalog(root) as catalog:
        for table in ("shots", "signals", "frames"):
            for row in catalog.rows(TORN.format(table=table, producer=table)):
                seen.append(f"{table}: {row}")
            doubled = catalog.rows(f"SELECT row_id FROM {table} GROUP BY row_id HAVING count(*) > 1")
            seen.extend(f"{table}: {row['row_id']} twice" for row in doubled)


def _children(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    below, frontier = [], {pid}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier}
        below += sorted(frontier)
    return below


def _workers(pid: int) -> list[int]:
    names = []
    for child in _children(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if b"ray::" in command and b"IDLE" not in command:
            names.append(child)
    return names


def test_killed_builds_resume_to_the_same_tables(build: Callable[..., BuildReport], world: Path) -> None:
    build(root="clean.chronotope")
    root = world / "small.chronotope"
    chance = random.Random(20261122)
    torn: list[str] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if Store.is_root(root):
                look(root, torn)
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    killed: list[str] = []
    try:
        for _ in range(40):
            process = subprocess.Popen([sys.executable, "-c", BUILD], cwd=world, stderr=subprocess.DEVNULL)
            kind = KINDS[len(killed)] if len(killed) < len(KINDS) else None
            moment = time.monotonic() + chance.uniform(1.0, 14.0)
            while kind is not None and process.poll() is None:
                time.sleep(0.05)
                workers = _workers(process.pid) if kind == "worker" else [process.pid]
                if workers and (kind == "worker" or time.monotonic() >= moment):
                    time.sleep(chance.uniform(0.0, 1.0) if kind == "worker" else 0.0)
                    if _kill(chance.choice(workers)):
                        killed.append(kind)
                        break
            code = process.wait(timeout=300)
            if code == 0 and len(killed) == len(KINDS):
                break
            if code == 0:
                _forget_one_medium(world, chance)
    finally:
        stop.set()
        watcher.join()
    assert killed == list(KINDS)
    assert not torn, torn[:5]
    assert Store.open(root).digests() == Store.open(world / "clean.chronotope").digests()


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _forget_one_medium(world: Path, chance: random.Random) -> None:
    """Give a finished build something to do again: one video disappears for a build and comes back."""
    film = chance.choice(sorted((world / "footage").glob("*.mp4")))
    away = film.with_suffix(".away")
    film.rename(away)
    subprocess.run([sys.executable, "-c", BUILD], cwd=world, stderr=subprocess.DEVNULL, check=True)
    away.rename(film)
