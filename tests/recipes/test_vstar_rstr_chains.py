"""vstar_rstr_chains (row 31): the parts of a chain agree, the film confirms them, and V-STaR's means reach 1 for the truth."""

from __future__ import annotations

import json
from pathlib import Path

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.tasks.vstar_chains import VstarChains
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.evaluate import Request, evaluate
from chronotope.pipelines.evaluate_scoring import Scoring
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import ChoiceAnswer, Sample, SpanAnswer, TubeAnswer
from stored_checks import verdict_of


def parts(sample: Sample) -> tuple[ChoiceAnswer, SpanAnswer, TubeAnswer]:
    """What, when and where of a chain, in whichever order they are asked."""
    by_kind = {p.answer.kind: p.answer for p in sample.answer.parts}
    return by_kind["choice"], by_kind["span"], by_kind["tube"]


def figures(root: Path, file: Path, rows: list[dict]) -> dict[str, dict[str, float]]:
    file.write_text(json.dumps(rows))
    made = evaluate(root, Request("chains", predictions=file), Scoring())
    return {line["who"]: {k: v["value"] for k, v in line["figures"].items()} for line in made.totals}


def test_chains_agree_with_the_film_and_with_each_other(build, films: Path, tmp_path: Path) -> None:
    root = build("vstar_rstr_chains", CHRONOTOPE_PER_MEDIUM=4)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    film_of = {
        r["media_id"]: FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text())
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    rows = catalog.rows("SELECT * FROM samples ORDER BY sample_id")
    samples = [Sample.from_row(r) for r in rows]
    pairs: dict[str, list[Sample]] = {}
    for sample in samples:
        what, when, where = parts(sample)
        thing = sample.options[what.index].text
        assert all(when.start_s <= t <= when.end_s for t, *_ in where.boxes)  # boxes lie inside the span
        assert (where.start_s, where.end_s) == (when.start_s, when.end_s)
        assert any(
            f"{o.colour} {o.shape}" == thing and abs(o.start_s - when.start_s) + abs(o.end_s - when.end_s) < 1e-5
            for o in film_of[sample.media[0].media_id].objects
        )
        assert thing not in sample.turns[0].text  # nothing of the answer stands in the question
        first_asked = sample.answer.parts[1].answer
        assert ("<boxat" in sample.turns[3].text) is False and isinstance(first_asked, SpanAnswer | TubeAnswer)
        pairs.setdefault(sample.pair_id, []).append(sample)
    assert len(samples) >= 6 and all(len(pair) == 2 for pair in pairs.values())
    for one, other in pairs.values():  # both orders say the same
        assert parts(one)[:2] == parts(other)[:2] and parts(one)[2].boxes == parts(other)[2].boxes

    oracle, whole = [], []
    for row, sample in zip(rows, samples, strict=True):
        what, when, where = parts(sample)
        named = {"sample_id": row["sample_id"], "media_id": row["media_id"]}
        boxes = {str(t): list(edges) for t, *edges in where.boxes}
        places: object = list(boxes.values()) if where.said == "places" else boxes
        oracle.append(
            named | {"answer_vqa": what.index, "answer_temporal": [when.start_s, when.end_s], "answer_spatial": places}
        )
        full = [[0.0, 0.0, 1.0, 1.0]] * len(boxes)
        seen = [sample.window.start_s, sample.window.end_s]
        whole.append(
            named
            | {"answer_vqa": "nothing", "answer_temporal": seen}
            | {"answer_spatial": full if where.said == "places" else dict(zip(boxes, full, strict=True))}
        )
    best = figures(root, tmp_path / "oracle.json", oracle)
    assert set(best) == {"what-when-where", "what-where-when"}
    assert all(f["AM"] == 1.0 and abs(f["LGM"] - 13.815511) < 1e-3 and f["joint"] == 1.0 for f in best.values())
    blind = figures(root, tmp_path / "whole.json", whole)["what-when-where"]
    mine = [s for s in samples if isinstance(s.answer.parts[1].answer, SpanAnswer)]
    share = sum((parts(s)[1].end_s - parts(s)[1].start_s) / s.window.length_s for s in mine) / len(mine)
    assert abs(blind["m_tIoU"] - share) < 1e-5 and blind["Acc"] == 0 and blind["m_vIoU"] < 0.2

    task, sample = VstarChains(VstarChains.Params(step_s=1.0, per_medium=4)), samples[0]
    assert verdict_of(catalog, task, rows[0])["passed"]
    chain = sample.answer.model_dump()
    for part in chain["parts"]:  # planted fault: the box of the next second
        if part["answer"]["kind"] == "tube":
            part["answer"]["boxes"] = [(t, 0.1, 0.1, 0.2, 0.2) for t, *_ in part["answer"]["boxes"]]
    lie = Sample.model_validate(sample.model_dump() | {"answer": chain}).to_row()
    assert not verdict_of(catalog, task, lie)["passed"]
