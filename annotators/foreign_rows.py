"""Rows that come from outside, from a user's function or a web service, checked strictly against their
table.

A column that the table lacks, a wrong type, a missing key or a number that is not finite is an error that
names it: a service that answers something else must not become annotation. Columns of time may be left
out; they are then those of the picture that was asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ..schemas.table import COMMON
from ..schemas.tables import TABLES
from ..schemas.tables_annotation import ANNOTATION_TABLES
from ..schemas.tables_objects import OBJECT_TABLES

_FINITE = Annotated[float, Field(allow_inf_nan=False)]
_TYPES: tuple[tuple[Any, Any], ...] = (
    (pa.types.is_string, str),
    (pa.types.is_boolean, bool),
    (pa.types.is_integer, int),
    (pa.types.is_floating, _FINITE),
)
_TAKEN = frozenset(c.name for c in COMMON)


class ForeignRowError(ValueError):
    """A row from outside does not fit its table; the message names the place, the column and what is
    wrong.
    """


def writable_tables() -> list[str]:
    """Annotation tables about a time and without bytes: those that outside code may write."""
    return sorted(
        t.name
        for t in (*ANNOTATION_TABLES, *OBJECT_TABLES)
        if {"t_s", "start_s"} & {c.name for c in t.columns} and all(_type(c.type) or _inner(c.type) for c in t.columns)
    )


@cache
def row_model(table: str) -> type[BaseModel]:
    """A strict model of a table's own columns; `row_id`, `producer`, `unit` and `media_id` are the engine's.

    Raises `ValueError` listing the tables when `table` cannot be written from outside.
    """
    if table not in writable_tables():
        raise ValueError(f"rows from outside cannot go to table {table!r}; use one of {', '.join(writable_tables())}")
    spec = TABLES[table]
    fields: dict[str, Any] = {}
    for column in spec.columns:
        kind = _type(column.type)
        if kind is None:
            continue  # what our own annotators note about a row; NULL in those from outside
        needed = column.name in spec.key
        fields[column.name] = (kind if needed else kind | None, Field(... if needed else None, description=column.doc))
    config = ConfigDict(extra="forbid", strict=True, frozen=True)
    return create_model(f"{table.title().replace('_', '')}Row", __config__=config, **fields)


def checked_row(table: str, values: Any, defaults: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A row of `table` from foreign values; `defaults` fill columns that the table has and the row leaves
    out.

    Raises `ForeignRowError` that begins with `where`.
    """
    model = row_model(table)
    if not isinstance(values, Mapping):
        raise ForeignRowError(
            f"{where}: a row must be a dictionary of columns, got {type(values).__name__} {values!r:.80}"
        )
    filled = {k: v for k, v in defaults.items() if k in model.model_fields} | dict(values)
    try:
        return model.model_validate({k: _plain(v) for k, v in filled.items()}).model_dump()
    except ValidationError as error:
        raise ForeignRowError(f"{where}: {_explain(error, table)}") from None


def _plain(value: Any) -> Any:
    """NumPy numbers and arrays as Python's own."""
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value


def _type(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        inner = _type(kind.value_type)
        return list.__class_getitem__(inner) if inner else None
    return next((python for matches, python in _TYPES if matches(kind)), None)


def _inner(kind: pa.DataType) -> bool:
    """Whether a column is a list of records."""
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _explain(error: ValidationError, table: str) -> str:
    parts = []
    for item in error.errors():
        column = ".".join(str(p) for p in item["loc"])
        if item["type"] == "extra_forbidden":
            why = "is filled in by Chronotope" if column in _TAKEN else "is no column"
            names = ", ".join(c.name for c in TABLES[table].columns)
            parts.append(f"{column!r} {why}; the columns of {table} are {names}")
        elif item["type"] == "missing":
            parts.append(f"column {column!r} is missing")
        else:
            parts.append(f"column {column!r}: {item['msg']} (got {item['input']!r:.60})")
    return "; ".join(parts)
