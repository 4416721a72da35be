"""A user's own function becomes an annotator, and every mistake in it is told in a way that helps."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from chronotope.annotators.foreign_rows import ForeignRowError, writable_tables
from chronotope.annotators.vision.plain_function import PlainFunction, code_digest
from chronotope.engine.annotator import Medium
from chronotope.engine.media.shared_pass import FrameTap, RowsOut, run_frames
from chronotope.engine.registry import UnknownName

SOURCE = '''
def brightness(frame, floor=0.0):
    """Mean luma."""
    return {"value": max(floor, float(frame.luma(64).mean()))}

def two(frame):
    return [{"name": "a", "value": frame.luma(64).mean()}, {"name": "b", "label": "x"}]

def text(frame):
    return {"start_s": frame.t_s, "end_s": frame.t_s + 1, "level": "moment", "text": "a test card", "model": "mine"}

def rarely(frame):
    return {"value": 1} if frame.t_s >= 1 else None

def wrong_column(frame):
    return {"brightness": 3.0}

def wrong_type(frame):
    return {"value": "bright"}

def number(frame):
    return 3.0

limit = 5
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "my_file.py").write_text(SOURCE)
    card = ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=2", "-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *card, str(folder / "card.mp4")]
    subprocess.run(command, check=True)
    return folder


def run(folder: Path, function: str, **params) -> list[tuple[str, dict]]:
    annotator = PlainFunction.from_path(f"my_file.py:{function}", params, folder)
    film = folder / "card.mp4"
    medium = Medium("m1", str(film), film, "video", 2.0, 10.0, 20, 160, 90, True, False)
    tap = FrameTap("mine", annotator.open(medium), annotator.sampling(medium))
    events = list(run_frames(medium, [tap]))
    for event in events:
        if getattr(event, "error", None) is not None:
            raise event.error
    return [row for event in events if isinstance(event, RowsOut) for row in event.rows]


def test_a_function_sees_frames_at_its_rate_and_its_rows_get_time_and_name(folder) -> None:
    rows = run(folder, "brightness", fps=2)
    assert [(t, r["name"], r["t_s"]) for t, r in rows] == [("measurements", "brightness", t) for t in (0, 0.5, 1, 1.5)]
    assert all(50 < r["value"] < 200 and r["label"] is None for _, r in rows)


def test_further_parameters_are_passed_on_to_the_function(folder) -> None:
    assert {r["value"] for _, r in run(folder, "brightness", floor=250.0)} == {250.0}


def test_a_function_may_return_several_rows_or_none(folder) -> None:
    assert [r["name"] for _, r in run(folder, "two")] == ["a", "b", "a", "b"]
    assert [r["t_s"] for _, r in run(folder, "rarely")] == [1.0]


def test_rows_may_go_to_another_table(folder) -> None:
    rows = run(folder, "text", table="captions")
    assert {t for t, _ in rows} == {"captions"}
    assert PlainFunction.from_path("my_file.py:text", {"table": "captions"}, folder).dynamic_writes() == ("captions",)
    with pytest.raises(ValueError, match=r"'frames'; use one of boxes, captions, .*measurements"):
        run(folder, "text", table="frames")
    assert not {"ledger", "media", "clips", "duplicates"} & set(writable_tables())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            "wrong_column",
            r"wrong_column on card\.mp4 at 0 s: 'brightness' is no column; the columns "
            r"of measurements are t_s",
        ),
        ("wrong_type", r"column 'value': .*number.*'bright'"),
        ("number", r"a row must be a dictionary of columns, got float 3\.0"),
    ],
)
def test_a_wrong_return_value_says_what_and_where(folder, function, message) -> None:
    with pytest.raises(ForeignRowError, match=message):
        run(folder, function)


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("nowhere.py:thing", {}, r"there is no file nowhere\.py in"),
        ("my_file.py:missing", {}, r"my_file\.py defines no 'missing'"),
        ("my_file.py:limit", {}, r"limit is a int, not a function"),
        (
            "my_file.py:brightness",
            {"ceiling": 3},
            r"unexpected keyword argument "
            r"'ceiling'.*brightness\(frame, floor=0\.0\)",
        ),
        ("my_file:brightness", {}, r"write my_file\.py:thing"),
    ],
)
def test_a_wrong_recipe_entry_says_what_to_write(folder, path, params, message) -> None:
    with pytest.raises(UnknownName, match=message):
        PlainFunction.from_path(path, params, folder)


def test_only_behaviour_changes_the_digest(folder) -> None:
    digest = PlainFunction.from_path("my_file.py:two", {}, folder).code_digest()
    assert digest == code_digest(SOURCE.replace("Mean luma.", "Other words.") + "\n# a remark\n")
    assert digest != code_digest(SOURCE.replace("luma(64)", "luma(32)"))


def test_the_recipes_folder_is_no_part_of_the_settings(folder) -> None:
    params = PlainFunction.from_path("my_file.py:two", {}, folder).params
    assert str(folder) not in params.model_dump_json()
