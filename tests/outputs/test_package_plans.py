"""Packages that show the frames of a stored plan: the same frames for every trainer, as times or as pictures."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from chronotope.annotators.temporal.plan_inputs import PlanParams, plan_rows
from chronotope.engine.plans.plan import Inputs
from chronotope.outputs.packager import PackageError
from chronotope.outputs.packaging import package
from chronotope.schemas.span import Span


def planned(
    world: Any, medium: str, plans: tuple[Any, ...], scope: str = "medium", scope_id: str | None = None
) -> None:
    """Store plans of the film (or of its first 20 s for a clip)."""
    end = 40.0 if scope == "medium" else 20.0
    inputs = Inputs(0.0, end, np.arange(round(end * 25)) / 25, 160, 120)
    for row in plan_rows(inputs, PlanParams(plans=plans), scope, scope_id or medium, [Span(0.0, end)]):
        world.add("sampling_plans", row, medium, medium)


def made(world: Any, name: str, **params: Any) -> tuple[Any, Path]:
    with world.catalog() as catalog:
        report = package(catalog, name, {"tasks": ("flash_grounding",), **params}, world.root / f"packages/{name}")
    return report, report.path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_list_names_the_planned_frames_on_the_clock_of_the_cut(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    planned(world, medium, ({"fps": {"fps": 5, "cost": {"tokens_per_frame": 70}}},))
    _, out = made(world, "llamafactory", frames="fps")
    (line,) = lines(out / "frames.jsonl")
    times = [f["t_s"] for f in line["frames"]]
    assert times == [k / 5 for k in range(100)], "10..30 s of the film are 0..20 s of the cut"
    assert line["files"] == json.loads((out / "train.json").read_text())[0]["videos"]
    shown = make.redness(out / line["files"][0], [round(t * 25) for t in times])
    assert [t for t in times if shown[round(t * 25)]] == [12 + k / 5 for k in range(10)]
    manifest = json.loads((out / "package.json").read_text())["frame_plan"]
    assert manifest["splits"] == {"train": {"frames": 100, "tokens": 100 * 70}} and manifest["policy"] == "fps"
    assert "`fps`: 100 frames, 7000 predicted visual tokens" in (out / "README.md").read_text()
    assert line["tokens"] == 7000 and line["params_hash"] == manifest["params_hash"]
    assert "frames" not in lines(out / "samples.jsonl")[0]


def test_a_plan_that_misses_the_evidence_leaves_the_sample_out(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    planned(world, medium, ({"uniform": {"frames": 5}}, "fps"))
    assert made(world, "llamafactory", frames="uniform")[0].left_out == {
        "unanswerable: no frame inside the evidence": 1
    }
    assert made(world, "llamafactory", frames="fps")[0].packaged == 1, "planted: the trainer's own frames would see it"


def test_pictures_take_the_place_of_the_video(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    planned(world, medium, ("fps",))
    _, out = made(world, "llava", frames="fps", frames_as="images", frame_times=True)
    (entry,) = json.loads((out / "train.json").read_text())
    assert "video" not in entry and len(entry["image"]) == 20
    red = [k for k, file in enumerate(entry["image"]) if _red((out / file).read_bytes())]
    assert red == [12, 13], "the flash is at 22..24 s, the window begins at 10 s"
    question, answer = (turn["value"] for turn in entry["conversations"])
    assert question.count("<image>") == 20 and "12.00" in question and "12.00s - 14.00s" in answer
    (line,) = lines(out / "frames.jsonl")
    assert line["files"] == entry["image"] and [f["t_s"] for f in line["frames"]] == [float(k) for k in range(20)]
    assert lines(out / "samples.jsonl")[0]["media"][0]["frame_times_s"] == [10.0 + k for k in range(20)]
    assert made(world, "llava", frames="fps", frames_as="images", frame_times=True)[0].unchanged


def test_shards_carry_the_plan_beside_each_sample(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    medium = world.film(films.loud)
    sample_id = world.sample(make.grounding(medium))
    world.sample(make.grounding(medium, needs=("audio",), question="<video>\nWhen does it hum?"))
    planned(world, medium, ("fps",))
    _, out = made(world, "webdataset", frames="fps")
    with tarfile.open(out / "train-000000.tar") as tar:
        held = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]
    (plan,) = json.loads(held[f"{sample_id}.frames.json"])
    assert (
        plan["files"] == ["mp4"] and len(plan["frames"]) == 20 and "frames" not in json.loads(held[f"{sample_id}.json"])
    )
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(held[f"{sample_id}.mp4"])
    assert make.redness(cut, [round(f["t_s"] * 25) for f in plan["frames"]])[12 * 25]
    report, _ = made(world, "webdataset", frames="fps", frames_as="images")
    assert (report.packaged, report.left_out) == (1, {"needs audio": 1}), "pictures are silent"


def test_a_sample_s_own_plan_comes_before_its_clip_s_and_the_medium_s(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    plain = world.sample(make.grounding(medium))
    own = world.sample(make.grounding(medium, question="<video>\nSince when is it red?"))
    ref = make.grounding(medium).media[0].model_copy(update={"start_s": 2.0, "end_s": 18.0})
    inner = world.sample(make.grounding(medium, (4.0, 9.0), media=(ref,), clip_id="c"))
    outer = world.sample(make.grounding(medium, (12.0, 15.0), clip_id="c"))  # its window leaves the clip
    planned(world, medium, ("fps",))
    world.add("sampling_plans", _only(world, own, "sample", 23.0), medium, medium)
    world.add("sampling_plans", _only(world, "c", "clip", 5.0), medium, medium)
    _, out = made(world, "llamafactory", frames="fps", profile=None)
    counts = {line["sample_id"]: len(line["frames"]) for line in lines(out / "frames.jsonl")}
    assert counts == {plain: 20, own: 1, inner: 1, outer: 20}


def test_a_new_plan_makes_the_package_stale_and_mistakes_are_named(
    world: Any, films: Any, make: SimpleNamespace
) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    planned(world, medium, ("fps", {"uniform": {"frames": 80}}))
    first, _ = made(world, "llamafactory", frames="fps")
    with pytest.raises(PackageError, match="no policy is called 'keyframes'; did you mean keyframe"):
        made(world, "llamafactory", frames="keyframes")
    with pytest.raises(PackageError, match=r"no plan 'keyframe' is stored \(stored: fps, uniform\)"):
        made(world, "llamafactory", frames="keyframe")
    planned(world, medium, ({"fps": {"fps": 4}},))
    with pytest.raises(PackageError, match="2 sets of parameters; name one: fps@"):
        made(world, "llamafactory", frames="fps")
    mark = json.loads((first.path / "package.json").read_text())["frame_plan"]["params_hash"]
    again, _ = made(world, "llamafactory", frames=f"fps@{mark[:8]}")
    assert (again.packaged, again.frame_plan["splits"]["train"]["frames"]) == (1, 20)


def _only(world: Any, scope_id: str, scope: str, t_s: float) -> dict[str, Any]:
    """The medium's plan, as one of a sample or clip with a single frame."""
    row = next(r for r in world.rows["sampling_plans"] if r["policy"] == "fps")
    start, end = (0.0, 20.0) if scope == "clip" else (10.0, 30.0)
    frame = {**row["frames"][0], "t_s": t_s}
    own = {k: v for k, v in row.items() if k not in ("row_id", "producer", "unit", "media_id")}
    return {
        **own,
        "plan_id": scope_id,
        "scope": scope,
        "scope_id": scope_id,
        "start_s": start,
        "end_s": end,
        "frames": [frame],
    }


def _red(jpeg: bytes) -> bool:
    blue, _, red = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).reshape(-1, 3).mean(axis=0)
    return bool(red > blue)
