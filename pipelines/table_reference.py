"""The table reference, printed from the schemas: what `docs/tables.md` shows.

Every table and every documented view of a dataset, with the type, unit and meaning of each column. Views that only serve
other views are left out: they may change with any version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..schemas.table import COMMON, Table
from ..schemas.tables import LEDGER, RUNS, TABLES
from ..schemas.tables_annotation import ANNOTATION_TABLES
from ..schemas.tables_chains import CHAIN_TABLES
from ..schemas.tables_detections import DETECTION_TABLES
from ..schemas.tables_marks import MARK_TABLES
from ..schemas.tables_memory_features import FEATURE_TABLES
from ..schemas.tables_models import MODEL_TABLES
from ..schemas.tables_objects import OBJECT_TABLES
from ..schemas.tables_places import PLACE_TABLES
from ..schemas.tables_sample import SAMPLE_TABLES
from ..schemas.tables_signals import SIGNAL_TABLES
from ..schemas.tables_source import SOURCE_TABLES
from ..schemas.tables_spatial import SPATIAL_TABLES
from ..schemas.tables_tags import TAG_TABLES
from ..schemas.tables_temporal import TEMPORAL_TABLES
from ..schemas.tables_trust import TRUST_TABLES
from ..schemas.view import View
from ..schemas.views import VIEWS

GROUPS: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    ("Footage", "Where bytes lie, what they contain, and which clips of them are looked at.", SOURCE_TABLES),
    ("Annotations", "What annotators found, by time on the presentation clock of the medium.", ANNOTATION_TABLES),
    (
        "Time",
        "What happens when: grounded events and proposals, sounds, questions that came with the footage, plans of what is shown.",
        TEMPORAL_TABLES,
    ),
    (
        "Objects",
        "Things in the picture over time, their places, how they stand to each other, and how they were found.",
        (*OBJECT_TABLES, *DETECTION_TABLES),
    ),
    (
        "Space",
        "Cameras, depth, points and boxes in one world frame per scene, and how real its metres are.",
        (*SPATIAL_TABLES, *FEATURE_TABLES, *PLACE_TABLES, *MARK_TABLES),
    ),
    ("Selection and samples", "Why clips were kept, what was made of them, and how true it is.", SAMPLE_TABLES),
    (
        "Trust",
        "What was found out about samples afterwards: second methods, people, baselines, trainers, benchmarks.",
        TRUST_TABLES,
    ),
    ("Reasoning", "How samples were answered step by step, and what rules say of such steps.", CHAIN_TABLES),
    ("Language models", "What models were asked, what they proposed, and what became of it.", MODEL_TABLES),
    ("Labels", "What kind of footage it is.", TAG_TABLES),
    ("Signals", "Where footage was taken, where somebody looked, how alike narrations are.", SIGNAL_TABLES),
    ("Records", "What was done, by which run, and which versions belong together.", (LEDGER, RUNS, TABLES["head"])),
)
"""All tables, in the order in which a person meets them."""

INTRODUCTION = """# Tables and views

Printed from the schemas by `python -m chronotope.pipelines.table_reference`; do not edit by hand (`make docs` prints it).

A dataset is a folder of [Delta Lake](https://delta.io) tables. `chronotope sql "..."` sees each table as a view of the
same name, in the [SQL of DuckDB](https://duckdb.org/docs/stable/sql/introduction), and adds the derived views at the end of this page.
Start with [`clip_view`](#clip_view): one row per clip with everything that is known about it. The rules of a recipe's
`select:` section are conditions on it.

- Times are seconds on the presentation clock of the medium: its first presented frame is 0. Spans are half-open.
- Places are shares of the picture (0..1), origin top left, after rotation.
- NULL means that nobody measured it; 0 means that somebody looked and found nothing.
- *volatile* columns (clock times, run names) may differ between two builds of the same input; all others may not.
"""


def table_reference() -> str:
    """The text of `docs/tables.md`."""
    documented = [view for view in VIEWS.values() if view.columns]
    parts = [INTRODUCTION, "## Contents", ""]
    for title, _, tables in GROUPS:
        parts.append(f"- {title}: {_links(t.name for t in tables)}")
    parts += [
        f"- Views: {_links(v.name for v in reversed(documented))}",
        "",
        "## Columns of every annotation table",
        "",
    ]
    parts += ["These come first in each table that is marked *annotation*.", ""]
    parts += [_columns((c.name, str(c.type), c.unit, c.doc) for c in COMMON)]
    for title, about, tables in GROUPS:
        parts += [f"## {title}", "", about, ""]
        parts += [_table(table) for table in tables]
    parts += ["## Views", "", "Queries with a name: they hold no data and are always up to date.", ""]
    parts += [_view(view) for view in reversed(documented)]
    return "\n".join(parts).rstrip() + "\n"


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[`{name}`](#{name})" for name in names)


def _table(table: Table) -> str:
    kind = " *Annotation.*" if table.annotation else ""
    key = ", ".join(f"`{name}`" for name in table.key)
    identified = f"One row per {key}" + (" and producer." if table.annotation else ".")
    rows = (
        (c.name, str(c.type), c.unit, f"{c.doc} (*volatile*)" if c.volatile else c.doc)
        for c in table.columns
    )  # fmt: skip
    return f"### `{table.name}`\n\n{table.doc}{kind} {identified}\n\n{_columns(rows)}"


def _view(view: View) -> str:
    header = "| column | unit | meaning |\n|---|---|---|\n"
    lines = [f"| `{c.name}` | {_cell(c.unit)} | {_cell(c.doc)} |" for c in view.columns]
    return f"### `{view.name}`\n\n{view.doc}\n\n{header}" + "\n".join(lines) + "\n"


def _columns(rows: Iterable[Sequence[str]]) -> str:
    header = "| column | type | unit | meaning |\n|---|---|---|---|\n"
    lines = [f"| `{name}` | {_cell(_short(kind))} | {_cell(unit)} | {_cell(doc)} |" for name, kind, unit, doc in rows]
    return header + "\n".join(lines) + "\n"


def _short(kind: str) -> str:
    """An Arrow type as people read it: `list<element: double>` is a list of double."""
    return kind.replace("element: ", "").replace("item: ", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    import sys

    sys.stdout.write(table_reference())
