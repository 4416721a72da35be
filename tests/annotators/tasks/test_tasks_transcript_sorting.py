"""transcript_sorting: the acceptance of TVTS (spec/temporal.md 7), and nothing can be changed unnoticed."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from chronotope.annotators.tasks.transcript_sorting import TranscriptSorting, canonical_order
from chronotope.schemas.ids import derive_id, seeded_fraction
from chronotope.schemas.sample import Sample
from chronotope.schemas.verifying import check_order


def talk(world, media_id, duration_s, *, every_s=0.45):
    """A different word at every step, so that each word says where it stands."""
    t, position = 0.2, 0
    while t + every_s < duration_s:
        word = derive_id(media_id, position)[:6]
        world.add("words", media_id, "speech", start_s=t, end_s=t + 0.4, word=word, confidence=1.0, position=position)
        t, position = t + every_s + 0.1 * seeded_fraction(media_id, position), position + 1
    world.medium(media_id, duration_s)


@pytest.fixture
def world(new_world):
    world = new_world()
    for m in range(8):
        talk(world, f"m{m}", 60.0 + m)
        world.clip(f"m{m}", 0.0, 30.0)
        world.clip(f"m{m}", 30.0, 60.0 + m)
    return world


def run_all(world, **params):
    task = TranscriptSorting(TranscriptSorting.Params(**params))
    return task, [row for m in world.media_ids() for row in world.run(task, m)]


def test_segments_words_and_order_are_those_of_the_source(world):
    _, rows = run_all(world)
    assert len(rows) >= 12
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == []
        length = (sample.window.length_s - 3) / 4
        assert round(length, 6) in (3, 4, 5)
        starts = []
        for option in sample.options:
            assert len(option.text) >= 10
            words = option.text.split()
            times = [w["start_s"] for w in world.rows(row["media_id"])["words"] if w["word"] in words]
            into = [(t - sample.window.start_s) % (length + 1) for t in times]
            assert max(into) < length and len({(t - sample.window.start_s) // (length + 1) for t in times}) == 1
            starts.append(min(times))
        assert list(sample.answer.order) == sorted(range(4), key=starts.__getitem__)
        assert check_order(sample.answer.order, sorted(range(4), key=starts.__getitem__)).score == 1


def test_every_lie_is_caught(world, all_caught):
    task, rows = run_all(world, per_medium=1)
    assert all_caught(world, task, rows[:4]) > 100


def test_permutations_are_uniform():
    draws = 10_000
    orders = Counter()
    for i in range(draws):
        texts = [derive_id("text", i, k) for k in range(4)]
        listed = canonical_order(texts)
        orders[tuple(listed.index(t) for t in texts)] += 1
    expected = draws / 24
    assert len(orders) == 24
    sigma = (draws * (1 / 24) * (23 / 24)) ** 0.5
    assert sum(abs(n - expected) > 3 * sigma for n in orders.values()) <= 1
    assert sum((n - expected) ** 2 / expected for n in orders.values()) < 41.6  # chi-square, 23 degrees, 1 %


def test_short_texts_and_repetitions_are_refused(new_world):
    world = new_world()
    world.medium("m", 40.0)
    world.clip("m", 0.0, 40.0)
    for i in range(9):  # one short word every four seconds: never ten characters in a segment
        world.add("words", "m", "speech", start_s=i * 4 + 0.5, end_s=i * 4 + 1, word=f"oh{i}", position=i)
    assert run_all(world)[1] == []
    world.tables["words"].clear()
    for i in range(78):
        world.add("words", "m", "speech", start_s=i * 0.5 + 0.1, end_s=i * 0.5 + 0.5, word="again", position=i)
    assert run_all(world)[1] == []


def test_segments_lie_in_kept_clips_only(world):
    for clip in world.rows("m1")["clips"]:
        world.add("selection", "m1", clip_id=clip["clip_id"], recipe="r", kept=clip["start_s"] > 0)
    task = TranscriptSorting(TranscriptSorting.Params())
    rows = world.run(task, "m1")
    assert rows and all(r["window_start_s"] >= 30 for r in rows)


def test_short_footage_is_split_evenly(new_world, all_caught):
    world = new_world()
    talk(world, "m", 12.0)
    world.clip("m", 0.0, 12.0)
    task, rows = run_all(world)
    assert [(r["window_start_s"], r["window_end_s"]) for r in rows] == [(0.0, 12.0)]
    assert sorted(json.loads(rows[0]["answer_json"])["order"]) == [0, 1, 2, 3]
    assert all_caught(world, task, rows) > 0
