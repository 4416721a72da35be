"""What a derived SQL view is: a name, what a row means, documented columns, and the query over tables and other views.

Views hold no data: the catalog creates them over the stored tables (DuckDB dialect), and the documentation prints them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view: its meaning and unit, and the SQL expression that it is (empty: a column of that name)."""

    name: str
    doc: str
    unit: str = ""
    sql: str = ""

    @property
    def select(self) -> str:
        """The item of a SELECT list."""
        return f"{self.sql} AS {self.name}" if self.sql else self.name


@dataclass(frozen=True)
class View:
    """A named query. `columns` documents it completely; views for internal use have none."""

    name: str
    doc: str
    columns: tuple[ViewColumn, ...]
    sql: str


def select_list(columns: tuple[ViewColumn, ...]) -> str:
    """The SELECT list of documented columns."""
    return ",\n    ".join(column.select for column in columns)
