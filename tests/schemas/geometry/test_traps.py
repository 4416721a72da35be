"""Traps of published spatial data, one test each: what goes wrong looks plausible, and a figure here tells it from the truth."""

from itertools import pairwise

import numpy as np
import pytest
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.geometry.directions import HARD
from chronotope.schemas.geometry.distances import box_box, point_box
from chronotope.schemas.geometry.intrinsics import cropped, resized, rotated
from chronotope.schemas.geometry.numbers import mc_numeric, round_half_up
from chronotope.schemas.geometry.poses import (
    camera_to_world,
    is_rigid,
    move_between,
    path_length,
    rotation_of_axis_angle,
)
from chronotope.schemas.masks import decode_mask
from chronotope.schemas.scale import NEEDS, admissible
from s0 import moved, poses_as, s0, s0_rows, space_from, up_to_scale


def wrong_centre(camera: Camera) -> np.ndarray:
    """What the formula for world to camera makes of a camera to world matrix."""
    return -camera.rotation.T @ camera.centre


def test_camera_centre_by_the_formula_of_the_other_side() -> None:
    f0, f3, table = s0().cameras[0], s0().cameras[3], s0().by_id["table"].box
    assert round_half_up(float(point_box(f0.centre, table)), 1) == 1.6
    assert round_half_up(float(point_box(wrong_centre(f0), table)), 1) == 2.9
    assert np.linalg.norm(move_between(f0, f3)) == 0.0
    assert round_half_up(float(np.linalg.norm(wrong_centre(f3) - wrong_centre(f0))), 1) == 1.6


def test_box_axes_read_as_columns_move_corners_far_and_bounds_hardly() -> None:
    turn = rotation_of_axis_angle((0, 0, np.radians(30))) @ rotation_of_axis_angle((0, np.radians(10), 0))
    right = Box3D((0, 0, 0), tuple(turn.T.ravel()), (1, 0.5, 0.8))
    wrong = Box3D((0, 0, 0), tuple(turn.ravel()), (1, 0.5, 0.8))
    corners = np.linalg.norm(right.corners - wrong.corners, axis=1).max()
    bounds = np.abs([right.corners.max(0) - wrong.corners.max(0)]).max()
    assert corners > 0.5 and bounds == pytest.approx(0.031, abs=0.001)


def test_half_sizes_and_centimetres_are_told_by_the_points_of_the_object() -> None:
    table = s0().by_id["table"]
    assert table.points is not None
    for factor, inside in ((1.0, 1.0), (0.5, 0.0), (0.01, 0.0), (100.0, 1.0)):
        read = Box3D(table.box.centre, table.box.axes, tuple(v * factor for v in table.box.size))
        fits = read.contains(table.points, 0.05).mean() >= 0.95
        snug = np.ptp(read.to_local(table.points), axis=0).max() > 0.5 * max(read.size)
        assert (fits and snug) == (factor == 1.0), (factor, inside)


def test_lost_poses_are_no_cameras() -> None:
    row = dict(s0_rows()["cameras"][0])
    for lost in (None, [float("-inf")] * 16, [float("nan")] * 16, [0.0] * 15):
        assert camera_of({**row, "pose": lost}) is None
    assert not is_rigid(np.full((4, 4), -np.inf)) and not is_rigid(np.diag([1.0, 1, -1, 1])) and is_rigid(np.eye(4))


def test_length_of_rays_read_as_depth_bends_a_wall() -> None:
    camera = s0().cameras[0]
    u, v = np.meshgrid(np.linspace(0, 640, 21), np.linspace(0, 480, 17))
    pixels, depth = np.stack([u, v], -1).reshape(-1, 2), np.full(u.size, 3.5)
    rays = depth * np.linalg.norm((pixels - [camera.cx, camera.cy]) / camera.fx, axis=1).__pow__(2).__add__(1) ** 0.5

    def bent(points: np.ndarray) -> float:
        return float(np.linalg.svd(points - points.mean(0), compute_uv=False)[2] / np.sqrt(len(points)))

    assert bent(camera.back_project(pixels, depth)) < 1e-9 < 0.02 < bent(camera.back_project(pixels, rays))


def test_opengl_cameras_read_as_opencv_see_everything_behind_them() -> None:
    told = poses_as(s0_rows(), kind="c2w", axes="opengl")
    points = np.concatenate([o.points for o in s0().objects if o.points is not None])
    seen = {"opengl": [], "opencv": []}
    for axes, shares in seen.items():
        for pose, camera in zip(camera_to_world(told, "c2w", axes), s0().cameras, strict=True):
            ids = {s.object_id for s in s0().seen_at(camera.t_s) if s.clear()}
            of = np.concatenate([s0().by_id[i].points for i in sorted(ids)]) if ids else points
            local = (of - pose[:3, 3]) @ pose[:3, :3]
            shares.append((local[:, 2] > 0).mean())
    assert np.mean(seen["opengl"]) > 0.9 > 0.1 > np.mean(seen["opencv"])


