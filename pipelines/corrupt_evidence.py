"""Corruptions of evidence: rows that are edited or gone, and rows that are false together with the samples made from them.

The first kind leaves samples as they are; `verify` compares what they cite with what is stored. In the second the tasks
themselves write the samples again from false rows, as they would from a stale cache or a bad model: everything agrees, and
only a look at the media can tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..engine.annotator import Rows, SkipUnit, Unit
from ..engine.bundle import read_inputs
from ..engine.catalog import Catalog
from ..engine.media_index import medium_of
from ..engine.producer import ProducerSpec
from ..engine.task import Task
from ..schemas.ids import seeded_fraction
from ..schemas.tables import TABLES
from .lies import Lie, Row, edit_table, rows_by_file, write_back
from .run_record import latest_runs, of_annotator

_CITED = ("words", "speech", "text_regions", "signals", "pixel_stats")


def edited_row(row: Row) -> Row:
    """An evidence row with another value: a later start, another direction, other labels."""
    for name in ("start_s", "t_s"):
        if isinstance(row.get(name), float):
            return {**row, name: row[name] + 0.5}
    return {**row, "row_id": row["row_id"]}


def gone_row(row: Row) -> Row | None:
    """No row."""
    return None


ROW_KINDS: dict[str, Callable[[Row], Row | None]] = {
    "evidence row edited": edited_row,
    "evidence row deleted": gone_row,
}
"""One row that a sample cites is changed in its table."""


def plant_rows(root: Path, kind: str, cases: int, seed: int = 0) -> list[Lie]:
    """Change one cited row of each of up to `cases` samples. Other samples that cite it are victims too, and listed."""
    samples = [row for rows in rows_by_file(root, "samples").values() for row in rows]
    samples.sort(key=lambda r: (seeded_fraction(seed, kind, r["sample_id"]), r["sample_id"]))
    wanted: dict[str, set[str]] = {}
    for row in samples[:cases]:
        cited = [e for e in row["evidence"] if e["source_table"] in _CITED]
        if cited:
            pick = cited[len(cited) // 2]
            wanted.setdefault(pick["source_table"], set()).add(pick["row_id"])
    for table, ids in wanted.items():
        edit_table(root, table, lambda row, ids=ids: ROW_KINDS[kind](row) if row["row_id"] in ids else row)  # type: ignore[misc]
    touched = {(table, i) for table, ids in wanted.items() for i in ids}
    return [
        Lie(kind, r["task"], r["sample_id"], r["sample_id"])
        for r in samples
        if any((e["source_table"], e["row_id"]) in touched for e in r["evidence"])
    ]


# -- false together ------------------------------------------------------------------------------------------------------


def stale_times(table: str, row: Row) -> Row:
    """Everything that is said or read a second later than it is."""
    return {**row, "start_s": row["start_s"] + 1.0, "end_s": row["end_s"] + 1.0}


def other_words(table: str, row: Row) -> Row:
    """Every second word, wherever it stands, is another one."""
    name = "word" if table == "words" else "text"
    return {**row, name: re.sub(r"[A-Za-z]{3,}", _other_word, str(row[name]))}


_WORDS = (
    "window",
    "purple",
    "seven",
    "garden",
    "morning",
    "silver",
    "bottle",
    "quickly",
    "river",
    "basket",
    "thirteen",
)


def _other_word(found: re.Match[str]) -> str:
    word = found[0]
    if seeded_fraction("other word?", word.lower()) < 0.5:
        return word
    other = _WORDS[int(seeded_fraction("other word", word.lower()) * len(_WORDS))]
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other


def mirrored_motion(table: str, row: Row) -> Row:
    """All motion with its sign turned."""
    turned = {
        n: None if row[n] is None else -row[n] for n in ("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy")
    }
    return {**row, **turned}


def turned_labels(table: str, row: Row) -> Row:
    """Places of pixel statistics at the opposite side of the picture, colours inverted."""
    motion, looks = list(row["motion"]), list(row["appearance"])
    for i in (0, 2):
        motion[i] = 17 - motion[i] if motion[i] else 0
    for i in (4, 6):
        motion[i] = 5 - motion[i] if motion[i] else 0
    looks[0], looks[12] = 17 - looks[0], 9 - looks[12]
    return {**row, "motion": motion, "appearance": looks}


@dataclass(frozen=True)
class Together:
    """A kind whose false rows are believed by the tasks that read them."""

    tables: tuple[str, ...]
    tasks: tuple[str, ...]
    change: Callable[[str, Row], Row]
    stays_true: tuple[str, ...] = ("absent",)
    """Kinds of answers that are true all the same: what is never said is not said a second later either."""


TOGETHER_KINDS: dict[str, Together] = {
    "stale times, evidence and answer": Together(
        ("words", "speech", "text_regions"),
        ("speech_grounding", "text_grounding", "span_choice"),
        stale_times,
        ("absent", "box"),
    ),
    "misrecognised, evidence and question": Together(
        ("words", "speech", "text_regions"),
        ("speech_grounding", "text_grounding", "moment_choice", "transcript_sorting"),
        other_words,
    ),
    "motion turned, evidence and answer": Together(
        ("signals",), ("camera_motion", "motion_direction"), mirrored_motion
    ),
    "statistics turned, evidence and answer": Together(("pixel_stats",), ("motion_statistics",), turned_labels),
}
"""Kinds that plain `verify` cannot catch: evidence and samples agree."""


def plant_together(root: Path, kind: str, cases: int, seed: int = 0) -> list[Lie]:
    """Falsify rows of the dataset and let the tasks write samples from them, which replace all samples: up to `cases`."""
    what = TOGETHER_KINDS[kind]
    for table in what.tables:
        edit_table(root, table, lambda row, table=table: what.change(table, row))  # type: ignore[misc]
    files = rows_by_file(root, "samples")
    before = {row["sample_id"] for rows in files.values() for row in rows}
    with Catalog(root) as catalog:
        made = [row for run in latest_runs(catalog) for row in _written(catalog, run, what)]
    false = {
        r["sample_id"]: r for r in made if r["sample_id"] not in before and r["answer_kind"] not in what.stays_true
    }
    chosen = sorted(false, key=lambda i: (seeded_fraction(seed, kind, i), i))[:cases]
    first, *rest = sorted(files)
    write_back("samples", first, [false[i] for i in chosen])
    for path in rest:
        write_back("samples", path, [])
    return [Lie(kind, false[i]["task"], i) for i in chosen]


def _written(catalog: Catalog, run: Mapping[str, Any], what: Together) -> list[Row]:
    """Samples that the run's tasks write now."""
    settings = json.loads(run["producers_json"])
    tasks: dict[str, Any] = (of_annotator(settings, "verdicts") or {}).get("params", {}).get("tasks", {})
    made: list[Row] = []
    for name, s in sorted(tasks.items()):
        if s["annotator"] not in what.tasks:
            continue
        task = cast(Task[Any], ProducerSpec(name, s["annotator"], s["params"], folder=s["folder"]).build())
        inputs: Mapping[str, Sequence[str]] = settings[name]["inputs"]
        units = catalog.rows("SELECT DISTINCT unit FROM samples WHERE producer = ? ORDER BY unit", [name])
        for unit in (u["unit"] for u in units):
            made += _of_unit(catalog, task, name, inputs, unit, run["recipe"], int(settings[name].get("seed") or 0))
    return made


def _of_unit(
    catalog: Catalog, task: Task[Any], name: str, inputs: Mapping[str, Sequence[str]], unit: str, recipe: str, seed: int
) -> list[Row]:
    tables = {table: read_inputs(catalog, table, producers, [unit]) for table, producers in inputs.items()}
    facts = next((r for r in tables.get("media", ()) if r["media_id"] == unit), None)
    medium = medium_of(unit, "", facts)
    try:
        rows = list(task.annotate(Unit(unit, "medium", medium, recipe, seed), Rows(tables)))
    except SkipUnit:
        return []
    return [TABLES[table].complete(row, name, unit, row["media_id"]) for table, row in rows if table == "samples"]
