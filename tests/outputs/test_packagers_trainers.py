"""LLaVA and LLaMA-Factory packages, read as their trainers read them: the labelled event lies in the frames that come back."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.engine.answering.samplers import llamafactory, llava_video, stream_facts
from chronotope.outputs.packaging import package
from chronotope.schemas.sample import MediumRef
from chronotope.schemas.span import Span
from chronotope.schemas.timecodec import time_codec


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def drawn_by(format_name: str, video: Path) -> dict[int, float]:
    """Frame number -> time, as a trainer that counts frames believes it: number / average rate."""
    facts = stream_facts(video)
    numbers = llamafactory(facts) if format_name == "llamafactory" else llava_video(facts)
    return {int(n): int(n) / facts.average_fps for n in numbers}


@pytest.mark.parametrize("film", ["silent", "variable"])
@pytest.mark.parametrize("format_name", ["llava", "llamafactory"])
def test_the_labelled_event_lies_in_the_frames_that_the_trainer_draws(
    world: Any, films: Any, make: SimpleNamespace, format_name: str, film: str
) -> None:
    varies = film == "variable"
    medium = world.film(getattr(films, film), variable_fps=varies, fps=14.0 if varies else 25.0)
    world.sample(make.grounding(medium))
    with world.catalog() as catalog:
        out = package(catalog, format_name, {"times": "seconds"}, world.root / "packages/p").path
    (row,) = read(out / "train.json")
    if format_name == "llava":
        said, video = row["conversations"][1]["value"], out / row["video"]
    else:
        said, video = row["messages"][1]["content"], out / row["videos"][0]
    (span,) = time_codec("seconds").find_spans(said, 20.0)
    times = drawn_by(format_name, video)
    frame_s = 1 / stream_facts(video).average_fps
    red = make.redness(video, list(times))
    assert len(red) == len(times) >= 38
    assert sum(red.values()) >= 3, "the event is there"
    for number, is_red in red.items():
        t_s = times[number]
        if min(abs(t_s - span.start_s), abs(t_s - span.end_s)) > 1.5 * frame_s:
            assert is_red == span.contains(t_s), f"frame {number}, {t_s:.2f} s, answer {span}"


def test_facts_of_a_file_are_what_its_container_says(films: Any) -> None:
    found = stream_facts(films.silent)
    assert found.frames == len(found.times_s) == 1000
    assert found.duration_s == pytest.approx(40.0, abs=0.05)
    assert found.average_fps == pytest.approx(25.0, abs=0.1)
    assert found.times_s[:3].tolist() == pytest.approx([0.0, 0.04, 0.08])


def test_an_event_between_the_drawn_frames_is_left_out_and_counted(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    missed = world.sample(make.grounding(medium, (21.84, 22.2)))
    world.sample(make.grounding(medium))
    with world.catalog() as catalog:
        out = world.root / "packages/p"
        report = package(catalog, "llamafactory", {}, out)
        assert report.left_out == {"unanswerable: no frame inside the evidence": 1}
        assert read_lines(out / "left_out.jsonl")[0]["sample_id"] == missed
        assert package(catalog, "llamafactory", {"video_fps": 10.0}, out).left_out == {}


def test_what_is_heard_needs_no_drawn_frame(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    world.sample(make.grounding(medium, (21.84, 22.2), needs=("audio",)))
    with world.catalog() as catalog:
        report = package(catalog, "llamafactory", {"modalities": ["vision", "audio"]}, world.root / "packages/p")
        assert report.packaged == 1
        whole = {"modalities": ["vision", "audio"], "media": "copy"}
        report = package(catalog, "llamafactory", whole, world.root / "packages/p")
    assert report.left_out == {"window: the trainer opens whole files": 1}


def test_a_trainer_that_hears_no_sound_in_whole_videos_gets_no_questions_about_it(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    all_of_it = (MediumRef(media_id=medium, start_s=0.0, end_s=40.0),)
    world.sample(make.grounding(medium, needs=("audio",), media=all_of_it))
    world.sample(make.grounding(medium, needs=("vision",), media=all_of_it, question="<video>\nWhen is it not blue?"))
    with world.catalog() as catalog:
        params = {"modalities": ["vision", "audio"], "media": "copy"}
        report = package(catalog, "llamafactory", params, world.root / "packages/p")
    assert (report.packaged, report.left_out) == (1, {"needs audio": 1})


def test_motion_needs_two_drawn_frames(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    short = MediumRef(media_id=medium, start_s=10.0, end_s=10.4)
    world.sample(make.choice(medium, 1, needs=("vision", "motion"), media=(short,)))
    world.sample(make.choice(medium, 2, needs=("vision",), media=(short,)))
    with world.catalog() as catalog:
        report = package(catalog, "llamafactory", {}, world.root / "packages/p")
    assert report.left_out == {"unanswerable: fewer than 2 frames to see motion": 1}


def test_llamafactory_marks_equal_files_in_every_column(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    world.sample(make.grounding(medium, needs=("audio",), question="When do you hear “&lt;video>” or &lt;audio>?"))
    world.sample(make.grounding(medium))
    stills = tuple(MediumRef(media_id=medium, kind="image", start_s=t, end_s=t, frame_times=(t,)) for t in (12.0, 23.0))
    world.sample(
        make.choice(medium, 1, media=stills, turns=_turns(make, "<image@2> or <image>?\n<options>", "<answer>"))
    )
    with world.catalog() as catalog:
        out = package(catalog, "llamafactory", {"modalities": ["vision", "audio"]}, world.root / "packages/p").path
    rows = read(out / "train.json")
    assert len(rows) == 3
    info = read(out / "dataset_info.json")["chronotope_train"]
    assert info["file_name"] == "train.json"
    assert info["columns"] == {"messages": "messages", "videos": "videos", "images": "images", "audios": "audios"}
    for row in rows:
        text = "".join(m["content"] for m in row["messages"])
        for mark, column in (("<video>", "videos"), ("<image>", "images"), ("<audio>", "audios")):
            assert text.count(mark) == len(row[column])
            assert all((out / path).is_file() for path in row[column])
        assert not any(mark in row["messages"][1]["content"] for mark in ("<video>", "<image>", "<audio>"))
    (pictured,) = [row for row in rows if row["images"]]
    assert pictured["messages"][0]["content"].startswith("<image> or <image>?")
    assert [_is_red(out / path) for path in pictured["images"]] == [True, False], "in the order of the text"
    (heard,) = [row for row in rows if row["audios"]]
    assert heard["messages"][0]["content"].startswith("<video><audio>\n")
    assert "“(video)” or (audio)?" in heard["messages"][0]["content"]


def test_llava_rows_have_one_video_or_pictures(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    two = tuple(MediumRef(media_id=medium, start_s=s, end_s=s + 10) for s in (0.0, 20.0))
    world.sample(
        make.choice(medium, 1, media=two, turns=_turns(make, "<video>\n<video@2>\nSame?\n<options>", "<answer>"))
    )
    frames = MediumRef(media_id=medium, kind="image", start_s=20.0, end_s=26.0, frame_times=(23.0, 21.0, 25.0))
    world.sample(make.choice(medium, 2, media=(frames,), turns=_turns(make, "<image>\nWhich?\n<options>", "<answer>")))
    with world.catalog() as catalog:
        report = package(catalog, "llava", {"video_mark": "<video>"}, world.root / "packages/p")
    assert report.left_out == {"format: one video, or stills, per sample": 1}
    rows = read(report.path / "train.json")
    by_key = {"image" if "image" in row else "video": row for row in rows}
    assert by_key["video"]["conversations"][0] == {"from": "human", "value": "<video>\nWhen is it red?"}
    assert by_key["image"]["conversations"][0]["value"].startswith("<image><image><image>\nWhich?")
    assert [_is_red(report.path / p) for p in by_key["image"]["image"]] == [True, False, False], (
        "in the order of frame_times"
    )


@pytest.mark.parametrize(
    "params",
    [
        {"times": "seconds"},
        {"times": "seconds", "time_decimals": 1},
        {"times": "mm:ss"},
        {"times": "relative_tokens_100"},
        {"times": "relative_tokens_100", "time_token": "<T{k:03d}>"},
        {"times": "lita100"},
    ],
)
def test_times_are_those_of_the_cut_within_the_error_of_the_codec(
    world: Any, films: Any, make: SimpleNamespace, params: dict[str, Any]
) -> None:
    medium = world.film(films.silent)
    truth = Span(21.37, 24.81)
    world.sample(make.grounding(medium, (truth.start_s, truth.end_s)))
    with world.catalog() as catalog:
        out = package(catalog, "llava", params, world.root / "packages/p").path
    said = read(out / "train.json")[0]["conversations"][1]["value"]
    settings = {"token": params["time_token"]} if "time_token" in params else {}
    if "time_decimals" in params:
        settings = {"decimals": params["time_decimals"]}
    codec = time_codec(params["times"], **settings)
    (found,) = codec.find_spans(said, 20.0)
    assert abs(found.start_s - 11.37) <= codec.max_error_s(20.0)
    assert abs(found.end_s - 14.81) <= codec.max_error_s(20.0)
    typed = read_lines(out / "samples.jsonl")[0]["answer"]
    assert (typed["start_s"], typed["end_s"]) == (11.37, 14.81)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _turns(make: SimpleNamespace, *texts: str) -> Any:
    from chronotope.schemas.sample import Turn

    return tuple(Turn(role=role, text=text) for role, text in zip(("user", "assistant"), texts, strict=True))  # type: ignore[arg-type]


def _is_red(picture: Path) -> bool:
    from PIL import Image

    with Image.open(picture) as image:
        assert image.format == "JPEG"
        red, _, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return bool(red > blue)
