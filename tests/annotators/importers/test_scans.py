"""Scans written in each published layout from a rendered room and read back: everything as the room has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.engine.folder_importing import FolderImporter
from chronotope.engine.importing import ImportProblem
from chronotope.engine.media.probe import probe
from chronotope.engine.media.timeline import read_timeline
from chronotope.engine.registry import find
from layouts.reading import NAME, errors, read
from layouts.world import world

FORMS: dict[str, dict[str, Any]] = {
    "scannet": {"layout": "scannet"},
    "scannet .sens": {"layout": "scannet", "options": {"sens": True}},
    "scannetpp iphone lz4": {"layout": "scannetpp"},
    "scannetpp iphone zlib": {"layout": "scannetpp", "options": {"packing": "zlib"}},
    "scannetpp iphone one stream": {"layout": "scannetpp", "options": {"packing": "whole"}},
    "scannetpp dslr": {"layout": "scannetpp", "options": {"dslr": True}, "published": {"pose_kind": "w2c"}, "stream": "dslr"},
    "arkitscenes sideways": {"layout": "arkitscenes"},
    "arkitscenes upright": {"layout": "arkitscenes", "options": {"sideways": False}},
    "matterport3d": {"layout": "matterport3d"},
    "replica results": {"layout": "replica"},
    "replica rgb": {"layout": "replica", "options": {"masks": True}, "published": {"depth_per_m": 1000.0}, "field_deg": 80.0},
    "colmap text": {"layout": "colmap"},
    "colmap binary": {"layout": "colmap", "options": {"binary": True}},
    "nerfstudio": {"layout": "nerfstudio"},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_back(form: str, tmp_path: Path) -> None:
    found = read(root=tmp_path, **FORMS[form])
    off = errors(found)
    print(f"{form}: {off}")
    assert off.position_m < 1e-4 and off.angle_deg < 0.01 and off.focal_px < 1e-3
    assert off.time_s < 1e-4 if "iphone" not in form else off.time_s < 2e-3  # the file's clock has milliseconds
    assert off.depth_m < 2e-3
    assert off.box_centre_m < 5e-3 and off.box_size_m < 7e-3
    assert off.box_corner_m < 0.01
    assert off.mask_iou > 0.98
    [scene] = found.rows("scenes")
    checks = json.loads(scene["checks_json"])
    assert (
        all(c["passed"] is not False for c in checks.values())
        and sum(c["passed"] is True for c in checks.values()) >= 2
    )
    similar = FORMS[form]["layout"] in ("colmap", "nerfstudio")
    assert scene["scale_status"] == ("unit" if similar else "sensor") and scene["world_up"] == (
        "unknown" if similar else "z"
    )
    if not similar:
        assert scene["up_error_deg"] < 0.1 and abs(scene["floor_z"]) < 0.01


def test_a_lost_pose_is_told_and_its_frame_stays(tmp_path: Path) -> None:
    found = read("scannet", tmp_path)
    cameras = found.rows("cameras")
    assert [c["pose"] is None for c in cameras].count(True) == 1 and cameras[5]["frame_name"] == "18"
    assert not cameras[5]["observed"], "an unknown pose lets nothing be concluded about who is not seen"
    assert any(n.rule == "lost_pose" and n.items == 1 for n in found.medium.notes)


def test_unknown_depth_is_unknown_and_an_empty_map_is_no_map(tmp_path: Path) -> None:
    import cv2
    from chronotope.engine.depth_maps import depth_of

    found = read("replica", tmp_path)
    assert np.isnan(depth_of(found.rows("depths")[0])[0, 0]) and np.isnan(depth_of(found.rows("depths")[0])[7, 14])
    file = found.folder / "results" / "depth000003.png"
    cv2.imwrite(str(file), np.zeros((120, 160), np.uint16))
    again = found.importer.read(NAME, found.folder)
    assert len(again.rows["depths"]) == len(found.rows("depths")) - 1
    assert any(n.rule == "no_depth" and "frame000003" in n.detail for n in again.notes)


def test_the_film_keeps_the_times_of_its_frames(tmp_path: Path) -> None:
    found = read("scannet", tmp_path, longest_side_px=96, options={"lose": False})
    film = tmp_path / "film.mp4"
    assert found.medium.write is not None
    found.medium.write(film)
    shown = read_timeline(film).times_s
    assert np.abs(shown - world().times).max() < 2e-6
    told = probe(film)
    assert (told["width"], told["height"]) == (96, 72) and told["variable_fps"]
    assert abs(told["duration_s"] - found.medium.duration_s) < 1e-3
    camera = found.rows("cameras")[0]
    assert (camera["width"], camera["height"]) == (96, 72) and camera["fx"] == pytest.approx(
        world().cameras[0].fx * 0.6
    )
    again = tmp_path / "again.mp4"
    found.medium.write(again)
    assert film.read_bytes() == again.read_bytes()


def test_fewer_frames_keep_their_times(tmp_path: Path) -> None:
    found = read("arkitscenes", tmp_path, max_frames=5)
    times = [c["t_s"] for c in found.rows("cameras")]
    assert len(times) == 5 and set(times) <= {round(t, 3) for t in world().times} and times[-1] == world().times[-1]


def test_a_video_in_the_scan_is_the_medium(tmp_path: Path) -> None:
    found = read("scannetpp", tmp_path)
    assert found.importer.video(found.folder) == found.folder / "iphone" / "rgb.mkv" and found.medium.write is None
    shown = read_timeline(found.folder / "iphone" / "rgb.mkv").times_s
    assert {round(c["t_s"], 6) for c in found.rows("cameras")} <= {round(float(t), 6) for t in shown}


def test_groups_and_splits(tmp_path: Path) -> None:
    found = read("arkitscenes", tmp_path)
    assert found.importer.group(NAME, found.folder) == "421254"
    assert found.importer.split_of(NAME, found.folder) == "validation"
    (tmp_path / "val.txt").write_text(f"{NAME}\n")
    scannet = find("importer", "scannet")
    importer: FolderImporter[Any] = scannet(scannet.Params(scenes=("*",), splits={"val": "val.txt"}), tmp_path)
    assert importer.group(NAME, tmp_path / NAME) == "scene0000"
    assert importer.split_of(NAME, tmp_path / NAME) == "validation"
    assert importer.split_of("scene0001_00", tmp_path / "train" / "scene0001_00") == "train"
    assert importer.folders() == [(NAME, tmp_path / NAME)]


def test_words_of_a_source_are_mapped_and_left_out_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("rename: {chair: seat}\nleave_out: {lamp: it is not furniture}\n")
    found = read("scannet", tmp_path, categories="mine.yaml")
    labels = [b["label"] for b in found.rows("boxes3d")]
    assert "lamp" not in labels and labels.count("seat") == world().labels.count("chair")
    assert {b["label_raw"] for b in found.rows("boxes3d") if b["label"] == "seat"} == {"chair"}
    [note] = [n for n in found.medium.notes if n.rule == "category"]
    assert note.item == "category lamp" and note.detail == "it is not furniture" and note.action == "left_out"
    assert {t["object_id"] for t in found.rows("tracks")} <= {b["object_id"] for b in found.rows("boxes3d")}


def test_a_leaning_box_gets_an_upright_one_and_is_kept(tmp_path: Path) -> None:
    found = read("scannetpp", tmp_path)
    anno = found.folder / "scans" / "segments_anno.json"
    told = json.loads(anno.read_text())
    bed = told["segGroups"][0]["obb"]
    c, s = np.cos(0.06), np.sin(0.06)
    bed["normalizedAxes"] = (
        (np.reshape(bed["normalizedAxes"], (3, 3)) @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])).ravel().tolist()
    )
    bed["axesLengths"] = [v + 0.15 for v in bed["axesLengths"]]
    anno.write_text(json.dumps(told))
    rows = found.importer.read(NAME, found.folder).rows["boxes3d"]
    [fitted] = [r for r in rows if r["source_box_json"]]
    assert fitted["label"] == world().labels[0] and fitted["points"] > 8 and fitted["axes"][8] == pytest.approx(1.0)
    assert json.loads(fitted["source_box_json"])["axes"] == pytest.approx(bed["normalizedAxes"])
    assert np.sort(fitted["size"]) == pytest.approx(np.sort(world().boxes[0].size), abs=5e-3)


@pytest.mark.parametrize(
    ("layout", "file", "said"),
    [
        ("scannet", "scene0000_00.aggregation.json", "no file *.aggregation.json"),
        ("scannetpp", "scans/segments.json", "segments.json"),
        ("arkitscenes", "scene0000_00_frames/lowres_wide.traj", "no lowres_wide.traj"),
        ("matterport3d", "undistorted_camera_parameters/scene0000_00.conf", "unpack its archives"),
        ("replica", "traj.txt", "traj.txt"),
        ("colmap", "sparse/0/images.txt", "name its folder with `model:`"),
        ("nerfstudio", "transforms.json", "name the file with `file:`"),
    ],
)
def test_what_is_missing_is_named(layout: str, file: str, said: str, tmp_path: Path) -> None:
    found = read(layout, tmp_path)
    (found.folder / file).unlink()
    with pytest.raises((ImportProblem, OSError), match=said.replace("*", r"\*").replace(".", r"\.")):
        found.importer.read(NAME, found.folder)
