"""The dataset store as its users see it: units are replaced whole, versions stay readable, schemas may grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.commit import Commit
from chronotope.engine.compact import compact, vacuum
from chronotope.engine.deltalog import StoreError
from chronotope.engine.digest import merge_hex
from chronotope.engine.files import DataFile, write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.table import Column
from chronotope.schemas.tables import TABLES

SIGNALS = TABLES["signals"]


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[RootLock]:
    with RootLock(tmp_path / "root", "test") as held:
        yield held


@pytest.fixture
def writer(lock: RootLock) -> Commit:
    return Store.create(lock.root).begin(lock)


def signals(root: Path, producer: str, units: dict[str, list[float]]) -> DataFile:
    rows = [
        SIGNALS.complete({"t_s": float(i), "luma": luma}, producer, unit, unit)
        for unit, lumas in units.items()
        for i, luma in enumerate(lumas)
    ]
    return write_rows(root, SIGNALS, producer, rows)


def done(producer: str, units: Sequence[str]) -> list[dict[str, Any]]:
    return [{"producer": producer, "unit": u, "media_id": u, "grain": "medium", "status": "done"} for u in units]


def put(writer: Commit, producer: str, units: dict[str, list[float]]) -> int:
    file = signals(writer.store.root, producer, units)
    return writer.commit([file], ledger_rows=done(producer, list(units)))


def content(store: Store, pins: dict[str, int] | None = None) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for row in store.read("signals", pins).sort_by([("media_id", "ascending"), ("t_s", "ascending")]).to_pylist():
        found.setdefault((row["producer"], row["unit"]), []).append(row["luma"])
    return found


def test_opening_what_is_no_dataset_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a dataset root"):
        Store.open(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    Store.create(tmp_path)
    entry = tmp_path / "tables/head/_delta_log/00000000000000000000.json"
    entry.write_text(entry.read_text().replace('"chronotope.format":"1"', '"chronotope.format":"99"'))
    with pytest.raises(StoreError, match="upgrade chronotope"):
        Store.open(tmp_path)


def test_creating_twice_is_refused(tmp_path: Path) -> None:
    Store.create(tmp_path)
    with pytest.raises(StoreError, match="already holds a dataset"):
        Store.create(tmp_path)


def test_writing_needs_the_lock_of_this_root(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "a")
    with RootLock(tmp_path / "b", "test") as other, pytest.raises(StoreError, match="needs its lock"):
        store.begin(other)


def test_a_units_new_rows_replace_its_old_ones_and_leave_the_others(writer: Commit) -> None:
    put(writer, "sig", {"m1": [1.0, 2.0], "m2": [3.0]})
    put(writer, "other", {"m1": [9.0]})
    put(writer, "sig", {"m1": [5.0]})
    assert content(writer.store) == {("sig", "m1"): [5.0], ("sig", "m2"): [3.0], ("other", "m1"): [9.0]}
    ledger = writer.store.read("ledger").to_pylist()
    assert sorted((r["producer"], r["unit"], r["row_count"]) for r in ledger) == [
        ("other", "m1", 1), ("sig", "m1", 1), ("sig", "m2", 1),
    ]  # fmt: skip


def test_a_unit_that_failed_loses_its_rows_and_keeps_its_ledger_row(writer: Commit) -> None:
    put(writer, "sig", {"m1": [1.0], "m2": [2.0]})
    writer.commit(ledger_rows=[{"producer": "sig", "unit": "m1", "status": "failed", "error": "broken"}])
    assert content(writer.store) == {("sig", "m2"): [2.0]}
    assert {r["unit"]: r["status"] for r in writer.store.read("ledger").to_pylist()} == {"m1": "failed", "m2": "done"}


def test_units_that_are_gone_leave_no_trace(writer: Commit) -> None:
    put(writer, "sig", {"m1": [1.0], "m2": [2.0]})
    writer.commit(replace=[("sig", "m1"), ("sig", "never seen")])
    assert content(writer.store) == {("sig", "m2"): [2.0]}
    assert [r["unit"] for r in writer.store.read("ledger").to_pylist()] == ["m2"]


def test_rows_without_a_ledger_row_are_refused_and_nothing_happens(writer: Commit) -> None:
    file = signals(writer.store.root, "sig", {"m1": [1.0]})
    with pytest.raises(ValueError, match="no ledger row"):
        writer.commit([file])
    with pytest.raises(ValueError, match="says 3 rows"):
        writer.commit([file], ledger_rows=[done("sig", ["m1"])[0] | {"row_count": 3}])
    assert writer.store.head().dataset_version == 0


def test_an_empty_commit_makes_no_version(writer: Commit) -> None:
    assert writer.commit() == 0
    assert writer.store.history() == []


def test_a_run_is_updated_in_place(writer: Commit) -> None:
    for run, status in (("a", "interrupted"), ("b", "interrupted"), ("a", "done")):
        writer.commit(runs_rows=[{"run_id": run, "status": status}])
    assert {r["run_id"]: r["status"] for r in writer.store.read("runs").to_pylist()} == {
        "a": "done",
        "b": "interrupted",
    }


def test_old_versions_stay_readable_until_they_are_vacuumed(writer: Commit) -> None:
    store = writer.store
    first = put(writer, "sig", {"m1": [1.0]})
    put(writer, "sig", {"m1": [2.0]})
    assert content(store, store.pins(first)) == {("sig", "m1"): [1.0]}
    assert [h.dataset_version for h in store.history()] == [2, 1]
    assert vacuum(writer, retain_versions=1) > 0
    assert content(store) == {("sig", "m1"): [2.0]}
    with pytest.raises(StoreError, match="vacuumed away"):
        Store.open(store.root).pins(first)
    with pytest.raises(StoreError, match="no version 77"):
        store.pins(77)


def test_a_reader_does_not_see_what_is_committed_after_it_opened(writer: Commit) -> None:
    put(writer, "sig", {"m1": [1.0]})
    with Catalog(writer.store.root) as catalog:
        put(writer, "sig", {"m1": [2.0]})
        assert catalog.rows("SELECT luma FROM signals") == [{"luma": 1.0}]
        assert catalog.refresh().rows("SELECT luma FROM signals") == [{"luma": 2.0}]


def test_compaction_merges_files_and_changes_no_row(writer: Commit) -> None:
    for i in range(8):
        put(writer, "sig" if i % 2 else "other", {f"m{7 - i}": [float(i)] * 3})
    before, rows = writer.store.digests(), content(writer.store)
    assert compact(writer).merged == 16  # eight files of signals, eight of the ledger
    assert len(writer.store.files("signals")) == 2
    assert writer.store.digests() == before
    assert content(writer.store) == rows
    put(writer, "sig", {"m0": [4.0]})
    assert content(writer.store) == rows | {("sig", "m0"): [4.0]}


def test_many_commits_pass_checkpoints_of_the_log(writer: Commit) -> None:
    for i in range(45):
        put(writer, "sig", {"m1": [float(i)]})
    assert content(Store.open(writer.store.root)) == {("sig", "m1"): [44.0]}
    assert content(writer.store, writer.store.pins(3)) == {("sig", "m1"): [2.0]}
    assert not writer.store.file_infos("signals")[0].missing


def test_a_receipt_survives_being_made_plain(writer: Commit) -> None:
    file = signals(writer.store.root, "a/b: c", {"m1": [1.0, 2.0], "m2": [3.0]})
    again = DataFile(**asdict(file))
    assert again == file
    assert again.units == {"m1": 2, "m2": 1}
    writer.commit([again], ledger_rows=done("a/b: c", ["m1", "m2"]))
    assert merge_hex(file.digests.values()) == writer.store.digest("signals")


def test_a_file_holds_one_producer_and_typed_values(tmp_path: Path) -> None:
    row = SIGNALS.complete({"t_s": 1.0}, "p", "u", "m")
    with pytest.raises(ValueError, match="only hold its own rows"):
        write_rows(tmp_path, SIGNALS, "q", [row])
    with pytest.raises(ValueError, match="column luma"):
        write_rows(tmp_path, SIGNALS, "p", [row | {"luma": "bright"}])


def with_column(name: str, kind: pa.DataType) -> Any:
    columns = (*(c for c in SIGNALS.columns if c.name != name), Column(name, kind, "added later"))
    return replace(SIGNALS, columns=columns, _by_name={})


def test_a_column_added_later_is_null_in_old_rows_and_leaves_digests_alone(
    writer: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, "sig", {"m1": [1.0], "m2": [2.0]})
    digest = writer.store.digest("signals")
    newer = with_column("warmth", pa.list_(pa.float64()))
    monkeypatch.setitem(TABLES, "signals", newer)
    with Catalog(Store.open(writer.store.root)) as catalog:
        assert catalog.rows("SELECT warmth FROM signals") == [{"warmth": None}] * 2
    again = Store.open(writer.store.root).begin(writer.lock)
    assert again.store.digest("signals") == digest
    row = newer.complete({"t_s": 0.0, "warmth": [0.5]}, "sig", "m2", "m2")
    again.commit([write_rows(again.store.root, newer, "sig", [row])], ledger_rows=done("sig", ["m2"]))
    with Catalog(again.store) as catalog:
        assert catalog.rows("SELECT unit, warmth FROM signals ORDER BY unit") == [
            {"unit": "m1", "warmth": None},
            {"unit": "m2", "warmth": [0.5]},
        ]
    monkeypatch.setitem(TABLES, "signals", SIGNALS)
    with pytest.raises(StoreError, match="written by a newer one"):
        Store.open(again.store.root).files("signals")


def test_a_column_of_another_type_is_refused(writer: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    put(writer, "sig", {"m1": [1.0]})
    monkeypatch.setitem(TABLES, "signals", with_column("luma", pa.string()))
    with pytest.raises(StoreError, match="luma: stored double, now string"):
        Store.open(writer.store.root).files("signals")


def test_files_of_a_batch_that_was_never_committed_are_removed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    store = Store.create(root)
    with pytest.raises(KeyboardInterrupt), RootLock(root, "stopped") as lock:
        put(store.begin(lock), "sig", {"m1": [1.0]})
        orphan = signals(root, "sig", {"m2": [2.0]})
        raise KeyboardInterrupt
    with RootLock(root, "next") as lock:
        assert store.begin(lock).recovery.orphans == 1
    assert not (store.table_dir("signals") / orphan.path).exists()
    assert content(store) == {("sig", "m1"): [1.0]}
