"""What a table of a dataset is: named columns with types, units and sources, declared keys, and a version.

Every table of the house is one `Table` value; the store creates Delta tables from it, `docs/tables.md` is printed from
it, and `row_id` is derived from its key. Delta Lake has no unsigned integers, float16 or fixed-size lists, so none
appear here, and no column name is an SQL keyword (a test selects each column of each table unquoted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from .ids import derive_id


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, what it means, its unit, and whether it may differ between equal builds."""

    name: str
    type: pa.DataType
    doc: str
    unit: str = ""
    volatile: bool = False


@dataclass(frozen=True)
class Table:
    """One table. `key` names the columns that, with the producer, identify a row."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: int = 1
    annotation: bool = True
    """Annotation tables carry `row_id`, `producer`, `unit` and `media_id`, and are replaced by (producer, unit)."""
    _by_name: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name.update({c.name: c for c in self.all_columns})

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Common columns first, then the table's own."""
        return (COMMON if self.annotation else ()) + self.columns

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the stored files."""
        return pa.schema([pa.field(c.name, c.type) for c in self.all_columns])

    @property
    def stable_columns(self) -> list[str]:
        """Columns that equal builds must agree on, sorted by name; digests cover exactly these."""
        return sorted(c.name for c in self.all_columns if not c.volatile)

    def row_id(self, producer: str, row: Mapping[str, Any]) -> str:
        """Identifier of a row: a hash of table, producer and key columns (times as integer microseconds)."""
        return derive_id(self.name, producer, *[row.get(name) for name in self.key])

    def complete(self, row: Mapping[str, Any], producer: str, unit: str, media_id: str | None) -> dict[str, Any]:
        """A full stored row from an annotator's values.

        Raises `ValueError` naming the table and the columns when the row has columns that the table lacks or no key.
        """
        unknown = set(row) - set(self._by_name)
        if unknown:
            known = ", ".join(c.name for c in self.columns)
            raise ValueError(f"table {self.name} has no column {', '.join(sorted(unknown))}; its columns are {known}")
        full: dict[str, Any] = {c.name: None for c in self.all_columns}
        full.update(row)
        full["producer"], full["unit"] = producer, unit
        full["media_id"] = row.get("media_id", media_id)
        missing = [k for k in self.key if full.get(k) is None]
        if missing:
            raise ValueError(f"a row for table {self.name} by {producer} lacks its key column {', '.join(missing)}")
        full["row_id"] = self.row_id(producer, full)
        return full


COMMON: tuple[Column, ...] = (
    Column("row_id", pa.string(), "hash of table, producer and key columns"),
    Column("producer", pa.string(), "the configured annotator (its name in the recipe) that wrote the row"),
    Column("unit", pa.string(), "the ledger unit that the row belongs to"),
    Column("media_id", pa.string(), "the medium that the row is about (hash of its content)"),
)
