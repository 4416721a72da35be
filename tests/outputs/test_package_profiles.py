"""Packages drop what their trainer's profile cannot show, and what another modality gives away, and count it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.outputs.packager import PackageError
from chronotope.outputs.packaging import package
from chronotope.schemas.sample import BoxAnswer, MediumRef

EIGHT = """
video:
  sampler: llava_video
  sampler_params: {frames_upbound: 8}
  resize: [{rule: square, side_px: 112}]
"""


def left_out(folder: Path) -> dict[str, dict[str, Any]]:
    lines = (folder / "left_out.jsonl").read_text().splitlines()
    return {row["sample_id"]: row for row in map(json.loads, lines)}


def test_a_profile_of_your_own_drops_what_it_does_not_show(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    profile = tmp_path / "eight.yaml"
    profile.write_text(EIGHT)
    medium = world.film(films.silent)
    hidden = world.sample(make.grounding(medium, (22.0, 22.6)))
    world.sample(make.grounding(medium, (22.0, 26.0)))
    small = world.sample(
        make.sample(medium, ("<video>\nWhere?", "There."), BoxAnswer(t_s=25.0, box=(0.5, 0.5, 0.58, 0.9)),
                    difficulty={"evidence_ratio": 1.0, "position": 0.5})
    )  # fmt: skip
    with world.catalog() as catalog:
        out = world.root / "packages/p"
        assert package(catalog, "huggingface", {}, out).packaged == 3, "no profile, no check"
        report = package(catalog, "huggingface", {"profile": str(profile)}, out)
        reasons = left_out(out)
        assert report.packaged == 1
        assert reasons[hidden]["rule"] == "unanswerable: no frame inside the evidence"
        assert reasons[hidden]["detail"] == "0 of 8 frames in 22..22.6 s"
        assert reasons[small]["rule"] == "unanswerable: object smaller than 10 px"
        assert reasons[small]["detail"] == "9.0 px after resizing"
        assert package(catalog, "huggingface", {"profile": str(profile)}, out).unchanged
        profile.write_text(EIGHT.replace("112", "224"))
        again = package(catalog, "huggingface", {"profile": str(profile)}, out)
        assert (again.unchanged, again.packaged) == (False, 2), "an edited profile makes another package"


def test_a_span_that_the_package_cannot_write_is_left_out(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium, (22.0, 22.8)))
    with world.catalog() as catalog:
        out = world.root / "packages/p"
        assert package(catalog, "llava", {}, out).left_out == {}
        report = package(catalog, "llava", {"times": "mm:ss"}, out)
    assert report.left_out == {"unanswerable: span shorter than the codec can say": 1}


def test_parts_of_whole_files_are_judged_by_the_rate_of_the_medium(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium, (22.0, 22.2)))
    world.sample(make.grounding(medium, (22.0, 24.0)))
    still = MediumRef(media_id=medium, kind="image", start_s=20.0, end_s=26.0, frame_times=(23.0,))
    world.sample(make.choice(medium, 1, media=(still,), needs=("vision", "motion")))
    with world.catalog() as catalog:
        params = {"media": "copy", "profile": "qwen2.5-vl-2fps"}
        report = package(catalog, "huggingface", params, world.root / "packages/p")
    assert report.packaged == 1
    assert report.left_out == {
        "unanswerable: fewer than 2 frames to see motion": 1,
        "unanswerable: no frame inside the evidence": 1,
    }


def test_trainer_flags_and_profile_must_fit(world: Any, films: Any, make: SimpleNamespace) -> None:
    world.sample(make.grounding(world.film(films.silent)))
    with world.catalog() as catalog:
        out = world.root / "packages/p"
        with pytest.raises(PackageError, match="did you mean llava-video-64"):
            package(catalog, "llava", {"profile": "llava-video"}, out)
        with pytest.raises(PackageError, match="has no parameter 'frames_upbound'"):
            package(catalog, "llava", {"profile": "qwen2.5-vl-2fps", "frames_upbound": 8}, out)


def test_an_answer_that_can_also_be_read_does_not_teach_listening(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    heard = world.sample(make.grounding(medium, needs=("audio",)))
    row = {"sample_id": heard, "task": "flash_grounding", "need": "audio", "other_way": "vision", "needed": False,
           "score": 0.9, "why": "readable on screen"}  # fmt: skip
    world.add("need_checks", row, medium, medium)
    with world.catalog() as catalog:
        out = world.root / "packages/p"
        both = {"modalities": ["vision", "audio"]}
        report = package(catalog, "huggingface", both, out)
        assert report.left_out == {"a need is not needed: the answer is also readable on screen": 1}
        assert package(catalog, "huggingface", {**both, "needless": "keep"}, out).packaged == 1
        assert package(catalog, "huggingface", {"modalities": ["audio"]}, out).packaged == 1, (
            "who sees nothing reads nothing"
        )
