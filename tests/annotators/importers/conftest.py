"""A composed film under any names, and what an import says of it: read, matched and checked as a build does it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.compose.events import FilmEvent, film_events
from chronotope.annotators.compose.film import FilmParams, FilmTruth, compose_film
from chronotope.annotators.importers.imported import ImportedAnnotator, ImportedParams
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.media.probe import probe
from chronotope.engine.media_index import medium_of
from chronotope.engine.scan import Place
from chronotope.pipelines.imported_places import imported_places
from chronotope.pipelines.recipe_sources import Source
from chronotope.schemas.tables import TABLES

FPS, WIDTH, HEIGHT = 10, 160, 90


@dataclass
class Film:
    """The film's file and truth."""

    path: Path
    truth: FilmTruth
    events: list[FilmEvent]

    @property
    def duration_s(self) -> float:
        return self.truth.duration_s


@dataclass
class Read:
    """What came of an import."""

    places: list[Place]
    rows: dict[str, list[dict[str, Any]]]
    """Of the media that are there, by table, in the order in which they were written."""
    told: str
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [place.problem for place in self.places if place.problem]

    def left_out(self) -> int:
        """How many rows the notes say were left out."""
        return sum(note["items"] for note in self.notes if note["action"] == "left_out")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A narrated film of some ten seconds, 160x90, 10 pictures per second."""
    path = tmp_path_factory.mktemp("imported") / "film.mp4"
    params = FilmParams(
        seed=3,
        scenes=4,
        width=WIDTH,
        height=HEIGHT,
        fps=FPS,
        scene_s=(2.0, 3.0),
        kinds=("pan_left", "move_right", "zoom_in", "move_up"),
    )
    truth = compose_film(path, params)
    events = film_events(truth)
    assert len(events) >= 4 and truth.objects and truth.speech
    return Film(path, truth, events)


@pytest.fixture
def shown(film: Film, tmp_path: Path) -> Callable[..., None]:
    """`shown(name, ...)`: put the film under `media/` by these file names."""

    def put(*names: str) -> None:
        for name in names:
            path = tmp_path / "media" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(film.path, path)

    return put


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """`read(importer, media=..., checks={...}, by=annotator, **settings)`: places, rows and notes of an import below `tmp_path`."""

    def run(
        importer: str,
        media: str = "media",
        checks: dict[str, Any] | None = None,
        by: type[ImportedAnnotator] = ImportedAnnotator,
        **settings: Any,
    ) -> Read:
        source = Source.model_validate({"import": importer, "with": settings, "media": media})
        said: list[str] = []
        places = list(imported_places(source, tmp_path, said.append))
        found = Read(places, {}, "\n".join(said))
        annotator = by(ImportedParams(**(checks or {})))
        for place in places:
            if place.problem:
                continue
            media_id = Path(place.uri).stem
            medium = medium_of(media_id, place.uri, {**probe(Path(place.uri)), "media_id": media_id})
            sources = [{"uri": place.uri, "entries_json": json.dumps(place.entries)}]
            unit = Unit(media_id, "medium", medium, "r", 0, producer="imported")
            for table, values in annotator.annotate(unit, Rows({"sources": sources})):
                TABLES[table].complete(values, "imported", media_id, media_id)
                found.rows.setdefault(table, []).append({"medium": medium.uri.rsplit("/", 1)[-1], **values})
        found.notes = found.rows.pop("import_notes", [])
        return found

    return run
