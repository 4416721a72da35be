"""The annotators of grounding: truth gives only its words, nobody is evidence for himself, nothing is lost without a note."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from asking_models import asking, role
from chronotope.annotators.compose.scenes import draw_scene, sample_scene
from chronotope.annotators.temporal.events import Events
from chronotope.annotators.temporal.localise import Localise
from chronotope.annotators.temporal.localise_by_model import (
    FoundMoment,
    LocaliseByModel,
    moment_problem,
    span_of_moment,
)
from chronotope.annotators.temporal.localise_by_picture import LocaliseByPicture
from chronotope.annotators.temporal.looked_for import Wanted
from chronotope.annotators.vision.clip_embedding import ClipEmbedding
from chronotope.engine.annotator import Medium, Picture, Rows, SkipUnit, Unit
from chronotope.engine.grounding.calibration import CARRIED, Calibration
from chronotope.engine.models import ModelNotFound
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.span import Span
from chronotope.schemas.tables import TABLES
from model_server import ModelServer

MEDIUM = Medium("m", "film.mp4", None, "video", 40.0, 25.0, 1000, 640, 360, True, True)
UNIT = Unit("m", "medium", MEDIUM, "r", 0, producer="p")


def made(table: str, producer: str | None = None, **values: Any) -> dict[str, Any]:
    return TABLES[table].complete(values, producer or table, "m", "m")


def told(text: str, start: float, end: float, level: str = "event", producer: str = "composed_truth") -> dict[str, Any]:
    return made("captions", producer, start_s=start, end_s=end, text=text, level=level, model="m")


def words(text: str, start: float) -> list[dict[str, Any]]:
    return [
        made("words", start_s=start + 0.5 * i, end_s=start + 0.5 * i + 0.4, word=word, position=int(start * 10) + i)
        for i, word in enumerate(text.split())
    ]


def film(*captions: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        "media": [made("media", kind="video", duration_s=40.0, width=640, height=360)],
        "captions": list(captions),
        "words": [*words("first slice the lemon", 4.0), *words("then put it into the oven", 20.0)],
        "speech": [
            made("speech", start_s=4.0, end_s=5.9, text="First slice the lemon.", origin="m"),
            made("speech", start_s=20.0, end_s=22.9, text="Then put it into the oven.", origin="m"),
        ],
        "text_regions": [
            made("text_regions", start_s=10.0 + i, end_s=11.0 + i, text="HOT OVEN", confidence=0.9, x1=0.1, y1=0.1, x2=0.4, y2=0.2)
            for i in range(5)
        ],
        "shots": [made("shots", start_s=s, end_s=s + 10, transition="cut") for s in (0.0, 10.0, 20.0, 30.0)],
    }  # fmt: skip


def run(annotator: Any, rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for table, row in annotator.annotate(UNIT, Rows(rows)):
        found.setdefault(table, []).append(made(table, annotator.name, **row))
    return found


TOLD = (
    told("someone says “slice the lemon”", 3.9, 6.0),
    told("a sign reads “HOT OVEN”", 10.0, 15.0),
    told("a cook puts it into the oven", 20.0, 23.0),
    told("a dog sleeps", 30.0, 35.0),
)


def test_the_spans_of_the_truth_are_never_looked_at() -> None:
    right = run(Localise(Localise.Params()), film(*TOLD))
    elsewhere = [told(c["text"], 39.0, 39.5) for c in TOLD]
    assert run(Localise(Localise.Params()), film(*elsewhere)) == right
    by_text = {row["text"]: row for row in right["candidates"] if row["rank"] == 1}
    assert (by_text[TOLD[0]["text"]]["start_s"], by_text[TOLD[0]["text"]]["localiser"]) == (4.5, "speech")
    assert (by_text[TOLD[1]["text"]]["start_s"], by_text[TOLD[1]["text"]]["end_s"]) == (10.0, 15.0)
    assert by_text[TOLD[2]["text"]]["start_s"] == 20.0


def test_what_nobody_finds_is_noted() -> None:
    (note,) = run(Localise(Localise.Params()), film(*TOLD))["import_notes"]
    assert (note["item"], note["rule"], note["action"]) == ("a dog sleeps", "not_found", "left_out")


def test_descriptions_of_the_recipe_are_looked_for_in_every_medium() -> None:
    found = run(Localise(Localise.Params(queries=["a sign reads “HOT OVEN”"], queries_from=[])), film())
    assert [row["start_s"] for row in found["candidates"]] == [10.0]
    with pytest.raises(SkipUnit, match="no description"):
        run(Localise(Localise.Params()), film())


def test_a_caption_is_no_evidence_for_itself_but_another_one_is() -> None:
    own = told("a cook opens the big oven door", 18.0, 24.0, "brief", "captions")
    params = Localise.Params(queries_from=["models"], localisers=["captions"])
    assert "candidates" not in run(Localise(params), film(own))
    other = told("a cook opens the oven door", 19.0, 22.0, "dense", "captions")
    (found,) = [r for r in run(Localise(params), film(own, other))["candidates"] if r["text"] == own["text"]]
    assert (found["start_s"], found["end_s"], found["source_rows"]) == (19.0, 22.0, [other["row_id"]])


def embedded() -> list[dict[str, Any]]:
    from PIL import Image

    pytest.importorskip("onnxruntime")
    scenes = [("red", "circle", "left"), ("blue", "square", "right"), ("green", "star", "middle")]
    pictures = []
    for i in range(12):
        data = io.BytesIO()
        Image.fromarray(draw_scene(sample_scene(70 + i, scenes[i // 4]), 128, 72)).save(data, "JPEG", quality=90)
        pictures.append(Picture("m", 3.0 * i, 3.0 * i + 3, 128, 72, data.getvalue()))
    annotator = ClipEmbedding(ClipEmbedding.Params(model="composed-tiny", batch_size=4))
    annotator.setup()
    return [made("embeddings", "clip_embedding", **row) for ((_, row),) in annotator.look(pictures)]


def test_pictures_are_found_by_what_they_show_and_the_small_model_keeps_to_what_it_knows() -> None:
    rows = film(told("a blue square moves to the left", 1, 2), told("a man pours coffee", 3, 4)) | {
        "embeddings": embedded(),
        "shots": [],
    }
    found = run(LocaliseByPicture(LocaliseByPicture.Params(model="composed-tiny")), rows)["candidates"]
    assert {row["text"] for row in found} == {"a blue square moves to the left"}
    assert (found[0]["start_s"], found[0]["end_s"], found[0]["family"]) == (10.5, 22.5, "pixels")
    assert found[0]["score"] > 0.4 and len(found[0]["source_rows"]) == 4
    other = [{**row, "model": "other"} for row in rows["embeddings"]]
    with pytest.raises(ValueError, match="give clip_embedding and localise_by_picture the same model"):
        run(LocaliseByPicture(LocaliseByPicture.Params(model="composed-tiny")), rows | {"embeddings": other})


def candidates() -> list[dict[str, Any]]:
    return run(Localise(Localise.Params()), film(*TOLD))["candidates"]


def test_events_say_who_agrees_and_every_other_description_has_a_note() -> None:
    rows = film() | {"candidates": candidates()}
    found = run(Events(Events.Params(rules={"min_length_s": 2.0})), rows)
    asked = {row["text"] for row in rows["candidates"]}
    assert {e["text"] for e in found["events"]} | {n["item"] for n in found["import_notes"]} == asked
    sign = next(e for e in found["events"] if "sign" in e["text"])
    assert (sign["localiser"], sign["families"], sign["kind"], sign["p_correct"]) == ("text", ["text"], "event", None)
    assert [n["rule"] for n in found["import_notes"] if "says" in n["item"]] == ["too_short"]
    members = json.loads(sign["attributes_json"])["members"]
    assert set(members) <= {row["row_id"] for row in rows["candidates"]}


def test_with_a_calibration_events_carry_its_probability_and_name(tmp_path: Path) -> None:
    rows = film() | {"candidates": candidates()}
    known = Calibration.from_json((CARRIED / "composed_films.json").read_text())
    found = run(Events(Events.Params(calibration="composed_films")), rows)["events"]
    assert found and all(0 < e["p_correct"] <= known.most and e["calibration"] == known.title for e in found)
    assert "events" not in run(Events(Events.Params(calibration="composed_films", min_p=1.0)), rows)
    annotator = Events(Events.Params(calibration="own.json"))
    annotator.folder = str(tmp_path)
    with pytest.raises(ModelNotFound, match="--calibrate"):
        annotator.models()
    (tmp_path / "own.json").write_text("{}")
    with pytest.raises(ValueError, match=r"own\.json is no calibration"):
        annotator.setup()
    first = annotator.models()[0].digest
    (tmp_path / "own.json").write_text(known.to_json())
    assert annotator.models()[0].digest != first
    assert run(annotator, rows)["events"] == found


def test_a_model_names_evidence_and_code_gives_the_times(tmp_path: Path) -> None:
    rows = Rows(film(*TOLD) | {"claims": []})

    async def propose(url: str) -> list[tuple[str, dict[str, Any]]]:
        async with asking(tmp_path, {"grounder": role(url)}) as live:
            return list(await LocaliseByModel(LocaliseByModel.Params()).propose(UNIT, rows, live))

    with ModelServer() as server:
        found = asyncio.run(propose(server.url))
    by_text = {row["text"]: row for table, row in found if table == "candidates"}
    assert (
        by_text["someone says “slice the lemon”"]["start_s"],
        by_text["someone says “slice the lemon”"]["end_s"],
    ) == (4.0, 5.9)
    assert "a dog sleeps" not in by_text
    assert all(r["family"] == "captions" and r["localiser"].startswith("model ") for r in by_text.values())
    landed = [row for table, row in found if table == "proposals"]
    assert len(landed) >= len(by_text) and {row["outcome"] for row in landed} == {"landed"}


FACTS = Facts(
    [
        Fact("e1", "speech", "speech", {"row_id": "a"}, Span(1.0, 3.0), text="hello"),
        Fact("e2", "caption", "captions", {"row_id": "b"}, Span(4.0, 6.0), text="a door opens"),
    ]
)


@pytest.mark.parametrize(
    ("query", "first", "last", "rule"),
    [
        ("q1", "e1", "e2", None), ("q1", "e2", "e1", "reversed"), ("q1", "e1", "e7", "unknown_evidence"),
        ("q9", "e1", "e1", "unknown_query"), ("q2", "e2", "e2", "own_words"), ("q2", "e1", "e2", None),
    ],
)  # fmt: skip
def test_a_place_that_is_not_in_the_evidence_is_rejected(query: str, first: str, last: str, rule: str | None) -> None:
    names = {"q1": Wanted("a man greets"), "q2": Wanted("a door opens", frozenset({"b"}))}
    moment = FoundMoment(query=query, first=first, last=last, why="", sure="likely")
    problem = moment_problem(moment, FACTS, names)
    assert (problem.rule if problem else None) == rule
    if problem is None:
        assert span_of_moment(moment, FACTS) == Span(1.0, 6.0)
