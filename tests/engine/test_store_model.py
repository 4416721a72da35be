"""Random histories of commits, deletions, compactions and crashes equal a plain dictionary."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine import commit as commit_module
from chronotope.engine.compact import compact, vacuum
from chronotope.engine.deltalog import data_files, transact
from chronotope.engine.digest import merge_hex
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.tables import TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Model = dict[tuple[str, str], dict[str, list[float]]]
"""(producer, unit) -> table -> values."""

unit = st.tuples(st.sampled_from("pq"), st.sampled_from(["u1", "u2", "u3"]))
values = st.lists(st.integers(0, 3).map(float), max_size=2)
batch = st.dictionaries(unit, st.fixed_dictionaries({"signals": values, "measurements": values}), max_size=3)
step = st.one_of(
    st.tuples(st.just("commit"), batch, st.sets(unit, max_size=1)),
    st.tuples(st.just("crash"), batch, st.integers(0, 3)),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("compact")),
    st.tuples(st.just("vacuum")),
)


class Crash(BaseException):
    """The process dies here."""


def rows(table: str, producer: str, name: str, numbers: list[float]) -> list[dict[str, Any]]:
    value = "luma" if table == "signals" else "value"
    return [
        TABLES[table].complete(
            {"t_s": float(i), value: n} | ({} if value == "luma" else {"name": "x"}), producer, name, name
        )
        for i, n in enumerate(numbers)
    ]


def write(writer: Any, new: Model, gone: set[tuple[str, str]]) -> None:
    root = writer.store.root
    files = []
    for table in ("signals", "measurements"):
        for producer in "pq":
            found = [r for (p, u), t in new.items() if p == producer for r in rows(table, p, u, t[table])]
            files += [write_rows(root, TABLES[table], producer, found)] if found else []
    ledger = [{"producer": p, "unit": u, "media_id": u, "status": "done"} for p, u in new]
    writer.commit(files, replace=gone, ledger_rows=ledger)


def check(store: Store, model: Model) -> None:
    for table, column in (("signals", "luma"), ("measurements", "value")):
        found: dict[tuple[str, str], list[float]] = {}
        for row in sorted(store.read(table).to_pylist(), key=lambda r: r["t_s"]):
            found.setdefault((row["producer"], row["unit"]), []).append(row[column])
        assert found == {key: t[table] for key, t in model.items() if t[table]}
    ledger = {(r["producer"], r["unit"]): r["row_count"] for r in store.read("ledger").to_pylist()}
    assert ledger == {key: sum(map(len, t.values())) for key, t in model.items()}


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=2, max_size=8))
def test_a_history_equals_a_dictionary(history: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        model: Model = {}
        store = Store.create(root)
        lock = RootLock(root, "model").acquire()
        writer = store.begin(lock)
        for action, *arguments in history:
            if action == "commit":
                new, gone = arguments
                write(writer, new, gone)
                model = {k: v for k, v in model.items() if k not in gone} | new
            elif action == "crash":
                new, survives = arguments
                left = iter(range(survives))

                def dies(*args: Any, left: Any = left) -> int:
                    if next(left, None) is None:
                        raise Crash
                    return transact(*args)

                patch.setattr(commit_module, "transact", dies)
                try:
                    write(writer, new, set())
                    model = model | new
                except Crash:
                    pass
                patch.setattr(commit_module, "transact", transact)
                check(Store.open(root), model)
            elif action == "reopen":
                assert lock._fd is not None
                lock.release()
                lock = RootLock(root, "model").acquire()
                writer = Store.open(root).begin(lock)
            elif action == "compact":
                compact(writer, min_files=2)
            else:
                vacuum(writer, retain_versions=1)
                for table in ("signals", "measurements", "ledger"):
                    kept = {f.path for f in writer.store.file_infos(table)}
                    assert (
                        not writer.store.table_dir(table).is_dir() or data_files(writer.store.table_dir(table)) == kept
                    )
            check(Store.open(root), model)
        expected = merge_hex(
            f.digests[u]
            for (p, u), tables in model.items()
            for f in (
                [write_rows(root, TABLES["signals"], p, rows("signals", p, u, tables["signals"]))]
                if tables["signals"]
                else []
            )
        )
        assert store.digest("signals") == expected
        lock.release()
