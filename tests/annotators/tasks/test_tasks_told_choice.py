"""moment_choice and span_choice on exact words and lettering of composed films: true, hard, paired, and no lie passes."""

from __future__ import annotations

from collections import defaultdict

import pytest
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.tasks.moment_choice import MomentChoice
from chronotope.annotators.tasks.span_choice import SpanChoice
from chronotope.schemas.markup import SpanMark, parse, unescape
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span, overlap_s, tiou


@pytest.fixture(scope="module")
def script():
    params = FilmParams(seed=3, scenes=24)
    scenes = film_scenes(params)
    return film_truth(params, scenes, film_narration(params, scenes))


@pytest.fixture
def told(script, new_world):
    """A narrated film's exact words, sentences and lettering (read once a second), shots as clips."""
    world = new_world()
    world.medium("film", script.duration_s)
    for shot in script.shots:
        world.clip("film", shot.start_s, shot.end_s)
    for i, w in enumerate(script.words):
        world.add("words", "film", "speech", start_s=w.start_s, end_s=w.end_s, word=w.word, position=i, confidence=1.0)
    for s in script.speech:
        world.add("speech", "film", "speech", start_s=s.start_s, end_s=s.end_s, text=s.text, origin="recognised")
    for text in script.texts:
        for k in range(int(script.duration_s)):
            if text.start_s <= k < text.end_s:
                x1, y1, x2, y2 = text.box
                world.add(
                    "text_regions", "film", "ocr", start_s=float(k), end_s=k + 1.0, text=text.text,
                    confidence=0.99, x1=x1, y1=y1, x2=x2, y2=y2,
                )  # fmt: skip
    return world


def asked_span(sample):
    return next(t.span for t in parse(sample.turns[0].text) if isinstance(t, SpanMark))


def samples_of(world, task):
    rows = world.run(task, "film")
    for row in rows:
        assert Sample.from_row(row).problems() == [] and world.check(task, row)["passed"], world.check(task, row)
    return rows, [Sample.from_row(row) for row in rows]


def told_in(script, span, kind):
    if kind == "said":
        return [
            " ".join(normalise_words(w.word)) for w in script.words if overlap_s(Span(w.start_s, w.end_s), span) > 0.01
        ]
    return [t.text for t in script.texts if overlap_s(Span(t.start_s, t.end_s), span) > 1.0]


def test_only_the_right_text_is_told_in_the_asked_span(script, told):
    _, samples = samples_of(told, MomentChoice(MomentChoice.Params(per_medium=12)))
    kinds = {s.needs[0]: 0 for s in samples}
    for sample in samples:
        kinds[sample.needs[0]] += 1
        kind = "said" if sample.needs[0] == "audio" else "shown"
        now = told_in(script, asked_span(sample), kind)
        for i, option in enumerate(sample.options):
            text = unescape(option.text)
            true = " ".join(normalise_words(text)) in " ".join(now) if kind == "said" else text in now
            assert true == (i == sample.answer.index), (text, now)
    assert kinds["audio"] >= 16 and kinds["vision"] >= 4
    found = {o.distractor_kind for s in samples for o in s.options}
    assert {"near in time", "elsewhere", "one edit"} <= found


def test_only_the_right_span_is_when_it_is_told(told):
    _, samples = samples_of(told, SpanChoice(SpanChoice.Params(per_medium=12)))
    assert len(samples) >= 16
    for sample in samples:
        spans = [next(t.span for t in parse(o.text) if isinstance(t, SpanMark)) for o in sample.options]
        truth = spans[sample.answer.index]
        for span, option in zip(spans, sample.options, strict=True):
            assert sample.window.contains_span(span)
            if option.distractor_kind == "shifted span":
                assert 0.1 <= tiou(span, truth) <= 0.4 and option.margin == pytest.approx(
                    1 - tiou(span, truth), abs=1e-6
                )
            elif option.distractor_kind:
                assert option.distractor_kind == "near in time" and overlap_s(span, truth) == 0


