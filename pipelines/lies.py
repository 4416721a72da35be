"""The lie test: plant false answers in a copy of a dataset and see whether `verify` names each of them.

Used by the demo and by tests. Lies are written straight into the Parquet files of the copy, past every check that a
build makes, and keep everything else of the row as it was: what a bug or a careless script would do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..engine.store import Store
from ..schemas.sample import Sample
from ..schemas.tables import TABLES

Row = dict[str, Any]


@dataclass(frozen=True)
class Lie:
    """A planted lie: what was done to which sample."""

    kind: str
    task: str
    sample_id: str


def copy_dataset(root: Path, copy: Path) -> Path:
    """A copy of a dataset's tables (media and packages are left behind)."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root / "tables", copy / "tables")
    for name in ("media", "packages"):
        (copy / name).mkdir()
    return copy


def _answer(row: Row, **values: Any) -> Row:
    return {**row, "answer_json": json.dumps({**json.loads(row["answer_json"]), **values})}


def shifted_span(row: Row) -> Row | None:
    """The answer span (and the text that says it) half a second later."""
    if row["answer_kind"] != "span":
        return None
    answer = json.loads(row["answer_json"])
    late = {k: answer[k] + 0.5 for k in ("start_s", "end_s")}
    return None if late["end_s"] > row["window_end_s"] else renamed(_answer(row, **late))


def swapped_option(row: Row) -> Row | None:
    """Another option is called right."""
    if row["answer_kind"] != "choice":
        return None
    index = json.loads(row["answer_json"])["index"]
    return renamed(_answer(row, index=(index + 1) % len(row["options"])))


def past_the_end(row: Row) -> Row | None:
    """The answer span ends after the window."""
    if row["answer_kind"] != "span":
        return None
    return renamed(_answer(row, end_s=row["window_end_s"] + 3.0))


def wrong_direction(row: Row) -> Row | None:
    """Left for right, up for down."""
    if row["task"] not in ("motion_direction", "camera_motion"):
        return None
    texts = [o["text"] for o in row["options"]]
    index = json.loads(row["answer_json"])["index"]
    for one, other in (("left", "right"), ("up", "down")):
        for a, b in ((one, other), (other, one)):
            twin = texts[index].replace(a, b)
            if twin != texts[index] and twin in texts:
                return renamed(_answer(row, index=texts.index(twin)))
    return None


def wrong_order(row: Row) -> Row | None:
    """Two items change places."""
    if row["answer_kind"] != "order":
        return None
    order = json.loads(row["answer_json"])["order"]
    return renamed(_answer(row, order=[order[1], order[0], *order[2:]]))


KINDS: dict[str, Callable[[Row], Row | None]] = {
    "shifted span": shifted_span,
    "swapped option": swapped_option,
    "end past the end": past_the_end,
    "wrong direction": wrong_direction,
    "wrong order": wrong_order,
}


def renamed(row: Row) -> Row:
    """The row under the identifier that its new content has, so that the identifier does not give it away."""
    try:
        return {**row, "sample_id": Sample.from_row(row).sample_id}
    except ValueError:
        return row


def plant(root: Path, kinds: Sequence[str] = tuple(KINDS)) -> list[Lie]:
    """Plant one lie of each kind, each in another sample, where there is a sample to lie about."""
    store = Store.open(root)
    planted: list[Lie] = []
    touched: set[str] = set()
    tables = {path: pq.read_table(path).to_pylist() for path in store.files("samples")}
    for kind in kinds:
        candidates = [(path, i) for path, rows in sorted(tables.items()) for i in range(len(rows))]
        for path, i in sorted(candidates, key=lambda c: str(tables[c[0]][c[1]]["sample_id"])):
            row = tables[path][i]
            false = None if row["sample_id"] in touched else KINDS[kind](row)
            if false is not None:
                tables[path][i] = false
                touched |= {row["sample_id"], false["sample_id"]}
                planted.append(Lie(kind, row["task"], false["sample_id"]))
                break
    for path, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows, schema=TABLES["samples"].schema), path, compression="zstd")
    return planted
