"""The ladder in figures: what each baseline earns above chance, per task, and which one should not have been able to.

A baseline that a task says must fail is flagged when the lower end of its interval lies above the tolerance. Pair
accuracy counts minimal pairs of which both members were answered rightly: blindly, one is easy and both are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ...engine.catalog import Catalog
from ...engine.ladder.folds import too_few
from ...engine.ladder.gaps import gap_of
from ...engine.task import Solver
from ...schemas.metrics import pair_accuracy
from .task_facts import TaskFacts, build_settings

TOLERANCE = 0.05
"""Gap to chance that is forgiven."""
SOLVERS: tuple[str, ...] = get_args(Solver)
BY_CONSTANT = ("span", "spans", "absent", "box", "span_box", "tube", "number", "text")
"""Kinds of answers whose reference is the best constant: their gap is to the prior."""

_ATTEMPTS = """
SELECT a.task, a.solver, a.sample_id, a.reward, a.correct, a.chance, s.pair_id, s.answer_kind,
       coalesce(s.group_id, s.media_id) AS group_id
FROM (SELECT * FROM attempts WHERE model IS NULL QUALIFY row_number() OVER (PARTITION BY sample_id, solver ORDER BY producer) = 1) a
JOIN sample_view s USING (sample_id) ORDER BY a.task, a.solver, a.sample_id"""


def ladder_figures(
    catalog: Catalog,
    facts: Mapping[str, TaskFacts],
    tolerance: float = TOLERANCE,
    samples: frozenset[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Task -> {solvers, withheld, shortcuts, attempted}; of the named samples only, if `samples` is given."""
    attempts: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in catalog.rows(_ATTEMPTS):
        if samples is None or row["sample_id"] in samples:
            attempts[row["task"]][row["solver"]].append(row)
    short: dict[str, int] = defaultdict(int)
    for row in catalog.rows("SELECT task, sample_id FROM sample_view WHERE shortcut"):
        short[row["task"]] += samples is None or row["sample_id"] in samples
    reasons = _reasons(catalog)
    found = {}
    for task, fact in facts.items():
        solvers = attempts.get(task, {})
        order = sorted(solvers, key=lambda s: (SOLVERS.index(s) if s in SOLVERS else len(SOLVERS), s))
        lines = [_line(solver, solvers[solver], fact, tolerance) for solver in order]
        attempted = max((line["samples"] for line in lines), default=0)
        found[task] = {
            "solvers": lines,
            "withheld": None if lines else reasons.get(task, "the ladder was not climbed"),
            "without_pictures": bool(lines) and not any("frame" in line["solver"] for line in lines),
            "reference": _reference(solvers),
            "attempted": attempted,
            "shortcuts": short[task],
        }
    return found


def _line(solver: str, rows: Sequence[Mapping[str, Any]], fact: TaskFacts, tolerance: float) -> dict[str, Any]:
    gap = gap_of([r["reward"] for r in rows], [r["chance"] for r in rows], [r["group_id"] for r in rows])
    pairs = pair_accuracy({r["sample_id"]: r["correct"] for r in rows}, {r["sample_id"]: r["pair_id"] for r in rows})
    must_hurt = solver in fact.must_hurt
    return {
        "solver": solver,
        "samples": gap.samples,
        "groups": gap.groups,
        "reward": gap.reward,
        "right": round(sum(bool(r["correct"]) for r in rows) / len(rows), 4),
        "chance": gap.chance,
        "gap": gap.gap,
        "low": gap.low,
        "high": gap.high,
        "must_hurt": must_hurt,
        "flagged": must_hurt and gap.low > tolerance,
        "pair_accuracy": None if pairs is None else round(pairs, 4),
    }


def _reference(solvers: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    kinds = {r["answer_kind"] for rows in solvers.values() for r in rows}
    if kinds <= set(BY_CONSTANT):
        return "prior"
    return "chance and prior" if kinds & {*BY_CONSTANT, "turns"} else "chance"


def _reasons(catalog: Catalog) -> dict[str, str]:
    """Why tasks have no attempts, by the rule that the ladder uses with the parameters of the newest build."""
    params = next(
        (p["params"] for s in build_settings(catalog) for p in s.values() if p["annotator"] == "ladder"), None
    )
    rows = catalog.rows(
        "SELECT task, count(*) AS samples, count(DISTINCT coalesce(group_id, media_id)) AS groups "
        "FROM sample_view GROUP BY task"
    )
    if params is None:
        return {r["task"]: "no recipe of this dataset has the check `ladder`; build it again" for r in rows}
    limits = params.get("min_samples", 20), params.get("min_groups", 4)
    return {r["task"]: too_few(r["samples"], r["groups"], *limits) or "no fold had enough samples" for r in rows}
