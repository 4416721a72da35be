"""The one writer of a dataset: batches of complete units become visible to readers all at once, or not at all.

A batch replaces everything that its units had: per table one Delta transaction adds the new files, removes the old
files that hold rows of those units and adds their survivors; then the ledger in the same way; then `head`, and only
that last step changes the dataset. A writer killed before it leaves tables ahead of their pins, which the next `begin`
undoes. Finding old rows costs one scan of the `unit` column of the producer's files, and nothing for new units.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from ..schemas.table import Table
from ..schemas.tables import HEAD, LEDGER, RUNS, TABLES
from .deltalog import FileInfo, StoreError, list_files, open_table, transact
from .files import DataFile, survivors, write_rows
from .lock import RootLock
from .recovery import Recovery, recover

if TYPE_CHECKING:
    from .store import Store

UnitKey = tuple[str, str]
"""(producer, unit)."""
Change = tuple[list[DataFile], list[FileInfo]]
"""Files to add and to remove."""


class Commit:
    """A writing session on a root, from `Store.begin`. It ends with the lock; there is nothing to close."""

    def __init__(self, store: Store, lock: RootLock) -> None:
        if not lock.held or lock.root.resolve() != store.root.resolve():
            raise StoreError(f"writing {store.root} needs its lock: with RootLock(root, 'build ...') as lock")
        self.store = store
        self.lock = lock
        self._broken = False
        self.recovery: Recovery = self._recover(sweep=lock.previous is not None)

    @property
    def version(self) -> int:
        """The dataset's version after the last commit."""
        return self._version

    @property
    def pins(self) -> dict[str, int]:
        """The pins after the last commit."""
        return dict(self._pins)

    def commit(
        self,
        adds: Sequence[DataFile] = (),
        replace: Iterable[UnitKey] = (),
        ledger_rows: Sequence[Mapping[str, Any]] = (),
        runs_rows: Sequence[Mapping[str, Any]] = (),
        run_id: str = "",
    ) -> int:
        """Commit complete units; returns the dataset's version.

        Every unit of `ledger_rows` and of `replace` loses its old rows and its old ledger row; units of `replace`
        without a ledger row are gone afterwards. `adds` hold all new rows of the units of `ledger_rows`, and of no
        others (a receipt may be given twice); a NULL `row_count` is filled in. `runs_rows` replace rows of the same `run_id`. A commit without
        content changes nothing. Raises `ValueError` for receipts and ledger rows that do not fit together (nothing
        has happened then); after any other error the next commit first recovers.
        """
        adds = list({(add.table, add.path): add for add in adds}.values())
        entries, keys = _checked(adds, replace, ledger_rows)
        if self._broken:
            self._recover(sweep=False)
        if not (keys or runs_rows):
            return self._version
        self._broken = True
        changes: dict[str, Change] = {}
        for add in adds:
            changes.setdefault(add.table, ([], []))[0].append(add)
        old = self._in_ledger(keys)
        if any(old.values()):
            for name in self.store.table_names():
                if name not in (LEDGER.name, RUNS.name):
                    self._replace(changes, TABLES[name], "unit", {k for k, rows in old.items() if rows})
        changes = {name: changes[name] for name in sorted(changes)}
        self._replace(changes, LEDGER, "unit", set(old))
        by_producer: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            by_producer[entry["producer"]].append(entry)
        for producer in sorted(by_producer):
            file = write_rows(self.store.root, LEDGER, producer, by_producer[producer])
            changes.setdefault(LEDGER.name, ([], []))[0].append(file)
        if runs_rows:
            rows = [{c.name: row.get(c.name) for c in RUNS.all_columns} for row in runs_rows]
            self._replace(changes, RUNS, "run_id", {("", str(row["run_id"])) for row in rows})
            changes.setdefault(RUNS.name, ([], []))[0].append(write_rows(self.store.root, RUNS, "", rows))
        return self._publish(changes, run_id)

    def apply(self, changes: Mapping[str, Change], run_id: str = "") -> int:
        """Swap files for others with the same rows (compaction); returns the dataset's version."""
        if self._broken:
            self._recover(sweep=False)
        self._broken = True
        return self._publish(dict(changes), run_id)

    def files(self, table: str) -> list[FileInfo]:
        """Files of a table as this session sees them."""
        return list(self._files(table).values())

    # -- steps ------------------------------------------------------------------------------------------------------

    def _recover(self, *, sweep: bool) -> Recovery:
        head = self.store.head()
        report = recover(self.store.root / "tables", head.pins, head.dataset_version, sweep=sweep)
        self._version, self._pins = head.dataset_version, dict(head.pins)
        self._known: dict[str, dict[str, FileInfo]] = {}
        self._broken = False
        return report

    def _files(self, table: str) -> dict[str, FileInfo]:
        if table not in self._known:
            self._known[table] = {f.path: f for f in self.store.file_infos(table, self._pins)}
        return self._known[table]

    def _scan(self, table: Table, files: Iterable[FileInfo], column: str, keys: set[UnitKey], select: str) -> list[Any]:
        """Rows of a query over those rows of `files` whose (producer, column) is among `keys`."""
        folder = self.store.table_dir(table.name)
        paths = [str(folder / f.path) for f in files]
        if not paths or not keys:
            return []
        producer = "''" if table is RUNS else "f.producer"
        wanted = sorted(keys)
        with duckdb.connect(config={"threads": 2}) as connection:
            return connection.execute(
                "WITH wanted AS (SELECT unnest($2::VARCHAR[]) AS p, unnest($3::VARCHAR[]) AS u) "
                f"SELECT DISTINCT {select} FROM read_parquet($1, filename=true) f "
                f"JOIN wanted w ON {producer} = w.p AND f.{column} = w.u",
                [paths, [k[0] for k in wanted], [k[1] for k in wanted]],
            ).fetchall()

    def _in_ledger(self, keys: set[UnitKey]) -> dict[UnitKey, int]:
        """Which of the units the ledger knows, and how many rows each has."""
        files = self._of_producers(LEDGER, keys)
        found = self._scan(LEDGER, files, "unit", keys, "f.producer, f.unit, coalesce(f.row_count, 1)")
        return {(producer, unit): rows for producer, unit, rows in found}

    def _of_producers(self, table: Table, keys: Iterable[UnitKey]) -> list[FileInfo]:
        producers = {k[0] for k in keys}
        return [f for f in self._files(table.name).values() if f.producer in producers]

    def _replace(self, changes: dict[str, Change], table: Table, column: str, keys: set[UnitKey]) -> None:
        """Add to `changes` the removal of the rows of `keys`: their files go, the survivors' files come."""
        candidates = {f.path: f for f in self._of_producers(table, keys)}
        hits = self._scan(table, candidates.values(), column, keys, "f.filename")
        gone: dict[str, set[str]] = defaultdict(set)
        for producer, unit in keys:
            gone[producer].add(unit)
        for name in sorted(str(row[0]).rsplit("/", 1)[-1] for row in hits):
            old = candidates[name]
            adds, removes = changes.setdefault(table.name, ([], []))
            removes.append(old)
            kept = survivors(self.store.root, table, old.path, old.producer, column, gone[old.producer])
            if kept is not None:
                adds.append(kept)

    def _publish(self, changes: Mapping[str, Change], run_id: str) -> int:
        """Change the tables, then the ledger, then `head`."""
        now = datetime.now(UTC)
        now_ms = int(now.timestamp() * 1000)
        pins = dict(self._pins)
        for name in sorted(changes, key=lambda n: (n in (LEDGER.name, RUNS.name), n)):
            adds, removes = changes[name]
            if adds or removes:
                pins[name] = transact(self.store.table_dir(name), TABLES[name], adds, removes, now_ms, {"run": run_id})
        note = {
            "dataset_version": self._version + 1,
            "pins": dict(sorted(pins.items())),
            "run_id": run_id,
            "committed_at": now.isoformat(timespec="milliseconds"),
        }
        row = {**note, "pins_json": json.dumps(note["pins"])}
        row.pop("pins")
        folder = self.store.table_dir(HEAD.name)
        handle = open_table(folder)
        assert handle is not None
        file = write_rows(self.store.root, HEAD, "head", [row])
        version = transact(folder, HEAD, [file], list_files(handle, HEAD), now_ms, {"chronotope": note})
        if version != note["dataset_version"]:
            raise StoreError(
                f"{self.store.root}: head is at {version}, not {note['dataset_version']}: somebody else wrote to it"
            )
        for name, (adds, removes) in changes.items():
            self._remember(TABLES[name], adds, removes)
        self._version, self._pins, self._broken = version, pins, False
        return version

    def _remember(self, table: Table, adds: Iterable[DataFile], removes: Iterable[FileInfo]) -> None:
        known = self._files(table.name)
        for old in removes:
            known.pop(old.path, None)
        for new in adds:
            first = json.loads(new.stats)["minValues"].get("media_id", "")
            producer = "" if table is RUNS else new.producer
            known[new.path] = FileInfo(new.path, new.size, new.rows, producer, first, frozenset())


