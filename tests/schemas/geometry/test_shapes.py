"""Floors, upright boxes, cells, covers, overlaps and what is seen of a box."""

from itertools import combinations

import numpy as np
import pytest
from chronotope.schemas.box import iou
from chronotope.schemas.geometry.area import floor_area, polygon_area
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.cells import cells, morton, parent, root_of, unmorton
from chronotope.schemas.geometry.cover import cells_seen, greedy_cover
from chronotope.schemas.geometry.intervals import camera_intervals, gaps, world_interval
from chronotope.schemas.geometry.overlap import box_iou, shared_volume
from chronotope.schemas.geometry.poses import rotation_of_axis_angle
from chronotope.schemas.geometry.refit import tilt_deg, upright_box, upright_of
from chronotope.schemas.geometry.visibility import cut_sides, outline, picture_box, seen_points
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from s0 import first_hits, s0, s0_rows


def test_s0_has_the_floor_of_its_specification() -> None:
    floor = next(row["xyz"] for row in s0_rows()["points"] if not row["object_id"])
    found = floor_area(np.reshape(floor, (-1, 3)))
    assert found.area_m2 == pytest.approx(20.0, abs=0.5) and found.dense() and found.parts == 1
    assert polygon_area(s0().scene["polygon"]) == 20.0


def test_a_large_floor_needs_the_density_that_the_source_lacks() -> None:
    points = np.random.default_rng(0).uniform(0, 1, (40_000, 2)) * [20, 15]
    assert floor_area(points).area_m2 / 300 > 0.97
    sparse = floor_area(points[:10_000])
    assert sparse.area_m2 / 300 < 0.80 and not sparse.dense()


def test_two_rooms_are_summed_and_a_ghost_behind_a_mirror_is_dropped() -> None:
    draw = np.random.default_rng(1)
    rooms = [draw.uniform(0, 1, (3000, 2)) * [4, 3], draw.uniform(0, 1, (3000, 2)) * [4, 3] + [6, 0]]
    ghost = draw.uniform(0, 1, (100, 2)) * [0.5, 0.5] + [2, 8]
    found = floor_area(np.concatenate([*rooms, ghost]), least_points=100_000)
    assert found.area_m2 == pytest.approx(24, rel=0.03) and found.parts == 2 and found.dropped_points == 100


def test_gaps_of_s0_are_those_of_its_specification() -> None:
    camera = s0().cameras[0]
    names = ("table", "sofa", "tv")
    table, sofa, tv = camera_intervals([s0().by_id[n].box for n in names], camera)
    assert gaps(sofa, table)[0] > 0.15
    assert gaps(table, tv)[2] == pytest.approx(1.45) and gaps(tv, table)[1] == pytest.approx(0.30)
    assert max(gaps(sofa, table)[1], gaps(table, sofa)[1]) < 0.15
    low, high = world_interval(s0().by_id["lamp"].box)
    np.testing.assert_allclose([low[2], high[2]], [0.0, 1.5])


@given_settings(max_examples=30)
@given(st.integers(0, 1000))
def test_an_upright_box_of_its_own_corners_is_the_box(seed) -> None:
    draw = np.random.default_rng(seed)
    box = Box3D.upright(draw.uniform(-2, 2, 3), draw.uniform(0.1, 2, 3), draw.uniform(-4, 4))
    fit = upright_of(box)
    np.testing.assert_allclose(sorted(fit.size[:2]), sorted(box.size[:2]), atol=1e-9)
    assert fit.size[0] >= fit.size[1] - 1e-9 and box.contains(fit.corners, 1e-6).all()
    tilted = Box3D(box.centre, tuple((box.matrix @ rotation_of_axis_angle((0.3, 0.1, 0)).T).ravel()), box.size)
    assert upright_of(tilted).contains(tilted.corners, 1e-6).all()
    assert tilt_deg(tilted) > 1 > tilt_deg(upright_of(tilted))


def test_stray_points_are_left_out_of_a_box_when_asked() -> None:
    points = np.random.default_rng(2).uniform(-0.5, 0.5, (2000, 3))
    strayed = np.concatenate([points, [[4, 0, 0], [0, 0, 5]]])
    assert max(upright_box(strayed).size) > 4
    assert max(upright_box(strayed, 96, seed_yaw_rad=0.0).size) < 1.0


