"""What a benchmark is registered from: files of identifiers and questions, folders of videos, sketches of somebody else.

Everything becomes rows of table `benchmarks` without its name. Files are plain text (one entry a line, `#` begins a
comment) or CSV, TSV, JSON, JSONL or Parquet, whose column is told or recognised by its name. Questions are stored as
hashes of their 8-grams, videos as sketches, so that what is passed on holds neither footage nor question texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from ..annotators.vision.sketches import VARIANTS, sketch_video
from ..annotators.vision.vector_sketches import VectorSketcher
from ..engine.contamination.ids import clean_id
from ..engine.contamination.index import Sketch, packed
from ..engine.contamination.questions import GRAM, grams
from ..engine.media.container import MediaError
from ..engine.media.fetch import VIDEO_SUFFIXES
from ..engine.producer import RecipeError
from ..schemas.tables import TABLES
from .console import UsageError
from .places import manifest_rows

Row = dict[str, Any]
ID_COLUMNS = (
    *("youtube_id", "yt_id", "ytid", "video_id", "videoid", "vid", "scan_id", "scene_id", "scene_name", "visit_id"),
    *("video", "video_name", "video_path", "file", "file_name", "filename", "path", "url", "uri", "id", "clip_id"),
)
QUESTION_COLUMNS = ("question", "query", "prompt", "problem", "instruction")
NUMBER_COLUMNS = ("question_id", "qid", "uid", "id")
"""Columns that name a question."""
FORMAT = b"chronotope.benchmark"


@dataclass
class Inputs:
    """Rows to register, and what could not be."""

    rows: list[Row] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """What was read from which column: {"ids": "video_id"}."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Videos that could not be sketched: (file, why)."""
    too_short: int = 0
    """Questions of fewer than eight words, which are not registered."""


def read_ids(file: Path, column: str | None) -> Inputs:
    """One row per identifier of a file. Raises `UsageError` naming file and columns."""
    values, used = _entries(file, column, ID_COLUMNS, "--id-column")
    found = dict.fromkeys(clean_id(str(v)) for v, _ in values)
    rows = [{"item": item, "kind": "id"} for item in found if item]
    if not rows:
        raise UsageError(f"{file} holds no identifiers; give one a line, or a column of them")
    return Inputs(rows, {"ids": used} if used else {})


def read_questions(file: Path, column: str | None) -> Inputs:
    """One row per question of a file, named by its identifier or its place in the file. Raises `UsageError`."""
    values, used = _entries(file, column, QUESTION_COLUMNS, "--question-column")
    inputs, seen = Inputs([], {"questions": used} if used else {}), set()
    for number, (text, row) in enumerate(values, start=1):
        hashes = grams(str(text))
        if not len(hashes):
            inputs.too_short += 1
            continue
        name = next((str(row[c]) for c in NUMBER_COLUMNS if row.get(c) not in (None, "")), f"question {number}")
        item = name if name not in seen else f"{name} ({number})"
        seen.add(item)
        inputs.rows.append({"item": item, "kind": "question", "hashes": packed(hashes)})
    if not inputs.rows:
        raise UsageError(f"{file} holds no question of {GRAM} words or more, and shorter ones cannot be told apart")
    return inputs


def sketch_folder(folder: Path, fps: float, told: Callable[[str], None], model: str | None = None) -> Inputs:
    """One row per video below a folder (or for one file), and one more with its embedding sketch where a CLIP model is
    named. `told` hears each name when it is done; videos that cannot be read are left out and listed.

    Raises `UsageError` when there are none, and `ModelNotFound` for a model that is not to be had.
    """
    base = folder if folder.is_dir() else folder.parent
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in VIDEO_SUFFIXES) if folder.is_dir() else [folder]
    if not files or not files[0].exists():
        raise UsageError(f"there are no videos in {folder}; name the folder that holds the benchmark's footage")

    embed = None if model is None else VectorSketcher(model)

    def one(file: Path) -> list[Row] | str:
        try:
            sketch = sketch_video(file, fps, embed)
        except MediaError as error:
            return str(error)
        finally:
            told(file.name)
        if not len(sketch.times):
            return "all of its pictures are dark or even"
        item = file.relative_to(base).as_posix()
        made = [_row(item, "video", list(VARIANTS), sketch.times, sketch.hashes)]
        if sketch.vectors is not None and embed is not None:
            seen = sketch.vectors
            made.append(_row(item, "vectors", [embed.encoder.model_name], np.array(seen.times), seen.sketches))
        return made

    inputs = Inputs()
    with ThreadPoolExecutor(cpu_count() or 1 if embed is None else 1) as pool:
        for file, made in zip(files, pool.map(one, files), strict=True):
            if isinstance(made, str):
                inputs.failed.append((str(file), made))
            else:
                inputs.rows += made
    if not inputs.rows:
        raise UsageError(f"none of the {len(files)} videos could be sketched, the first because: {inputs.failed[0][1]}")
    return inputs


