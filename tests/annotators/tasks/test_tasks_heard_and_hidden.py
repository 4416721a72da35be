"""Tasks about what is heard and what only motion shows: what they ask, what they leave out, what checking catches."""

import json

import pytest
from chronotope.annotators.audio.sound_questions import SoundQuestions
from chronotope.annotators.compose.hidden import MOTION_FAMILIES
from chronotope.annotators.tasks.acoustic_questions import AcousticQuestions
from chronotope.annotators.tasks.hidden_by_motion import HiddenByMotion
from chronotope.annotators.tasks.sound_description import SoundDescription
from chronotope.schemas.sample import Sample


def hidden(world, category="text", phrase="lamp", family=("camp", "damp", "lamp", "ramp"), moves=None):
    world.medium("m", 4.0)
    world.clip("m", 0.0, 4.0)
    told = {"hidden_by": "motion", "category": category, "family": family, "noise": {"velocity_px": 4}}
    label = "word" if category == "text" else phrase
    track = world.add(
        "tracks",
        "m",
        track_id="t",
        start_s=0.0,
        end_s=4.0,
        label=label,
        phrase=phrase,
        attributes_json=json.dumps(told),
    )
    if moves:
        wrong = [m for m in MOTION_FAMILIES[0] if m != moves]
        world.add(
            "aspects",
            "m",
            aspect="direction",
            kind="hidden_motion",
            subject=phrase,
            value=moves,
            wrong=wrong,
            start_s=0.0,
            end_s=4.0,
        )
    return track


@pytest.fixture
def world(new_world):
    return new_world()


@pytest.fixture
def samples(all_caught):
    """Samples of a medium: each passes its check, and every planted lie about them or their evidence is caught."""

    def made(world, task, media_id="m"):
        rows = world.run(task, media_id)
        all_caught(world, task, rows)
        return [Sample.from_row(r) for r in rows]

    return made


def test_a_hidden_word_is_chosen_among_near_misses_and_asked_for_openly(world, samples):
    hidden(world)
    choice, openly = samples(world, HiddenByMotion(HiddenByMotion.Params()))
    assert sorted(o.text for o in choice.options) == ["camp", "damp", "lamp", "ramp"]
    assert choice.options[choice.answer.index].text == "lamp"
    assert {o.margin for o in choice.options if o.text != "lamp"} == {1.0}
    assert openly.answer.text == "lamp"
    assert set(choice.needs) == {"vision", "motion", "on_screen_text"}


def test_the_way_of_a_hidden_shape_is_asked_with_its_opposite(world, samples):
    hidden(world, "dynamic", "ring", ("ring", "moon", "circle", "heart"), "it moves to the left")
    task = HiddenByMotion(HiddenByMotion.Params(ask=("way", "thing"), per_medium=2))
    way, thing = samples(world, task)
    kinds = {o.text: o.distractor_kind for o in way.options}
    assert kinds["it moves to the left"] is None
    assert kinds["it moves to the right"] == "opposite"
    assert thing.options[thing.answer.index].text == "ring"
    assert all(0 < o.margin < 1 for o in thing.options if o.margin is not None)


def test_a_track_that_now_says_otherwise_is_caught_and_visible_things_are_not_asked_about(world):
    track = hidden(world)
    task = HiddenByMotion(HiddenByMotion.Params())
    stored = world.run(task, "m")
    track["phrase"] = "ramp"
    assert [world.check(task, row)["passed"] for row in stored] == [False, False]
    track["attributes_json"] = "{}"
    assert world.run(task, "m") == []


def ringing(world, spans, media_id="m", duration_s=30.0, kind="audio"):
    world.medium(media_id, duration_s, kind=kind)
    world.clip(media_id, 0.0, duration_s)
    return [world.add("sounds", media_id, start_s=a, end_s=b, label=label) for a, b, label in spans]


BELLS = [(1.0, 2.5, "bell"), (4.0, 5.0, "dog bark"), (7.0, 9.5, "engine"), (12.0, 13.0, "bell"), (20.0, 24.0, "rain")]


def test_only_what_is_called_alone_in_the_window_is_asked_for(world, samples):
    ringing(world, BELLS)
    found = samples(
        world, SoundDescription(SoundDescription.Params(kinds=("when",), per_medium=9, window_s=(5.0, 12.0)))
    )
    assert found
    for sample in found:
        asked = [label for _, _, label in BELLS if label in sample.turns[0].text]
        inside = [label for a, b, label in BELLS if a < sample.window.end_s and b > sample.window.start_s]
        assert inside.count(asked[0]) == 1
        assert (sample.answer.start_s, sample.answer.end_s, asked[0]) in BELLS


def test_lists_hold_whole_sounds_in_order_and_choices_what_else_is_heard(world, samples):
    ringing(world, BELLS)
    task = SoundDescription(SoundDescription.Params(kinds=("list", "what")))
    found = samples(world, task)
    lists = [s for s in found if s.answer.kind == "text"]
    choices = [s for s in found if s.answer.kind == "choice"]
    assert lists and choices
    for sample in lists:
        lines = sample.answer.text.split("\n")
        inside = [x for x in BELLS if x[0] < sample.window.end_s and x[1] > sample.window.start_s]
        assert [line.split("> ")[1] for line in lines] == [label for _, _, label in inside]
    assert all({o.text for o in s.options} <= {label for _, _, label in BELLS} for s in choices)


def test_a_relabelled_sound_is_caught(world):
    rows = ringing(world, BELLS)
    task = SoundDescription(SoundDescription.Params())
    stored = world.run(task, "m")
    for row in rows:
        row["label"] = "horn"
    assert stored and not any(world.check(task, row)["passed"] for row in stored)


def test_questions_about_detected_sounds_have_an_answer_whatever_boundaries_are(world, samples):
    ringing(world, BELLS)
    for row in world.run(SoundQuestions(SoundQuestions.Params()), "m"):
        told = json.loads(row["attributes_json"])
        assert told["shift_s"] == 0.25 and "bell" in told["labels"]
        world.add("questions", "m", "sound_questions", **row)
    found = samples(world, AcousticQuestions(AcousticQuestions.Params()))
    assert len(found) == 4
    assert all(set(s.needs) == {"audio"} for s in found)


def test_sounds_that_begin_together_or_are_all_alike_are_not_asked_about_in_order(world):
    ringing(world, [(1.0, 2.0, "bell"), (1.1, 3.0, "engine"), (1.3, 4.0, "rain")])
    asked = [row["question"] for row in world.run(SoundQuestions(SoundQuestions.Params(per_medium=9)), "m")]
    assert not any(word in q for q in asked for word in ("before", "after", "first", "second", "last", "place"))
    ringing(world, [(1.0, 2.0, "bell"), (3.0, 4.0, "bell"), (5.0, 6.0, "bell")], "n")
    assert world.run(SoundQuestions(SoundQuestions.Params()), "n") == []
