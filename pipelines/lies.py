"""The lie test: plant false answers in a copy of a dataset and see whether `verify` names each of them.

Used by the demo, by tests and by the corruption suite. Lies are written straight into the Parquet files of the copy, past
every check that a build makes, and keep everything else of the row as it was: what a bug or a careless script would do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..engine.files import read_file
from ..engine.store import Store
from ..schemas.ids import seeded_fraction
from ..schemas.tables import TABLES
from . import corruptions as c

Row = dict[str, Any]


@dataclass(frozen=True)
class Lie:
    """A planted lie: what was done to which sample. `was` is the sample's identifier before."""

    kind: str
    task: str
    sample_id: str
    was: str = ""


KINDS: dict[str, c.Kind] = {
    "shifted span": c.shifted_half,
    "swapped option": c.swapped_option,
    "end past the end": c.past_the_end,
    "wrong direction": c.wrong_direction,
    "wrong order": c.wrong_order,
}
"""The five lies of the demo; the whole suite is in `corruptions.py`, `corrupt_evidence.py` and `corrupt_media.py`."""


def copy_dataset(root: Path, copy: Path) -> Path:
    """A copy of a dataset's tables (media and packages are left behind)."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root / "tables", copy / "tables")
    for name in ("media", "packages"):
        (copy / name).mkdir()
    return copy


def rows_by_file(root: Path, table: str) -> dict[str, list[Row]]:
    """All rows of a table, by the file that holds them."""
    return {path: read_file(path, TABLES[table]).to_pylist() for path in Store.open(root).files(table)}


def write_back(table: str, path: str, rows: Sequence[Row]) -> None:
    """Replace the rows of a file, past all checks."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema=TABLES[table].schema), path, compression="zstd")


def edit_table(root: Path, table: str, edit: Callable[[Row], Row | None]) -> int:
    """Pass every row of a table through `edit`; None drops it. The number of rows that changed."""
    changed = 0
    for path, rows in rows_by_file(root, table).items():
        new = [edit(row) for row in rows]
        here = sum(a is not b for a, b in zip(rows, new, strict=True))
        if here:
            write_back(table, path, [row for row in new if row is not None])
        changed += here
    return changed


def surroundings(tables: Mapping[str, Iterable[Row]], root: Path) -> c.Surroundings:
    """What kinds may draw from, from the samples themselves and the words of the dataset."""
    media = sorted({row["media_id"] for rows in tables.values() for row in rows})
    words = {
        str(row["word"]).strip(" .,;:!?")
        for rows in rows_by_file(root, "words").values()
        for row in rows
        if row["word"]
    }
    return c.Surroundings(media, sorted(w for w in words if w.isalpha()))


def plant(root: Path, kinds: Sequence[str] = tuple(KINDS)) -> list[Lie]:
    """Plant one lie of each kind, each in another sample, where there is a sample to lie about."""
    tables = rows_by_file(root, "samples")
    around = surroundings(tables, root)
    planted: list[Lie] = []
    touched: set[str] = set()
    for kind in kinds:
        planted += _plant(tables, kind, {**c.SAMPLE_KINDS, **KINDS}[kind], around, 1, 0, touched)
    for path, rows in tables.items():
        write_back("samples", path, rows)
    return planted


def plant_many(root: Path, kind: str, cases: int, seed: int = 0) -> list[Lie]:
    """Plant lies of one kind of `corruptions.SAMPLE_KINDS` in up to `cases` samples, spread over tasks and media."""
    tables = rows_by_file(root, "samples")
    planted = _plant(tables, kind, c.SAMPLE_KINDS[kind], surroundings(tables, root), cases, seed, set())
    for path, rows in tables.items():
        write_back("samples", path, rows)
    return planted


def _plant(
    tables: Mapping[str, list[Row]],
    kind: str,
    make: c.Kind,
    around: c.Surroundings,
    cases: int,
    seed: int,
    touched: set[str],
) -> list[Lie]:
    """Change rows in place: one lie per sample, in an order that depends on the seed alone."""
    places = [(path, i) for path, rows in sorted(tables.items()) for i in range(len(rows))]

    def order(place: tuple[str, int]) -> tuple[float, str]:
        sample_id = str(tables[place[0]][place[1]]["sample_id"])
        return (seeded_fraction(seed, kind, sample_id) if cases > 1 else 0.0, sample_id)

    planted: list[Lie] = []
    for path, i in sorted(places, key=order):
        if len(planted) == cases:
            break
        row = tables[path][i]
        false = None if row["sample_id"] in touched else make(row, around)
        if false is not None:
            tables[path][i] = false
            touched |= {row["sample_id"], false["sample_id"]}
            planted.append(Lie(kind, row["task"], false["sample_id"], row["sample_id"]))
    return planted
