"""LITA, LLaVA-ST and DisTime packages, parsed back as their trainers parse them: times and boxes within the codec's bound."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.engine.answering.samplers import stream_facts
from chronotope.outputs.packager import PackageError
from chronotope.outputs.packagers.llava_st import mismatches
from chronotope.outputs.packaging import package
from chronotope.outputs.rendering import Language, Part, View, render
from chronotope.schemas.sample import MediumRef, SpanAnswer, SpanBoxAnswer, SpansAnswer, TextAnswer, Turn
from chronotope.schemas.span import Span
from chronotope.schemas.timecodec import time_codec
from chronotope.schemas.timecodec_distime import PLACEHOLDER, spans_of
from chronotope.schemas.timecodec_llavast import FrameWindow
from chronotope.schemas.timecodec_prefix import FramePrefix

SPANS = ((12.37, 14.9), (22.0, 24.0), (28.11, 30.0))
"""On the source's clock; samples show 10..30 s."""
BOX = (0.1234567, 0.2, 0.5, 0.75)


def turns(*texts: str) -> tuple[Turn, ...]:
    return tuple(Turn(role="user" if i % 2 == 0 else "assistant", text=t) for i, t in enumerate(texts))


def told(make: SimpleNamespace, medium: str) -> list[Any]:
    """A grounding, a dense answer, a span with a box (and one asked with a span), and what nobody may take for a token."""
    marks = ["<span:{},{}>".format(*s) for s in SPANS]
    box = "0.123457,0.200000,0.500000,0.750000"
    return [
        make.grounding(medium),
        make.sample(medium, ("<video>\nWhat happens when?", f"{marks[0]}, one. {marks[1]}, two. {marks[2]}, three."),
                    SpansAnswer(spans=SPANS), task="dense"),
        make.sample(medium, (f"<video>\nWhere is it after {marks[0]}?", f"{marks[1]} <boxat:22.5,{box}>"),
                    SpanBoxAnswer(start_s=22.0, end_s=24.0, box=BOX), task="where"),
        make.sample(medium, ("<video>\nSomebody wrote &lt;TEMP-INPUT> &lt;TIME_STAMP> &lt;t7>. When?", f"{marks[1]}"),
                    SpanAnswer(start_s=22.0, end_s=24.0), task="written"),
        make.sample(medium, ("<video>\nWhat is it?", "Red."), TextAnswer(text="Red."), task="words"),
    ]  # fmt: skip


def built(world: Any, films: Any, make: SimpleNamespace, name: str, **params: Any) -> tuple[Any, Path]:
    medium = world.film(films.silent)
    for sample in told(make, medium):
        world.sample(sample)
    with world.catalog() as catalog:
        report = package(catalog, name, params, world.root / "packages/p")
    return report, report.path


