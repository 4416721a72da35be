"""The generic importer: any table into ours, in every file format, with frames for seconds and pixels for shares."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from chronotope.engine.importing import ImportProblem
from chronotope.engine.producer import RecipeError
from pyarrow import parquet

Reads = Callable[..., Any]
Shows = Callable[..., None]
COLUMNS = {"media": "clip", "start_s": "from", "end_s": "to", "text": "sentence"}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        with path.open("w", newline="") as file:
            out = csv.DictWriter(file, list(rows[0]), delimiter=";")
            out.writeheader()
            out.writerows(rows)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet"])
def test_events_from_every_format(film: Any, shown: Shows, read: Reads, tmp_path: Path, suffix: str) -> None:
    shown("one.mp4")
    rows = [
        {"clip": "one.mp4", "from": e.start_s, "to": e.end_s, "sentence": e.text, "who": f"P{n}", "split": "test"}
        for n, e in enumerate(film.events)
    ]
    _write(tmp_path / f"mine{suffix}", rows)
    found = read("table", files=f"mine{suffix}", columns=COLUMNS, attributes=["who"], values={"kind": "action"})
    wanted = [(e.start_s, e.end_s, e.text, "action", f'{{"who": "P{n}"}}') for n, e in enumerate(film.events)]
    got = [(r["start_s"], r["end_s"], r["text"], r["kind"], r["attributes_json"]) for r in found.rows["events"]]
    assert [g[2:] for g in got] == [w[2:] for w in wanted]
    assert all(abs(a - b) < 1e-6 for g, w in zip(got, wanted, strict=True) for a, b in zip(g[:2], w[:2], strict=True))
    assert found.places[0].official_split == "test"


def test_frames_become_times_at_the_stated_rate(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("one.mp4")
    rows = [{"media": "one", "start_frame": 11, "end_frame": 30, "text": "it pans"}]
    _write(tmp_path / "f.json", rows)
    [row] = read("table", files="f.json", fps=10).rows["events"]
    assert (row["start_s"], row["end_s"]) == (1.1, 3.0)
    [row] = read("table", files="f.json", fps=10, first_frame=1, last_frame="included").rows["events"]
    assert (row["start_s"], row["end_s"]) == (1.0, 3.0)
    _write(tmp_path / "f.json", [rows[0] | {"fps": 25}])
    found = read("table", files="f.json")
    assert (found.rows["events"][0]["start_s"], found.rows["events"][0]["end_s"]) == (0.44, 1.2), "converted as stated"
    assert [n["rule"] for n in found.notes] == ["frame_rate"], "and the film's own rate contradicts it"


@pytest.mark.parametrize("layout", ["corners", "list", "size"])
def test_pixel_boxes_become_tracks(film: Any, shown: Shows, read: Reads, tmp_path: Path, layout: str) -> None:
    shown("one.mp4")
    rows = []
    for track, thing in enumerate(film.truth.objects):
        for place in thing.boxes:
            x1, y1, x2, y2 = (v * s for v, s in zip(place.box, (640, 360) * 2, strict=True))
            row = {"video": "one", "track": track, "label": thing.shape, "frame": round(place.t_s * film.truth.fps)}
            if layout == "corners":
                row |= {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            elif layout == "list":
                row |= {"box": f"[{x1}, {y1}, {x2}, {y2}]"}
            else:
                row |= {"x": x1, "y": y1, "w": x2 - x1, "h": y2 - y1}
            rows.append(row)
    _write(tmp_path / "boxes.csv", rows)
    found = read("table", files="boxes.csv", table="boxes", fps=film.truth.fps, size=[640, 360])
    true = sorted((round(p.t_s, 6), *p.box) for thing in film.truth.objects for p in thing.boxes)
    got = sorted((r["t_s"], r["x1"], r["y1"], r["x2"], r["y2"]) for r in found.rows["boxes"])
    assert len(got) == len(true) and len(found.rows["tracks"]) == len(film.truth.objects)
    assert all(abs(a - b) < 1e-6 for mine, real in zip(got, true, strict=True) for a, b in zip(mine, real, strict=True))
    assert sorted(r["label"] for r in found.rows["tracks"]) == sorted(thing.shape for thing in film.truth.objects)


def test_speech_words_captions_and_questions(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("one.mp4")
    _write(tmp_path / "s.csv", [{"media": "one", "start_s": "00:01.5", "end_s": "00:00:02,5", "text": "Hello"}])
    assert read("table", files="s.csv", table="speech").rows["speech"] == [
        {"medium": "one.mp4", "start_s": 1.5, "end_s": 2.5, "text": "Hello", "origin": "imported"}
    ]
    words = [{"media": "one", "start_s": w.start_s, "end_s": w.end_s, "word": w.word} for w in film.truth.words]
    _write(tmp_path / "w.jsonl", list(reversed(words)))
    rows = sorted(read("table", files="w.jsonl", table="words").rows["words"], key=lambda r: r["position"])
    assert [r["word"] for r in rows] == [w.word for w in film.truth.words], "numbered in order of time"
    (tmp_path / "c.json").write_text(
        json.dumps({"one": [{"text": "A film"}, {"text": "A pan", "start_s": 1, "end_s": 2}]})
    )
    rows = read("table", files="c.json", table="captions").rows["captions"]
    assert [(r["level"], r["start_s"], r["end_s"]) for r in rows] == [
        ("medium", 0.0, film.duration_s),
        ("event", 1.0, 2.0),
    ]
    asked = {"media": "one", "q": "What?", "choices": "a pan|a zoom", "right": 1, "start_s": 1, "end_s": 99}
    _write(tmp_path / "q.csv", [asked])
    found = read(
        "table",
        files="q.csv",
        table="questions",
        columns={"question": "q", "options": "choices", "answer_index": "right"},
    )
    [row] = found.rows["questions"]
    assert (row["question"], row["options"], row["answer_index"]) == ("What?", ["a pan", "a zoom"], 1)
    assert row["end_s"] == film.duration_s and [n["rule"] for n in found.notes] == ["past_the_end"]


def test_mistakes_in_the_mapping_are_told_with_what_there_is(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("one.mp4")
    _write(tmp_path / "t.csv", [{"clip": "one", "from": 1, "to": 2, "sentence": "x"}])
    with pytest.raises(ImportProblem, match="no column von; its columns are clip, from, sentence, to"):
        read("table", files="t.csv", columns=COLUMNS | {"start_s": "von"})
    with pytest.raises(RecipeError, match="'begin' is no column for events; ours are start_s"):
        read("table", files="t.csv", columns={"begin": "from"})
    with pytest.raises(ImportProblem, match="which column names the medium"):
        read("table", files="t.csv", columns={"start_s": "from", "end_s": "to", "text": "sentence"})
    rows = [{"clip": "one", "from": v, "to": 2, "sentence": "x"} for v in ("1", "soon", "", "-1")]
    _write(tmp_path / "t.csv", [*rows, {"clip": "", "from": 1, "to": 2, "sentence": "y"}])
    found = read("table", files="t.csv", columns=COLUMNS)
    assert [(r["start_s"], r["end_s"]) for r in found.rows["events"]] == [(1.0, 2.0), (0.0, 2.0)]
    assert sorted((n["rule"], n["action"]) for n in found.notes) == [
        ("before_the_start", "cut"), ("missing_key", "left_out"), ("unreadable", "left_out"),
    ]  # fmt: skip
    assert [p for p in found.problems if "t.csv, line 6: column 'clip' names no medium" in p]


def test_a_file_without_a_needed_column_is_one_error_that_names_it(shown: Shows, tmp_path: Path, read: Reads) -> None:
    _write(tmp_path / "t.csv", [{"video": "one.mp4", "from": 1, "to": 2}] * 3)
    shown("one.mp4")
    with pytest.raises(ImportProblem, match=r"which column is start_s, end_s, text\?.*its columns are from, to, video"):
        read("table", files="t.csv", table="events")
