"""temporal_grounding: described events are asked for in English, once, several times or proven not to happen."""

from __future__ import annotations

import re

import pytest
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.tasks.common import wordings_of
from chronotope.annotators.tasks.occurrences import spans_in
from chronotope.annotators.tasks.temporal_grounding import TemporalGrounding
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.matching import alike_descriptions
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span, overlap_s


def describe(world, media_id, events, **values):
    for start_s, end_s, text in events:
        world.add("captions", media_id, "manifest_captions", start_s=start_s, end_s=end_s, level="event", text=text,
                  model="manifest", **values)  # fmt: skip


EVENTS = [
    (2.0, 5.0, "a man opens the door"),
    (8.0, 11.0, "Woman washing car"),
    (14.0, 17.0, "two dogs bark at a cat"),
    (20.0, 23.0, "he lights a candle"),
    (26.0, 29.0, "a goal celebration"),
    (32.0, 35.0, "a boy juggles three balls"),
]


@pytest.fixture
def run(new_world):
    def made(events, duration_s=40.0, rows=(), origin="real", **params):
        world = new_world()
        world.medium("m", duration_s, origin=origin)
        world.clip("m", 0.0, duration_s)
        describe(world, "m", events)
        for table, values in rows:
            world.add(table, "m", "other", **values)
        window = {"length_s": (duration_s - 0.1, duration_s)}
        params = {"window": window, "per_clip": 99, "per_medium": 99} | params
        task = TemporalGrounding(TemporalGrounding.Params(**params))
        return world, task, [Sample.from_row(row) for row in world.run(task, "m")]

    return made


def asked(samples, text):
    return [s for s in samples if any(e.table == "captions" and e.values["text"] == text for e in s.evidence[2:3])]


def test_each_event_is_asked_for_with_its_span(run, all_caught):
    world, task, samples = run(EVENTS)
    assert len(samples) == len(EVENTS) and all(s.problems() == [] for s in samples)
    for start_s, end_s, text in EVENTS:
        (sample,) = asked(samples, text)
        assert (sample.answer.start_s, sample.answer.end_s) == (start_s, end_s)
    assert all_caught(world, task, [s.to_row() for s in samples[:2]]) > 40


def test_events_are_asked_for_as_descriptions_are(run, all_caught):
    rows = [("events", {"start_s": a, "end_s": b, "text": text, "kind": "event"}) for a, b, text in EVENTS]
    world, task, samples = run([], rows=rows)
    assert len(samples) == len(EVENTS) and {e.table for s in samples for e in s.evidence} == {
        "media",
        "clips",
        "events",
    }
    assert task.trace(samples[0], [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in samples[0].evidence])
    assert all_caught(world, task, [samples[0].to_row()]) > 20


def test_questions_are_english(new_world):
    texts = set()
    for m in range(60):
        world = new_world()
        world.medium(f"m{m}", 40.0)
        world.clip(f"m{m}", 0.0, 40.0)
        describe(world, f"m{m}", EVENTS)
        task = TemporalGrounding(TemporalGrounding.Params(per_clip=9, window={"length_s": (30.0, 40.0)}))
        texts |= {Sample.from_row(r).turns[0].text.partition("\n")[2] for r in world.run(task, f"m{m}")}
    does = [t for t in texts if re.search(r"\bdo(es)?\b", t)]
    assert any("does a man open the door" in t for t in does) and any("do two dogs bark at a cat" in t for t in does)
    assert not any(re.search(r"does a \w+ \w+s ", t) for t in does)
    assert any("a woman washing the car" in t for t in texts)
    candle = [t for t in texts if "candle" in t]
    assert candle and all("“he lights a candle”" in t for t in candle)
    assert not any("does a goal" in t for t in texts) and any("a goal celebration" in t.replace("“", "") for t in texts)


def test_an_event_that_happens_twice_has_two_spans(run, all_caught):
    world, task, samples = run([*EVENTS, (37.0, 39.0, "A man is opening the door.")])
    (sample,) = [s for s in samples if s.answer.kind == "spans"]
    assert sample.answer.spans == ((2.0, 5.0), (37.0, 39.0))
    assert all_caught(world, task, [sample.to_row()]) > 20


@pytest.mark.parametrize(
    "near", ["a man opens the red door", "the door opens in front of a man", "a man opens the door again"]
)
def test_a_near_repetition_is_withheld(run, near):
    _, _, samples = run([*EVENTS, (37.0, 39.0, near)])
    assert asked(samples, "a man opens the door") == [] and len(samples) >= 5


