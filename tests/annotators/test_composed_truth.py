"""The truth beside a composed film becomes exact rows; a truth of another film is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.importers.composed_truth import ComposedTruth
from chronotope.engine.annotator import Medium, Params, Rows, SkipUnit, Unit


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Medium]:
    path = tmp_path_factory.mktemp("truth") / "film.mp4"
    truth = compose_film(path, FilmParams(seed=3, scenes=4, width=160, height=90))
    path.with_suffix(".truth.json").write_text(truth.to_json())
    medium = Medium("m", str(path), path, "video", truth.duration_s, 25.0, truth.frames, 160, 90, True, True)
    return path, medium


def rows_of(path: Path, medium: Medium, beside: list[Path]) -> dict[str, list[dict[str, object]]]:
    sidecars = json.dumps([{"uri": str(p), "size": 1, "digest": str(p)} for p in beside])
    unit = Unit("m", "medium", medium, "r", 0)
    made: dict[str, list[dict[str, object]]] = {}
    given = Rows({"sources": [{"uri": str(path), "sidecars_json": sidecars}], "media": []})
    for table, row in ComposedTruth(Params()).annotate(unit, given):
        made.setdefault(table, []).append(row)
    return made


def test_shots_words_speech_and_lettering_are_as_composed(film: tuple[Path, Medium]) -> None:
    path, medium = film
    made = rows_of(path, medium, [path.with_suffix(".truth.json")])
    assert made["shots"][0]["start_s"] == 0.0 and made["shots"][-1]["end_s"] == pytest.approx(medium.duration_s)
    spoken = " ".join(str(w["word"]) for w in made["words"])
    assert spoken == " ".join(str(s["text"]) for s in made["speech"])
    assert spoken.endswith(".") and [w["position"] for w in made["words"]] == list(range(len(made["words"])))
    assert {c["level"] for c in made["captions"]} == {"event"} and any(
        "camera" in str(c["text"]) for c in made["captions"]
    )
    assert all(0 <= r["x1"] < r["x2"] <= 1 and r["start_s"] < r["end_s"] for r in made["text_regions"])  # type: ignore[operator]


def test_objects_are_tracks_with_boxes_inside_their_span(film: tuple[Path, Medium]) -> None:
    path, medium = film
    truth = FilmTruth.from_json(path.with_suffix(".truth.json").read_text())
    made = rows_of(path, medium, [path.with_suffix(".truth.json")])
    assert [t["phrase"] for t in made["tracks"]] == [f"{o.colour} {o.shape}" for o in truth.objects]
    assert len({t["track_id"] for t in made["tracks"]}) == len(made["tracks"])
    for track, thing in zip(made["tracks"], truth.objects, strict=True):
        boxes = [b for b in made["boxes"] if b["track_id"] == track["track_id"]]
        assert [(b["x1"], b["y1"], b["x2"], b["y2"]) for b in boxes] == [place.box for place in thing.boxes]
        assert boxes[0]["t_s"] == track["start_s"] and boxes[-1]["t_s"] < track["end_s"]  # type: ignore[operator]


def test_other_footage_has_no_truth_and_a_foreign_truth_is_refused(film: tuple[Path, Medium]) -> None:
    path, medium = film
    with pytest.raises(SkipUnit, match="no truth file"):
        rows_of(path, medium, [])
    with pytest.raises(ValueError, match="compose the film again"):
        rows_of(path, replace(medium, duration_s=99.0), [path.with_suffix(".truth.json")])
