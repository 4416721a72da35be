"""Checking a stored sample: is it well-formed, is its evidence still there and unchanged, does its answer
follow from it?

The order matters, because each verdict means something else to do: a malformed sample is a bug or tampering,
missing or changed evidence asks for a rebuild, a wrong answer is a lie. Whatever a corrupted row makes a
task raise is a wrong answer too: checking never stops at a bad sample. The evidence grade says how true the
rows are that the answer rests on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ..schemas.sample import Evidence, Sample
from .annotator import Grade
from .task import EvidenceRow, Task

GRADES: tuple[Grade, ...] = ("exact", "two_source", "model", "judge")
"""From the truest to the least true; a sample has the lowest of its evidence."""
TOLERANCE = 1e-6
"""Numbers closer than this (seconds or any other unit) count as unchanged, large ones when 9 digits agree."""

Lookup = Callable[[str, str], dict[str, Any] | None]
GradeOf = Callable[[str, Mapping[str, Any]], str]

_STORED_TWICE = ("media_id", "sample_id", "task", "window_start_s", "window_end_s", "answer_kind")


def check_sample(
    row: Mapping[str, Any],
    evidence: Lookup,
    task: Task[Any],
    grade_of: GradeOf,
    member: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The values of a `verdicts` row for a row of `samples`.

    `evidence(table, row_id)` gives the row as it is stored now (all columns) or None; `task` is the task
    that wrote the sample, with the recipe's parameters; `grade_of(table, row)` grades one evidence row.
    `member(row)` gives the verdict of a cited sample: a conversation is as right, and as true, as its members.
    Never raises for a bad sample.
    """
    problem, reason, grade = _check(row, evidence, task, grade_of, member)
    return {
        "media_id": row.get("media_id"),
        "sample_id": row.get("sample_id"),
        "task": row.get("task"),
        "check_status": _status(row, task),
        "passed": problem is None,
        "problem": problem,
        "reason": reason,
        "evidence_grade": grade,
        "verifier": f"{type(task).name}@{type(task).version}",
    }


def _status(row: Mapping[str, Any], task: Task[Any]) -> str:
    """What passing means for this sample; a malformed one was looked at by rule."""
    try:
        return task.status_of(Sample.from_row(row))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "recomputed"


def lowest_grade(grades: Sequence[str]) -> str:
    """The least true of the grades; `judge` when there is none, so that nothing unknown passes for better."""
    order: dict[str, int] = {g: i for i, g in enumerate(GRADES)}
    return max(grades, key=lambda g: order.get(g, len(order)), default="judge")


def _check(
    row: Mapping[str, Any],
    lookup: Lookup,
    task: Task[Any],
    grade_of: GradeOf,
    member: Callable[[dict[str, Any]], dict[str, Any]] | None,
) -> tuple[str | None, str | None, str]:
    try:
        sample = Sample.from_row(row)
        problems = sample.problems() + _copies(sample, row)
    except ValidationError as error:
        first = error.errors()[0]
        return "malformed", f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "judge"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return "malformed", f"not a sample: {error}", "judge"
    if sample.task != type(task).name:
        problems.append(f"task {sample.task!r} is checked by {type(task).name!r}")
    if problems:
        return "malformed", "; ".join(problems), "judge"

    found: list[EvidenceRow] = []
    for cited in sample.evidence:
        now = lookup(cited.table, cited.row_id)
        if now is None:
            return "evidence missing", f"{cited.table} row {cited.row_id} is gone", "judge"
        found.append(EvidenceRow(cited.table, now))
    members = [member(e.row) for e in found if e.table == "samples"] if member is not None else []
    worded = task.status_of(sample) == "recomputed"
    own = [e for e in found if e.table != "samples" and not (worded and e.table == "proposals")]
    grades = [grade_of(e.table, e.row) for e in own]
    grade = lowest_grade(grades + [str(m["evidence_grade"]) for m in members])
    for cited, stored in zip(sample.evidence, found, strict=True):
        changed = _changes(cited, stored.row)
        if changed:
            return "evidence changed", f"{cited.table} row {cited.row_id}: {'; '.join(changed)}", grade
    for verdict in members:
        if not verdict["passed"]:
            which = f"the cited sample {verdict['sample_id']} of {verdict['task']}"
            return "answer wrong", f"{which}: {verdict['problem']}: {verdict['reason']}", grade
    try:
        check = task.recompute(sample, found)
    except Exception as error:  # whatever a corrupted sample provokes is a finding, not a crash
        return (
            "answer wrong",
            f"cannot be recomputed from its evidence: {type(error).__name__}: {error}",
            grade,
        )
    return (None, None, grade) if check.ok else ("answer wrong", check.reason, grade)


def _copies(sample: Sample, row: Mapping[str, Any]) -> list[str]:
    """Columns that repeat what the sample itself says, and its identifier, which derives from its content."""
    derived = sample.to_row()
    found = []
    for name in _STORED_TWICE:
        if name in row and not same_value(derived[name], row[name]):
            found.append(f"{name} is {row[name]!r}, but the sample's content gives {derived[name]!r}")
    return found


def _changes(cited: Evidence, now: Mapping[str, Any]) -> list[str]:
    """Which of the values used differ from the row as it is now."""
    return [
        f"{name} was {value!r}, is {now.get(name)!r}"
        for name, value in sorted(cited.values.items())
        if name not in now or not same_value(value, now[name])
    ]


def same_value(a: Any, b: Any) -> bool:
    """Equality of stored values: numbers within a microunit, NaN equal to nothing but NaN, lists and records
    by parts.
    """
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b or (isinstance(a, bool) and isinstance(b, bool) and a == b)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=TOLERANCE)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