def _row(item: str, kind: str, variants: list[str], times: NDArray[Any], hashes: NDArray[Any]) -> Row:
    seconds = [round(t, 6) for t in times.tolist()]
    return {"item": item, "kind": kind, "variants": variants, "times": seconds, "hashes": packed(hashes)}


def write_sketches(rows: Sequence[Row], file: Path) -> None:
    """Write a benchmark's rows to one file, for somebody else to register."""
    names = [c.name for c in TABLES["benchmarks"].columns if c.name != "benchmark"]
    schema = pa.schema([TABLES["benchmarks"].schema.field(n) for n in names]).with_metadata({FORMAT: b"1"})
    parquet.write_table(pa.Table.from_pylist([{n: r[n] for n in names} for r in rows], schema), file)


def read_sketches(file: Path) -> Inputs:
    """Rows of a file that `benchmark export` wrote. Raises `UsageError` for another file."""
    try:
        table = parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
    if (table.schema.metadata or {}).get(FORMAT) != b"1":
        raise UsageError(
            f"{file} holds no sketches of a benchmark; `chronotope benchmark export NAME FILE` writes them"
        )
    rows = table.to_pylist()
    for row in rows:
        if row["kind"] in ("video", "vectors"):
            try:
                Sketch.of({**row, "benchmark": ""})
            except (ValueError, TypeError) as error:
                raise UsageError(f"{file} is damaged: {error}") from None
    return Inputs(rows)


def shipped() -> dict[str, Path]:
    """Name -> file of the identifier lists that Chronotope carries; each tells its source and licence."""
    return {f.stem: f for f in sorted((Path(__file__).parent / "benchmark_lists").glob("*.txt"))}


def _entries(
    file: Path, column: str | None, names: Sequence[str], option: str
) -> tuple[list[tuple[Any, Row]], str | None]:
    """(value, its row) of each entry, and the column that was taken (None for plain lists)."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    rows: list[Row] = []
    if file.suffix.lower() not in (".csv", ".tsv", ".json", ".jsonl", ".parquet"):
        return [(line, {}) for line in _lines(file)], None
    if file.suffix.lower() == ".json":
        plain = _plain_json(file)
        if plain is not None and all(isinstance(v, str | int) for v in plain):
            return [(v, {}) for v in plain], None
        rows = plain or []
    if not rows:
        try:
            rows = manifest_rows(str(file.resolve()), file.parent)
        except RecipeError as error:
            raise UsageError(str(error).removeprefix("manifest ")) from None
    if not rows:
        raise UsageError(f"{file} has no rows")
    present = [str(name) for name in rows[0]]
    lower = {name.lower(): name for name in present}
    if column is not None and column not in present:
        raise UsageError(f"{file} has no column {column!r}; its columns are {', '.join(present)}")
    chosen = column or next((lower[n] for n in names if n in lower), present[0] if len(present) == 1 else None)
    if chosen is None:
        raise UsageError(
            f"{file}: none of its columns has a name that says what it is ({', '.join(present)}); name one with {option}"
        )
    return [(row[chosen], row) for row in rows if row.get(chosen) not in (None, "")], chosen


def _lines(file: Path) -> Iterator[str]:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no UTF-8 text; give a text file, or CSV, TSV, JSON, JSONL or Parquet") from None
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _plain_json(file: Path) -> list[Any] | None:
    """Entries of a JSON file that is a list of texts, a mapping from identifiers, or a mapping around one list of rows;
    None for any other, which is a list of rows.
    """
    try:
        value = json.loads(file.read_text("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{file} is not valid JSON: {error}") from None
    if isinstance(value, list) and value and all(isinstance(v, str | int) for v in value):
        return value
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v]
        if len(lists) == 1 and len(value) <= 3 and isinstance(lists[0][0], dict | str):
            return list(lists[0])
        if value and all(isinstance(v, dict | list) for v in value.values()):
            return list(value)
    return None
