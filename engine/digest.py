"""Digests of rows that do not depend on their order: the sum, modulo 2**256, of one BLAKE2b hash per row.

Sums add up, so partial digests of a unit's rows (from several files, tables or workers) merge into one, and a table's
digest is the sum over its files. A row's hash covers its stable columns (`Table.stable_columns`, so with `row_id`,
`producer` and `unit`, without volatile ones), each non-NULL cell tagged by the name of its column: a column that was
added later and is NULL leaves old digests as they are. Floats enter with their eight bytes (NaN and zero normalised),
so digests tell bit-identical rows, not similar ones. The empty set has the digest of 64 zeros.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from ..schemas.table import Table

MODULUS = 1 << 256
_BATCH = 8192


def _value(value: Any) -> bytes:
    """Unambiguous bytes of a nested value: a kind byte, then a length or a fixed number of bytes."""
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"f" + struct.pack("<d", float("nan") if value != value else value + 0.0)
    if isinstance(value, str):
        text = value.encode()
        return b"s" + struct.pack("<I", len(text)) + text
    if isinstance(value, bytes):
        return b"y" + struct.pack("<I", len(value)) + value
    if isinstance(value, Mapping):
        return b"m" + struct.pack("<I", len(value)) + b"".join(_value(k) + _value(v) for k, v in value.items())
    items = [_value(v) for v in value]
    return b"l" + struct.pack("<I", len(items)) + b"".join(items)


def _fixed(column: pa.Array, tag: bytes) -> list[bytes]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        values = values.astype("<f8") + 0.0
        values[np.isnan(values)] = np.nan
    else:
        values = values.astype("<i8")
    cells = np.empty((len(values), len(tag) + 8), dtype=np.uint8)
    cells[:, : len(tag)] = np.frombuffer(tag, np.uint8)
    cells[:, len(tag) :] = values.view(np.uint8).reshape(-1, 8)
    return cells.view(f"V{cells.shape[1]}").ravel().tolist()


def _lists(column: pa.Array, tag: bytes) -> list[bytes]:
    values = column.values.to_numpy(zero_copy_only=False)
    raw, size = np.ascontiguousarray(values).tobytes(), values.dtype.itemsize
    offsets = column.offsets.to_pylist()
    pack = struct.Struct("<I").pack
    return [tag + pack(b - a) + raw[a * size : b * size] for a, b in pairwise(offsets)]


def _cells(column: pa.Array, name: str) -> list[bytes]:
    """One byte string per row: the tag of the column and the value; nothing where it is NULL."""
    kind = column.type
    tag = hashlib.blake2b(name.encode(), digest_size=4).digest()
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        cells = _fixed(column, tag)
    elif pa.types.is_list(kind) and pa.types.is_primitive(kind.value_type) and not column.values.null_count:
        cells = _lists(column, tag)
    else:
        return [b"" if v is None else tag + _value(v) for v in column.to_pylist()]
    if column.null_count:
        for i in np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)):
            cells[i] = b""
    return cells


def row_hashes(table: Table, rows: pa.Table) -> list[int]:
    """One 256-bit integer per row."""
    have = set(rows.column_names)
    names = [name for name in table.stable_columns if name in have]
    key = hashlib.blake2b(table.name.encode(), digest_size=32).digest()
    blake, integer = hashlib.blake2b, int.from_bytes
    hashes: list[int] = []
    for start in range(0, rows.num_rows, _BATCH):
        part = rows.slice(start, _BATCH)
        columns = [_cells(part.column(n).combine_chunks(), n) for n in names]
        hashes += [
            integer(blake(b"".join(cells), digest_size=32, key=key).digest(), "little")
            for cells in zip(*columns, strict=True)
        ]
    return hashes


class RowDigest:
    """The running digest of some rows of one table. Digests of different tables may be merged as well."""

    def __init__(self, table: Table, value: int = 0) -> None:
        self.table = table
        self.value = value

    def add(self, rows: Iterable[Mapping[str, Any]] | pa.Table) -> RowDigest:
        """Add complete rows (dictionaries, or an Arrow table, which is quicker)."""
        if not isinstance(rows, pa.Table):
            rows = pa.Table.from_pylist([dict(r) for r in rows], schema=self.table.schema)
        self.value = (self.value + sum(row_hashes(self.table, rows))) % MODULUS
        return self

    def merge(self, other: RowDigest | str) -> RowDigest:
        """Add the rows behind another digest (or its hexadecimal form)."""
        other_value = int(other, 16) if isinstance(other, str) else other.value
        self.value = (self.value + other_value) % MODULUS
        return self

    def hex(self) -> str:
        """64 hexadecimal digits."""
        return f"{self.value:064x}"


def merge_hex(digests: Iterable[str]) -> str:
    """The digest of all rows behind several digests; zeros for none."""
    return f"{sum(int(d, 16) for d in digests) % MODULUS:064x}"


def digests_by_unit(table: Table, rows: pa.Table) -> dict[str, str]:
    """The digest of each unit's rows among `rows`."""
    sums: dict[str, int] = {}
    for unit, value in zip(rows.column("unit").to_pylist(), row_hashes(table, rows), strict=True):
        sums[unit] = sums.get(unit, 0) + value
    return {unit: f"{value % MODULUS:064x}" for unit, value in sorted(sums.items())}