def entries(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((out / "train.json").read_text())
    return rows


def shown(out: Path, entry: dict[str, Any]) -> list[Span]:
    """The true spans of an entry on the clock of its file, from what the package says about it."""
    facts = {r["sample_id"]: r for r in map(json.loads, (out / "samples.jsonl").read_text().splitlines())}
    answer, zero = facts[entry["id"]]["answer"], facts[entry["id"]]["media"][0]["source_zero_s"]
    true = {"dense": SPANS, "where": (SPANS[0], SPANS[1], (22.5, 22.5))}.get(facts[entry["id"]]["task"], (SPANS[1],))
    if answer["kind"] == "text":
        return []
    return [Span(a - zero, min(b - zero, 20.0) + (a == b) * 1e-9) for a, b in true]


def test_lita_tokens_and_seconds_come_back_within_their_bounds(world: Any, films: Any, make: SimpleNamespace) -> None:
    report, out = built(world, films, make, "lita")
    assert report.packaged == 5
    raw = json.loads((out / "train_qa.json").read_text())
    (video,) = raw
    assert raw[video]["duration"] == pytest.approx(20.0, abs=0.05) and len(raw[video]["QA"]) == 5
    assert all("<image>" not in qa["q"] for qa in raw[video]["QA"])
    said = 0
    for entry, qa in zip(entries(out), raw[video]["QA"], strict=True):
        text = "".join(t["value"] for t in entry["conversations"])
        assert entry["conversations"][0]["value"].startswith("<image>\n") and entry["video"] == video
        tokens = [int(k) for k in re.findall(r"<t(\d+)>", text)]
        seconds = [float(t) for t in re.findall(r"<(\d+\.\d\d)>", qa["q"] + qa["a"])]
        true = [t for s in shown(out, entry) for t in (s.start_s, s.end_s)][: len(tokens)]
        assert len(tokens) == len(seconds) == len(true)
        assert all(abs(20.0 * k / 99 - t) <= 20.0 / 198 + 0.005 for k, t in zip(tokens, true, strict=True))
        assert all(abs(a - b) <= 0.005 + 1e-6 for a, b in zip(seconds, true, strict=True))
        said += len(tokens)
    assert said == 2 + 6 + 5 + 2  # what was written on the wall is no token


@pytest.mark.parametrize("media", ["cut", "copy"])
def test_llava_st_lists_hold_the_numbers_of_their_placeholders(
    world: Any, films: Any, make: SimpleNamespace, media: str
) -> None:
    report, out = built(world, films, make, "llava_st", media=media)
    assert report.packaged == 5
    for entry in entries(out):
        facts = stream_facts(out / entry["video"])
        window = FrameWindow(*entry["meta"]["split"], facts.average_fps)
        assert window.split == ([0, 499] if media == "cut" else [250, 749])
        assert (entry["meta"]["width"], entry["meta"]["height"]) == (160, 120)
        assert mismatches(entry) == []
        lists = entry["variables"]
        numbers = lists["temporal_input_locations"] + lists["temporal_output_locations"]
        true = [t for s in shown(out, entry) for t in (s.start_s, s.end_s)][: len(numbers)]
        assert len(true) == len(numbers)
        for number, t in zip(numbers, true, strict=True):
            assert abs(number * window.length_s - t) <= window.max_error_s(listed=True)
            assert abs(window.time(window.token(number)) - t) <= window.max_error_s()
    where = next(e for e in entries(out) if e["variables"]["spatial_width_output_locations"])
    assert where["conversations"][1]["value"] == (
        "{<TEMP-OUTPUT><TEMP-OUTPUT>} <TEMP-OUTPUT>:[<WIDTH-OUTPUT><HEIGHT-OUTPUT><WIDTH-OUTPUT><HEIGHT-OUTPUT>]"
    )
    assert where["variables"]["spatial_width_output_locations"] == [0.123, 0.5]
    assert where["variables"]["spatial_height_output_locations"] == [0.2, 0.75]
    assert len(where["variables"]["temporal_input_locations"]) == 2
    rejects_lists_that_do_not_fit_the_text(where)


def rejects_lists_that_do_not_fit_the_text(whole: dict[str, Any]) -> None:
    def spoilt(change: Any) -> list[str]:
        entry = json.loads(json.dumps(whole))
        change(entry)
        return mismatches(entry)

    lists = ("temporal_input_locations", "temporal_output_locations", "spatial_height_output_locations")
    for name in lists:
        assert len(spoilt(lambda e, n=name: e["variables"][n].pop())) == 1
        assert len(spoilt(lambda e, n=name: e["variables"][n].append(0.5))) == 1
    assert spoilt(lambda e: e["variables"]["temporal_output_locations"].__setitem__(0, 1.2))
    moved = {"from": "human", "value": "{<TEMP-OUTPUT>}"}
    assert spoilt(lambda e: e["conversations"].append(moved)) == ["<TEMP-OUTPUT> stands in a turn that is not of gpt"]


def test_distime_keeps_seconds_and_says_what_its_loader_cuts(world: Any, films: Any, make: SimpleNamespace) -> None:
    report, out = built(world, films, make, "distime")
    assert report.left_out == {"format: cannot say a moment": 1}
    assert report.packaged == 4
    for entry in entries(out):
        text = "".join(t["value"] for t in entry["conversations"])
        assert "<video>" in text and text.count(PLACEHOLDER) * 2 == len(entry["tgt"])
        for got, true in zip(spans_of(text, entry["tgt"]), shown(out, entry), strict=True):
            assert got.start_s == pytest.approx(true.start_s, abs=2e-6)
            assert got.end_s == pytest.approx(true.end_s, abs=2e-6)
    (cut,) = map(json.loads, (out / "shortened.jsonl").read_text().splitlines())
    assert cut["spans"] == [[pytest.approx(18.11), pytest.approx(20.0)]]


def test_distime_leaves_out_videos_under_a_second_and_one_frame_is_no_window(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    for number, (start, end) in enumerate(((22.0, 22.6), (22.0, 22.03), (22.0, 24.0))):
        window = (MediumRef(media_id=medium, start_s=start, end_s=end),)
        world.sample(make.choice(medium, number, media=window))
    with world.catalog() as catalog:
        dis = package(catalog, "distime", {}, world.root / "packages/d")
        st = package(catalog, "llava_st", {}, world.root / "packages/s")
        with pytest.raises(PackageError, match="times"):
            package(catalog, "lita", {"times": "seconds"}, world.root / "packages/l")
    assert dis.left_out == {"window: the trainer refuses videos shorter than a second": 2}
    assert st.left_out == {"window: fewer than two frames": 1}


def test_times_stand_before_stills_in_order_and_never_before_one_that_is_asked_about(make: SimpleNamespace) -> None:
    sample = make.sample("m" * 20, ("<image>\n<image@2>\nWhat changes?", "It turns red."), TextAnswer(text="It turns red."),
                         media=tuple(MediumRef(media_id="m" * 20, start_s=10, end_s=30) for _ in range(2)))  # fmt: skip
    parts = tuple(Part("image", f"{t}.jpg", t) for t in (10.0, 12.125, 20.0))
    view = View(parts, Span(10, 30), 10.0, 20.0, 160, 120)
    alone = View(parts[:1], Span(10, 30), 10.0, 20.0, 160, 120)
    language = Language(time_codec("seconds"), "{start} - {end}", "float01", 3, "letter", {"image": "<image>"},
                        prefix=FramePrefix(2))  # fmt: skip
    text = render(sample, [view, alone], (), language).turns[0][1]
    assert text == "0.00s: <image>\n2.12s: <image>\n10.00s: <image>\n<image>\nWhat changes?"
    assert FramePrefix(2).read(text, "<image>") == [0.0, 2.12, 10.0]
    shuffled = View((parts[1], parts[0]), Span(10, 30), 10.0, 20.0, 160, 120)
    assert "s:" not in render(sample, [shuffled, alone], (), language).turns[0][1]
