"""Space-aware sampling: the frames that see most of a room, never less than evenly spaced ones, and how much is recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chronotope.engine.plans.plan import Inputs, PlanError
from chronotope.engine.plans.space_aware import SeenPoints
from made_plans import plan

CORNERS = [[0, 0, 0], [20, 20, 20]]


def cells(*numbers: int) -> np.ndarray:
    """A point in each of some cells of edge 1 (numbers below 400), so that 20 parts of a cube of 20 are those cells."""
    return np.array([[n % 20 + 0.5, n // 20 + 0.5, 0.5] for n in numbers])


def room(*clouds: np.ndarray) -> Inputs:
    times = np.arange(len(clouds), dtype=np.float64)
    return Inputs(0.0, float(len(clouds)), times, 64, 48, seen=SeenPoints(times, clouds))


def test_the_sets_of_the_spec() -> None:
    both = np.array(CORNERS) + 0.5 * np.sign(10 - np.array(CORNERS))
    frames = [np.vstack([both, cells(*seen)]) for seen in (range(1, 6), range(4, 9), (9, 10), (1, 2))]
    inputs = room(*frames)
    two = plan("space_aware_sampling", inputs, frames=2, trim=0.0, parts=19)
    assert list(two.times_s) == [0.0, 1.0]
    four = plan("space_aware_sampling", inputs, frames=4, trim=0.0, parts=19)
    assert list(four.times_s) == [0.0, 1.0, 2.0, 3.0] and four.attributes["filled"] == 1
    assert four.attributes["space_coverage"] == 1.0 > two.attributes["space_coverage"]


def test_never_less_is_seen_than_by_even_frames_and_often_more() -> None:
    chance = np.random.default_rng(5)
    better = 0
    for _ in range(30):
        stay = chance.choice([1, 1, 20], 8)
        walls = [chance.random((60, 3)) * [1.5, 1.5, 2] + chance.random(3) * [6, 4, 0.5] for _ in stay]
        clouds = [
            wall + chance.normal(0, 0.02, wall.shape) for wall, n in zip(walls, stay, strict=True) for _ in range(n)
        ]
        made = plan("space_aware_sampling", room(*clouds), frames=8)
        assert made.attributes["space_coverage"] >= made.attributes["even_coverage"]
        better += made.attributes["space_coverage"] > made.attributes["even_coverage"] + 0.02
    assert better >= 20, "a camera that lingers is shown where it went"


def test_the_budget_binds_and_what_is_missing_is_said() -> None:
    chance = np.random.default_rng(2)
    inputs = room(*(chance.random((50, 3)) for _ in range(9)))
    whole = plan("space_aware_sampling", inputs, frames=8)
    half = plan("space_aware_sampling", inputs, frames=8, budget_tokens=whole.tokens // 2)
    assert len(half.frames) == 4 and len(whole.frames) == 8
    with pytest.raises(PlanError, match="depths and cameras of one producer"):
        plan("space_aware_sampling", replace(inputs, seen=None))
    with pytest.raises(PlanError, match="flat cloud"):
        plan("space_aware_sampling", room(*(np.zeros((5, 3)) for _ in range(3))))
    assert inputs.digest != replace(inputs, seen=None).digest
