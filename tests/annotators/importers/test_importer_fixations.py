"""Recorded gaze in the layouts that it comes in, and what of it is left out."""

import json
from pathlib import Path

import pytest
from chronotope.annotators.importers.fixations import Fixations, FixationsParams
from chronotope.engine.importing import Imported


def read(path: Path, **params) -> tuple[list[Imported], Fixations]:
    """What a file says."""
    reader = Fixations(FixationsParams(files=(path.name,), **params))
    return list(reader.read(path.parent)), reader


def test_pixels_and_milliseconds_become_shares_and_seconds(tmp_path: Path) -> None:
    path = tmp_path / "gaze.tsv"
    path.write_text(
        "video\tsubject\tonset\tduration\tx\ty\nv1\ts2\t900\t250\t840\t525\nv1\ts2\t100\t300\t0\t0\nv1\ts3\t0\t\t1\t1\n"
    )
    (said,), _ = read(path, time_unit="ms", size=(1680, 1050))
    assert [r.values for r in said.rows] == [
        {"observer": "s2", "position": 0, "t_s": 0.1, "duration_s": 0.3, "x": 0.0, "y": 0.0},
        {"observer": "s2", "position": 1, "t_s": 0.9, "duration_s": 0.25, "x": 0.5, "y": 0.5},
        {"observer": "s3", "position": 0, "t_s": 0.0, "x": 1 / 1680, "y": 1 / 1050},
    ]


def test_scanpaths_as_lists_are_taken_apart_in_order(tmp_path: Path) -> None:
    path = tmp_path / "search.json"
    path.write_text(json.dumps([
        {"name": "p1.jpg", "subject": 4, "X": [840, 10, 5000], "Y": [525, 20, 0], "T": [200, 150, 90]},
        {"name": "p2.jpg", "subject": 4, "X": [1], "Y": [1, 2], "T": [3]},
    ]))  # fmt: skip
    (said,), reader = read(path, size=(1680, 1050))
    assert [(r.values["position"], r.values["duration_s"], r.values["x"]) for r in said.rows] == [
        (0, 0.2, 0.5), (1, 0.15, 10 / 1680),
    ]  # fmt: skip
    assert [n.rule for n in said.notes] == ["outside_the_picture"]
    assert len(reader.faults) == 1 and "X, Y and T of 1, 2, 1 values" in reader.faults[0].why


@pytest.mark.parametrize(
    ("line", "rule"), [("v1,,1,0.5,0.5", "no_time"), ("v1,1,1,,0.5", "no_place"), ("v1,1,1,-0.1,0.5", "outside_the_picture")]
)  # fmt: skip
def test_what_cannot_be_placed_is_left_out_with_its_reason(tmp_path: Path, line: str, rule: str) -> None:
    path = tmp_path / "gaze.csv"
    path.write_text(f"media,t_s,duration_s,x,y\n{line}\n")
    (said,), _ = read(path)
    assert said.rows == [] and [n.rule for n in said.notes] == [rule]
