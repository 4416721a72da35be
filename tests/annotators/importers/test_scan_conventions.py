"""Each convention error planted in a written scan is caught, named, and mended by the setting that the message gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.importing import ImportProblem
from layouts.reading import errors, imported, read, written

PLANTED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("world-to-camera poses", "scannet", {"pose_kind": "w2c"}, {}),
    ("camera-to-world poses", "arkitscenes", {"pose_kind": "c2w"}, {}),
    ("camera-to-world poses, no depth", "colmap", {"pose_kind": "c2w"}, {}),
    ("OpenGL axes", "scannetpp", {"camera_axes": "opengl"}, {}),
    ("OpenGL axes without a known vertical", "colmap", {"camera_axes": "opengl"}, {}),
    ("OpenCV axes where OpenGL is published", "matterport3d", {"camera_axes": "opencv"}, {}),
    ("quarter millimetres", "scannet", {"depth_per_m": 4000.0}, {}),
    ("millimetres where 6553.5 is published", "replica", {"depth_per_m": 1000.0}, {}),
    ("length of the ray as depth", "replica", {"depth_kind": "ray"}, {}),
    ("columns as box axes", "scannetpp", {"box_axes": "columns"}, {}),
    ("columns as box axes, no vertices of objects", "arkitscenes", {"box_axes": "columns"}, {}),
    ("half lengths", "scannetpp", {"box_lengths": "half"}, {}),
    ("full lengths where half is published", "matterport3d", {"box_lengths": "full"}, {}),
    ("ids off by one", "scannet", {"mask_offset": 0}, {}),
    ("ids off by one, the other way", "replica", {"mask_offset": 1}, {"masks": True}),
    ("aligned already", "scannet", {"align": "none"}, {}),
    ("poses aligned, mesh not", "scannet", {"align": "cloud"}, {}),
    ("intrinsics of another size", "scannet", {"intrinsics_size": (320, 240)}, {}),
    ("centimetres", "scannetpp", {"metres_per_unit": 0.01}, {}),
]


@pytest.mark.parametrize(("what", "layout", "said", "options"), PLANTED, ids=[p[0] for p in PLANTED])
def test_a_planted_error_is_caught_named_and_mended(
    what: str, layout: str, said: dict[str, Any], options: dict[str, Any], tmp_path: Path
) -> None:
    field = {"field_deg": 80.0} if options else {}
    times = written(layout, tmp_path, said, {"depth_per_m": 1000.0} if options else None, options)
    with pytest.raises(ImportProblem) as caught:
        imported(layout, tmp_path, times, **field)
    print(f"{what}: {caught.value}")
    [(name, value)] = said.items()
    named = list(value) if isinstance(value, tuple) else value
    assert str(caught.value).startswith("self-check ") and f"set {name}: {named}" in str(caught.value)
    off = errors(imported(layout, tmp_path, times, **field, **said))
    assert off.position_m < 1e-4 and off.angle_deg < 0.01 and off.depth_m < 3e-3 and off.box_centre_m < 5e-3


def test_mirrored_rotations_are_named(tmp_path: Path) -> None:
    import numpy as np

    found = read("replica", tmp_path)
    file = found.folder / "traj.txt"
    poses = np.loadtxt(file).reshape(-1, 4, 4)
    poses[4, :3, 0] *= -1
    np.savetxt(file, poses.reshape(-1, 16))
    with pytest.raises(ImportProblem, match=r"handedness failed: .* frame000004 \(determinant -1\.000\)"):
        found.importer.read(found.folder.name, found.folder)


def test_a_failing_scan_may_be_taken_with_a_note(tmp_path: Path) -> None:
    found = read("scannet", tmp_path, {"mask_offset": 0}, failing="note")
    [note] = [n for n in found.medium.notes if n.rule == "self_check"]
    assert "set mask_offset: 0" in note.detail and found.rows("scenes")


def test_a_world_with_another_vertical_is_named(tmp_path: Path) -> None:
    import json

    import numpy as np
    from layouts.numbers import ply
    from plyfile import PlyData
    from scipy.spatial.transform import Rotation

    found = read("replica", tmp_path)
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # our z is the source's y
    poses = np.loadtxt(found.folder / "traj.txt").reshape(-1, 4, 4)
    poses[:, :3] = turn @ poses[:, :3]
    np.savetxt(found.folder / "traj.txt", poses.reshape(-1, 16))
    mesh = found.folder / "habitat" / "mesh_semantic.ply"
    told = PlyData.read(str(mesh))
    vertices = np.stack([told["vertex"][a] for a in "xyz"], axis=1) @ turn.T
    ply(mesh, vertices, np.stack(told["face"]["vertex_indices"]), object_id=told["face"]["object_id"])
    info = json.loads((found.folder / "habitat" / "info_semantic.json").read_text())
    for thing in info["objects"]:
        held = thing["oriented_bbox"]["orientation"]
        held["rotation"] = (Rotation.from_matrix(turn) * Rotation.from_quat(held["rotation"])).as_quat().tolist()
    (found.folder / "habitat" / "info_semantic.json").write_text(json.dumps(info))
    with pytest.raises(ImportProblem, match=r"pictures point along \+y of the world.*set world_up: \+y"):
        found.importer.read(found.folder.name, found.folder)
    info["gravity_dir"] = [0, -1, 0]
    (found.folder / "habitat" / "info_semantic.json").write_text(json.dumps(info))
    again = found.importer.read(found.folder.name, found.folder)
    assert again.rows["scenes"][0]["up_error_deg"] < 0.1, "the source's own gravity is followed"
    sizes = {b["object_id"]: b["size"][2] for b in found.rows("boxes3d")}
    assert all(b["size"][2] == pytest.approx(sizes[b["object_id"]], abs=1e-3) for b in again.rows["boxes3d"])
