"""llava_st_align (row 2): spans and boxes are those of the film, exported numbers those of the spans and boxes."""

from __future__ import annotations

import json
from pathlib import Path

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.tasks.spatial_grounding import SpatialGrounding
from chronotope.annotators.tasks.spatio_temporal_grounding import SpatioTemporalGrounding
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packagers.llava_st import mismatches
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.box import Box, iou, viou
from chronotope.schemas.sample import BoxAnswer, ChoiceAnswer, Sample, TubeAnswer
from chronotope.schemas.timecodec_llavast import FrameWindow
from film_places import place_in
from stored_checks import verdict_of

SPATIAL = ("spatial_grounding", "spatio_temporal_grounding")


def agreement(sample: Sample, film: FilmTruth) -> float:
    """IoU or vIoU of a stored answer with the film; of a choice whether the thing is there."""
    names = sorted({f"{o.colour} {o.shape}" for o in film.objects})
    asked = sample.turns[0].text
    match sample.answer:
        case BoxAnswer(t_s=t_s, box=box):
            truth = next(place_in(film, n, t_s) for n in names if n in asked)
            return iou(Box(*box), truth) if truth else 0.0
        case TubeAnswer(boxes=boxes):
            told = asked + sample.turns[1].text
            name = next(n for n in names if n in told)
            truth = {t: place for t, *_ in boxes if (place := place_in(film, name, t))}
            return viou(sample.answer.track, truth)
        case ChoiceAnswer(index=index):
            t_s, *edges = map(float, asked.split("<boxat:")[1].split(">")[0].split(","))
            truth = place_in(film, sample.options[index].text, t_s)
            return iou(Box(*edges), truth) if truth else 0.0
    raise AssertionError(sample.answer.kind)


def wrong_answers_caught(catalog: Catalog) -> int:
    """Mirrored boxes, and tubes that lag one moment behind: how many were planted, all of which are caught."""

    tasks = {t.name: t(t.Params(per_medium=2)) for t in (SpatialGrounding, SpatioTemporalGrounding)}
    caught = 0
    for row in catalog.rows(
        "SELECT * FROM samples WHERE answer_kind IN ('box', 'tube') ORDER BY answer_kind, sample_id LIMIT 8"
    ):
        sample = Sample.from_row(row)
        answer = sample.answer.model_dump()
        if answer["kind"] == "box":
            x1, y1, x2, y2 = answer["box"]
            wrong = answer | {"box": (1 - x2, y1, 1 - x1, y2)}
        else:
            late = [(t, *edges) for (t, *_), (_, *edges) in zip(answer["boxes"][1:], answer["boxes"], strict=False)]
            wrong = answer | {"boxes": [answer["boxes"][0], *late]}
        if wrong == answer:
            continue
        lie = Sample.model_validate(sample.model_dump() | {"answer": wrong}).to_row()
        assert verdict_of(catalog, tasks[row["task"]], row)["passed"]
        verdict = verdict_of(catalog, tasks[row["task"]], lie)
        if wrong.get("boxes") != answer.get("boxes") or answer["kind"] == "box":
            assert not verdict["passed"] and verdict["reason"], row["turns"]
            caught += 1
    return caught


def test_boxes_are_those_of_the_film_and_exports_stay_within_the_codec(build, films: Path) -> None:
    root = build("llava_st_align", CHRONOTOPE_PER_MEDIUM=2)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    film_of = {
        r["media_id"]: FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text())
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    rows = catalog.rows("SELECT * FROM samples WHERE task IN ('spatial_grounding', 'spatio_temporal_grounding')")
    samples = {r["sample_id"]: Sample.from_row(r) for r in rows}
    assert {(s.task, s.answer.kind) for s in samples.values()} == {
        ("spatial_grounding", "box"),
        ("spatial_grounding", "choice"),
        ("spatio_temporal_grounding", "tube"),
    }
    assert min(agreement(s, film_of[s.media[0].media_id]) for s in samples.values()) >= 0.99
    spans = {(e.start_s, e.end_s) for film in film_of.values() for e in film.objects}
    tubes = [s.answer for s in samples.values() if isinstance(s.answer, TubeAnswer)]
    assert {t.said for t in tubes} == {"both", "boxes"} and all(
        min(abs(t.start_s - a) + abs(t.end_s - b) for a, b in spans) < 1e-5 for t in tubes
    )

    package_all(Recipe.read("llava_st_align"), root, only="llava_st")
    entries = [e for file in (root / "packages" / "llava_st").glob("[tv]*.json") for e in json.loads(file.read_text())]
    entries = [e for e in entries if e["id"] in samples]
    assert entries and all(mismatches(e) == [] for e in entries)
    checked = 0
    for entry in entries:
        answer = samples[entry["id"]].answer
        if not isinstance(answer, TubeAnswer):
            continue
        numbers, window = entry["variables"], FrameWindow(*entry["meta"]["split"], fps=12.0)
        edges = zip(numbers["spatial_width_output_locations"], numbers["spatial_height_output_locations"], strict=True)
        flat = [v for pair in edges for v in pair]
        said = [flat[i : i + 4] for i in range(0, len(flat), 4)]
        assert len(said) == len(answer.boxes)
        for exported, (_, *stored) in zip(said, answer.boxes, strict=True):
            assert max(abs(a - b) for a, b in zip(exported, stored, strict=True)) <= 0.0005 + 1e-9
        start = samples[entry["id"]].window.start_s
        times = numbers["temporal_output_locations"][-len(said) :]
        for x, (t_s, *_) in zip(times, answer.boxes, strict=True):
            assert abs(x * window.length_s - (t_s - start)) <= window.max_error_s(listed=True) + 0.5 / 12
        checked += 1
    assert checked >= 3
    assert wrong_answers_caught(catalog) >= 4
