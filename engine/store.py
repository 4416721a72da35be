"""A dataset root: Delta tables under `tables/`, pinned together by the one-row table `head`; `media/`; `packages/`.

The dataset's version is the version of `head`, whose row pins the version of every other table. Readers open tables at
the pins, so all tables change together, at the moment when `head` does; whatever lies beyond a pin does not exist for
them. Reading needs no lock. Writing goes through `begin`, which needs the root's lock. Roots are local folders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ..schemas.table import Table
from ..schemas.tables import HEAD, RUNS, TABLES
from .deltalog import FileInfo, StoreError, check_schema, create_table, list_files, live_files, open_table
from .digest import RowDigest
from .files import read_file, table_dir

if TYPE_CHECKING:
    from .commit import Commit
    from .lock import RootLock

FORMAT = 1
"""Version of the layout. A root of a newer one is refused."""
_FORMAT_KEY = "chronotope.format"


@dataclass(frozen=True)
class Head:
    """One version of the dataset."""

    dataset_version: int
    pins: Mapping[str, int]
    run_id: str | None = None
    committed_at: str | None = None


class Store:
    """A dataset root that exists. Use `Store.create`, `Store.open` or `Store.open_or_create`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[tuple[str, int], list[FileInfo]] = {}

    @classmethod
    def is_root(cls, root: Path | str) -> bool:
        """Whether a dataset lies there."""
        return open_table(table_dir(root, HEAD.name)) is not None

    @classmethod
    def create(cls, root: Path | str) -> Store:
        """A new, empty dataset at version 0. A folder that has other things in it is left as it is and used."""
        root = Path(root)
        if cls.is_root(root):
            raise StoreError(f"{root} already holds a dataset; open it instead")
        for name in ("tables", "media", "packages"):
            (root / name).mkdir(parents=True, exist_ok=True)
        create_table(table_dir(root, HEAD.name), HEAD, {_FORMAT_KEY: str(FORMAT)})
        return cls(root)

    @classmethod
    def open(cls, root: Path | str) -> Store:
        """The dataset at `root`. Raises `StoreError` when there is none, or when it needs a newer Chronotope."""
        root = Path(root)
        head = open_table(table_dir(root, HEAD.name))
        if head is None:
            raise StoreError(f"{root} is not a dataset root (no tables/{HEAD.name}); `chronotope build` creates one")
        found = int(head.metadata().configuration.get(_FORMAT_KEY) or 0)
        if found > FORMAT:
            raise StoreError(
                f"{root} has dataset format {found}, this Chronotope reads up to {FORMAT}: upgrade chronotope"
            )
        return cls(root)

    @classmethod
    def open_or_create(cls, root: Path | str) -> Store:
        """The dataset at `root`, created when there is none."""
        return cls.open(root) if cls.is_root(root) else cls.create(root)

    # -- versions ---------------------------------------------------------------------------------------------------

    def head(self, version: int | None = None) -> Head:
        """The dataset's newest version, or the one asked for. Raises `StoreError` for one that is not there."""
        try:
            table = open_table(self.table_dir(HEAD.name), version)
        except Exception as error:
            raise StoreError(f"{self.root} has no version {version}: {error}") from error
        assert table is not None
        names = live_files(table)
        if not names:
            return Head(0, {})
        try:
            with pq.ParquetFile(self.table_dir(HEAD.name) / min(names)) as file:
                row = file.read().to_pylist()[0]
        except FileNotFoundError as error:
            raise StoreError(f"version {version} of {self.root} was vacuumed away") from error
        return Head(row["dataset_version"], json.loads(row["pins_json"]), row["run_id"], row["committed_at"])

    def pins(self, version: int | None = None) -> dict[str, int]:
        """Table name -> Delta version. Tables without rows so far are absent."""
        return dict(self.head(version).pins)

    def history(self, limit: int | None = None) -> list[Head]:
        """Versions of the dataset, newest first."""
        table = open_table(self.table_dir(HEAD.name))
        assert table is not None
        heads = []
        for entry in table.history(limit):
            if note := entry.get("chronotope"):
                note = json.loads(note) if isinstance(note, str) else note
                heads.append(Head(note["dataset_version"], note["pins"], note["run_id"], note["committed_at"]))
        return heads

    # -- files ------------------------------------------------------------------------------------------------------

    def table_dir(self, table: str) -> Path:
        """Folder of a table."""
        return table_dir(self.root, table)

    def table_names(self) -> list[str]:
        """Tables that readers see, in the order of `TABLES`; all but `head`."""
        return [name for name in TABLES if name != HEAD.name]

    def file_infos(self, table: str, pins: Mapping[str, int] | None = None) -> list[FileInfo]:
        """Files of a table at the pins, ordered by medium. Raises `StoreError` when the stored schema does not fit."""
        pin = (self.pins() if pins is None else pins).get(table)
        if pin is None:
            return []
        key = (table, pin)
        if key not in self._files:
            handle = open_table(self.table_dir(table), pin)
            if handle is None:
                raise StoreError(f"table {table} of {self.root} is gone, although head pins its version {pin}")
            check_schema(handle, TABLES[table])
            self._files[key] = list_files(handle, TABLES[table])
        return self._files[key]

    def files(self, table: str, pins: Mapping[str, int] | None = None) -> list[str]:
        """Absolute paths of a table's Parquet files at the pins (by default the newest)."""
        folder = self.table_dir(table).absolute()
        return [str(folder / f.path) for f in self.file_infos(table, pins)]

    def read(self, table: str, pins: Mapping[str, int] | None = None, columns: list[str] | None = None) -> pa.Table:
        """A whole table at the pins, with its full schema. For small tables; larger ones are for the catalog."""
        spec = TABLES[table]
        schema = pa.schema([spec.schema.field(n) for n in columns]) if columns else spec.schema
        parts = [read_file(path, spec, columns) for path in self.files(table, pins)]
        return pa.concat_tables(parts) if parts else schema.empty_table()

    # -- digests ----------------------------------------------------------------------------------------------------

    def digest(self, table: str, pins: Mapping[str, int] | None = None) -> str:
        """Order-independent digest of all rows of a table, volatile columns excluded."""
        spec: Table = TABLES[table]
        digest = RowDigest(spec)
        for path in self.files(table, pins):
            with pq.ParquetFile(path) as file:
                names = [n for n in spec.stable_columns if n in set(file.schema_arrow.names)]
                for batch in file.iter_batches(batch_size=8192, columns=names):
                    digest.add(pa.Table.from_batches([batch]))
        return digest.hex()

    def digests(self, pins: Mapping[str, int] | None = None) -> dict[str, str]:
        """`digest` of every table but `head` and `runs`. Equal builds agree on all of them."""
        pins = self.pins() if pins is None else pins
        return {name: self.digest(name, pins) for name in self.table_names() if name != RUNS.name}

    # -- writing ----------------------------------------------------------------------------------------------------

    def begin(self, lock: RootLock) -> Commit:
        """Recover, then a writer. Raises `StoreError` when `lock` is not held or is another root's."""
        from .commit import Commit

        return Commit(self, lock)