@pytest.mark.parametrize(("confidence", "asked"), [(None, True), (1.0, True), (0.99, False)])
def test_writing_known_for_certain_needs_one_reading(script, new_world, confidence, asked):
    world = new_world()
    world.medium("film", script.duration_s)
    world.clip("film", 0.0, script.duration_s)
    for text in script.texts:
        x1, y1, x2, y2 = text.box
        place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        when = {"start_s": text.start_s, "end_s": text.end_s}
        world.add("text_regions", "film", "truth", **when, text=text.text, confidence=confidence, **place)
    assert bool(samples_of(world, MomentChoice(MomentChoice.Params()))[1]) is asked


@pytest.mark.parametrize("task", [MomentChoice, SpanChoice])
def test_a_pair_has_the_same_options_and_another_right_one(told, task):
    _, samples = samples_of(told, task(task.Params(per_medium=12)))
    pairs = defaultdict(list)
    for sample in samples:
        pairs[sample.pair_id].append(sample)
    for pair_id, (a, b) in pairs.items():
        assert pair_id and [o.text for o in a.options] == [o.text for o in b.options] and a.media == b.media
        assert a.answer.index != b.answer.index
    places = [s.answer.index for s in samples]
    assert max(places.count(i) for i in range(4)) < 0.45 * len(places), "the place of the right one is no hint"


@pytest.mark.parametrize("task", [MomentChoice, SpanChoice])
def test_no_lie_passes(told, task, all_caught):
    made = task(task.Params(per_medium=2))
    rows = told.run(made, "film")
    assert len(rows) >= 6 and all_caught(told, made, rows) > 100


@pytest.mark.parametrize("kind", ["audio", "vision"])
def test_a_wrong_option_that_is_true_is_named(told, kind):
    """Evidence of another recogniser run that hears a wrong option in the asked span, too."""
    task = MomentChoice(MomentChoice.Params(per_medium=12))
    _, samples = samples_of(told, task)
    sample = next(s for s in samples if s.needs[0] == kind)
    lie = next(o.text for o in sample.options if o.distractor_kind == "near in time")
    span = asked_span(sample)
    table = "speech" if kind == "audio" else "text_regions"
    cited = next(e for e in reversed(sample.evidence) if e.table == table)
    values = dict(cited.values) | {"start_s": span.start_s, "end_s": span.end_s, "text": unescape(lie)}
    told.tables[table][cited.row_id] |= values
    evidence = [e.model_dump() | ({"values": values} if e == cited else {}) for e in sample.evidence]
    planted = Sample.model_validate(sample.model_dump() | {"evidence": evidence}).to_row()
    verdict = told.check(task, planted)
    assert not verdict["passed"] and verdict["problem"] == "answer wrong"


def test_texts_that_are_told_twice_have_no_single_span(new_world):
    world = new_world()
    world.medium("film", 60.0)
    world.clip("film", 0.0, 60.0)
    said = [
        "The kettle is on the stove",
        "Bring the lamp over here",
        "The kettle is on the stove",
        "Open the door for them",
    ]
    position = 0
    for k, sentence in enumerate(said):
        words = sentence.split()
        for i, word in enumerate(words):
            start = 10.0 * k + 3 + 0.4 * i
            world.add(
                "words", "film", "w", start_s=start, end_s=start + 0.4, word=word, position=position, confidence=1.0
            )
            position += 1
        world.add("speech", "film", "w", start_s=10.0 * k + 3, end_s=10.0 * k + 3 + 0.4 * len(words), text=sentence)
    task = SpanChoice(SpanChoice.Params(window_s=(50.0, 60.0), pair_share_max=1.0))
    quoted = {row["turns"][0]["text"].partition("“")[2].partition("”")[0] for row in world.run(task, "film")}
    assert quoted == {"Bring the lamp over here", "Open the door for them"}
