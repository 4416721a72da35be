"""Grounded events: only what is sure enough is told, each with its own span, and given events are not in order of time."""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.grounded_events import GroundedEvents
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.sample import Sample

EVENTS = [
    ("a red star moves to the left", 1.0, 5.0, 0.95),
    ("a sign reads “OPEN”", 6.0, 9.0, 0.9),
    ("a man pours coffee", 10.0, 14.0, 0.85),
    ("the camera pans to the right", 15.0, 21.0, 0.99),
    ("a dog runs over the meadow", 22.0, 27.0, 0.4),
]


@pytest.fixture
def film(new_world):
    world = new_world()
    world.medium("film", 30.0)
    for i in range(3):
        world.clip("film", 10.0 * i, 10.0 * i + 10)
    for text, start, end, p in EVENTS:
        world.add(
            "events", "film", "events", start_s=start, end_s=end, text=text, kind="event", localiser="text", score=0.9,
            agreement=1, p_correct=p, calibration="set@1",
        )  # fmt: skip
    return world


def told(world, **params):
    rows = world.run(GroundedEvents(GroundedEvents.Params(**params)), "film")
    return {row["wording"][1]: Sample.from_row(row) for row in rows}


def spans_of(text):
    return [(m.start_s, m.end_s) for m in parse(text) if isinstance(m, SpanMark)]


def test_sure_events_are_listed_in_order_with_their_spans(film):
    sample = told(film)["l"]
    assert spans_of(sample.answer.text) == [(s, e) for _, s, e, p in EVENTS if p >= 0.8]
    assert "dog" not in sample.answer.text and sample.problems() == []
    assert len(spans_of(told(film, min_p=0.3)["l"].answer.text)) == 5


def test_given_events_keep_the_order_of_the_question(film):
    sample = told(film)["p"]
    asked = [line[2:] for line in sample.turns[0].text.split("\n") if line.startswith("- ")]
    spans = {text: (s, e) for text, s, e, _ in EVENTS}
    assert sorted(asked) == sorted(text for text, _, _, p in EVENTS if p >= 0.8)
    assert spans_of(sample.answer.text) == [spans[text] for text in asked]


def test_nobody_is_asked_where_one_of_two_like_events_is(film):
    film.add(
        "events", "film", "events", start_s=27.0, end_s=29.0, text="A man pours coffee.", kind="event", localiser="text",
        agreement=1, p_correct=0.9,
    )  # fmt: skip
    assert "coffee" not in told(film)["p"].answer.text
    assert told(film)["l"].answer.text.count("coffee") == 2


def test_without_a_probability_families_must_agree(film):
    for row in film.tables["events"].values():
        row.update(p_correct=None, agreement=2 if "sign" in row["text"] else 1)
    assert told(film, min_events=2) == {}
    assert len(spans_of(told(film, min_agreement=1)["l"].answer.text)) == 5


def test_planted_lies_are_caught(film, all_caught):
    task = GroundedEvents(GroundedEvents.Params())
    assert all_caught(film, task, film.run(task, "film")) > 30


def test_an_event_that_became_unsure_no_longer_supports_the_sample(film):
    task = GroundedEvents(GroundedEvents.Params())
    row = film.run(task, "film")[0]
    next(r for r in film.tables["events"].values() if "sign" in r["text"])["p_correct"] = 0.5
    verdict = film.check(task, row)
    assert not verdict["passed"] and verdict["problem"] == "evidence changed"
