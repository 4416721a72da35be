"""The tasks on composed films: answers from real annotations (signals) and exact ones (words, lettering) are
true.
"""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.tasks import camera_motion, motion_direction
from chronotope.annotators.tasks.camera_motion import CameraMotion
from chronotope.annotators.tasks.frame_order import FrameOrder
from chronotope.annotators.tasks.motion_direction import MotionDirection
from chronotope.annotators.tasks.occurrences import spans_in
from chronotope.annotators.tasks.speech_grounding import SpeechGrounding
from chronotope.annotators.tasks.text_grounding import TextGrounding
from chronotope.annotators.tasks.transcript_sorting import TranscriptSorting
from chronotope.annotators.vision.signals import Signals, SignalsParams
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span, overlap_s, tiou


def overlapping(items, window, least_s=0.3):
    return [i for i in items if i.end_s > i.start_s and overlap_s(Span(i.start_s, i.end_s), window) >= least_s]


@pytest.fixture(scope="module")
def watched(film, watch):
    path, truth = film
    return truth, watch(Signals(SignalsParams()), path)


@pytest.fixture
def seen(watched, new_world):
    """The composed film with its true shots as clips and what the annotator `signals` measured."""
    truth, signals = watched
    world = new_world()
    world.medium("film", truth.duration_s, width=truth.width, height=truth.height)
    for shot in truth.shots:
        world.clip("film", shot.start_s, shot.end_s)
    for row in signals:
        world.add("signals", "film", **row)
    return truth, world


def answered(world, task, texts):
    names = {text: name for name, text in texts.items()}
    for row in world.run(task, "film"):
        sample = Sample.from_row(row)
        assert sample.problems() == [] and world.check(task, row)["passed"]
        yield sample.window, names[sample.options[sample.answer.index].text]


def test_camera_motion_is_that_of_the_film(seen):
    truth, world = seen
    found = list(answered(world, CameraMotion(CameraMotion.Params(per_medium=99, per_answer=99)), camera_motion.TEXTS))
    assert len(found) >= 8
    for window, label in found:
        assert {c.kind for c in overlapping(truth.camera, window)} == {label}


def test_directions_are_those_of_the_film(seen):
    truth, world = seen
    found = list(
        answered(world, MotionDirection(MotionDirection.Params(per_medium=99, per_answer=99)), motion_direction.TEXTS)
    )
    assert len(found) >= 5 and {"still", "left", "down"} <= {label for _, label in found}
    moving_camera = False
    for window, label in found:
        directions = {o.world_direction for o in overlapping(truth.objects, window)} - {"still"}
        assert directions == ({label} if label != "still" else set())
        kinds = {c.kind for c in overlapping(truth.camera, window)}
        moving_camera = moving_camera or (label == "still" and kinds != {"static"})
    assert moving_camera, "no shot showed that a camera's motion over a still scene is nobody's own"


def test_stills_of_the_film_can_be_ordered(seen):
    _, world = seen
    task = FrameOrder(FrameOrder.Params(per_medium=99))
    rows = world.run(task, "film")
    assert len(rows) >= 4 and all(world.check(task, row)["passed"] for row in rows)


@pytest.fixture(scope="module")
def script():
    params = FilmParams(seed=3, scenes=24)
    scenes = film_scenes(params)
    return film_truth(params, scenes, film_narration(params, scenes))


@pytest.fixture
def told(script, new_world):
    """A narrated film's exact words, sentences and lettering (read twice a second), shots as clips."""
    world = new_world()
    world.medium("film", script.duration_s)
    for shot in script.shots:
        world.clip("film", shot.start_s, shot.end_s)
    for i, w in enumerate(script.words):
        world.add("words", "film", "speech", start_s=w.start_s, end_s=w.end_s, word=w.word, position=i, confidence=1.0)
    for s in script.speech:
        world.add("speech", "film", "speech", start_s=s.start_s, end_s=s.end_s, text=s.text, origin="recognised")
    for text in script.texts:
        for k in range(int(script.duration_s * 2)):
            if text.start_s <= k / 2 < text.end_s:
                x1, y1, x2, y2 = text.box
                world.add(
                    "text_regions", "film", "ocr", start_s=k / 2, end_s=k / 2 + 0.5, text=text.text,
                    confidence=0.99, x1=x1, y1=y1, x2=x2, y2=y2,
                )  # fmt: skip
    return world


def test_speech_is_grounded_where_the_film_says_it(script, told):
    task = SpeechGrounding(SpeechGrounding.Params(per_medium=30))
    rows = told.run(task, "film")
    assert len(rows) >= 10
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == [] and told.check(task, row)["passed"]
        quoted = normalise_words(sample.turns[0].text.partition("“")[2].partition("”")[0])
        for span in spans_in(sample.answer):
            said = [w for w in script.words if span.start_s - 1e-6 <= w.start_s and w.end_s <= span.end_s + 1e-6]
            assert [n for w in said for n in normalise_words(w.word)] == quoted
        if sample.answer.kind == "absent":
            said = [w.word for w in script.words if overlap_s(Span(w.start_s, w.end_s), sample.window) > 0]
            assert " ".join(quoted) not in " ".join(normalise_words(" ".join(said)))
    assert sum(row["answer_kind"] == "span" for row in rows) >= 8
    assert len({row["wording"] for row in rows}) > len(rows) / 3


def test_lettering_is_grounded_where_the_film_shows_it(script, told):
    task = TextGrounding(TextGrounding.Params(per_medium=30, ask=("both",), absent_share=0))
    rows = told.run(task, "film")
    assert len(rows) >= 3
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == [] and told.check(task, row)["passed"]
        quoted = sample.turns[0].text.partition("“")[2].partition("”")[0]
        (true,) = [t for t in script.texts if t.text == quoted and abs(t.start_s - sample.answer.start_s) <= 0.5]
        assert tiou(Span(true.start_s, true.end_s), Span(sample.answer.start_s, sample.answer.end_s)) > 0.6
        assert sample.answer.box == pytest.approx(true.box, abs=1e-6)


def test_the_narration_can_be_sorted(told):
    task = TranscriptSorting(TranscriptSorting.Params())
    rows = told.run(task, "film")
    assert len(rows) >= 2 and all(told.check(task, row)["passed"] for row in rows)
    assert max(Counter(row["answer_json"] for row in rows).values()) <= 2
