"""Pixel statistics: the labels say where a window moves and changes, whatever the camera does."""

import cv2
import numpy as np
import pytest
from chronotope.annotators.vision.pixel_stats import PixelStats, PixelStatsParams
from chronotope.annotators.vision.statistics import appearance_labels, motion_labels, patterns
from hypothesis import given, settings
from hypothesis import strategies as st

SIDE, FLOOR, CROSSTALK = 112, PixelStatsParams().motion_floor, PixelStatsParams().crosstalk
U_LOC, U_ANG, V_LOC, V_ANG = range(4)


def labelled(flow: np.ndarray) -> tuple[int, ...]:
    return motion_labels(flow, FLOOR, CROSSTALK).values


def moving_square(u: float, v: float, left: int = 32, top: int = 32, side: int = 16) -> np.ndarray:
    """Exact flow [15, 112, 112, 2] of a square of `side` px; the default lies inside grid cell 6."""
    flow = np.zeros((15, SIDE, SIDE, 2))
    flow[:, top : top + side, left : left + side] = u, v
    return flow


@pytest.fixture
def stats(watch, write_video):
    """The row of one window of 171x128 RGB pictures."""

    def row(pictures: list[np.ndarray]) -> dict:
        rows = watch(PixelStats(PixelStatsParams(fps=8)), write_video(pictures, fps=8))
        assert len(rows) == 1
        return rows[0]

    return row


@pytest.fixture
def square_world(textured):
    """16 pictures of a textured square in grid cell 6 that moves by (dx, dy) px per frame over a still ground."""

    def pictures(dx: float, dy: float) -> list[np.ndarray]:
        ground, thing = textured(128, 172, 1, 2.5), textured(16, 16, 2, 1.5)
        made = []
        for i in range(16):
            place = np.float32([[1, 0, 29 + 30 + dx * i], [0, 1, 8 + 30 + dy * i]])
            mask = cv2.warpAffine(np.ones_like(thing), place, (172, 128))
            luma = ground * (1 - mask) + cv2.warpAffine(thing, place, (172, 128)) * mask
            made.append(np.repeat(luma.astype(np.uint8)[..., None], 3, axis=2))
        return made

    return pictures


def test_partitions_cover_the_picture_once_in_blocks_of_the_stated_shapes():
    grid, rings, triangles = patterns()
    assert np.bincount(grid.ravel()).tolist() == [28 * 28] * 16
    assert np.bincount(rings.ravel()).tolist() == [k * k - (k - 28) ** 2 for k in (28, 56, 84, 112)]
    assert len(np.bincount(triangles.ravel())) == 8 and np.ptp(np.bincount(triangles.ravel())) <= 112
    assert grid[40, 40] == 5 and rings[55, 55] == 0 and rings[0, 50] == 3
    assert [triangles[0, 40], triangles[40, 0], triangles[0, 70], triangles[111, 70]] == [0, 1, 2, 6]


def test_a_square_moving_diagonally_in_cell_6_is_found_in_every_partition(stats, square_world):
    motion = stats(square_world(0.6, 0.6))["motion"]
    assert motion[U_LOC] == motion[V_LOC] == 6
    assert motion[4] in (1, 2) and motion[6] in (1, 2), "the two rings that cell 6 touches"
    assert motion[8] in (1, 2) and motion[10] in (1, 2), "a triangle of the upper left quadrant"
    assert all(1 <= step <= 15 for step in motion[12:])


def test_a_clear_case_has_a_margin_and_a_method(stats, square_world):
    row = stats(square_world(0.6, 0.6))
    assert row["motion_margin"][U_LOC] > 0.5
    assert (row["start_s"], row["end_s"]) == (0.0, 2.0)
    assert row["flow_version"].startswith("dis-medium")
    assert len(row["motion"]) == len(row["motion_margin"]) == 14
    assert len(row["appearance"]) == len(row["appearance_margin"]) == 13