def _checked(
    adds: Sequence[DataFile], replace: Iterable[UnitKey], ledger_rows: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], set[UnitKey]]:
    """Full ledger rows and all units that are touched; `ValueError` when receipts and ledger disagree."""
    written: Counter[UnitKey] = Counter()
    for add in adds:
        if not TABLES[add.table].annotation:
            raise ValueError(f"table {add.table} is kept by the store; pass its rows as ledger_rows or runs_rows")
        for unit, rows in add.units.items():
            written[(add.producer, unit)] += rows
    entries: dict[UnitKey, dict[str, Any]] = {}
    for row in ledger_rows:
        full = LEDGER_BLANK | dict(row)
        key = (full["producer"], full["unit"])
        if None in key or key in entries or len(full) > len(LEDGER_BLANK):
            extra = ", ".join(sorted(set(full) - set(LEDGER_BLANK))) or "no columns too many"
            raise ValueError(f"ledger row of {key}: needs producer and unit, once per batch; unknown columns: {extra}")
        if full["row_count"] is None:
            full["row_count"] = written[key]
        if full["row_count"] != written[key]:
            raise ValueError(f"ledger row of {key} says {full['row_count']} rows, its files hold {written[key]}")
        entries[key] = full
    strays = sorted(set(written) - set(entries))
    if strays:
        raise ValueError(f"{len(strays)} units have rows but no ledger row in this batch, such as {strays[0]}")
    return list(entries.values()), set(entries) | {(p, u) for p, u in replace}


LEDGER_BLANK: dict[str, Any] = {c.name: None for c in LEDGER.all_columns}
