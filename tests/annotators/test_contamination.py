"""A benchmark's video is found again after what people do to videos; another film is not; edits of a copy are copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from chronotope.annotators.checks.contamination import Contamination, ContaminationParams
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.vision.signals import Signals, SignalsParams
from chronotope.annotators.vision.sketches import VARIANTS, sketch_video
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.contamination.index import packed
from chronotope.engine.media.decode import VideoReader

UNIT = Unit("corpus", "corpus", None, "r", 0)
Pictures = list[np.ndarray]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two films of about 10 s."""
    made = [tmp_path_factory.mktemp("bench") / f"film{seed}.mp4" for seed in (11, 12)]
    for path, seed in zip(made, (11, 12), strict=True):
        compose_film(path, FilmParams(seed=seed, scenes=4, width=256, height=144, narration=False, scene_s=(2.0, 3.0)))
    return made


@pytest.fixture(scope="module")
def registered(films: list[Path]) -> list[dict[str, Any]]:
    """The first film as a row of `benchmarks`."""
    made = sketch_video(films[0])
    about = {"benchmark": "bench", "item": "film.mp4", "kind": "video", "variants": list(VARIANTS)}
    return [about | {"times": made.times.tolist(), "hashes": packed(made.hashes)}]


def pictures(path: Path) -> Pictures:
    return [np.ascontiguousarray(frame.rgb(256)) for frame in VideoReader(path)]


def cropped(of: Pictures) -> Pictures:
    return [p[8:136, 12:244] for p in of]


KINDS: dict[str, Callable[[Pictures], Pictures]] = {
    "whole": lambda of: of,
    "centre 90": cropped,
    "mirrored": lambda of: [p[:, ::-1] for p in of],
    "trimmed": lambda of: of[90:180],
    "speed 1.1": lambda of: [of[int(i * 1.1)] for i in range(int(len(of) / 1.1))],
    "mirrored centre 90": lambda of: [p[:, ::-1] for p in cropped(of)][60:],
}


def run(signals: list[dict[str, Any]], benchmarks: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """Rows about one sample that shows all of medium `m`."""
    sample = {
        "sample_id": "s",
        "task": "t",
        "media": [{"media_id": "m", "start_s": 0.0, "end_s": 60.0, "frame_times": None}],
        "turns": [{"role": "user", "text": "<video>\nWhat is it?"}],
    }
    tables = {
        "samples": [sample],
        "media": [{"media_id": "m", "title": "x.mp4", "user_json": None}],
        "signals": [{"media_id": "m", "producer": "signals", "rows": pa.Table.from_pylist(signals)}] if signals else [],
        "benchmarks": benchmarks,
        **more,
    }
    return [row for _, row in Contamination(ContaminationParams()).annotate(UNIT, Rows(tables))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_found_as_what_it_is(
    kind: str, films: list[Path], registered: list[dict[str, Any]], watch: Any, write_video: Any
) -> None:
    copy = write_video(KINDS[kind](pictures(films[0])), crf=36)
    (row,) = run(watch(Signals(SignalsParams()), copy), registered)
    assert (row["benchmark"], row["item"], row["found_by"]) == ("bench", "film.mp4", "copy")
    assert row["score"] > 0.7
    if kind in VARIANTS:
        assert row["variant"] == kind


def test_another_film_is_no_copy(films: list[Path], registered: list[dict[str, Any]], watch: Any) -> None:
    assert run(watch(Signals(SignalsParams()), films[1]), registered) == []


def test_only_windows_that_overlap_the_copied_part_are_marked(
    films: list[Path], registered: list[dict[str, Any]], watch: Any, write_video: Any
) -> None:
    ours, theirs = pictures(films[1])[:150], pictures(films[0])[:150]
    signals = watch(Signals(SignalsParams()), write_video([*ours, *theirs]))
    windows = {"before": (0.0, 5.5), "across": (4.0, 8.0), "inside": (7.0, 11.0)}
    samples = [
        {
            "sample_id": name,
            "task": "t",
            "media": [{"media_id": "m", "start_s": a, "end_s": b, "frame_times": None}],
            "turns": [],
        }
        for name, (a, b) in windows.items()
    ]
    stills = {"media_id": "m", "start_s": None, "end_s": None, "frame_times": [1.0, 2.0]}
    samples.append({"sample_id": "stills", "task": "t", "media": [stills], "turns": []})
    found = {r["sample_id"]: r for r in run(signals, registered, samples=samples)}
    assert set(found) == {"across", "inside"}
    assert found["across"]["score"] < 0.7 < found["inside"]["score"]
    assert found["inside"]["start_s"] == pytest.approx(6.0, abs=0.6)


def test_what_is_found_in_a_medium_holds_for_its_edits() -> None:
    listed = [{"benchmark": "bench", "item": "dQw4w9WgXcQ", "kind": "id"}]
    media = [{"media_id": "m", "title": "twin.mp4", "user_json": None}]
    media.append({"media_id": "source", "title": "dQw4w9WgXcQ.mp4", "user_json": None})
    edit = {"media_id": "m", "source_media_id": "source", "start_s": 2.0, "end_s": 6.0}
    edit |= {"time_scale": -1.0, "time_offset_s": 6.0}
    (row,) = run([], listed, media=media, edits=[edit])
    assert (row["found_by"], row["start_s"], row["end_s"]) == ("id", 0.0, 4.0)
    assert run([], listed, media=media) == []


def test_composed_media_are_told_by_the_names_of_footage_that_is_not_in_the_dataset() -> None:
    listed = [{"benchmark": "bench", "item": "dQw4w9WgXcQ", "kind": "id"}]
    media = [{"media_id": "m", "title": "composed.mp4", "user_json": None}]
    piece = {"media_id": "m", "source_media_id": "elsewhere", "parameters_json": '{"title": "dQw4w9WgXcQ.mp4"}'}
    shown = {**piece, "start_s": 2.0, "end_s": 6.0, "time_scale": 0.5, "time_offset_s": 9.0}
    held = {**piece, "start_s": 6.0, "end_s": 6.0, "time_scale": None, "time_offset_s": None}
    held |= {"target_start_s": 12.0, "target_end_s": 13.0}
    (row,) = run([], listed, media=media, edits=[shown])
    assert (row["start_s"], row["end_s"]) == (10.0, 12.0)
    (row,) = run([], listed, media=media, edits=[held])
    assert (row["start_s"], row["end_s"]) == (12.0, 13.0)


def test_without_benchmarks_nothing_is_said(films: list[Path], watch: Any) -> None:
    assert run([], []) == []