def test_windows_begin_at_multiples_of_the_interval(watch, write_video, textured):
    still = np.repeat(textured(128, 172, 4, 6.0)[..., None], 3, axis=2).astype(np.uint8)
    path = write_video([still] * 80, fps=8)

    def starts(**params: float) -> list[float]:
        return [row["start_s"] for row in watch(PixelStats(PixelStatsParams(**params)), path)]

    assert starts(every_s=4) == [0.0, 4.0, 8.0]
    assert starts(every_s=0) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert starts(every_s=1.5) == [0.0, 3.0, 6.0], "a window that is not full yet delays the next"
    assert starts() == [0.0]


def test_purely_horizontal_motion_has_no_vertical_labels(stats, square_world):
    motion = stats(square_world(0.6, 0.0))["motion"]
    assert motion[U_LOC] == 6 and motion[U_ANG] > 0
    assert (motion[V_LOC], motion[V_ANG]) == (0, 0)


def test_a_translating_camera_does_not_move_anything(stats, textured):
    world = textured(128, 300, 3, 2.5)
    pictures = [np.repeat(world[:, 2 * i :][:, :172].astype(np.uint8)[..., None], 3, axis=2) for i in range(16)]
    assert stats(pictures)["motion"][:4] == [0, 0, 0, 0]


def test_a_flickering_block_is_the_most_diverse(stats, textured):
    ground = np.repeat(textured(128, 172, 4, 6.0)[..., None], 3, axis=2).astype(np.uint8)
    pictures = []
    for i in range(16):
        picture = ground.copy()
        picture[8 + 56 : 8 + 84, 30 + 84 : 30 + 112] = (220, 20, 20) if i % 2 else (20, 220, 20)
        pictures.append(picture)
    appearance = stats(pictures)["appearance"]
    assert appearance[0] == 12, "row 3, column 4"
    assert appearance[1] in (3, 5), "dark with much green, or much red"
    assert appearance[4] in (3, 4) and appearance[8] in (7, 8), "an outer ring; the lower right quadrant"


@settings(deadline=None, max_examples=25)
@given(u=st.floats(-3, 3), v=st.floats(-3, 3), left=st.integers(2, 90), top=st.integers(2, 90))
def test_a_quarter_turn_swaps_the_components_and_turns_orientations_by_an_even_number_of_bins(u, v, left, top):
    flow = moving_square(u, v, left, top)
    turned = np.rot90(flow, axes=(1, 2))
    turned = np.stack([turned[..., 1], -turned[..., 0]], axis=-1)
    a, b = labelled(flow), labelled(turned)
    quarter = np.rot90(np.arange(1, 17).reshape(4, 4)).ravel().tolist()
    for p, q in ((U_LOC, V_LOC), (V_LOC, U_LOC)):
        if a[p] == 0:
            assert b[q] == 0
            continue
        # a square across several cells may tie; then either cell is right
        if max(motion_labels(flow, FLOOR, CROSSTALK).margins[p], 0) > 1e-6:
            assert quarter[b[q] - 1] == a[p]
            clear = motion_labels(flow, FLOOR, CROSSTALK).margins[p + 1] > 1e-6
            assert not clear or (b[q + 1] - a[p + 1]) % 2 == 0


def test_uniform_flow_has_no_gradient():
    assert labelled(np.full((15, SIDE, SIDE, 2), 3.0))[:4] == (0, 0, 0, 0)


def test_the_step_of_greatest_motion_is_named():
    flow = moving_square(1.0, 1.0)
    flow[9] *= 3
    assert labelled(flow)[12:] == (10, 10)


def test_an_edge_that_darkens_to_the_right_has_the_orientation_of_its_slope():
    flow = np.zeros((15, SIDE, SIDE, 2))
    flow[..., 0] = np.clip(np.arange(SIDE) - 40, 0, 8) / 8
    assert labelled(flow)[U_ANG] == 1, "rising to the right: 0 degrees"
    assert labelled(np.swapaxes(flow, 1, 2))[U_ANG] == 3, "rising downwards: 90 degrees"


def test_colours_are_named_by_octant():
    window = np.zeros((16, SIDE, SIDE, 3), np.uint8)
    window[...] = (200, 100, 30)
    window[:, 30:40, 30:40] = (10, 10, 10)
    labels = appearance_labels(window)
    assert labels.values[-1] == 5, "only red is 128 or more"
    assert labels.margins[-1] > 0.9
    assert labels.values[0] == 1 and labels.margins[0] == 0, "nothing changes: the first block, without a lead"
