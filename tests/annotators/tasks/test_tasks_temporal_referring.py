"""temporal_referring: what is described of a span is told from what is described at other times."""

from __future__ import annotations

from functools import partial

import pytest
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.tasks.temporal_referring import TemporalReferring
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, replay
from chronotope.schemas.matching import alike_descriptions
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span, overlap_s

EVENTS = [
    (2.0, 5.0, "a man opens the door"),
    (8.0, 11.0, "a woman washes a car"),
    (14.0, 17.0, "two dogs bark at a cat"),
    (20.0, 23.0, "a girl lights a candle"),
    (26.0, 29.0, "a boy juggles three balls"),
]


@pytest.fixture
def run(told):
    return partial(told, TemporalReferring, duration_s=40.0)


def span_asked(sample):
    """The span that the options or the words are about: that of the first cited event."""
    values = next(e.values for e in sample.evidence if e.table in ("events", "captions"))
    return Span(values["start_s"], values["end_s"])


def test_the_right_option_is_what_happens_then_and_pairs_share_their_options(run, all_caught):
    world, task, samples = run(EVENTS, kinds=("choice",))
    truth = {Span(a, b): text for a, b, text in EVENTS}
    assert len(samples) == 4 and all(s.problems() == [] for s in samples)
    for sample in samples:
        assert sample.options[sample.answer.index].text == truth[span_asked(sample)]
    pairs = {}
    for sample in samples:
        pairs.setdefault(sample.pair_id, []).append(sample)
    assert all([o.text for o in a.options] == [o.text for o in b.options] for a, b in pairs.values())
    assert all(a.answer.index != b.answer.index for a, b in pairs.values())
    assert all_caught(world, task, [samples[0].to_row()]) > 20


def test_open_questions_are_answered_with_the_description(run, all_caught):
    world, task, samples = run(EVENTS, kinds=("open",))
    assert sorted(s.answer.text for s in samples) == sorted(text for _, _, text in EVENTS)
    assert all_caught(world, task, [samples[0].to_row()]) > 15


def test_what_may_hold_of_the_span_too_is_no_option_and_no_open_question(run):
    crowd = [*EVENTS, (2.5, 5.0, "two dogs bark at the cat")]
    _, _, samples = run(crowd, kinds=("choice",))
    for sample in samples:
        if overlap_s(span_asked(sample), Span(2.5, 5.0)) > 0:
            assert not any("dogs" in o.text for i, o in enumerate(sample.options) if i != sample.answer.index)
    _, _, words = run(crowd, kinds=("open",))
    assert not any(s.answer.text in ("a man opens the door", "two dogs bark at the cat") for s in words)


def test_chains_replay_to_the_answer(run):
    world, task, samples = run(EVENTS)
    for sample in samples:
        rows = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        replayed = replay(task.trace(sample, rows), {r.row["row_id"]: r.row for r in rows})
        assert isinstance(replayed, Replayed) and replayed.answer == sample.answer


def test_options_of_composed_films_are_true_of_the_asked_span_alone(new_world):
    choices = 0
    for seed in range(3):
        params = FilmParams(seed=seed, scenes=14)
        scenes = film_scenes(params)
        truth = film_truth(params, scenes, film_narration(params, scenes))
        world = new_world()
        world.medium("f", truth.duration_s, origin="composed")
        world.clip("f", 0.0, truth.duration_s)
        events = film_events(truth)
        for e in events:
            world.add("captions", "f", "truth", start_s=e.start_s, end_s=e.end_s, text=e.text, level="event")
        task = TemporalReferring(TemporalReferring.Params(kinds=("choice",)))
        for sample in map(Sample.from_row, world.run(task, "f")):
            asked = span_asked(sample)
            then = [e.text for e in events if overlap_s(Span(e.start_s, e.end_s), asked) > 0]
            true = [o.text for o in sample.options if any(alike_descriptions(o.text, t) >= 0.6 for t in then)]
            assert true == [sample.options[sample.answer.index].text]
            choices += 1
    assert choices >= 12
