"""Distances are exact, symmetric, and the same in every world frame; the sampled mode of the source differs as it must."""

import numpy as np
import pytest
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.distances import (
    box_box,
    box_box_sampled,
    box_matrix,
    box_pairs,
    cloud_cloud,
    cloud_cloud_robust,
    point_box,
)
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from s0 import moved, s0, s0_rows, space_from, up_to_scale

S0_DISTANCES = {
    ("table", "sofa"): 1.000, ("table", "tv"): 1.481, ("table", "lamp"): 1.570, ("table", "bin"): 1.760,
    ("table", "chair2"): 0.250, ("sofa", "lamp"): 3.468, ("tv", "lamp"): 1.365, ("lamp", "bin"): 2.738,
}  # fmt: skip


def random_boxes(seed: int, count: int, spread: float = 2.0) -> list[Box3D]:
    """Boxes in any attitude."""
    draw = np.random.default_rng(seed)
    boxes = []
    for _ in range(count):
        turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
        turn *= np.sign(np.linalg.det(turn))
        centre, size = draw.uniform(-spread, spread, 3), draw.uniform(0.02, 2, 3)
        boxes.append(Box3D(tuple(centre), tuple(turn.ravel()), tuple(size)))
    return boxes


seeds = st.integers(0, 10_000)


@pytest.mark.parametrize(("pair", "metres"), S0_DISTANCES.items())
def test_s0_has_the_distances_of_its_specification(pair: tuple[str, str], metres: float) -> None:
    a, b = (s0().by_id[name] for name in pair)
    assert box_box(a.box, b.box) == pytest.approx(metres, abs=0.0006)
    assert box_box_sampled(a.box, b.box) - box_box(a.box, b.box) == pytest.approx(0, abs=0.0002)
    assert a.points is not None and b.points is not None
    # points are kept in single precision
    assert -1e-6 <= cloud_cloud(a.points, b.points) - box_box(a.box, b.box) < 0.01


def test_s0_has_the_camera_distances_of_its_specification() -> None:
    eye = s0().cameras[0].centre
    of = {o.object_id: float(point_box(eye, o.box)) for o in s0().objects}
    assert (of["table"], of["sofa"], of["tv"]) == pytest.approx((1.584, 0.787, 3.496), abs=0.0006)
    assert min(of[f"chair{i}"] for i in (1, 2, 3)) == pytest.approx(0.695, abs=0.0006)


def test_exact_distance_is_the_solution_of_the_quadratic_program() -> None:
    from scipy.optimize import lsq_linear

    first, second = random_boxes(0, 60), random_boxes(1, 60)
    found = box_pairs(first, second)
    assert (found == 0).any() and (found > 0.5).any()
    for a, b, distance in zip(first, second, found, strict=True):
        system = np.hstack([a.matrix.T, -b.matrix.T])
        reach = np.concatenate([a.size, b.size]) / 2
        best = lsq_linear(system, np.asarray(b.centre) - np.asarray(a.centre), (-reach, reach), tol=1e-14)
        assert np.sqrt(2 * best.cost) == pytest.approx(distance, abs=2e-6)


@given_settings(max_examples=25)
@given(seeds)
def test_distances_are_symmetric_and_survive_rigid_motion(seed: int) -> None:
    boxes = random_boxes(seed, 4)
    turn = random_boxes(seed + 1, 1)[0].matrix
    other = [
        Box3D(tuple(turn @ np.asarray(b.centre) + [3, -1, 2]), tuple((b.matrix @ turn.T).ravel()), b.size)
        for b in boxes
    ]
    matrix = box_matrix(boxes)
    np.testing.assert_allclose(box_matrix(other), matrix, atol=1e-9)
    np.testing.assert_allclose(box_matrix(boxes[::-1]), matrix[::-1, ::-1], atol=1e-9)


@given_settings(max_examples=25)
@given(seeds)
def test_no_sample_of_points_is_nearer_than_the_exact_distance(seed: int) -> None:
    a, b = random_boxes(seed, 2)
    draw = np.random.default_rng(seed)
    p, q = (draw.uniform(-0.5, 0.5, (200, 3)) * box.size @ box.matrix + box.centre for box in (a, b))
    exact = box_box(a, b)
    assert cloud_cloud(p, q) >= exact - 1e-9
    assert point_box(p, b).min() >= exact - 1e-9 and (point_box(p, a) == 0).all()


@given_settings(max_examples=25)
@given(seeds)
def test_point_like_boxes_obey_the_triangle_inequality(seed: int) -> None:
    draw = np.random.default_rng(seed)
    matrix = box_matrix([Box3D.upright(draw.uniform(-3, 3, 3), (1e-6,) * 3) for _ in range(3)])
    assert matrix[0, 2] <= matrix[0, 1] + matrix[1, 2] + 1e-5


def test_sampled_mode_loses_the_thickness_of_a_thin_box() -> None:
    board, ball = Box3D.upright((0, 0, 0.02), (1, 1, 0.04)), Box3D.upright((0, 0, 1.05), (0.1, 0.1, 0.1))
    assert box_box(board, ball) == pytest.approx(0.96)
    assert box_box_sampled(board, ball) == pytest.approx(1.0, abs=1e-3)


def test_crossing_boxes_without_a_corner_inside_touch() -> None:
    beam, post = Box3D.upright((0, 0, 0), (4, 0.2, 0.2)), Box3D.upright((0, 0, 0), (0.2, 0.2, 4))
    assert box_box(beam, post) == 0 and box_box(beam, Box3D.upright((0, 0.5, 0), (0.2, 0.2, 4))) == pytest.approx(0.3)


def test_robust_distance_ignores_a_stray_point() -> None:
    grid = np.stack(np.meshgrid([0.0], np.linspace(0, 1, 20), np.linspace(0, 1, 20)), -1).reshape(-1, 3)
    stray = np.concatenate([grid + np.array([2, 0, 0]), [[0.1, 0.5, 0.5]]])
    assert cloud_cloud(grid, stray) == pytest.approx(0.1, abs=0.04)
    assert cloud_cloud_robust(grid, stray) == cloud_cloud_robust(stray, grid) > 0.1


def test_other_world_frames_and_scales_of_s0() -> None:
    here = box_matrix([o.box for o in s0().objects])
    there = space_from(moved(s0_rows(), yaw_deg=123, shift=(-4, 2, 9)))
    np.testing.assert_allclose(box_matrix([o.box for o in there.objects]), here, atol=1e-9)
    half = space_from(up_to_scale(s0_rows()))
    np.testing.assert_allclose(box_matrix([o.box for o in half.objects]), here / 2, atol=1e-9)


def test_lists_of_different_length_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="2 boxes cannot be paired with 1"):
        box_pairs(random_boxes(0, 2), random_boxes(0, 1))
