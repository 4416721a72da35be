"""Hugging Face folders, read by the real `datasets` library without network."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.outputs.packaging import package
from chronotope.schemas.sample import MediumRef
from chronotope.schemas.timecodec import time_codec


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from datasets import load_dataset

    return lambda folder: load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


def test_the_folder_loads_with_its_splits_types_and_media(
    world: Any, films: Any, make: SimpleNamespace, load: Any
) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    seen = world.sample(make.grounding(medium))
    frames = MediumRef(media_id=medium, kind="image", start_s=20.0, end_s=26.0, frame_times=(21.0, 23.0))
    pictured = world.sample(make.choice(medium, 1, media=(frames,)), split="validation")
    with world.catalog() as catalog:
        out = package(catalog, "huggingface", {"answer": "text"}, world.root / "packages/p").path
    data = load(out)
    assert {split: rows.num_rows for split, rows in data.items()} == {"train": 1, "validation": 1}
    row = data["train"][0]
    assert row["sample_id"] == seen
    assert row["question"] == "<video>\nWhen is it red?"
    (span,) = time_codec("seconds").find_spans(row["answer"], 20.0)
    red = [i / make.fps for i, is_red in make.redness(out / row["videos"][0]).items() if is_red]
    assert abs(red[0] - span.start_s) <= 0.04 and abs(red[-1] + 0.04 - span.end_s) <= 0.04
    assert json.loads(row["answer_json"]) == {"kind": "span", "start_s": 12.0, "end_s": 14.0}
    assert (row["media"][0]["start_s"], row["media"][0]["end_s"]) == (0.0, 20.0)
    assert row["images"] == [] and row["audios"] == []
    still = data["validation"][0]
    assert still["sample_id"] == pictured
    assert len(still["images"]) == 2 and all((out / p).is_file() for p in still["images"])
    assert still["answer"] == "It is colour 1 0." and len(still["options"]) == 4
    assert data["train"].features["media"].feature["start_s"].dtype == "float64"


def test_whole_files_come_with_the_span_that_is_shown(world: Any, films: Any, make: SimpleNamespace, load: Any) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    with world.catalog() as catalog:
        out = package(catalog, "huggingface", {"media": "copy"}, world.root / "packages/p").path
    row = load(out)["train"][0]
    (shown,) = row["media"]
    assert (shown["start_s"], shown["end_s"]) == (10.0, 30.0)
    assert (out / shown["file"]).read_bytes() == films.silent.read_bytes()
    assert row["answer"] == "It is red in 12.00s - 14.00s.", "times count from the start of what is shown"