def test_another_colour_or_direction_is_another_event(run):
    events = [(2.0, 4.0, "a red star moves to the left"), (8.0, 10.0, "a blue star moves to the left"),
              (14.0, 16.0, "a red star moves to the right")]  # fmt: skip
    assert len(run(events)[2]) == 3


def test_what_is_quoted_must_not_stand_elsewhere(run):
    sign = {"text": "OPEN LATE", "confidence": 0.9, "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.2}
    here = ("text_regions", {"start_s": 1.0, "end_s": 3.0, **sign})
    there = ("text_regions", {"start_s": 30.0, "end_s": 33.0, **sign})
    events = [(1.0, 3.0, "a sign reads “OPEN LATE”"), *EVENTS[1:]]
    (sample,) = asked(run(events, rows=[here])[2], events[0][2])
    assert sample.needs == ("vision", "on_screen_text")
    assert asked(run(events, rows=[here, there])[2], events[0][2]) == []


def test_absence_needs_complete_descriptions(run):
    params = {"absent_share": 0.9, "window": {"length_s": (8.0, 15.0)}, "duration_s": 60.0}
    events = [(t, t + 2, f"a {c} star moves up") for t, c in zip(range(2, 58, 6), ["red", "blue", "green", "pink", "black", "white", "brown", "orange", "purple", "yellow"], strict=True)]  # fmt: skip
    assert not any(s.answer.kind == "absent" for s in run(events, **params)[2])
    assert any(s.answer.kind == "absent" for s in run(events, complete=True, **params)[2])
    _world, _task, samples = run(events, origin="composed", **params)
    absent = [s for s in samples if s.answer.kind == "absent"]
    assert absent
    for sample in absent:
        source, *others = [e.values for e in sample.evidence if e.table == "captions"]
        assert source["end_s"] <= sample.window.start_s - 5 or source["start_s"] >= sample.window.end_s + 5
        shown = {t for a, b, t in events if overlap_s(Span(a, b), sample.window) > 0}
        assert {o["text"] for o in others} == shown and source["text"] not in shown


def test_an_absent_claim_about_what_happens_is_named(run):
    events = [(t, t + 2, f"a {c} star moves up") for t, c in zip(range(2, 58, 6), ["red", "blue", "green", "pink", "black", "white", "brown", "orange", "purple", "yellow"], strict=True)]  # fmt: skip
    world, task, samples = run(
        events, origin="composed", absent_share=0.9, window={"length_s": (8.0, 15.0)}, duration_s=60.0
    )
    sample = next(s for s in samples if s.answer.kind == "absent")
    source, victim = [e for e in sample.evidence if e.table == "captions"][:2]
    world.tables["captions"][victim.row_id]["text"] = source.values["text"]
    assert world.check(task, sample.to_row())["problem"] == "evidence changed"
    lied = tuple(
        e.model_copy(update={"values": {**e.values, "text": source.values["text"]}}) if e is victim else e
        for e in sample.evidence
    )
    verdict = world.check(task, sample.model_copy(update={"evidence": lied}).to_row())
    assert verdict["problem"] == "answer wrong" and "much like it (1.00)" in verdict["reason"]


def test_on_composed_films_answers_are_those_of_the_film(new_world):
    params = FilmParams(seed=8, scenes=24, narration=False)
    scenes = film_scenes(params)
    truth = film_truth(params, scenes, film_narration(params, scenes))
    events = film_events(truth)
    world = new_world()
    world.medium("film", truth.duration_s, origin="composed")
    for shot in truth.shots:
        world.clip("film", shot.start_s, shot.end_s)
    describe(world, "film", [(e.start_s, e.end_s, e.text) for e in events])
    task = TemporalGrounding(TemporalGrounding.Params(per_clip=9, per_medium=99, absent_share=0.2))
    rows = world.run(task, "film")
    assert len(rows) >= 15 and {r["answer_kind"] for r in rows} >= {"span", "absent"}
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == [] and world.check(task, row)["passed"]
        text = next(e.values["text"] for e in sample.evidence if e.table == "captions")
        seen = [
            Span(e.start_s, e.end_s).quantised()
            for e in events
            if alike_descriptions(e.text, text) == 1 and overlap_s(Span(e.start_s, e.end_s), sample.window) > 0
        ]
        assert spans_in(sample.answer) == seen


def test_every_kind_has_its_own_wordings():
    kinds = wordings_of("temporal_grounding").kinds
    assert set(kinds) == {"quoted", "shown", "asked"}
    assert all(kind.answered(outcome) for kind in kinds.values() for outcome in ("unique", "repeated", "absent"))
