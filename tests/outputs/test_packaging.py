"""The flow that all packages share: what is left out and why, whole files, equal bytes, unchanged packages."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.outputs.packager import PackageError
from chronotope.outputs.packaging import package
from chronotope.schemas.markup import BoxMark, Moment, render
from chronotope.schemas.sample import MediumRef, SpanBoxAnswer, Turn


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def reasons(path: Path) -> dict[str, str]:
    return {row["sample_id"]: row["rule"] for row in lines(path / "left_out.jsonl")}


def test_every_sample_is_packaged_or_left_out_for_a_stated_reason(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    kept = [world.sample(make.choice(medium, i)) for i in range(3)]
    expected = {
        world.sample(make.choice(medium, 10), passed=None): "not checked",
        world.sample(make.choice(medium, 11), passed=False): "check failed: answer wrong",
        world.sample(make.choice(medium, 12, task="other")): "task not asked for",
        world.sample(make.choice(medium, 13), split="validation"): "split not asked for",
        world.sample(make.choice(medium, 14), grade="judge"): "evidence less true than model",
        world.sample(
            make.choice(medium, 15), split="test"
        ): "evidence less true than exact or reviewed for the split test",
        world.sample(make.choice(medium, 16, needs=("vision", "audio"))): "needs audio",
    }
    test = world.sample(make.choice(medium, 17), split="test", grade="exact")
    params = {"tasks": ["colour"], "splits": ["train", "test"], "min_grade": "model"}
    with world.catalog() as catalog:
        report = package(catalog, "llava", params, world.root / "packages/p")
    assert reasons(report.path) == expected
    assert (report.inputs, report.packaged) == (11, 4)
    assert report.splits == {"test": 1, "train": 3}
    assert {row["sample_id"] for row in lines(report.path / "samples.jsonl")} == {*kept, test}
    assert json.loads((report.path / "package.json").read_text())["left_out"] == report.left_out


def test_letters_are_balanced_in_the_package_and_name_the_right_option(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    for i in range(18):
        world.sample(make.choice(medium, i), passed=i % 6 != 0)
    with world.catalog() as catalog:
        out = package(catalog, "llava", {"answer": "letter_text"}, world.root / "packages/p").path
    letters = []
    for row in lines(out / "samples.jsonl"):
        question, answer = (m["content"] for m in row["messages"])
        right = answer.removeprefix("It is ").removesuffix(".")
        letters.append(right[0])
        assert right in question.splitlines()
        assert right.endswith(" 0"), "option 0 is right in every sample"
        assert row["answer"] == {"kind": "choice", "letter": right[0]}
    assert sorted(letters.count(x) for x in "ABCD") == [3, 4, 4, 4]


def test_the_same_bytes_again_and_from_rows_in_another_order(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    again = make.world(tmp_path / "again")
    for w in (world, again):
        medium = w.film(films.loud, audio_codec="aac")
        for i in range(9):
            w.sample(make.choice(medium, i), split=("train", "validation")[i % 2])
            w.sample(make.ordering(medium, i))
            w.sample(make.grounding(medium, (20.0 + i / 10, 25.0)))
        w.sample(make.grounding(medium, (23.0, 25.0), media=(MediumRef(media_id=medium, start_s=20.0, end_s=28.0),)))
    formats = ("llava", "llamafactory", "webdataset", "huggingface")
    with world.catalog() as first, again.catalog(backwards=True) as second:
        for name in formats:
            made = make.tree(package(first, name, None, world.root / "packages" / name).path)
            assert made == make.tree(package(second, name, None, again.root / "packages" / name).path)
            assert made == make.tree(package(first, name, None, world.root / "packages" / name, force=True).path)


def test_an_unchanged_package_is_left_alone_and_a_changed_verdict_is_not(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    medium = world.film(films.silent)
    samples = [make.choice(medium, i) for i in range(4)]
    for sample in samples:
        world.sample(sample)
    out = tmp_path / "p"
    with world.catalog() as catalog:
        first = package(catalog, "llava", {}, out)
        stamp = (out / "train.json").stat().st_mtime_ns
        second = package(catalog, "llava", {}, out)
        assert second.unchanged and not first.unchanged
        assert second.counts() == first.counts()
        assert (out / "train.json").stat().st_mtime_ns == stamp
        third = package(catalog, "llava", {"times": "mm:ss"}, out)
        assert not third.unchanged and third.cuts_made == 0, "text changed, the cuts did not"
    world.rows.pop("verdicts")
    world.rows.pop("samples")
    for i, sample in enumerate(samples):
        world.sample(sample, passed=i > 0)
    with world.catalog() as catalog:
        assert package(catalog, "llava", {"times": "mm:ss"}, out).packaged == 3


def test_broken_missing_and_changed_media_are_counted_not_raised(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film at all" * 100)
    cut_off = tmp_path / "cut_off.mp4"
    cut_off.write_bytes(films.silent.read_bytes()[:-5000])
    gone = make.film(tmp_path / "gone.mp4", seconds=1.0)
    changed = make.film(tmp_path / "changed.mp4", seconds=2.0)
    good = world.film(films.silent)
    names = {name: world.film(path) for name, path in (("broken", broken), ("gone", gone), ("changed", changed))}
    names["cut_off"] = world.film(cut_off)
    gone.unlink()
    changed.write_bytes(changed.read_bytes() + b"more")
    ids = {name: world.sample(make.grounding(medium)) for name, medium in names.items()}
    ids["no row"] = world.sample(make.grounding("unknown"))
    world.sample(make.grounding(good))
    with world.catalog() as catalog:
        report = package(catalog, "llava", {}, world.root / "packages/p")
    found = reasons(report.path)
    assert {name: found[i] for name, i in ids.items()} == {
        "broken": "media unreadable",
        "cut_off": "media unreadable",
        "gone": "media missing",
        "changed": "media missing",
        "no row": "media missing",
    }
    assert report.packaged == 1


def test_whole_files_only_where_the_format_knows_spans_or_all_is_shown(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    part = world.sample(make.grounding(medium))
    whole = world.sample(make.grounding(medium, media=(MediumRef(media_id=medium, start_s=0.0, end_s=40.0),)))
    with world.catalog() as catalog:
        report = package(catalog, "llamafactory", {"media": "link"}, world.root / "packages/p")
        assert reasons(report.path) == {part: "window: the trainer opens whole files"}
        (row,) = lines(report.path / "samples.jsonl")
        assert row["sample_id"] == whole
        assert (row["answer"]["start_s"], row["answer"]["end_s"]) == make.flash
        linked = report.path / row["files"][0]["file"]
        assert linked.is_symlink() and linked.read_bytes() == films.silent.read_bytes()


@pytest.mark.parametrize("uri", ["media/twin.mp4", "file://{path}"])
def test_a_source_is_found_below_the_root_and_by_uri(world: Any, make: SimpleNamespace, uri: str) -> None:
    path = make.film(world.root / "media/twin.mp4")
    world.sample(make.grounding(world.film(path, uri=uri.format(path=path))))
    with world.catalog() as catalog:
        assert package(catalog, "llava", {}, world.root / "packages/p").packaged == 1


def test_boxes_are_those_of_the_packaged_picture(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    text = f"At {render([Moment(23.0)])} in {render([BoxMark(0.25, 0.5, 0.5, 1.0)])}."
    answer = SpanBoxAnswer(start_s=22.0, end_s=24.0, box=(0.25, 0.5, 0.5, 1.0))
    world.sample(make.sample(medium, ("<video>\nWhere?", text), answer))
    tiny = SpanBoxAnswer(start_s=22.0, end_s=24.0, box=(0.25, 0.5, 0.2505, 1.0))
    small = f"In {render([BoxMark(*tiny.box)])}."
    world.sample(make.sample(medium, ("<video>\nWhere is the hair?", small), tiny))
    with world.catalog() as catalog:
        expected = {
            "pixels": "[20, 30, 40, 60]",
            "int1000": "[250, 500, 500, 1000]",
            "float01": "[0.250, 0.500, 0.500, 1.000]",
        }
        for boxes, said in expected.items():
            params = {"boxes": boxes, "max_side_px": 80}
            report = package(catalog, "huggingface", params, world.root / "packages/p")
            rows = {row["messages"][0]["content"]: row for row in lines(report.path / "samples.jsonl")}
            assert rows["<video>\nWhere?"]["messages"][1]["content"] == f"At 13.00s in {said}."
            if boxes == "pixels":
                assert report.left_out == {"box smaller than the codec can say": 1}


def test_steps_come_before_the_answer_on_request(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    steps = ("It turns red at <t:22>.", "It is blue again at <t:24>.")
    world.sample(make.grounding(medium, rationale=steps))
    with world.catalog() as catalog:
        out = package(catalog, "llava", {"rationale": True}, world.root / "packages/p").path
    (row,) = lines(out / "samples.jsonl")
    assert row["messages"][1]["content"].splitlines() == [
        "It turns red at 12.00s.",
        "It is blue again at 14.00s.",
        "It is red in 12.00s - 14.00s.",
    ]


def test_sound_is_in_the_cut_only_when_it_is_shown(world: Any, films: Any, make: SimpleNamespace) -> None:
    import av

    medium = world.film(films.loud, audio_codec="aac")
    world.sample(make.grounding(medium))
    with world.catalog() as catalog:
        for modalities, streams in ((["vision"], ["video"]), (["vision", "audio"], ["video", "audio"])):
            out = package(catalog, "huggingface", {"modalities": modalities}, world.root / "packages/p").path
            (file,) = (out / "media").rglob("*.mp4")
            with av.open(str(file)) as container:
                assert [s.type for s in container.streams] == streams
        out = package(catalog, "huggingface", {"modalities": ["audio"]}, world.root / "packages/p").path
    assert lines(out / "left_out.jsonl")[0]["rule"] == "needs vision"


def test_a_time_outside_the_window_is_not_bent_into_it(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    turns = (Turn(role="user", text="<video>\nWhat happens at <t:35>?"), Turn(role="assistant", text="Nothing."))
    world.sample(make.choice(medium, 1, turns=turns))
    with world.catalog() as catalog:
        report = package(catalog, "llava", {}, world.root / "packages/p")
    assert report.left_out == {"time outside what is shown": 1}


def test_wrong_parameters_say_what_there_is(world: Any, films: Any, make: SimpleNamespace) -> None:
    world.sample(make.grounding(world.film(films.silent)))
    with world.catalog() as catalog:
        with pytest.raises(PackageError, match=r"package llava: tims: .*parameters are .*times"):
            package(catalog, "llava", {"tims": "seconds"}, world.root / "packages/p")
        with pytest.raises(PackageError, match="llava cannot show audio; it shows vision"):
            package(catalog, "llava", {"modalities": ["vision", "audio"]}, world.root / "packages/p")
        with pytest.raises(PackageError, match="must hold"):
            package(catalog, "llava", {"times": "relative_tokens_100", "time_token": "<k>"}, world.root / "packages/p")
    assert not (world.root / "packages/p").exists()


def test_a_dataset_without_samples_gives_an_empty_package(world: Any, films: Any) -> None:
    world.film(films.silent)
    with world.catalog() as catalog:
        for name in ("llava", "llamafactory", "webdataset", "huggingface"):
            report = package(catalog, name, None, world.root / "packages" / name)
            assert (report.inputs, report.packaged) == (0, 0)
