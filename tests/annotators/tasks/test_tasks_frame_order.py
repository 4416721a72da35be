"""frame_order: stills that can be told apart and ordered, in every shuffled order, and no lie unnoticed."""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.tasks.frame_order import FrameOrder
from chronotope.schemas.sample import Sample

TASK = FrameOrder(FrameOrder.Params())


def hashes(n, step=3):
    """Hashes of which each differs from the one before in `step` further bits."""
    return [((1 << (step * i)) - 1) - (1 << 63) for i in range(n)]


def shoot(world, media_id, phashes, *, duration_s=5.0, **motion):
    base = dict.fromkeys(("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy"), 0.0)
    base |= {"inlier_share": 0.9, "residual_area": 0.0, "residual": 0.0} | motion
    for i, phash in enumerate(phashes):
        t_s = i * duration_s / len(phashes)
        world.add("signals", media_id, t_s=t_s, contrast=40.0, phash=phash, **(base if i else {}))
    world.medium(media_id, duration_s)
    world.clip(media_id, 0.0, duration_s)


@pytest.fixture
def world(new_world):
    world = new_world()
    for m in range(60):
        shoot(world, f"m{m}", hashes(20), pan=0.1 + m / 1000)
    return world


def test_order_is_that_of_the_times(world):
    rows = [row for m in world.media_ids() for row in world.run(TASK, m)]
    assert len(rows) == 60
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == []
        (ref,) = sample.media
        assert ref.kind == "image" and len(ref.frame_times) == len(sample.options)
        in_order = [ref.frame_times[k] for k in sample.answer.order]
        assert in_order == sorted(in_order) and len(set(in_order)) == len(in_order)
        ordinal = ("first", "second", "third", "fourth", "fifth")[sample.answer.order[0]]
        assert ordinal in sample.turns[0].text
    counts = Counter(len(r["options"]) for r in rows)
    assert set(counts) == {3, 4, 5} and min(counts.values()) >= 8
    threes = Counter(Sample.from_row(r).answer.order for r in rows if len(r["options"]) == 3)
    assert len(threes) >= 4


def test_every_lie_is_caught(world, all_caught):
    assert all_caught(world, TASK, [row for m in world.media_ids()[:4] for row in world.run(TASK, m)]) > 100


def test_stills_that_look_alike_are_withheld(new_world):
    world = new_world()
    shoot(world, "m", hashes(20, step=0), pan=0.2)
    assert world.run(TASK, "m") == []


def test_fading_likeness_orders_stills_without_motion_of_one_kind(new_world):
    world = new_world()
    shoot(world, "fades", hashes(20))
    assert len(world.run(TASK, "fades")) == 1
    there_and_back = hashes(10) + hashes(10)[::-1]
    shoot(world, "returns", [h + (i << 40) for i, h in enumerate(there_and_back)])
    assert world.run(TASK, "returns") == []


def test_a_cut_inside_is_withheld(new_world):
    world = new_world()
    shoot(world, "m", hashes(20), pan=0.2)
    row = sorted(world.rows("m")["signals"], key=lambda r: r["t_s"])[10]
    world.tables["signals"][row["row_id"]] = row | {"pan": None}
    assert world.run(TASK, "m") == []
