"""The annotator: rows of `attempts` from rows of samples and groups, a cap that keeps pairs whole, reasons when it cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chronotope.annotators.checks.ladder import Ladder, LadderParams
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.schemas.sample import Sample
from chronotope.schemas.tables import TABLES
from made_samples import Maker

CORPUS = Unit("corpus", "corpus", None, "made", 0)


def rows_of(samples: list[Sample]) -> Rows:
    tables: dict[str, list[dict[str, Any]]] = {"samples": [], "groups": []}
    for sample in samples:
        row = sample.to_row()
        tables["samples"].append(row)
        tables["groups"].append({"sample_id": row["sample_id"], "group_id": row["media_id"], "split": "train"})
    return Rows(tables)


def attempts(samples: list[Sample], **params: Any) -> list[dict[str, Any]]:
    made = list(Ladder(LadderParams(**params)).annotate(CORPUS, rows_of(samples)))
    assert {table for table, _ in made} == {"attempts"}
    return [row for _, row in made]


def test_every_sample_is_attempted_once_by_every_solver_that_can() -> None:
    samples = [*Maker(1).directions(40), *Maker(2).spans(40)]
    made = attempts(samples)
    by_solver = {
        s: {r["sample_id"] for r in made if r["solver"] == s} for s in ("prior", "options_only", "fixed_interval")
    }
    choices = {s.sample_id for s in samples[:40]}
    assert by_solver["prior"] == {s.sample_id for s in samples}
    assert by_solver["options_only"] == choices and by_solver["fixed_interval"].isdisjoint(choices)
    assert len({(r["sample_id"], r["solver"]) for r in made}) == len(made)
    for row in made:
        TABLES["attempts"].complete(row, "ladder", "corpus", row["media_id"])
        assert 0 <= row["reward"] <= 1 and 0 <= row["chance"] <= 1 and "kind" in json.loads(row["answer_json"])


def test_the_cap_takes_pairs_whole_and_moves_nobody_else() -> None:
    samples = [s.model_copy(update={"pair_id": f"pair{i // 2}"}) for i, s in enumerate(Maker(1).directions(80))]
    pair = {s.sample_id: s.pair_id for s in samples}
    taken = {r["sample_id"] for r in attempts(samples, max_samples=40)}
    assert len(taken) == 40 and len({pair[i] for i in taken}) == 20
    fewer = {r["sample_id"] for r in attempts(samples, max_samples=30)}
    assert fewer < taken


def test_too_little_footage_skips_with_the_reason_of_each_task() -> None:
    with pytest.raises(SkipUnit, match="made: 2 groups of footage; 4 are needed to hold some out"):
        attempts(list(Maker(1).directions(10)))
    with pytest.raises(SkipUnit, match="made: 20 samples; 50 are needed"):
        attempts(list(Maker(1).directions(20)), min_samples=50)


def test_rows_do_not_depend_on_the_order_in_which_samples_come() -> None:
    samples = list(Maker(1).directions(40))
    assert attempts(samples) == attempts(samples[::-1])
