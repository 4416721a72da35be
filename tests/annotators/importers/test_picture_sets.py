"""COCO, YouTube-VOS, MOT and SAM layouts written from a rendered room and read back: boxes and masks as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.importing import ImportProblem
from chronotope.engine.registry import find
from chronotope.schemas.masks import box_of, decode_mask, mask_iou
from layouts import sets2d
from layouts.world import world

Reads = Callable[..., Any]
SIZE = (160, 120)


def _sequence(name: str, folder: Path, **settings: Any) -> Any:
    kind = find("importer", name)
    importer = kind(kind.Params.model_validate({"sequences": str(folder), **settings}), folder.parent)
    [(found, at)] = importer.folders()
    return importer.read(found, at)


def _off(row: dict[str, Any], mask: Any) -> float:
    """How far a box is from that of a mask, pixels."""
    return max(abs(row[n] - v) * s for n, v, s in zip(("x1", "y1", "x2", "y2"), box_of(mask), SIZE * 2, strict=True))


def test_coco(read: Reads, tmp_path: Path) -> None:
    count = sets2d.write_coco(world(), tmp_path)
    found = read("coco", media="val2017", files="instances_val2017.json")
    tracks = {t["track_id"]: t for t in found.rows["tracks"]}
    assert len(tracks) == count + 1 and not found.problems, "the crowd is left out, the polygon of one thing is not"
    ious, offs = [], []
    for row in found.rows["boxes"]:
        label = tracks[row["track_id"]]["label"]
        frame = int(Path(row["medium"]).stem)
        masks = [m for n, m in sets2d.things(world(), frame).items() if world().labels[n] == label]
        ious.append(max(mask_iou(decode_mask(row["mask"]), m) for m in masks))
        offs.append(min(_off(row, m) for m in masks))
    assert sorted(ious)[1] == 1.0 and sorted(offs)[-2] < 1e-3
    print(f"coco: {count} masks, IoU {sorted(ious)[1]}, boxes within {sorted(offs)[-2]:.1g} px")
    [square] = [r for r, iou in zip(found.rows["boxes"], ious, strict=True) if iou < 1]
    assert decode_mask(square["mask"]).sum() == pytest.approx(50 * 60, rel=0.03) and square["t_s"] == 0
    [note] = found.notes
    assert (note["rule"], note["items"]) == ("crowd", 1) and {p.official_split for p in found.places} == {"validation"}
    kept = read("coco", media="val2017", files="instances_val2017.json", crowds="keep", masks=False)
    assert len(kept.rows["boxes"]) == count + 2 and all(r.get("mask") is None for r in kept.rows["boxes"])


def test_youtube_vos(tmp_path: Path) -> None:
    sets2d.write_youtube_vos(world(), tmp_path)
    medium = _sequence("youtube_vos", tmp_path / "JPEGImages" / "*")
    tracks = {t["track_id"]: t for t in medium.rows["tracks"]}
    least = 1.0
    for row in medium.rows["boxes"]:
        frame = round(row["t_s"] * 6)
        assert row["t_s"] == pytest.approx(frame * 5 / 30, abs=1e-6)
        masks = [
            m for n, m in sets2d.things(world(), frame).items() if world().labels[n] == tracks[row["track_id"]]["label"]
        ]
        least = min(least, max(mask_iou(decode_mask(row["mask"]), m) for m in masks))
    print(f"youtube_vos: {len(medium.rows['boxes'])} masks, least IoU {least}")
    assert least == 1.0 and len(medium.rows["boxes"]) == sum(len(sets2d.things(world(), f)) for f in range(12))
    assert medium.duration_s == pytest.approx(12 * 5 / 30, abs=1e-5)
    assert len({t["object_id"] for t in tracks.values()}) == len(world().labels)
    for track in tracks.values():
        times = sorted(r["t_s"] for r in medium.rows["boxes"] if r["track_id"] == track["track_id"])
        steps = [round((b - a) * 6) for a, b in pairwise(times)]
        assert set(steps) <= {1} and track["start_s"] == times[0], "a track ends where its object is not seen"


def test_mot(tmp_path: Path) -> None:
    sets2d.write_mot(world(), tmp_path / "MOT17-02")
    medium = _sequence("mot", tmp_path / "MOT17-02")
    worst = 0.0
    for row in medium.rows["boxes"]:
        frame = round(row["t_s"] * 14)
        assert row["t_s"] == pytest.approx(frame / 14, abs=1e-6) and row["visibility"] == 0.75
        worst = max(worst, min(_off(row, m) for m in sets2d.things(world(), frame).values()))
    print(f"mot: {len(medium.rows['boxes'])} boxes within {worst:.2g} px")
    assert worst < 0.01 and len(medium.rows["boxes"]) == sum(len(sets2d.things(world(), f)) for f in range(12))
    assert {t["label"] for t in medium.rows["tracks"]} == {"pedestrian"}
    [note] = medium.notes
    assert (note.item, note.items, note.action) == ("distractor", 12, "left_out")
    truth = tmp_path / "MOT17-02" / "gt" / "gt.txt"
    truth.write_text("1,4,10,20,30,40,1,3.2,-1.5,0\n")
    old = _sequence("mot", tmp_path / "MOT17-02")
    assert old.rows["tracks"][0]["label"] == "pedestrian" and old.rows["boxes"][0]["visibility"] is None, (
        "MOT15: a place, no class"
    )
    truth.write_text("1,2,a\n")
    with pytest.raises(ImportProblem, match=r"gt.txt, line 1"):
        _sequence("mot", tmp_path / "MOT17-02")


def test_masks_of_a_picture(read: Reads, tmp_path: Path) -> None:
    sets2d.write_sa1b(world(), tmp_path / "media")
    (tmp_path / "media" / "sa_7.json").rename(tmp_path / "sa_7.json")
    found = read("sam_masks", files="sa_7.json")
    masks = sets2d.things(world(), 0)
    assert len(found.rows["boxes"]) == len(masks) and not found.notes
    assert all(max(mask_iou(decode_mask(r["mask"]), m) for m in masks.values()) == 1 for r in found.rows["boxes"])
    assert {t["label"] for t in found.rows["tracks"]} == {"object"} and {t["score"] for t in found.rows["tracks"]} == {
        0.9
    }


def test_masklets_of_a_video(read: Reads, tmp_path: Path) -> None:
    sets2d.write_sav(world(), tmp_path / "media")
    (tmp_path / "media" / "sav_000001_manual.json").rename(tmp_path / "sav_000001_manual.json")
    found = read("sam_masks", files="*_manual.json")
    assert len(found.rows["boxes"]) == sum(len(sets2d.things(world(), f)) for f in range(12)) and not found.notes
    for row in found.rows["boxes"]:
        frame = round(row["t_s"] * 6)
        assert max(mask_iou(decode_mask(row["mask"]), m) for m in sets2d.things(world(), frame).values()) == 1
    for track in found.rows["tracks"]:
        assert track["end_s"] > track["start_s"]
    (tmp_path / "sav_000001_manual.json").write_text(json.dumps({"video": "sav_000001"}))
    with pytest.raises(ImportProblem, match="is it a file of SA-1B or SA-V"):
        read("sam_masks", files="*_manual.json")
