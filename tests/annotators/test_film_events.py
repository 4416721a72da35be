"""The events of a composed film are what its truth shows, as sentences that can be turned around, and a usable manifest."""

from __future__ import annotations

from pathlib import Path

import pytest
from chronotope.annotators.compose.events import events_csv, film_events
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.engine.producer import RecipeError
from chronotope.pipelines.places import read_manifest
from chronotope.pipelines.recipe_sources import Manifest
from chronotope.schemas.clauses import event_of
from chronotope.schemas.span import Span, overlap_s


@pytest.fixture(scope="module")
def truth():
    params = FilmParams(seed=5, scenes=24, narration=False)
    scenes = film_scenes(params)
    return film_truth(params, scenes, film_narration(params, scenes))


def test_every_event_is_in_the_truth_at_that_time(truth):
    events = film_events(truth)
    assert len(events) > 20
    for e in events:
        assert 0 <= e.start_s < e.end_s <= truth.duration_s + 1e-6
    moves = [e for e in events if " moves " in e.text]
    assert moves
    for e in moves:
        colour, shape = e.text.split()[1:3]
        (thing,) = [o for o in truth.objects if (o.colour, o.shape, o.start_s) == (colour, shape, e.start_s)]
        assert thing.image_direction == e.text.rpartition("the ")[2].split()[-1]
    for text in truth.texts:
        assert any(f"“{text.text}”" in e.text and e.start_s == text.start_s for e in events)


def test_nothing_is_said_to_move_while_the_camera_does_other_things(truth):
    for e in film_events(truth):
        if " moves " in e.text:
            kinds = {c.kind for c in truth.camera if overlap_s(Span(c.start_s, c.end_s), Span(e.start_s, e.end_s)) > 0}
            assert not any(k.startswith(("zoom", "roll")) for k in kinds)


def test_every_event_can_be_asked_for_in_every_form(truth):
    for e in film_events(truth):
        event = event_of(e.text)
        assert event is not None and event.clause == e.text, e.text


def test_the_manifest_describes_parts_of_the_film(truth, tmp_path: Path):
    file = tmp_path / "film.events.csv"
    file.write_text(events_csv(truth, "film.mp4"), encoding="utf-8")
    places = list(read_manifest(Manifest(file=str(file), spans="captions"), tmp_path))
    assert {p.uri for p in places} == {str(tmp_path / "film.mp4")} and len(places) == len(film_events(truth))
    assert all(p.entries[0]["level"] == "event" and p.entries[0]["caption"] for p in places)


def test_a_description_without_words_is_an_error(tmp_path: Path):
    file = tmp_path / "e.csv"
    file.write_text("video,start_s,end_s,sentence\na.mp4,1,2,a man runs\n")
    with pytest.raises(RecipeError, match=r"row 1: no caption.*columns: \{caption: sentence\}"):
        list(read_manifest(Manifest(file=str(file), spans="captions"), tmp_path))
    good = Manifest(file=str(file), spans="captions", columns={"caption": "sentence"})
    assert next(iter(read_manifest(good, tmp_path))).entries[0]["caption"] == "a man runs"
