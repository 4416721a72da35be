"""The floor of a scan: found under tables and below ceilings, with its lean; none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.annotators.scans.floor import floor_of


def _plane(low: tuple[float, float], high: tuple[float, float], z: float, count: int) -> np.ndarray:
    xy = np.random.default_rng(1).uniform(low, high, (count, 2))
    return np.column_stack([xy, np.full(count, z)])


def _room() -> np.ndarray:
    rng = np.random.default_rng(2)
    wall = np.column_stack([np.zeros(1500), rng.uniform(0, 4, 1500), rng.uniform(0, 2.5, 1500)])
    table = _plane((1, 1), (3.4, 3.4), 0.7, 1600)
    return np.concatenate([_plane((0, 0), (4, 4), 0.0, 1200), _plane((0, 0), (4, 4), 2.5, 1200), table, wall])


@pytest.mark.parametrize("lean", [0.0, 3.0, 12.0, 30.0])
def test_a_leaning_floor_is_measured(lean: float) -> None:
    a = np.radians(lean)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    found = floor_of(_room() @ turn.T)
    assert found is not None and found.tilt_deg == pytest.approx(lean, abs=0.2)
    if not lean:
        assert found.z == pytest.approx(0.0, abs=0.01), "not the table, not the ceiling"


def test_a_scan_of_a_wall_has_no_floor() -> None:
    rng = np.random.default_rng(3)
    assert floor_of(np.column_stack([np.zeros(2000), rng.uniform(0, 4, 2000), rng.uniform(0, 2, 2000)])) is None
    assert floor_of(np.zeros((10, 3))) is None
