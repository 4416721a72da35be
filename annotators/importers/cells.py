"""Cells of a foreign table in the types of our columns: numbers and lists from text, boxes from corners or from corner and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from .reading import number

Columns = dict[str, str]
"""Their column by our name."""


def said_of(row: Mapping[str, Any], columns: Columns, name: str) -> Any:
    value = row.get(columns[name]) if name in columns else None
    return None if value == "" else value


def box_of(row: Mapping[str, Any], columns: Columns, size: tuple[float, float] | None) -> list[float] | None:
    """x1, y1, x2, y2 as shares, from corners, from corner and size, or from a list of corners."""
    corners = [number(said_of(row, columns, k)) for k in ("x1", "y1", "x2", "y2")]
    placed = [number(said_of(row, columns, k)) for k in ("x", "y", "w", "h")]
    listed = typed(said_of(row, columns, "box"), pa.list_(pa.float64())) if "box" in columns else None
    if None not in placed:
        x, y, w, h = (float(p or 0.0) for p in placed)
        corners = [x, y, x + w, y + h]
    elif isinstance(listed, list) and len(listed) == 4:
        corners = listed
    if None in corners:
        return None
    sides = (*size, *size) if size else (1.0,) * 4
    return [float(c or 0.0) / side for c, side in zip(corners, sides, strict=True)]


def typed(value: Any, kind: pa.DataType) -> Any:
    """A value in the type of our column; None when it cannot be."""
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if pa.types.is_floating(kind):
        return number(value)
    if pa.types.is_boolean(kind):
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if pa.types.is_integer(kind):
        found = number(value)
        return int(found) if found is not None and found == int(found) else None
    if pa.types.is_list(kind):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                value = [part.strip() for part in value.split("|")]
        found_list = [typed(v, kind.value_type) for v in value] if isinstance(value, list) else [None]
        return None if None in found_list else found_list
    return None
