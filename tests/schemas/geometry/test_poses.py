"""Poses: every telling of a source comes back, turns are told as who holds the camera sees them, edits of pictures move cameras."""

import numpy as np
import pytest
from chronotope.schemas.geometry.alignment import Similarity, align_poses, pose_errors
from chronotope.schemas.geometry.camera import Camera
from chronotope.schemas.geometry.intrinsics import cropped, resized, rotated
from chronotope.schemas.geometry.poses import (
    Turn,
    axis_angle_of_rotation,
    camera_to_world,
    heading_deg,
    inverse,
    is_rigid,
    move_between,
    path_length,
    quaternion_of_rotation,
    rotation_of_axis_angle,
    rotation_of_quaternion,
    turn_between,
)
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from s0 import poses_as, s0, s0_rows

vectors = st.tuples(*[st.floats(-3, 3)] * 3)


def camera_like(pose: np.ndarray, t_s: float = 0.0) -> Camera:
    """A camera of S0 at another pose."""
    return Camera(t_s, 640, 480, 240, 250, 330, 230, tuple(pose.ravel()))


@pytest.mark.parametrize("kind", ["c2w", "w2c"])
@pytest.mark.parametrize("axes", ["opencv", "opengl"])
def test_every_telling_of_a_pose_comes_back(kind, axes) -> None:
    told = poses_as(s0_rows(), kind=kind, axes=axes)
    np.testing.assert_allclose(camera_to_world(told, kind, axes), [c.matrix for c in s0().cameras], atol=1e-12)


@given_settings(max_examples=40)
@given(vectors)
def test_rotations_in_other_clothes_come_back(vector) -> None:
    r = rotation_of_axis_angle(vector)
    np.testing.assert_allclose(rotation_of_quaternion(quaternion_of_rotation(r)), r, atol=1e-9)
    np.testing.assert_allclose(rotation_of_axis_angle(axis_angle_of_rotation(r)), r, atol=1e-6)
    assert is_rigid(np.block([[r, np.zeros((3, 1))], [np.zeros((1, 3)), 1]]))


def test_s0_moves_as_its_specification_says() -> None:
    f0, f1, f2, f3 = s0().cameras
    np.testing.assert_allclose(move_between(f0, f1), [0, 0, 1.2], atol=1e-12)
    np.testing.assert_allclose(move_between(f1, f2), [1.2, 0, 0], atol=1e-12)
    assert np.linalg.norm(move_between(f0, f3)) == 0 and turn_between(f0, f3).right_deg == pytest.approx(90)
    assert heading_deg(f0) == pytest.approx(90)
    assert path_length(s0().cameras) == pytest.approx(1.2 + 1.2 + np.hypot(1.2, 1.2))


@pytest.mark.parametrize(
    ("axis", "turn"), [((0, 0.4, 0), Turn(22.918, 0, 0)), ((0.4, 0, 0), Turn(0, 22.918, 0)), ((0, 0, 0.4), Turn(0, 0, 22.918))]
)  # fmt: skip
def test_a_turn_about_one_axis_of_the_camera_is_told_by_its_name(axis, turn) -> None:
    """About down it looks to the right, about right it looks up, about forward it turns clockwise."""
    before = s0().cameras[0]
    pose = before.matrix.copy()
    pose[:3, :3] = pose[:3, :3] @ rotation_of_axis_angle(axis)
    found = turn_between(before, camera_like(pose))
    got, wanted = ((t.right_deg, t.up_deg, t.clockwise_deg) for t in (found, turn))
    np.testing.assert_allclose(got, wanted, atol=1e-3)


@given_settings(max_examples=30)
@given(st.lists(vectors, min_size=2, max_size=6))
def test_displacement_is_at_most_the_way(centres) -> None:
    cameras = []
    for i, centre in enumerate(centres):
        pose = s0().cameras[0].matrix.copy()
        pose[:3, 3] = centre
        cameras.append(camera_like(pose, float(i)))
    assert np.linalg.norm(cameras[-1].centre - cameras[0].centre) <= path_length(cameras) + 1e-9


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turning_a_picture_turns_its_pixels(degrees) -> None:
    camera = camera_like(s0().cameras[0].matrix)
    points = np.array([[1.5, 3.0, 1.0], [0.5, 3.5, 2.0]])
    (u, v), (new_u, new_v) = camera.project(points)[0].T, rotated(camera, degrees).project(points)[0].T
    expected = {0: (u, v), 90: (480 - v, u), 180: (640 - u, 480 - v), 270: (v, 640 - u)}[degrees]
    np.testing.assert_allclose([new_u, new_v], expected, atol=1e-9)
    np.testing.assert_allclose(rotated(camera, degrees).project(points)[1], camera.project(points)[1])


def test_resizing_and_cutting_a_picture_move_its_pixels() -> None:
    camera = camera_like(s0().cameras[0].matrix)
    points = np.array([[1.5, 3.0, 1.0]])
    before = camera.project(points)[0]
    np.testing.assert_allclose(resized(camera, 320, 120).project(points)[0], before * [0.5, 0.25])
    np.testing.assert_allclose(cropped(camera, 100, 20, 300, 300).project(points)[0], before - [100, 20])
    with pytest.raises(ValueError, match="45 degrees"):
        rotated(camera, 45)


def test_pose_errors_vanish_for_the_same_way_in_another_world() -> None:
    told = Similarity(0.3, rotation_of_axis_angle((0.2, -1, 0.5)), np.array([1.0, 2, 3]))
    ring = []
    for i in range(6):
        pose = np.eye(4)
        pose[:3, :3] = rotation_of_axis_angle((0, i * 0.5, 0))
        pose[:3, 3] = [np.cos(i), np.sin(i), 0.1 * i]
        ring.append(pose)
    truth, found = [camera_like(p) for p in ring], [camera_like(told.apply_pose(p)) for p in ring]
    errors = pose_errors(found, truth)
    assert errors.place_max_m < 1e-9 and errors.angle_max_deg < 1e-5 and errors.scale == pytest.approx(1 / 0.3)
    straight = [np.eye(4), np.eye(4), np.eye(4)]
    for i, pose in enumerate(straight):
        pose[0, 3] = i
    line, seen = [camera_like(p) for p in straight], [camera_like(told.apply_pose(p)) for p in straight]
    assert pose_errors(seen, line).angle_max_deg < 1e-5  # a straight way leaves no rotation open
    with pytest.raises(ValueError, match="one place"):
        align_poses(line[:1] * 3, line)


def test_inverse_of_world_to_camera_has_the_centre() -> None:
    camera = s0().cameras[1]
    np.testing.assert_allclose(inverse(inverse(camera.matrix)), camera.matrix, atol=1e-12)
