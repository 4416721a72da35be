"""Boxes in normalised display coordinates."""

import pytest
from chronotope.schemas.box import Box, box_or_none, hull, iou, viou
from hypothesis import given
from hypothesis import strategies as st

GRID = 64
edge_pairs = st.lists(st.integers(0, GRID), min_size=2, max_size=2, unique=True).map(sorted)
boxes = st.tuples(edge_pairs, edge_pairs).map(
    lambda p: Box(p[0][0] / GRID, p[1][0] / GRID, p[0][1] / GRID, p[1][1] / GRID)
)


@given(boxes)
def test_turning_a_picture_all_the_way_round_brings_its_boxes_back(box: Box) -> None:
    assert box.mirror().mirror() == box
    assert box.rotate(90).rotate(90) == box.rotate(180)
    assert box.rotate(90).rotate(270) == box
    assert box.rotate(0) == box


@given(boxes, boxes, st.sampled_from([90, 180, 270]))
def test_iou_does_not_depend_on_how_the_picture_is_held(a: Box, b: Box, degrees: int) -> None:
    assert iou(a, b) == iou(b, a)
    assert iou(a, a) == 1
    assert iou(a.rotate(degrees), b.rotate(degrees)) == pytest.approx(iou(a, b))
    assert iou(a.mirror(), b.mirror()) == pytest.approx(iou(a, b))


@given(boxes, boxes)
def test_iou_counts_cells(a: Box, b: Box) -> None:
    common = a.intersection(b)
    shared = common.area if common else 0.0
    assert iou(a, b) == pytest.approx(shared / (a.area + b.area - shared))
    around = hull([a, b])
    assert iou(around, a) == pytest.approx(a.area / around.area)


def test_a_quarter_turn_clockwise_takes_top_left_to_top_right() -> None:
    corner = Box(0, 0, 0.25, 0.125)
    assert corner.rotate(90) == Box(0.875, 0, 1, 0.25)
    assert corner.rotate(90).region() == "top right"
    assert corner.rotate(270).region() == "bottom left"
    with pytest.raises(ValueError, match="45"):
        corner.rotate(45)


def test_pixels_there_and_back() -> None:
    box = Box.from_pixels(64, 36, 320, 180, 640, 360)
    assert box == Box(0.1, 0.1, 0.5, 0.5)
    assert box.to_pixels(640, 360) == (64, 36, 320, 180)
    assert Box.from_pixels(-5, 0, 10, 400, 640, 360) == Box(0, 0, 10 / 640, 1)
    assert Box.from_pixels(700, 0, 800, 10, 640, 360) is None


@pytest.mark.parametrize("edges", [(0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1)])
def test_what_is_no_box(edges: tuple[float, float, float, float]) -> None:
    assert box_or_none(*edges) is None
    with pytest.raises(ValueError, match="normalised"):
        Box(*edges)


def test_nine_regions() -> None:
    names = [Box(x / 3 + 0.1, y / 3 + 0.1, x / 3 + 0.2, y / 3 + 0.2).region() for y in range(3) for x in range(3)]
    assert names == [
        "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right",
    ]  # fmt: skip


def test_region_margin_is_small_for_close_calls() -> None:
    assert Box(0.3, 0.4, 0.36, 0.6).region_margin() == pytest.approx(1 / 3 - 0.33)
    assert Box(0.4, 0.4, 0.6, 0.6).region_margin() == pytest.approx(1 / 6)


def test_viou_divides_by_all_times_of_either_track() -> None:
    whole, half = Box(0, 0, 1, 1), Box(0, 0, 0.5, 1)
    assert viou({0.0: whole, 1.0: half}, {1.0: whole, 2.0: whole}) == pytest.approx(0.5 / 3)
    assert viou({0.1 + 0.2: whole}, {0.3: whole}) == 1
    assert viou({}, {1.0: whole}) == 0
    assert viou({}, {}) == 0


def test_hull_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no boxes"):
        hull([])
