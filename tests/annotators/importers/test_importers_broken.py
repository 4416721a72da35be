"""Broken annotation files and annotations that contradict the media: one error or note each, and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.importing import ImportProblem, split_in_name
from chronotope.engine.producer import RecipeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Reads = Callable[..., Any]
Shows = Callable[..., None]


def _video(spans: list[Any], sentences: list[Any], duration_s: float = 10.0) -> dict[str, Any]:
    return {"duration": duration_s, "timestamps": spans, "sentences": sentences}


def test_spans_that_do_not_fit_the_film(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("v_one.mp4")
    d = film.duration_s
    spans = [[0, 1], [1, d + 5], [d, d + 1], [4, 2], [3, 3], [-1, 1], ["x", 2], [1], [0, 1]]
    words = ["fits", "too long", "after", "reversed", "empty", "early", "letters", "half", "fits"]
    (tmp_path / "train.json").write_text(json.dumps({"v_one": _video(spans, [*words, "surplus"])}))
    found = read("activitynet_captions", files="train.json")
    assert [(r["start_s"], r["end_s"], r["text"]) for r in found.rows["events"]] == [
        (0.0, 1.0, "fits"), (1.0, d, "too long"), (0.0, 1.0, "early"),
    ]  # fmt: skip
    assert [(n["item"].removeprefix("train.json v_one"), n["rule"], n["action"]) for n in sorted(found.notes, key=lambda n: n["item"])] == [
        ("", "unequal_lists", "left_out"), ("[1]", "past_the_end", "cut"), ("[2]", "past_the_end", "left_out"),
        ("[3]", "reversed", "left_out"), ("[4]", "empty", "left_out"), ("[5]", "before_the_start", "cut"),
        ("[6]", "no_time", "left_out"), ("[7]", "no_time", "left_out"), ("[8]", "duplicate", "left_out"),
    ]  # fmt: skip
    assert len(found.rows["events"]) + found.left_out() == 10, "items are rows and those left out"
    strict = read("activitynet_captions", files="train.json", checks={"past_the_end": "leave_out"})
    assert [r["text"] for r in strict.rows["events"]] == ["fits"]


edge = st.one_of(st.floats(-2, 14), st.sampled_from([float("nan"), None, "3", "x", 9.7, 0]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(edge, min_size=1, max_size=3), st.sampled_from(["a", "b", "", None])), max_size=8))
def test_every_item_is_a_row_or_left_out(
    film: Any, shown: Shows, read: Reads, tmp_path: Path, items: list[tuple[list[Any], Any]]
) -> None:
    shown("v_one.mp4")
    (tmp_path / "train.json").write_text(json.dumps({"v_one": _video([s for s, _ in items], [w for _, w in items])}))
    found = read("activitynet_captions", files="train.json")
    rows = found.rows.get("events", [])
    assert len(rows) + found.left_out() == len(items)
    assert all(0 <= r["start_s"] < r["end_s"] <= film.duration_s for r in rows)


@pytest.mark.parametrize(
    ("importer", "file", "text", "said"),
    [
        ("activitynet_captions", "train.json", '{"v_one": {"duration"', "train.json, line 1: not valid JSON"),
        ("activitynet_captions", "train.json", "[1, 2]", "train.json: expected {v_id: .*found a list"),
        ("youcook2", "y.json", '{"videos": {}}', "y.json: no `database`"),
        ("ego4d", "e.json", '{"videos": {"a": {}}}', "e.json: no `narration_pass_1`"),
        ("epic_kitchens", "EPIC_100_train.csv", "uid,video_id\n1,P01\n", "no column narration_id"),
        ("vidstg", "train_files.json", '{"a": 1}', "expected a list of annotations; name train_annotations.json"),
        ("srt_vtt", "a.srt", "nothing to see", "holds no readable subtitle line"),
        ("charades_sta", "c.txt", "one sentence\n", "c.txt, line 1: expected `VID start end##sentence`"),
        ("tvqa", "absent.jsonl", None, "there is no annotation file absent.jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    shown: Shows, read: Reads, tmp_path: Path, importer: str, file: str, text: str | None, said: str
) -> None:
    shown("one.mp4")
    if text is not None:
        (tmp_path / file).write_text(text)
    with pytest.raises(ImportProblem, match=f"import {importer}: nothing can be read: .*{said}"):
        read(importer, files=file)


def test_one_broken_file_does_not_stop_the_others(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("v_one.mp4", "v_two.mp4", "v_more.mp4")
    (tmp_path / "train.json").write_text(
        json.dumps({"v_one": _video([[0, 1]], ["ok"]), "v_two": 3, "v_gone": _video([[0, 1]], ["x"])})
    )
    (tmp_path / "val_1.json").write_text('{"v_one": ')
    found = read("activitynet_captions", files=["train.json", "val_1.json"])
    assert [r["text"] for r in found.rows["events"]] == ["ok"]
    assert [n["rule"] for n in found.notes] == ["missing_key"]
    gone, broken = sorted(found.problems, key=lambda p: "val_1" in p)
    assert "v_gone is annotated in train.json, but no file of that name lies under media: media" in gone
    assert "val_1.json, line 1: not valid JSON" in broken
    assert found.told == (
        "import activitynet_captions: 2 of 3 annotated media found under media; files there without annotation, left out: 1; "
        "annotation files with unreadable items: 1"
    )
    calm = read("activitynet_captions", files="train.json", missing="leave_out")
    assert not calm.problems and "2 of 3" in calm.told


def test_names_that_fit_several_files_are_not_guessed(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("a/1.mp4", "b/1.mp4", "b/2.mp4")
    (tmp_path / "train.json").write_text(json.dumps({"1": _video([[0, 1]], ["x"]), "2": _video([[0, 1]], ["y"])}))
    found = read("activitynet_captions", files="train.json")
    assert [r["text"] for r in found.rows["events"]] == ["y"]
    [problem] = found.problems
    assert "1 is annotated in train.json, and 2 files of that name" in problem
    assert [r["text"] for r in read("activitynet_captions", media="media/b", files="train.json").rows["events"]] == [
        "x",
        "y",
    ]


def test_a_film_in_two_splits_goes_to_the_stricter(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("v_one.mp4")
    for name, text in (("train.json", "a"), ("val_1.json", "b")):
        (tmp_path / name).write_text(json.dumps({"v_one": _video([[0, 1]], [text])}))
    found = read("activitynet_captions", files=["train.json", "val_1.json"])
    assert [p.official_split for p in found.places] == ["validation"]
    [note] = found.notes
    assert (note["rule"], note["action"]) == ("official_split", "noted") and "train in train.json" in note["detail"]


def test_unknown_importers_and_parameters(shown: Shows, read: Reads) -> None:
    shown("one.mp4")
    with pytest.raises(RecipeError, match="no importer is called 'charades'; did you mean charades_sta"):
        read("charades", files="x")
    with pytest.raises(
        RecipeError, match="import tvqa: files is missing; unknown parameter 'file'; did you mean 'files'"
    ):
        read("tvqa", file="x")


def test_official_splits_by_file_name() -> None:
    names = [
        "charades_sta_test.txt",
        "val_2.json",
        "EPIC_100_validation.csv",
        "highlight_train_release.jsonl",
        "narration.json",
    ]
    assert [split_in_name(n) for n in names] == ["test", "validation", "validation", "train", None]
    assert split_in_name("train_and_test.json") is None
