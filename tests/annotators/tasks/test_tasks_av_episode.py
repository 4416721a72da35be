"""av_episode_choice on the exact words, lettering and events of a composed film, and on planted tones and cards."""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.tasks.av_episode_choice import KINDS, AvEpisodeChoice
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import replay, same_answer
from chronotope.schemas.markup import unescape
from chronotope.schemas.sample import Sample


@pytest.fixture(scope="module")
def script():
    params = FilmParams(seed=3, scenes=24)
    scenes = film_scenes(params)
    return film_truth(params, scenes, film_narration(params, scenes))


@pytest.fixture
def film(script, new_world):
    world = new_world()
    world.medium("film", script.duration_s)
    world.clip("film", 0.0, script.duration_s)
    for i, w in enumerate(script.words):
        world.add("words", "film", "truth", start_s=w.start_s, end_s=w.end_s, word=w.word, position=i)
    for s in script.speech:
        world.add("speech", "film", "truth", start_s=s.start_s, end_s=s.end_s, text=s.text, origin="composed")
    for t in script.texts:
        x1, y1, x2, y2 = t.box
        world.add(
            "text_regions", "film", "truth", start_s=t.start_s, end_s=t.end_s, text=t.text, confidence=1.0,
            x1=x1, y1=y1, x2=x2, y2=y2,
        )  # fmt: skip
    for e in film_events(script):
        world.add(
            "captions", "film", "truth", start_s=e.start_s, end_s=e.end_s, text=e.text, level="event", model="composer"
        )
    return world


@pytest.fixture
def cards(new_world):
    """Five minutes with twelve tones, each while a card shows another word; episodes of thirty seconds."""
    world = new_world()
    world.medium("vlog", 300.0)
    world.clip("vlog", 0.0, 300.0)
    for i in range(12):
        at = 20.0 * i + 10.0
        world.add("sounds", "vlog", "truth", start_s=at, end_s=at + 2.0, label="tone", pitch_hz=220.0 + 40 * i)
        world.add(
            "text_regions", "vlog", "truth", start_s=at - 0.5, end_s=at + 2.5, text=f"Card {'ABCDEFGHIJKL'[i]}word",
            confidence=1.0, x1=0.2, y1=0.4, x2=0.8, y2=0.6,
        )  # fmt: skip
    for i in range(10):
        world.add("episodes", "vlog", "episodes", start_s=30.0 * i, end_s=30.0 * i + 30.0, boundary="sound")
    return world


def samples_of(world, medium, task):
    rows = world.run(task, medium)
    samples = [Sample.from_row(row) for row in rows]
    for row, sample in zip(rows, samples, strict=True):
        assert sample.problems() == [] and world.check(task, row)["passed"], (sample.problems(), world.check(task, row))
    return rows, samples


def test_every_kind_is_asked_and_the_chain_gives_its_answer(film, all_caught):
    task = AvEpisodeChoice(AvEpisodeChoice.Params())
    rows, samples = samples_of(film, "film", task)
    kinds = Counter(s.wording[1] for s in samples)
    assert set(kinds) == set("abcd") and len(samples) >= 12, kinds
    for sample in samples:
        assert len(sample.options) == 4
        evidence = [EvidenceRow(e.table, film.lookup(e.table, e.row_id)) for e in sample.evidence]
        ran = replay(task.trace(sample, evidence), {e.row["row_id"]: e.row for e in evidence})
        assert same_answer(ran.answer, sample.answer), ran
    one_of_each = {row["wording"][1]: row for row in rows}
    assert all_caught(film, task, list(one_of_each.values())) > 80


def test_a_tone_binds_to_its_card_alone(cards):
    _, samples = samples_of(cards, "vlog", AvEpisodeChoice(AvEpisodeChoice.Params(ask=("seen_while", "heard_while"))))
    assert len(samples) == 12 and all({"vision", "audio"} <= set(s.needs) for s in samples)
    assert all(s.difficulty["in_episode"] == 1.0 for s in samples)
    for sample in samples:
        number = {f"Card {letter}word": i for i, letter in enumerate("ABCDEFGHIJKL")}
        said = unescape(sample.turns[0].text + sample.options[sample.answer.index].text)
        [card] = [i for word, i in number.items() if word in said]
        assert f"a tone of {220 + 40 * card} Hz" in said


def test_what_comes_next_is_of_one_modality(cards):
    _, samples = samples_of(cards, "vlog", AvEpisodeChoice(AvEpisodeChoice.Params(ask=("heard_after", "seen_after"))))
    assert len(samples) == 12
    assert {("audio" in s.needs, "vision" in s.needs) for s in samples} == {(True, False), (False, True)}


def test_two_things_at_a_time_are_not_asked_about(cards):
    for i in range(12):
        cards.add(
            "text_regions", "vlog", "truth", start_s=20.0 * i + 10.0, end_s=20.0 * i + 12.0,
            text=f"Sign of {'ABCDEFGHIJKL'[i]}", confidence=1.0, x1=0.2, y1=0.7, x2=0.8, y2=0.9,
        )  # fmt: skip
    _, samples = samples_of(cards, "vlog", AvEpisodeChoice(AvEpisodeChoice.Params(ask=("seen_while",))))
    assert samples == [] and set(KINDS) == {"seen_while", "heard_while", "heard_after", "seen_after"}
