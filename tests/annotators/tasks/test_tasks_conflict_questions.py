"""conflict_questions: one aspect in four formats that agree, balanced, and flipped between contradicting media."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from chronotope.annotators.tasks.conflict_questions import ConflictQuestions, contradiction
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, replay
from chronotope.schemas.sample import Sample

LEFT, RIGHT = "moves to the left", "moves to the right"
FIRST, SECOND = "a dog barks, then a bell rings", "a bell rings, then a dog barks"
BOTH = "a dog barks and a bell rings at the same time"


def told(aspect, kind, subject, value, wrong, pair, **said):
    return {
        "aspect": aspect, "kind": kind, "subject": subject, "value": value, "wrong": wrong, "pair_id": pair,
        "attributes_json": json.dumps(said),
    }  # fmt: skip


MEDIA = {
    "a": told("direction", "object_motion", "a red square", LEFT, [RIGHT, "moves up"], "p", events=[f"a red square {LEFT}"]),
    "b": told("direction", "object_motion", "a red square", RIGHT, [LEFT, "moves up"], "p", events=[f"a red square {RIGHT}"]),
    "c": told("order", "event_order", "the events", FIRST, [SECOND, BOTH], "q", events=["a dog barks", "a bell rings"], order=[0, 1]),
    "d": told("order", "event_order", "the events", SECOND, [FIRST, BOTH], "q", events=["a dog barks", "a bell rings"], order=[1, 0]),
    "g": told("order", "event_order", "the events", BOTH, [FIRST, SECOND], "q", events=["a dog barks", "a bell rings"], order=None),
    "e": told("speed", "relative_speed", "the top half", "slower than the bottom half", ["faster than the bottom half"], "r", factor=2.0, variant="1"),
    "f": told("speed", "absolute_speed", "the film", "played faster than it was filmed", ["played at its own speed"], "s", factor=2.0, variant="speed"),
}  # fmt: skip


@pytest.fixture
def run(new_world):
    def made(media=MEDIA, **params):
        world = new_world()
        task = ConflictQuestions(ConflictQuestions.Params(**params))
        samples = {}
        for name, row in media.items():
            world.medium(name, 6.0, origin="composed")
            world.clip(name, 0.0, 6.0)
            world.add("aspects", name, "composed_truth", start_s=0.0, end_s=6.0, **row)
            samples[name] = [Sample.from_row(r) for r in world.run(task, name)]
        return world, task, samples

    return made


def said(sample):
    return sample.options[sample.answer.index].text if sample.answer.kind == "choice" else sample.answer.text


def test_all_formats_say_the_same_and_half_of_the_answers_are_yes(run, all_caught):
    world, task, samples = run()
    everyone = [s for group in samples.values() for s in group]
    assert len(everyone) == 5 * 4 + 6 * 3 and all(s.problems() == [] for s in everyone)
    yes_no = Counter(said(s) for s in everyone if len(s.options) == 2 and said(s) in ("yes", "no"))
    assert yes_no["yes"] == yes_no["no"] == len(MEDIA)
    choice, yes, no, match, caption = samples["a"]
    assert said(choice) == LEFT and said(match) == f"A red square {LEFT}." and said(caption) == f"a red square {LEFT}"
    assert said(yes) == "yes" and f"A red square {LEFT}." in yes.turns[0].text
    assert said(no) == "no" and f"A red square {RIGHT}." in no.turns[0].text
    texts = {name: said(group[-1]) for name, group in samples.items()}
    assert texts["e"] == "the top half runs slower than the bottom half"
    assert texts["f"] == "the film is played faster than it was filmed"
    assert texts["c"] == FIRST
    assert all_caught(world, task, [s.to_row() for s in samples["c"]]) > 80


def test_contradicting_media_are_asked_the_same_and_answer_otherwise(run):
    _, _, samples = run()
    for one, other in (("a", "b"), ("c", "d")):
        pairs = {s.pair_id: s for s in samples[one]}
        twins = [s for s in samples[other] if s.pair_id in pairs]
        assert len(twins) >= 3
        for twin in twins:
            asked = pairs[twin.pair_id]
            assert asked.turns[0] == twin.turns[0] and [o.text for o in asked.options] == [o.text for o in twin.options]
            assert said(asked) != said(twin)


def test_over_a_set_every_statement_is_true_once_and_false_once_and_every_match_goes_both_ways(run):
    _, _, samples = run()
    of_set = [s for name in ("c", "d", "g") for s in samples[name]]
    claimed = Counter((s.turns[0].text.rsplit(":", 1)[-1], said(s)) for s in of_set if said(s) in ("yes", "no"))
    assert sum(claimed.values()) == 6
    for value in (FIRST, SECOND, BOTH):
        answers = [said(s) for s in of_set if said(s) in ("yes", "no") and value.lower() in s.turns[0].text.lower()]
        assert sorted(answers) == ["no", "yes"]
    matches = Counter(s.pair_id for s in of_set if len(s.options) == 2 and said(s) not in ("yes", "no"))
    assert sorted(matches.values()) == [2, 2, 2]


def test_a_value_that_is_never_true_beside_the_others_is_not_offered(run):
    zoom = told("direction", "camera_motion", "the camera", "zooms in", ["zooms out", "pans to the left"], "z")
    pace = told("speed", "absolute_speed", "the film", "played at its own speed",
                ["played faster than it was filmed", "played slower than it was filmed"], "s")  # fmt: skip
    for row in (zoom, pace):
        choice = run({"x": row})[2]["x"][0]
        assert len(choice.options) == 2
    pan = told("direction", "camera_motion", "the camera", "pans to the left", ["pans to the right", "tilts up"], "p")
    assert len(run({"x": pan})[2]["x"][0].options) == 3


def test_what_does_not_follow_from_its_edit_is_withheld(run):
    slowed = MEDIA["e"] | {"attributes_json": json.dumps({"factor": 0.5, "variant": "1"})}
    swapped = MEDIA["c"] | {"attributes_json": json.dumps({"events": ["a bell rings", "a dog barks"], "order": [0, 1]})}
    other = MEDIA["a"] | {"attributes_json": json.dumps({"events": ["a red square moves up"]})}
    named = MEDIA["f"] | {"attributes_json": json.dumps({"factor": 0.5, "variant": "speed"})}
    for row in (slowed, swapped, other, named):
        assert contradiction(row)
        assert run({"x": row})[2]["x"] == []


def test_chains_replay_to_the_answer(run):
    world, task, samples = run()
    for sample in (s for group in samples.values() for s in group):
        rows = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        replayed = replay(task.trace(sample, rows), {r.row["row_id"]: r.row for r in rows})
        assert isinstance(replayed, Replayed) and replayed.answer == sample.answer


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_films_of_a_set_are_shown_for_the_same_time_whatever_their_speed(new_world, factor):
    words = {
        "original": "played at its own speed",
        "speed": f"played {'faster' if factor > 1 else 'slower'} than it was filmed",
    }
    shown = set()
    for variant, value in words.items():
        length = 6.0 / (factor if variant == "speed" else 1.0)
        world = new_world()
        world.medium(variant, length, origin="composed")
        world.clip(variant, 0.0, length)
        wrong = [w for w in words.values() if w != value]
        row = told("speed", "absolute_speed", "the film", value, wrong, "s", factor=factor, variant=variant)
        world.add("aspects", variant, "composed_truth", start_s=0.0, end_s=length, **row)
        made = world.run(ConflictQuestions(ConflictQuestions.Params()), variant)
        assert len(made) == 5
        shown |= {Sample.from_row(r).window.length_s for r in made}
    assert len(shown) == 1
