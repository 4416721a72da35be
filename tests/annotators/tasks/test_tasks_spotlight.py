"""spotlight: all parts that a query concerns, by start; and a search from the whole to a leaf."""

from __future__ import annotations

from functools import partial

import pytest
from chronotope.annotators.tasks.spotlight import Spotlight
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, replay
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.span import Span, tiou

EVENTS = [
    (4.0, 7.0, "a man opens the door"),
    (10.0, 14.0, "a woman washes a car"),
    (18.0, 20.0, "two dogs bark at a cat"),
    (25.0, 31.0, "a girl lights a candle"),
    (36.0, 39.0, "a boy juggles three balls"),
]


@pytest.fixture
def run(told):
    return partial(told, Spotlight)


def test_the_list_has_every_occurrence_of_what_is_named_by_start(run, all_caught):
    again = (50.0, 53.0, "a man is opening the door")
    world, task, samples = run([*EVENTS, again], kinds=("several",), window_s=(55.0, 60.0))
    assert samples and all(s.problems() == [] for s in samples)
    door = [s for s in samples if "“a man opens the door”" in s.turns[0].text]
    assert door and all({(4.0, 7.0), (50.0, 53.0)} <= set(s.answer.spans) for s in door)
    for sample in samples:
        assert list(sample.answer.spans) == sorted(sample.answer.spans)
        marks = [(m.start_s, m.end_s) for m in parse(sample.turns[1].text) if isinstance(m, SpanMark)]
        assert marks == list(sample.answer.spans)
    assert all_caught(world, task, [samples[0].to_row()]) > 25


def test_a_search_ends_at_a_leaf_that_is_the_event(run, all_caught):
    world, task, samples = run(EVENTS, kinds=("search",))
    assert len(samples) == len(EVENTS)
    for sample in samples:
        marks = [m.span for m in parse(" ".join(sample.rationale)) if isinstance(m, SpanMark)]
        event = Span(sample.answer.start_s, sample.answer.end_s)
        assert marks[0] == sample.window and marks[-1] == event
        assert len(sample.rationale) == 2 or tiou(marks[-2], event) >= 0.5
    assert all_caught(world, task, [samples[0].to_row()]) > 20


def test_what_is_nearly_described_again_is_not_asked_for(run):
    near = (50.0, 53.0, "a man opens the red door")
    _, _, samples = run([*EVENTS, near], window_s=(55.0, 60.0))
    assert samples and not any("door" in s.turns[0].text for s in samples)


def test_chains_replay_to_the_answer(run):
    world, task, samples = run(EVENTS)
    for sample in samples:
        rows = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        replayed = replay(task.trace(sample, rows), {r.row["row_id"]: r.row for r in rows})
        assert isinstance(replayed, Replayed) and replayed.answer == sample.answer
