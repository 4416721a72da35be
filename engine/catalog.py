"""SQL over a dataset: an in-memory DuckDB with one view per table at fixed pins, and the derived views of the house.

Tables are read straight from their Parquet files, so opening costs milliseconds and no copy. The pins are those of the
moment of opening (or of `refresh`): a build that goes on does not change what a catalog sees. Queries cannot write:
only statements that read are let through. A table without rows is an empty view with its full schema.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ..schemas.table import Table
from ..schemas.tables import HEAD, TABLES
from ..schemas.views import VIEWS
from .store import Store

READING = {"SELECT", "EXPLAIN"}
_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "float": "FLOAT",
    "bool": "BOOLEAN",
    "binary": "BLOB",
}


class QueryError(ValueError):
    """A query that DuckDB or the catalog refused; the message says why and lists close names."""


def duck_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type of a table."""
    if pa.types.is_list(kind):
        return f"{duck_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f'"{f.name}" {duck_type(f.type)}' for f in kind) + ")"
    return _TYPES[str(kind)]


class Catalog:
    """A reader's SQL connection. `pins` (from `Store.pins(version)`) fixes an older version.

    `producers` maps producers to the tables that they write; it lets counts in `clip_view` be 0 where a producer found
    nothing anywhere. Producers with rows are known from the files. Use it as a context manager, or `close` it.
    """

    def __init__(
        self,
        store: Store | Path | str,
        pins: Mapping[str, int] | None = None,
        *,
        producers: Mapping[str, Sequence[str]] | None = None,
        threads: int | None = None,
    ) -> None:
        self.store = store if isinstance(store, Store) else Store.open(store)
        self._producers = {name: tuple(tables) for name, tables in (producers or {}).items()}
        self.connection = duckdb.connect(config={"threads": threads} if threads else {})
        """The DuckDB connection, for registering temporary tables; `sql` is the way to query."""
        self.connection.execute("SET parquet_metadata_cache = true")
        self.pins: dict[str, int] = {}
        self.refresh(pins)

    # -- opening ----------------------------------------------------------------------------------------------------

    def refresh(self, pins: Mapping[str, int] | None = None) -> Catalog:
        """Look at the newest version of the dataset, or at `pins`."""
        self.pins = dict(self.store.pins() if pins is None else pins)
        writes = {(p, table) for p, tables in self._producers.items() for table in tables}
        for name in self.store.table_names():
            self._create(name, self._table_sql(TABLES[name]))
            if TABLES[name].annotation:
                writes |= {(f.producer, name) for f in self.store.file_infos(name, self.pins)}
        known = sorted(writes)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE producers AS "
            "SELECT unnest($1::VARCHAR[]) AS producer, unnest($2::VARCHAR[]) AS table_name",
            [[p for p, _ in known], [t for _, t in known]],
        )
        for view in VIEWS.values():
            self._create(view.name, view.sql)
        return self

    def _create(self, name: str, sql: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS {sql}")

    def _table_sql(self, table: Table) -> str:
        infos = self.store.file_infos(table.name, self.pins)
        missing = frozenset.intersection(*(f.missing for f in infos)) if infos else None
        items = ", ".join(
            f"NULL::{duck_type(c.type)} AS {c.name}" if missing is None or c.name in missing else c.name
            for c in table.all_columns
        )
        if missing is None:
            return f"SELECT {items} WHERE false"
        folder = self.store.table_dir(table.name).absolute()
        paths = ", ".join(_quoted(str(folder / f.path)) for f in infos)
        by_name = ", union_by_name=true" if any(f.missing for f in infos) else ""
        return f"SELECT {items} FROM read_parquet([{paths}]{by_name})"

    def embedding_view(self, model: str) -> str:
        """Create (or renew) a view of the rows of `embeddings` of one model with a fixed-size vector; its name.

        Its column `vector` is `FLOAT[dimension]`, as DuckDB's `array_cosine_similarity` wants it. Raises `QueryError`
        when the model has no rows.
        """
        found = self.rows("SELECT model, min(dimension) AS d FROM embeddings GROUP BY model ORDER BY model")
        sizes = {row["model"]: row["d"] for row in found}
        if model not in sizes:
            raise QueryError(f"no embeddings of model '{model}'; there are: {', '.join(sizes) or 'none at all'}")
        name = "embeddings_" + re.sub(r"\W+", "_", model).strip("_").lower()
        self._create(
            name,
            f"SELECT * REPLACE (CAST(vector AS FLOAT[{sizes[model]}]) AS vector) FROM embeddings "
            f"WHERE model = {_quoted(model)}",
        )
        return name

    # -- asking -----------------------------------------------------------------------------------------------------

    def sql(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """The result of a query that reads, as a DuckDB relation (`.df()`, `.fetchall()`, `.show()`).

        Raises `QueryError` for statements that write and for whatever DuckDB refuses.
        """
        try:
            statements = self.connection.extract_statements(query)
            kinds = [s.type.name for s in statements]
            if len(kinds) != 1 or kinds[0] not in READING:
                raise QueryError(f"one statement that reads is wanted, not {', '.join(kinds) or 'nothing'}")
            relation = self.connection.sql(query, params=params) if params else self.connection.sql(query)
            if relation is None:
                raise QueryError("the query gives no rows")
            return relation
        except duckdb.Error as error:
            raise QueryError(self._explained(error)) from error

    def rows(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The result as dictionaries; maps are dictionaries too."""
        relation = self.sql(query, params)
        try:
            names, values = relation.columns, relation.fetchall()
        except duckdb.Error as error:
            raise QueryError(self._explained(error)) from error
        return [dict(zip(names, row, strict=True)) for row in values]

    def arrow(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> pa.Table:
        """The result as an Arrow table."""
        try:
            return self.sql(query, params).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(self._explained(error)) from error

    def columns(self, name: str) -> list[str]:
        """Column names of a table or view."""
        return [row["column_name"] for row in self.rows(f"DESCRIBE SELECT * FROM {name}")]

    def _explained(self, error: duckdb.Error) -> str:
        """DuckDB's message, with close names of tables, views and columns."""
        text = str(error)
        asked = re.search(r'(?:column|Table with name|field) "?([A-Za-z_]\w*)"?', text)
        if not asked or not isinstance(error, (duckdb.CatalogException, duckdb.BinderException)):
            return text
        tables = {n: [c.name for c in t.all_columns] for n, t in TABLES.items() if n != HEAD.name}
        views = {n: [c.name for c in v.columns] for n, v in VIEWS.items() if v.columns}
        shown = {**tables, **views}
        where: dict[str, list[str]] = {}
        for owner, names in shown.items():
            for name in names:
                where.setdefault(name, []).append(owner)
        hints = [n for n in difflib.get_close_matches(asked[1], shown, 3)]
        hints += [f"{n} (in {', '.join(where[n][:3])})" for n in difflib.get_close_matches(asked[1], where, 4)]
        return f"{text}\nClose names: {'; '.join(hints)}" if hints else text

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def empty_catalog() -> duckdb.DuckDBPyConnection:
    """A connection with every table and view, all without rows: for trying queries before there is a dataset."""
    connection = duckdb.connect()
    for table in TABLES.values():
        if table.name != HEAD.name:
            items = ", ".join(f"NULL::{duck_type(c.type)} AS {c.name}" for c in table.all_columns)
            connection.execute(f"CREATE VIEW {table.name} AS SELECT {items} WHERE false")
    connection.execute("CREATE TABLE producers (producer VARCHAR, table_name VARCHAR)")
    for view in VIEWS.values():
        connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
    return connection


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
