"""Which samples a package takes, decided from what `sample_view` says of them: split, check, grade, contamination, modality.

Each refusal is one stated rule, counted by the flow. What needs the packaged media (is the evidence drawn, can the
trainer's language say it) is decided later, in `package_flow.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..schemas.sample import Sample
from .packager import PROVIDES, PackageParams
from .rendering import LeftOut

GRADES = ("exact", "reviewed", "two_source", "model", "judge")
"""Effective grades of `sample_view`, from the truest to the least true."""
ALSO = {"vision": "readable on screen", "audio": "said aloud"}
"""How another modality gives an answer away."""


def require_wanted(sample: Sample, row: Mapping[str, Any], params: PackageParams) -> None:
    """Raises `LeftOut` for a sample that the package's parameters do not want or that something stands against."""
    if params.tasks is not None and sample.task not in params.tasks:
        raise LeftOut("task not asked for", sample.task)
    if params.splits is not None and row["split"] not in params.splits:
        raise LeftOut("split not asked for", row["split"])
    if params.only_passed and row["passed"] is None:
        raise LeftOut("not checked")
    if params.only_passed and not row["passed"]:
        raise LeftOut(f"check failed: {row['problem'] or 'no reason given'}")
    if row["grade"] == "refuted":
        raise LeftOut("called wrong by a reviewer")
    if params.contaminated == "drop" and row["contaminated_by"]:
        raise LeftOut("stands in a benchmark", ", ".join(row["contaminated_by"]))
    if params.shortcuts == "drop" and row["shortcut"]:
        raise LeftOut("shortcut", "baselines get it right from the question alone and from a single frame")
    also = sorted(set(row["also_answered_by"] or ()) & set(params.modalities))
    if params.needless == "drop" and also:
        raise LeftOut(f"a need is not needed: the answer is also {ALSO[also[0]]}", ", ".join(sample.needs))
    _require_grade(row, params)
    shown = frozenset().union(*(PROVIDES[m] for m in params.modalities))
    lacking = [need for need in sample.needs if need not in shown]
    if lacking:
        raise LeftOut(f"needs {lacking[0]}")


def _require_grade(row: Mapping[str, Any], params: PackageParams) -> None:
    grade = row["grade"] if row["grade"] in GRADES else "judge"
    least: str = params.min_grade
    if row["split"] == "test":
        least = min(least, "reviewed" if params.test_min_grade == "exact" else params.test_min_grade, key=GRADES.index)
        if params.only_passed and row["check_status"] != "recomputed" and least != "judge":
            raise LeftOut("test split takes recomputed samples only", str(row["check_status"]))
    if GRADES.index(grade) > GRADES.index(least):
        where = " for the split test" if row["split"] == "test" else ""
        named = "exact or reviewed" if least == "reviewed" else least
        raise LeftOut(f"evidence less true than {named}{where}", grade)
