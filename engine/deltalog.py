"""The few things that the store does with one Delta table: open it at a version, list its files, change them at once.

A change is a single transaction of `add` and `remove` actions (delta-rs, Delta Lake protocol 1/2). Expired log entries
are never cleaned up, since pins may point at any version; a checkpoint every twenty versions keeps opening quick.
Columns may be added to a table; a column that changed its type or that this version does not know is an error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from ..schemas.table import Table
from .files import DataFile

HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
CHECKPOINT_INTERVAL = "20"


class StoreError(RuntimeError):
    """The dataset cannot be used as it is; the message says what and what to do."""


@dataclass(frozen=True)
class FileInfo:
    """A committed data file. `path` is relative to the table's folder, `missing` are columns that it lacks."""

    path: str
    size: int
    rows: int
    producer: str
    first_media_id: str
    missing: frozenset[str]


def open_table(folder: Path, version: int | None = None) -> DeltaTable | None:
    """The Delta table in `folder`, or None when there is none (yet)."""
    try:
        return DeltaTable(str(folder), version=version)
    except TableNotFoundError:
        return None


def create_table(folder: Path, table: Table, configuration: dict[str, str] | None = None) -> DeltaTable:
    """An empty table at version 0. Columns of lists and structures are kept as Arrow has them."""
    folder.mkdir(parents=True, exist_ok=True)
    return DeltaTable.create(
        str(folder),
        DeltaSchema.from_arrow(table.schema),
        mode="ignore",
        description=table.doc,
        configuration={
            "delta.checkpointInterval": CHECKPOINT_INTERVAL,
            "delta.dataSkippingNumIndexedCols": "-1",
            **(configuration or {}),
        },
        raise_if_key_not_exists=False,
    )


def list_files(handle: DeltaTable, table: Table) -> list[FileInfo]:
    """The files of an opened table, ordered by first medium and path."""
    actions: dict[str, list[Any]] = pa.table(handle.get_add_actions(flatten=True)).to_pydict()
    paths = [unquote(p) for p in actions["path"]]
    empty = [None] * len(paths)

    def column(name: str) -> list[Any]:
        return actions.get(name, empty)

    nulls = [(c.name, column(f"null_count.{c.name}")) for c in table.all_columns]
    infos = [
        FileInfo(
            path=path,
            size=actions["size_bytes"][i],
            rows=actions["num_records"][i] or 0,
            producer=column("min.producer")[i] or "",
            first_media_id=column("min.media_id")[i] or "",
            missing=frozenset(name for name, counts in nulls if counts[i] is None),
        )
        for i, path in enumerate(paths)
    ]
    return sorted(infos, key=lambda f: (f.first_media_id, f.path))


def live_files(handle: DeltaTable) -> set[str]:
    """Names of the files of an opened table (the store's own names need no quoting; the folder's may)."""
    return {uri.rsplit("/", 1)[-1] for uri in handle.file_uris()}


@lru_cache(maxsize=256)
def _fields(table: Table) -> dict[str, pa.DataType]:
    delta = pa.schema(DeltaSchema.from_arrow(table.schema).to_arrow())
    return {f.name: f.type for f in delta}


def check_schema(handle: DeltaTable, table: Table) -> list[str]:
    """Names of columns that `table` has and the stored one lacks. Raises `StoreError` for any other difference."""
    stored = {f.name: f.type for f in pa.schema(handle.schema().to_arrow())}
    wanted = _fields(table)
    unknown = sorted(set(stored) - set(wanted))
    if unknown:
        raise StoreError(
            f"table {table.name} of this dataset has columns that this version of Chronotope does not know "
            f"({', '.join(unknown)}): it was written by a newer one; upgrade chronotope"
        )
    changed = [f"{n}: stored {t}, now {wanted[n]}" for n, t in stored.items() if t != wanted[n]]
    if changed:
        raise StoreError(
            f"table {table.name} of this dataset has columns of another type ({'; '.join(changed)}): such a change "
            "needs a migration; build into a new root, or use the version of Chronotope that wrote it"
        )
    return [n for n in wanted if n not in stored]


def add_columns(handle: DeltaTable, table: Table, names: Iterable[str]) -> None:
    """Give a stored table the columns that `table` gained; old rows read as NULL."""
    wanted = set(names)
    fields = [f for f in DeltaSchema.from_arrow(table.schema).fields if f.name in wanted]
    handle.alter.add_columns(fields, post_commithook_properties=HOOKS)


def transact(
    folder: Path,
    table: Table,
    adds: Sequence[DataFile],
    removes: Sequence[FileInfo],
    now_ms: int,
    metadata: dict[str, Any],
) -> int:
    """Add and remove files in one transaction; the new version."""
    handle = open_table(folder) or create_table(folder, table)
    missing = check_schema(handle, table)
    if missing:
        add_columns(handle, table, missing)
        handle.update_incremental()
    actions: list[AddAction | RemoveAction] = [AddAction(f.path, f.size, {}, now_ms, True, f.stats) for f in adds]
    actions += [RemoveAction(f.path, True, now_ms, f.size, {}) for f in removes]
    handle.create_write_transaction(
        actions,
        mode="append",
        schema=handle.schema(),
        partition_by=[],
        commit_properties=CommitProperties(custom_metadata=metadata),
        post_commithook_properties=HOOKS,
    )
    handle.update_incremental()
    return handle.version()


def logged_paths(folder: Path, up_to: int) -> set[str]:
    """Every file that versions 0..up_to ever added: what a reader of an older version may need."""
    paths = set()
    for entry in sorted((folder / "_delta_log").glob("*.json")):
        if int(entry.stem) > up_to:
            break
        for line in entry.read_text().splitlines():
            if line.startswith('{"add"'):
                paths.add(unquote(json.loads(line)["add"]["path"]))
    return paths


def data_files(folder: Path) -> set[str]:
    """Names of the Parquet files that lie in a table's folder, unfinished ones included."""
    return {e.name for e in os.scandir(folder) if e.is_file() and e.name.endswith((".parquet", ".tmp"))}
