"""Cells of the globe: never too full, never too empty, each inside its ancestors; places that cannot be true are told."""

from itertools import pairwise

import numpy as np
import pytest
from chronotope.schemas.geo_cells import (
    adaptive_cells,
    ancestors,
    deepest_level,
    level_of,
    parent,
    place_problem,
    taken_at,
    token,
    too_fast,
)
from s2sphere import Cell, CellId, LatLng, Point


def finest(places) -> list[int]:
    """S2's smallest cells of places."""
    return [CellId.from_lat_lng(LatLng.from_degrees(*p)).id() for p in places]


def spread(count: int, seed: int = 0) -> list[tuple[float, float]]:
    """Places all over the globe."""
    z, turn = np.random.default_rng(seed).uniform((-1, -180), (1, 180), (count, 2)).T
    return list(zip(np.degrees(np.arcsin(z)).tolist(), turn.tolist(), strict=True))


def test_cells_are_those_of_the_library() -> None:
    cell = CellId.from_lat_lng(LatLng.from_degrees(48.86, 2.35))
    for level in (0, 7, 13, 30):
        assert parent(cell.id(), level) == cell.parent(level).id()
        assert token(parent(cell.id(), level)) == cell.parent(level).to_token()
        assert level_of(parent(cell.id(), level)) == level
    chain = ancestors(parent(cell.id(), 7))
    assert [level_of(c) for c in chain] == list(range(8))
    assert all(CellId(a).contains(CellId(b)) for a, b in pairwise(chain))


def test_cells_are_neither_too_full_nor_too_empty_and_hold_their_places() -> None:
    places = spread(3000) + [(48.0 + i * 1e-4, 2.0) for i in range(500)]
    numbers = finest(places)
    cells = adaptive_cells(numbers, t_max=60, t_min=10)
    used = {c for c in cells if c is not None}
    counts = {c: cells.count(c) for c in used}
    assert max(counts.values()) <= 60 and min(counts.values()) >= 10
    assert not any(CellId(a).contains(CellId(b)) for a in used for b in used if a != b)
    for place, number, cell in zip(places, numbers, cells, strict=True):
        if cell is not None:
            point = LatLng.from_degrees(*place).to_point()
            assert parent(number, level_of(cell)) == cell
            assert Cell(CellId(cell)).contains(Point(point[0], point[1], point[2]))
    order = np.random.default_rng(1).permutation(len(numbers))
    assert [cells[i] for i in order] == adaptive_cells([numbers[i] for i in order], t_max=60, t_min=10)


def test_no_cell_is_smaller_than_privacy_allows() -> None:
    assert deepest_level(25) == 7 and deepest_level(0) == 30
    edges = [
        Cell(CellId(parent(n, 7))).get_vertex(k).angle(Cell(CellId(parent(n, 7))).get_vertex((k + 1) % 4)) * 6371
        for n in finest(spread(300)) for k in range(4)
    ]  # fmt: skip
    assert min(edges) >= 25
    crowd = adaptive_cells(finest([(48.86, 2.35)] * 99), t_max=10, t_min=5, deepest=7)
    assert {level_of(c) for c in crowd if c is not None} == {7}
    with pytest.raises(ValueError, match="at least 5 and at most 4"):
        adaptive_cells([], 4, 5)


def test_neighbours_share_a_label() -> None:
    near = adaptive_cells(finest([(48.86, 2.35), (48.860009, 2.35), *spread(40)]), t_max=10, t_min=1)
    assert near[0] == near[1]


@pytest.mark.parametrize(
    ("lat", "lon", "why"), [(0.0, 0.0, "zero place"), (48.0, 2.0, "whole degrees"), (None, 1.5, "no place"), (91.5, 0.5, "off the globe"), (float("nan"), 0.0, "no place"), (48.86, 2.35, ""), (48.0, 2.35, "")]
)  # fmt: skip
def test_places_that_cannot_be_true_are_told(lat, lon, why) -> None:
    assert place_problem(lat, lon) == why


def test_capture_times_are_read_as_they_are_written() -> None:
    assert taken_at("2019:05:04 12:00:00") == taken_at("2019-05-04T12:00:00Z") == taken_at("2019-05-04T14:00:00+02:00")
    assert taken_at("yesterday") is None is taken_at(None)


def test_shots_that_one_device_cannot_have_taken_go() -> None:
    hour = 3600.0
    paris, tokyo, lyon = (48.86, 2.35), (35.68, 139.69), (45.76, 4.84)
    shots = {"a": (0.0, *paris), "b": (hour, *tokyo), "c": (2 * hour, *paris), "d": (4 * hour, *lyon)}
    assert too_fast(shots) == {"b"}
    assert too_fast({"a": (0.0, *paris), "b": (hour, *tokyo)}) == {"a", "b"}
    assert too_fast({"a": (0.0, *paris), "b": (14 * hour, *tokyo)}) == set()