@pytest.mark.parametrize("edit", ["resize", "crop", "turn"])
def test_intrinsics_that_do_not_follow_the_picture_miss_the_object(edit) -> None:
    camera, tv = s0().cameras[0], next(s for s in s0().seen_at(0.0) if s.object_id == "tv")
    mask, box = decode_mask(tv.row["mask"]), s0().by_id["tv"].box
    edited, shown = {
        "resize": (resized(camera, 320, 240), mask[::2, ::2]),
        "crop": (cropped(camera, 200, 100, 400, 300), mask[100:400, 200:600]),
        "turn": (rotated(camera, 90), np.rot90(mask, -1)),
    }[edit]
    height, width = shown.shape
    assert (edited.width, edited.height) == (width, height)
    stale = Camera(0.0, width, height, camera.fx, camera.fy, camera.cx, camera.cy, camera.pose)

    def hit(of: Camera) -> bool:
        (u, v), _ = of.project(np.asarray(box.centre))
        return 0 <= u < width and 0 <= v < height and bool(shown[int(v), int(u)])

    assert hit(edited) and not hit(stale)


def test_identities_off_by_one_fail_the_agreement_of_masks_and_boxes() -> None:
    names = [o.object_id for o in s0().objects]
    shifted = dict(zip(names, [*names[1:], names[0]], strict=True))

    def agreement(owner: dict[str, str]) -> float:
        hits = []
        for sighting in s0().sightings:
            camera = s0().camera_at(sighting.t_s)
            assert camera is not None
            rows, columns = np.nonzero(decode_mask(sighting.row["mask"]))
            middle = len(rows) // 2
            point = camera.back_project([columns[middle] + 0.5, rows[middle] + 0.5], sighting.depth_m)
            hits.append(point_box(point, s0().by_id[owner[sighting.object_id]].box) < 0.5)
        return float(np.mean(hits))

    assert agreement({n: n for n in names}) >= 0.6 > agreement(shifted)


def test_net_displacement_is_not_a_way_and_not_steady_motion() -> None:
    there_and_back = [s0().cameras[i] for i in (0, 1, 0, 1)]
    assert np.linalg.norm(move_between(there_and_back[0], there_and_back[-1])) == pytest.approx(1.2)
    assert path_length(there_and_back) == pytest.approx(3.6)
    steps = [move_between(a, b)[2] for a, b in pairwise(there_and_back)]
    assert np.mean(np.asarray(steps) > 0) < 0.8


def test_margins_hold_on_both_sides_of_a_boundary() -> None:
    below, above = HARD.margin_deg(85.0), HARD.margin_deg(95.0)
    assert below == above == 5.0


def test_mirroring_a_picture_swaps_left_and_right_and_keeps_near_and_far() -> None:
    rows = s0_rows()
    flip = np.diag([-1.0, 1.0, 1.0])
    boxes = {o.object_id: o.box for o in s0().objects}
    camera = s0().cameras[0]
    order = sorted(("table", "sofa", "lamp"), key=lambda n: camera.to_camera(boxes[n].centre)[0])
    mirrored = sorted(order, key=lambda n: (camera.to_camera(boxes[n].centre) @ flip)[0])
    depths = [camera.to_camera(boxes[n].centre)[2] for n in order]
    assert mirrored == order[::-1] and len(rows["boxes3d"]) == 9
    assert [(camera.to_camera(boxes[n].centre) @ flip)[2] for n in order] == depths


def test_unit_scale_never_gives_metres_and_another_world_never_changes_them() -> None:
    unit = space_from(up_to_scale(s0_rows()))
    assert admissible(unit.scene, NEEDS["obj_abs_dist"]) == "unit scale"
    assert box_box(unit.by_id["table"].box, unit.by_id["lamp"].box) == pytest.approx(0.785, abs=0.001)
    there = space_from(moved(s0_rows(), yaw_deg=77, shift=(9, 9, -3)))
    for a, b in (("table", "lamp"), ("tv", "lamp")):
        here = box_box(s0().by_id[a].box, s0().by_id[b].box)
        assert box_box(there.by_id[a].box, there.by_id[b].box) == pytest.approx(here)


def test_rounding_makes_no_two_options_one() -> None:
    for tenths in range(2, 60):
        wrong = mc_numeric(tenths / 10, "options")
        assert wrong is None or len({round(v, 1) for v in (*wrong, tenths / 10)}) == 4
    assert round_half_up(0.95, 1) == 1.0 != round(0.95, 1)
