"""motion_statistics: labels become answers, close calls are withheld, windows stay in their shot, no lie
passes.
"""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.tasks.motion_statistics import COLOURS, QUARTERS, RINGS, SIDES, MotionStatistics
from chronotope.schemas.sample import Sample

ALL = MotionStatistics.Params(ask=("quarter", "ring", "slope", "colour", "change"), per_clip=40, per_medium=400)


def statistics(world, media_id, start_s, motion=None, appearance=None, margin=0.5, **margins):
    motion = motion or [6, 1, 6, 3, 2, 1, 2, 3, 1, 1, 1, 3, 9, 9]
    appearance = appearance or [6, 7, 1, 4, 2, 7, 4, 4, 1, 7, 8, 4, 4]
    world.add(
        "pixel_stats", media_id, start_s=start_s, end_s=start_s + 2.0, motion=motion, appearance=appearance,
        motion_margin=margins.get("motion_margin", [margin] * 14),
        appearance_margin=margins.get("appearance_margin", [margin] * 13), flow_version="test",
    )  # fmt: skip


@pytest.fixture
def world(new_world):
    world = new_world()
    world.medium("m", 40.0)
    world.clip("m", 0.0, 20.0)
    world.clip("m", 20.0, 40.0)
    return world


def asked(world, task=None):
    """What was answered, by kind of question."""
    found = {}
    for row in world.run(task or MotionStatistics(ALL), "m"):
        sample = Sample.from_row(row)
        assert sample.problems() == []
        kind = {"1": "quarter", "2": "ring", "3": "slope", "4": "colour", "5": "change"}[
            str(1 + int(sample.wording[2:]) // 10)
        ]
        found[kind] = sample.options[sample.answer.index].text
    return found


def test_labels_of_the_specification_are_answered(world):
    statistics(world, "m", 4.0)
    assert asked(world) == {
        "quarter": QUARTERS[0],  # cell 6 of 16 is in the upper left
        "ring": RINGS[1],
        "slope": SIDES[0],
        "colour": COLOURS[3],
        "change": QUARTERS[0],
    }


@pytest.mark.parametrize(("cell", "quarter"), [(1, 0), (3, 1), (8, 1), (9, 2), (10, 2), (14, 2), (11, 3), (16, 3)])
def test_cells_lie_in_their_quarter(world, cell, quarter):
    statistics(world, "m", 4.0, motion=[cell, 1, cell, 3, 2, 1, 2, 3, 1, 1, 1, 3, 9, 9])
    assert asked(world)["quarter"] == QUARTERS[quarter]


def test_one_moving_component_is_enough_but_two_must_agree(world):
    statistics(world, "m", 4.0, motion=[6, 1, 0, 0, 2, 1, 4, 3, 1, 1, 1, 3, 9, 9])
    assert (asked(world)["quarter"], asked(world)["ring"]) == (QUARTERS[0], RINGS[1])
    world.tables["pixel_stats"].clear()
    statistics(world, "m", 4.0, motion=[6, 1, 16, 3, 2, 1, 4, 3, 1, 1, 1, 3, 9, 9])
    assert not {"quarter", "ring"} & set(asked(world))
    world.tables["pixel_stats"].clear()
    statistics(world, "m", 4.0, motion=[0, 0, 0, 0, 2, 1, 4, 3, 1, 1, 1, 3, 9, 9])
    assert set(asked(world)) == {"colour", "change"}


def test_close_calls_are_withheld(world):
    statistics(world, "m", 4.0, margin=0.04)
    assert asked(world) == {}


def test_windows_across_a_cut_or_a_clip_border_are_withheld(world):
    statistics(world, "m", 19.0)
    assert asked(world) == {}
    world.tables["pixel_stats"].clear()
    statistics(world, "m", 4.0)
    world.add("shots", "m", start_s=0.0, end_s=5.0, transition="start")
    world.add("shots", "m", start_s=5.0, end_s=40.0, transition="cut")
    assert asked(world) == {}
    statistics(world, "m", 6.0)
    assert set(asked(world)) == {"quarter", "ring", "slope", "colour", "change"}


def test_every_lie_is_caught(world, all_caught):
    world.add("shots", "m", start_s=0.0, end_s=20.0, transition="start")
    statistics(world, "m", 4.0)
    task = MotionStatistics(ALL)
    assert all_caught(world, task, world.run(task, "m")) > 100


def test_few_samples_are_of_different_kinds(world):
    for k in range(9):
        statistics(world, "m", 2.0 * k)
        statistics(world, "m", 20.0 + 2.0 * k)
    task = MotionStatistics(MotionStatistics.Params(per_clip=2, per_medium=4))
    rows = world.run(task, "m")
    assert len(rows) == 4 and Counter(r["clip_id"] for r in rows) == {"m:0-20": 2, "m:20-40": 2}
    assert len({r["wording"][:3] for r in rows}) >= 3


def test_slope_and_colour_are_asked_about_only_on_request(world):
    statistics(world, "m", 4.0)
    assert set(asked(world, MotionStatistics(MotionStatistics.Params(per_clip=9, per_medium=9)))) == {
        "quarter",
        "ring",
        "change",
    }
