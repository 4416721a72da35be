"""check_sample tells malformed samples, missing and changed evidence, and wrong answers apart, and never
raises.
"""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.engine.annotator import Params
from chronotope.engine.check import check_sample, lowest_grade, same_value
from chronotope.engine.task import Task
from chronotope.schemas.sample import Evidence, MediumRef, NumberAnswer, Sample, Turn
from chronotope.schemas.tables import TABLES
from chronotope.schemas.verifying import check_number


class Loudest(Task[Params]):
    """A task small enough to see through: the mean luma of the cited signals."""

    name = "loudest"

    def annotate(self, unit, rows):
        return ()

    def recompute(self, sample, evidence):
        assert isinstance(sample.answer, NumberAnswer)
        mean = sum(e.row["luma"] for e in evidence) / len(evidence)
        return check_number(sample.answer.value, mean, abs_tolerance=1e-6)


TASK = Loudest(Params())


@pytest.fixture
def stored() -> dict[str, dict[str, Any]]:
    rows = [
        TABLES["signals"].complete({"t_s": t, "luma": luma}, "signals", "m", "m")
        for t, luma in ((0.0, 10.0), (1.0, 30.0))
    ]
    return {r["row_id"]: r for r in rows}


@pytest.fixture
def row(stored) -> dict[str, Any]:
    return Sample(
        task="loudest",
        recipe="r",
        media=(MediumRef(media_id="m", start_s=0.0, end_s=2.0),),
        turns=(
            Turn(role="user", text="<video>\nHow bright is it?"),
            Turn(role="assistant", text="Middling."),
        ),
        answer=NumberAnswer(value=20.0, unit="0..255"),
        evidence=tuple(Evidence(table="signals", row_id=i, values={"luma": r["luma"]}) for i, r in stored.items()),
        needs=("vision",),
        wording="w",
        answer_form="a",
        generator="loudest@1",
    ).to_row()


def check(row, stored, grade=lambda table, row: "model"):
    return check_sample(row, lambda table, row_id: stored.get(row_id), TASK, grade)


def test_a_true_sample_passes_with_a_complete_verdict_row(row, stored):
    verdict = check(row, stored)
    assert verdict["passed"] and verdict["problem"] is None and verdict["reason"] is None
    full = TABLES["verdicts"].complete(verdict, "check", "m", "m")
    assert (full["check_status"], full["verifier"], full["media_id"]) == ("recomputed", "loudest@1", "m")


def test_the_grade_is_the_lowest_of_the_evidence(row, stored):
    first = next(iter(stored))
    verdict = check(row, stored, lambda table, r: "exact" if r["row_id"] == first else "two_source")
    assert verdict["evidence_grade"] == "two_source"
    assert lowest_grade(["exact", "model", "two_source"]) == "model"
    assert lowest_grade([]) == "judge" and lowest_grade(["exact", "unheard of"]) == "unheard of"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sample_id": "0" * 20}, "sample_id"),
        ({"answer_json": '{"kind":"number","value":20.0}'}, "unit"),
        ({"answer_json": "{"}, "not a sample"),
        ({"answer_json": '{"kind":"choice","index":3}'}, "names option 3 of 0"),
        ({"evidence": []}, "no evidence"),
        ({"turns": None}, "turns"),
        ({"turns": [{"role": "user", "text": "<video> at <t:9>"}]}, "window"),
        (
            {"media": [{"media_id": "m", "kind": "video", "start_s": 3.0, "end_s": 2.0, "frame_times": None}]},
            "span",
        ),
        ({"media_id": "n"}, "media_id"),
        ({"window_end_s": 3.0}, "window_end_s"),
        ({"task": "other"}, "task"),
    ],
)
def test_malformed_samples_are_called_so(row, stored, change, reason):
    verdict = check(row | change, stored)
    assert verdict["problem"] == "malformed" and reason in verdict["reason"] and not verdict["passed"]


def test_missing_evidence(row, stored):
    gone = next(iter(stored))
    verdict = check(row, {k: v for k, v in stored.items() if k != gone})
    assert verdict["problem"] == "evidence missing" and gone in verdict["reason"]


def test_changed_evidence_names_column_and_both_values(row, stored):
    key = next(iter(stored))
    verdict = check(row, stored | {key: stored[key] | {"luma": 11.0}})
    assert verdict["problem"] == "evidence changed"
    assert "luma was 10.0, is 11.0" in verdict["reason"]
    assert check(row, stored | {key: stored[key] | {"luma": 10.0 + 1e-9, "sharpness": 3.0}})["passed"]


def test_a_wrong_answer(row, stored):
    lie = Sample.from_row(row).model_copy(update={"answer": NumberAnswer(value=21.0, unit="0..255")}).to_row()
    verdict = check(lie, stored)
    assert verdict["problem"] == "answer wrong" and "21 instead of 20" in verdict["reason"]


def test_whatever_recomputing_raises_is_a_finding(row, stored):
    values = {k: v | {"luma": None} for k, v in stored.items()}
    evidence = [{**e, "values_json": '{"luma":null}'} for e in row["evidence"]]
    verdict = check(row | {"evidence": evidence}, values)
    assert verdict["problem"] == "answer wrong" and "TypeError" in verdict["reason"]


def test_same_value():
    assert same_value([1.0, {"a": 2}], (1.0 + 1e-7, {"a": 2}))
    assert same_value(3600.0, 3600.0000005) and not same_value(3600.0, 3600.0001)
    assert not same_value(1, True) and not same_value(None, 0) and not same_value(2**60, 2**60 + 1)
    assert same_value(float("nan"), float("nan")) and not same_value("1", 1)
