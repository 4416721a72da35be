"""Triples of composed films: right, timed, linked to tracks and captions; with a model, judged proposals; without, no call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.compose.script import FilmParams, film_scenes
from chronotope.annotators.importers.composed_truth import ComposedTruth
from chronotope.annotators.text.triples import Triples, TriplesParams
from chronotope.engine.annotator import Medium, Params, Rows, Unit
from chronotope.schemas.tables import TABLES
from model_asked import Asked
from model_recipes import build_with_models
from model_replies.triples_reply import reply as careful
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
KINDS = ("move_left", "pan_left", "move_up", "track_right", "move_right", "move_down")
LINKED = """SELECT count(*) AS n FROM triples t
WHERE NOT EXISTS (SELECT 1 FROM tracks k WHERE k.track_id = t.subject_track)
OR (t.object_text <> '' AND NOT EXISTS (SELECT 1 FROM tracks k WHERE k.track_id = t.object_track))"""
OUTSIDE = """SELECT count(*) AS n FROM triples t JOIN tracks k ON k.track_id = t.subject_track
WHERE t.status = 'supported' AND (t.start_s < k.start_s - 1e-6 OR t.end_s > k.end_s + 1e-6)"""


def inventive(asked: Asked) -> dict[str, Any]:
    """The careful writer, with what models add: a lie, a predicate of its own, things that nobody tracked, numbers."""
    found = careful(asked)["triples"]
    first = next(t for t in found if t["object"])
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}[first["predicate"]]
    none = {"object": None, "said_by": None}
    return {
        "triples": [
            *found[:4],
            {**first, "predicate": opposite},
            {**first, "predicate": "Looks At"},
            {"subject": "obj77", "predicate": "rises", **none},
            {"subject": first["subject"], "predicate": "moves 3 cm", **none},
            {"subject": first["subject"], "predicate": "left of", **none},
            first,
        ]
    }


def test_without_a_model_triples_follow_from_tracks_alone(tmp_path: Path) -> None:
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, enrich=[{"triples": {"model": None}}])
        assert server.requests.count == 0 and not built.report.failures
    assert built.rows(LINKED)[0]["n"] == 0 and built.rows(OUTSIDE)[0]["n"] == 0
    rows = built.rows("SELECT * FROM triples")
    assert len(rows) > 8 and all(r["status"] == "supported" and r["model"] == "" for r in rows)


def planned_rows(folder: Path, params: FilmParams) -> tuple[Rows, str]:
    """Rows of a film that is planned, but not drawn, as `composed_truth` writes them; a clip for each shot."""
    truth = film_truth(params, film_scenes(params), [])
    file = folder / "film.truth.json"
    file.write_text(truth.to_json(), encoding="utf-8")
    media = {"media_id": "m", "width": truth.width, "height": truth.height, "duration_s": truth.duration_s}
    medium = Medium("m", "film.mp4", None, "video", truth.duration_s, truth.fps, truth.frames, 640, 360, True, False)
    sidecars = Rows(
        {"sources": [{"uri": "film.mp4", "sidecars_json": json.dumps([{"uri": str(file)}])}], "media": [media]}
    )
    made: dict[str, list[dict[str, Any]]] = {"media": [media]}
    for table, row in ComposedTruth(Params()).annotate(Unit("m", "medium", medium, "r", 0), sidecars):
        made.setdefault(table, []).append(TABLES[table].complete(row, "composed_truth", "m", "m"))
    made["clips"] = [{**s, "clip_id": f"c{i}"} for i, s in enumerate(made["shots"])]
    return Rows(made), "m"


def test_motions_are_those_of_the_plan_with_the_captions_that_tell_them(tmp_path: Path) -> None:
    rows, unit = planned_rows(tmp_path, FilmParams(seed=5, scenes=6, kinds=KINDS, joins=("cut",), narration=False))
    found = [row for _, row in Triples(TriplesParams(model=None)).annotate(Unit(unit, "medium", None, "r", 0), rows)]
    moves = [row for row in found if row["predicate"].startswith("moves")]
    told = {c["row_id"]: c for c in rows["captions"] if " moves " in c["text"]}
    assert len(moves) == len(told) == 4  # what a panning camera shows moving, or follows, does not move by itself here
    for row in moves:
        caption = told[row["caption_id"]]
        assert row["subject"] in caption["text"] and caption["text"].endswith(row["predicate"].split()[-1])
        assert (row["start_s"], row["end_s"]) == (caption["start_s"], caption["end_s"])


def test_a_models_triples_are_judged_timed_and_accounted_for(tmp_path: Path) -> None:
    with ModelServer(replies={"TriplesReply": inventive}) as server:
        built = build_with_models(tmp_path, server, enrich=["triples"])
    assert not built.report.failures and built.rows(LINKED)[0]["n"] == 0 and built.rows(OUTSIDE)[0]["n"] == 0
    mine = built.rows("SELECT * FROM triples WHERE model <> ''")
    by_status = {s: [r for r in mine if r["status"] == s] for s in ("supported", "contradicted", "unchecked")}
    assert by_status["supported"] and all(r["checked_by"] for r in by_status["supported"])
    assert by_status["contradicted"]
    own = [r for r in by_status["unchecked"] if r["predicate"] == "looks at"]
    assert own and all(r["reason"] == "no rule for this predicate" for r in own)
    rejected = {
        r["rule"]: r["n"]
        for r in built.rows("SELECT rule, count(*) AS n FROM proposals WHERE outcome = 'rejected' GROUP BY rule")
    }
    assert set(rejected) == {"unknown_evidence", "no_predicate", "no_triple", "repeated"}
    landed = built.rows("SELECT count(*) AS n FROM proposals WHERE outcome = 'landed'")[0]["n"]
    assert landed == len(mine)
