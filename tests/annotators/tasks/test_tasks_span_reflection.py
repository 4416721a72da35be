"""span_reflection: yes for windows that are most of the event, no for those that are little or nothing of it."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from chronotope.annotators.tasks.span_reflection import SpanReflection
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, replay
from chronotope.schemas.span import Span, tiou
from pydantic import ValidationError

EVENTS = [
    (4.0, 7.0, "a man opens the door"),
    (10.0, 14.0, "a woman washes a car"),
    (18.0, 20.0, "two dogs bark at a cat"),
    (25.0, 31.0, "a girl lights a candle"),
    (36.0, 39.0, "a boy juggles three balls"),
]


@pytest.fixture
def run(told):
    return partial(told, SpanReflection)


def label(sample):
    return sample.options[sample.answer.index].text


def truth_of(sample):
    values = next(e.values for e in sample.evidence if e.table == "events")
    return Span(values["start_s"], values["end_s"])


def test_labels_follow_tiou_classes_are_equal_and_bands_are_kept(run, all_caught):
    world, task, samples = run(EVENTS, media=12)
    assert len(samples) == 120 and Counter(map(label, samples)) == {"yes": 60, "no": 60}
    for sample in samples:
        shared = tiou(sample.window, truth_of(sample))
        assert (shared >= 0.5) == (label(sample) == "yes")
        assert shared >= 0.5 or shared <= 0.3
        assert sample.window.length_s == pytest.approx(truth_of(sample).length_s, abs=2e-6)
    pools = Counter(
        "truth" if d == 1 else "none" if d == 0 else "part" for d in (s.difficulty["tiou"] for s in samples)
    )
    assert min(pools["truth"], pools["none"]) > 5 and pools["part"] > 40
    assert all_caught(world, task, [s.to_row() for s in samples[:4]]) > 40


def test_a_pair_asks_the_same_question(run):
    _, _, samples = run(EVENTS)
    pairs = {}
    for sample in samples:
        pairs.setdefault(sample.pair_id, []).append(sample)
    assert len(pairs) == 5
    assert all(a.turns[0] == b.turns[0] and {label(a), label(b)} == {"yes", "no"} for a, b in pairs.values())


def test_a_window_that_may_show_the_event_again_is_never_a_no(run):
    _, _, samples = run([(4.0, 7.0, "a man opens the door"), (8.0, 58.0, "a man opens the red door")])
    assert not any(label(s) == "no" and s.window.end_s > 8.0 for s in samples)


def test_chains_replay_to_the_answer(run):
    world, task, samples = run(EVENTS)
    for sample in samples:
        rows = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        replayed = replay(task.trace(sample, rows), {r.row["row_id"]: r.row for r in rows})
        assert isinstance(replayed, Replayed) and replayed.answer == sample.answer


def test_bands_that_overlap_are_refused():
    with pytest.raises(ValidationError, match="partial_tiou lies below"):
        SpanReflection.Params(partial_tiou=(0.1, 0.6))
