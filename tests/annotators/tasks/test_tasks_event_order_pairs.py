"""event_order_pairs: the true order of events against the same clauses shuffled; only who reads order can tell."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from chronotope.annotators.tasks.event_order_pairs import EventOrderPairs, shuffle_rank, told_in_order
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, replay
from chronotope.schemas.permutations import permutation_of

EVENTS = [
    (2.0, 5.0, "a man opens the door"),
    (8.0, 11.0, "a woman washes a car"),
    (14.0, 17.0, "two dogs bark at a cat"),
    (20.0, 23.0, "a girl lights a candle"),
    (26.0, 29.0, "a boy juggles three balls"),
]


@pytest.fixture
def run(told):
    return partial(told, EventOrderPairs, duration_s=40.0, table="captions")


def test_the_right_list_is_in_order_of_time_and_the_wrong_one_is_the_stored_permutation_of_it(run, all_caught):
    world, task, samples = run(EVENTS)
    assert len(samples) >= 3 and all(s.problems() == [] for s in samples)
    for sample in samples:
        cited = [e.values["text"] for e in sample.evidence if e.table == "captions"]
        true = cited[: int(sample.difficulty["events"])]
        assert sample.options[sample.answer.index].text == told_in_order(true)
        perm = permutation_of(int(sample.difficulty["permutation"]), len(true))
        wrong = sample.options[1 - sample.answer.index]
        assert wrong.text == told_in_order([true[i] for i in perm]) != told_in_order(true)
        assert Counter(wrong.text.split(", then ")) == Counter(told_in_order(true).split(", then "))
    assert all_caught(world, task, [s.to_row() for s in samples]) > 40


def test_overlapping_or_repeated_events_make_no_list(run):
    assert run([(2.0, 6.0, "a man opens the door"), (5.0, 9.0, "a woman washes a car")])[2] == []
    assert run([(2.0, 4.0, "a man opens the door"), (5.0, 7.0, "A man is opening the door.")])[2] == []
    again = [(30.0, 33.0, "a man opens the red door")]
    for sample in run([*EVENTS, *again], window_s=(39.0, 40.0))[2]:
        assert "door" not in sample.options[0].text


def test_the_shuffled_order_is_any_but_the_true_one_and_equally_often():
    ranks = Counter(shuffle_rank([f"event {i}", "b", "c"]) for i in range(5000))
    assert sorted(ranks) == [1, 2, 3, 4, 5]
    assert all(abs(count - 1000) < 3 * (5000 * 0.2 * 0.8) ** 0.5 for count in ranks.values())


def test_chains_replay_to_the_answer(run):
    world, task, samples = run(EVENTS)
    for sample in samples:
        rows = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        replayed = replay(task.trace(sample, rows), {r.row["row_id"]: r.row for r in rows})
        assert isinstance(replayed, Replayed) and replayed.answer == sample.answer
