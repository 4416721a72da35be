"""The worker's half of a commit: rows become a Parquet file under a unique name and a small plain receipt of it.

A file exists only once it is complete (temporary name, then rename), holds rows of one table and one producer, sorted
by medium and key, and belongs to the dataset only after the driver has committed its receipt. Files of a driver that
died are orphans: recovery removes them. Survivors of a replaced file and compacted files are written here too.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..schemas.table import Table
from .digest import digests_by_unit

ROW_GROUP_BYTES = 16 << 20
MAX_ROW_GROUP = 122_880
STATS_COLUMNS = ("producer", "unit", "media_id")
"""Text columns whose smallest and largest values a file's statistics hold; all numeric columns are there as well."""


@dataclass(frozen=True)
class DataFile:
    """Receipt of a written file: plain values only, so that it travels through Ray and `dataclasses.asdict`."""

    table: str
    path: str
    """Relative to the table's folder."""
    size: int
    rows: int
    stats: str
    """JSON in the form of Delta's `add.stats`."""
    producer: str
    units: Mapping[str, int] = field(default_factory=dict)
    """Rows per unit."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Row digest per unit; digests of one unit in several files add up (`digest.merge_hex`)."""


def table_dir(root: Path | str, table: str) -> Path:
    """Folder of a table below a dataset root."""
    return Path(root) / "tables" / table


def file_name(producer: str) -> str:
    """A unique file name that shows its producer."""
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', producer).lstrip('._') or 'table'}-{uuid.uuid4().hex}.parquet"


def to_arrow(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as Arrow columns. Raises `ValueError` naming table, column and value when a value has the wrong type."""
    listed = list(rows)
    columns = []
    for column in table.all_columns:
        values = [row.get(column.name) for row in listed]
        try:
            columns.append(pa.array(values, type=column.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise ValueError(
                f"table {table.name}, column {column.name} ({column.type}): {error}; first values {values[:3]!r}"
            ) from error
    return pa.Table.from_arrays(columns, schema=table.schema)


def sort_rows(table: Table, rows: pa.Table) -> pa.Table:
    """Rows by medium, key and row_id: one order for equal content."""
    names = set(rows.column_names)
    wanted = dict.fromkeys(n for n in ("media_id", *table.key, "row_id", "producer", "unit") if n in names)
    keys = [(n, "ascending") for n in wanted if not pa.types.is_nested(rows.schema.field(n).type)]
    return rows.take(pc.sort_indices(rows, sort_keys=keys)) if rows.num_rows > 1 else rows


def write_arrow(root: Path | str, table: Table, producer: str, rows: pa.Table, *, digests: bool = True) -> DataFile:
    """Write sorted rows of one producer (all columns of `table`) as one file."""
    rows = sort_rows(table, rows)
    folder = table_dir(root, table.name)
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name(producer)
    temporary = folder / f".{name}.tmp"
    per_row = max(1, rows.nbytes // max(1, rows.num_rows))
    pq.write_table(
        rows,
        temporary,
        compression="zstd",
        row_group_size=max(1, min(MAX_ROW_GROUP, ROW_GROUP_BYTES // per_row)),
    )
    size = temporary.stat().st_size
    temporary.rename(folder / name)
    with_units = table.annotation and digests
    return DataFile(
        table=table.name,
        path=name,
        size=size,
        rows=rows.num_rows,
        stats=json.dumps(_stats(rows), ensure_ascii=False),
        producer=producer,
        units=_unit_counts(rows) if with_units else {},
        digests=digests_by_unit(table, rows) if with_units else {},
    )


def write_rows(root: Path | str, table: Table, producer: str, rows: list[dict[str, Any]]) -> DataFile:
    """Write complete rows (`Table.complete`) of one producer as one Parquet file below the dataset at `root`.

    The file does not belong to the dataset until its receipt is committed. Raises `ValueError` for no rows, for a row
    of another producer and for values of the wrong type.
    """
    if not rows:
        raise ValueError(f"table {table.name}, producer {producer}: no rows to write")
    if table.annotation and any(row["producer"] != producer or row["unit"] is None for row in rows):
        raise ValueError(f"table {table.name}: a file of {producer} may only hold its own rows, each with its unit")
    return write_arrow(root, table, producer, to_arrow(table, rows))


def survivors(
    root: Path | str, table: Table, path: str, producer: str, column: str, gone: Collection[str]
) -> DataFile | None:
    """Write the rows of a file whose `column` is not in `gone` to a new file; None when no row is left.

    Columns that the file lacks become NULL.
    """
    rows = read_file(table_dir(root, table.name) / path, table)
    kept = rows.filter(pc.invert(pc.is_in(rows.column(column), value_set=pa.array(sorted(gone), pa.string()))))
    return write_arrow(root, table, producer, kept, digests=False) if kept.num_rows else None


def read_file(path: Path | str, table: Table, columns: list[str] | None = None) -> pa.Table:
    """A data file with the columns of `table` as it is today: a column that the file lacks is NULL."""
    names = columns or [c.name for c in table.all_columns]
    with pq.ParquetFile(path) as file:
        have = set(file.schema_arrow.names)
        rows = file.read(columns=[n for n in names if n in have])
    arrays = [
        rows.column(n).cast(table.schema.field(n).type)
        if n in have
        else pa.nulls(rows.num_rows, table.schema.field(n).type)
        for n in names
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema([table.schema.field(n) for n in names]))


def _unit_counts(rows: pa.Table) -> dict[str, int]:
    counts = pc.value_counts(rows.column("unit")).to_pylist()
    return {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: c["values"])}


def _stats(rows: pa.Table) -> dict[str, Any]:
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        nulls[name] = column.null_count
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if not (number or name in STATS_COLUMNS) or column.null_count == len(column):
            continue
        bounds = pc.min_max(column).as_py()
        if number and not all(math.isfinite(v) for v in bounds.values()):
            continue
        low[name], high[name] = bounds["min"], bounds["max"]
    return {"numRecords": rows.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls}