@given_settings(max_examples=30)
@given(st.lists(st.tuples(*[st.integers(0, 2**21 - 1)] * 3), min_size=1, max_size=5))
def test_morton_keys_come_back_and_parents_hold_their_children(found) -> None:
    keys = morton(found)
    np.testing.assert_array_equal(unmorton(keys), found)
    np.testing.assert_array_equal(unmorton(parent(keys)), np.asarray(found) // 2)


def test_a_walk_over_a_grid_has_nine_leaves() -> None:
    walk = np.array([[x, y, 0.0] for x in (0.5, 1.5, 2.5) for y in (0.5, 1.5, 2.5)])
    root = root_of(walk, 1.0)
    keys = root.keys(walk)
    assert len(set(keys.tolist())) == 9 and root.levels == 2
    np.testing.assert_allclose([root.centre(int(k))[:2] for k in keys], walk[:, :2])
    np.testing.assert_array_equal(cells([-0.1, 0.1, 2.0], 1.0), [-1, 0, 2])


def test_greedy_cover_is_that_of_its_specification() -> None:
    seen = [[1, 2, 3, 4, 5], [4, 5, 6, 7, 8], [9, 10], [1, 2]]
    two, four = greedy_cover(seen, 2), greedy_cover(seen, 4)
    assert (two.frames, two.covered, two.total) == ((0, 1), 8, 10)
    assert (four.greedy, four.frames, four.share) == ((0, 1, 2), (0, 1, 2, 3), 1.0)
    assert greedy_cover([[1], [1], [1], [1]], 2, times=[0, 1, 9, 3]).frames == (0, 2)


def test_greedy_cover_is_nearly_the_best_one() -> None:
    draw = np.random.default_rng(3)
    for _ in range(50):
        seen = [draw.choice(20, draw.integers(1, 8), replace=False) for _ in range(7)]
        best = max(len(set(np.concatenate([seen[i] for i in c]).tolist())) for c in combinations(range(7), 3))
        assert greedy_cover(seen, 3).covered >= (1 - 1 / np.e) * best


def test_clouds_of_frames_share_one_grid() -> None:
    first, second = cells_seen([[[0.1, 0.1, 0.1], [1.1, 0.1, 0.1]], [[1.2, 0.2, 0.2]]], 1.0)
    assert len(first) == 2 and second[0] in first


def test_boxes_share_what_they_share() -> None:
    cube = Box3D.upright((0, 0, 0), (1, 1, 1))
    assert box_iou(cube, cube) == pytest.approx(1) and box_iou(
        cube, Box3D.upright((0.5, 0, 0), (1, 1, 1))
    ) == pytest.approx(1 / 3)
    assert shared_volume(cube, Box3D.upright((0, 0, 0), (1, 1, 1), np.pi / 4)) == pytest.approx(2 * np.sqrt(2) - 2)
    assert box_iou(cube, Box3D.upright((3, 0, 0), (1, 1, 1))) == 0


def test_points_against_depth_agree_with_rays() -> None:
    for camera in s0().cameras:
        _, depth = first_hits(camera, [o.box for o in s0().objects])
        for thing in s0().objects:
            assert thing.points is not None
            found = seen_points(thing.points, camera, depth)
            sighting = next((s for s in s0().seen_at(camera.t_s) if s.object_id == thing.object_id), None)
            assert (found.pixel_count > 0) == (sighting is not None)
            assert found.seen.sum() <= found.inside.sum()


def test_nothing_is_seen_where_the_depth_is_unknown() -> None:
    camera, tv = s0().cameras[0], s0().by_id["tv"]
    assert tv.points is not None
    assert seen_points(tv.points, camera, np.zeros((48, 64))).share == 0
    assert seen_points(tv.points, camera, np.full((48, 64), 3.4)).share > 0.9
    assert seen_points(tv.points, camera, np.full((48, 64), 2.0)).share == 0


def test_a_box_in_the_picture_is_around_what_is_seen_of_it() -> None:
    camera = s0().cameras[0]
    for name in ("tv", "table", "sofa"):
        sighting = next(s for s in s0().seen_at(0.0) if s.object_id == name)
        place = picture_box(s0().by_id[name].box, camera)
        assert place is not None and iou(place, sighting.box) > 0.97
        assert cut_sides(s0().by_id[name].box, camera) == sighting.truncated
    behind = Box3D.upright((1, -3, 1), (1, 1, 1))
    assert picture_box(behind, camera) is None and len(outline(behind, camera)) == 0 and cut_sides(behind, camera) == 0
