"""Every table and view can be written, read and queried column by column, without quoting a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.tables import HEAD, LEDGER, RUNS, TABLES
from chronotope.schemas.views import VIEWS

READABLE = [name for name in TABLES if name != HEAD.name]


def value(kind: pa.DataType, name: str) -> Any:
    if pa.types.is_list(kind):
        return [value(kind.value_type, name)] * 2
    if pa.types.is_struct(kind):
        return {f.name: value(f.type, f.name) for f in kind}
    if pa.types.is_boolean(kind):
        return True
    if pa.types.is_integer(kind):
        return -7
    if pa.types.is_floating(kind):
        return 0.5
    if pa.types.is_binary(kind):
        return b"\x00\xff"
    return '{"a": 1}' if name.endswith("_json") else f"{name} 'ä'"


def sample_row(name: str) -> dict[str, Any]:
    table = TABLES[name]
    row = {c.name: value(c.type, c.name) for c in table.columns}
    return table.complete(row, "maker", "unit 1", "m1") if table.annotation else row


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    root: Path = tmp_path_factory.mktemp("a root") / "with ' quote"
    store = Store.create(root)
    files = [write_rows(root, TABLES[n], "maker", [sample_row(n)]) for n in READABLE if TABLES[n].annotation]
    ledger = sample_row(LEDGER.name) | {"producer": "maker", "unit": "unit 1", "row_count": len(files)}
    with RootLock(root, "test") as lock:
        store.begin(lock).commit(files, ledger_rows=[ledger], runs_rows=[sample_row(RUNS.name)])
    with Catalog(store) as opened:
        yield opened


@pytest.mark.parametrize("name", READABLE)
def test_each_column_of_a_table_comes_back_unquoted(catalog: Catalog, name: str) -> None:
    expected = sample_row(name)
    for column in TABLES[name].all_columns:
        found = catalog.rows(f"SELECT {column.name} FROM {name}")
        if name != LEDGER.name:
            assert found == [{column.name: expected[column.name]}]
        else:
            assert len(found) == 1


@pytest.mark.parametrize("name", [v.name for v in VIEWS.values() if v.columns])
def test_a_view_has_exactly_its_documented_columns(catalog: Catalog, name: str) -> None:
    assert catalog.columns(name) == [c.name for c in VIEWS[name].columns]
    assert all(c.doc for c in VIEWS[name].columns)
    for column in VIEWS[name].columns:
        catalog.rows(f"SELECT {column.name} FROM {name}")


@pytest.mark.parametrize("name", READABLE)
def test_a_table_without_rows_has_its_full_schema(tmp_path: Path, name: str, catalog: Catalog) -> None:
    with Catalog(Store.create(tmp_path)) as empty:
        types = "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})"
        assert empty.rows(f"SELECT * FROM {name}") == []
        assert empty.rows(types.format(name)) == catalog.rows(types.format(name))
