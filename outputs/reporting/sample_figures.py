"""What samples there are and what is known about them: counts, checks, grades, second opinions, answerability, answers.

All of it is SQL over `sample_view` and the tables of trust; each function gives plain values for JSON. Answers are summed
up by kind: which options are right how often, in which order items come, where in its window a span lies and how long it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.catalog import Catalog
from ...engine.distractors.option_style import OptionSet, option_style
from ...schemas.metrics import wilson_interval

GRADES = ("exact", "reviewed", "two_source", "model", "judge", "refuted")
SPLITS = ("train", "validation", "test")
BINS = 10
FIXED_LIST = 60
"""Different options of a task up to which its answers count as a fixed list; their style then measures their balance."""
_MOST_ANSWERS = 12

_COUNTS = f"""
SELECT task, count(*) AS samples, count(DISTINCT media_id) AS media,
    count(DISTINCT coalesce(group_id, media_id)) AS groups,
    count(*) FILTER (passed) AS passed, count(*) FILTER (NOT passed) AS failed,
    count(*) FILTER (passed IS NULL) AS unchecked, count(*) FILTER (shortcut) AS shortcuts,
    count(*) FILTER (contaminated_by IS NOT NULL) AS contaminated, count(DISTINCT pair_id) AS pairs,
    {", ".join(f"count(*) FILTER (split = '{s}') AS {s}" for s in SPLITS)},
    {", ".join(f"count(*) FILTER (grade = '{g}') AS {g}" for g in GRADES)},
    {", ".join(f"count(*) FILTER (origin = '{o}') AS {o}" for o in ("real", "edited", "composed", "rendered"))}
FROM sample_view GROUP BY task ORDER BY task"""

_CELLS = """SELECT task, split, coalesce(grade, 'unchecked') AS grade, origin, count(*) AS samples
FROM sample_view GROUP BY ALL ORDER BY ALL"""

_DEEP = """SELECT task, method, removed, count(*) AS samples, count(*) FILTER (agrees) AS agree,
    count(*) FILTER (NOT agrees) AS disagree, count(*) FILTER (agrees IS NULL) AS undecided
FROM (SELECT * FROM deep_checks QUALIFY row_number() OVER (PARTITION BY sample_id, method, removed ORDER BY producer) = 1)
GROUP BY ALL ORDER BY ALL"""

_REVIEWS = """SELECT task, evidence_grade, count(*) AS samples,
    count(*) FILTER (wrong = 0 AND good > 0) AS good, count(*) FILTER (wrong > 0) AS wrong,
    count(*) FILTER (wrong = 0 AND good = 0) AS unclear
FROM (SELECT sample_id, any_value(task) AS task, min(evidence_grade) AS evidence_grade,
    count(*) FILTER (verdict = 'wrong') AS wrong, count(*) FILTER (verdict = 'right') AS good
    FROM reviews GROUP BY sample_id)
GROUP BY ALL ORDER BY ALL"""

_PLANS = """SELECT task, profile, count(*) AS samples, count(*) FILTER (answerable) AS answerable,
    histogram(rule) FILTER (rule IS NOT NULL) AS rules
FROM (SELECT * FROM frame_plans QUALIFY row_number() OVER (PARTITION BY sample_id, profile ORDER BY producer) = 1) p
JOIN sample_view s USING (sample_id) GROUP BY task, profile ORDER BY task, profile"""

_CONTAMINATION = """SELECT task, benchmark, found_by, count(DISTINCT sample_id) AS samples FROM contamination
GROUP BY ALL ORDER BY ALL"""

_KINDS = """SELECT task, o.distractor_kind AS kind, count(*) AS options, round(median(o.margin), 4) AS median_margin
FROM (SELECT DISTINCT ON (sample_id) task, sample_id, options FROM samples ORDER BY sample_id, producer) s,
    unnest(s.options) AS u(o) WHERE o.distractor_kind IS NOT NULL GROUP BY ALL ORDER BY task, options DESC, kind"""

_ANSWERS = """SELECT s.task, s.sample_id, s.answer_kind, list_transform(s.options, lambda o: o.text) AS options,
    CAST(s.answer_json->>'index' AS BIGINT) AS chosen, CAST(s.answer_json->'order' AS BIGINT[]) AS sequence,
    CAST(s.answer_json->>'value' AS DOUBLE) AS number, s.answer_json->>'unit' AS unit,
    v.evidence_ratio, v.evidence_position, coalesce(v.group_id, v.media_id) AS group_id
FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
JOIN sample_view v USING (sample_id) ORDER BY s.task, s.sample_id"""


def counts(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """Task -> samples by check, split, grade and origin, with the finest cells."""
    found = {row["task"]: {**row, "cells": []} for row in catalog.rows(_COUNTS)}
    for row in catalog.rows(_CELLS):
        found[row.pop("task")]["cells"].append(row)
    return found


def deep_agreement(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Task -> per method and what was removed: agreeing, disagreeing, share with its 95% interval."""
    found = _by_task(catalog.rows(_DEEP))
    for row in (r for rows in found.values() for r in rows):
        row.update(_share(row["agree"], row["agree"] + row["disagree"], "agreement"))
    return found


def precision(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Task -> per evidence grade: what reviewers said, and precision with its 95% interval; one wrong counts as wrong."""
    found = _by_task(catalog.rows(_REVIEWS))
    for row in (r for rows in found.values() for r in rows):
        row["right"] = row.pop("good")
        row.update(_share(row["right"], row["right"] + row["wrong"], "precision"))
    return found


def answerability(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Task -> per trainer profile: how many can be answered from what it shows, and what stands in the way."""
    found = _by_task(catalog.rows(_PLANS))
    for row in (r for rows in found.values() for r in rows):
        row["rules"] = dict(sorted((row["rules"] or {}).items(), key=lambda r: (-r[1], r[0])))
        row["share"] = round(row["answerable"] / row["samples"], 4)
    return found


def contamination(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Task -> samples found in registered benchmarks, by benchmark and how."""
    return _by_task(catalog.rows(_CONTAMINATION))


def answers(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """Task -> kinds of answers, balance of options and orders, histograms of spans, style of options."""
    kinds = _by_task(catalog.rows(_KINDS))
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in catalog.rows(_ANSWERS):
        rows[row["task"]].append(row)
    return {task: _answers(mine, kinds.get(task, [])) for task, mine in rows.items()}


def _answers(rows: Sequence[Mapping[str, Any]], kinds: list[dict[str, Any]]) -> dict[str, Any]:
    choices = [r for r in rows if r["answer_kind"] == "choice" and r["chosen"] is not None]
    orders = [r for r in rows if r["answer_kind"] == "order" and r["sequence"]]
    spans = [
        r for r in rows if r["answer_kind"] in ("span", "spans", "span_box", "tube") and r["evidence_ratio"] is not None
    ]
    numbers = [r for r in rows if r["answer_kind"] == "number"]
    style = option_style([OptionSet(tuple(r["options"]), r["chosen"], r["group_id"]) for r in choices])
    return {
        "kinds": dict(sorted(Counter(r["answer_kind"] for r in rows).items())),
        "choices": _balance([r["options"][r["chosen"]] for r in choices]),
        "orders": _balance([" ".join(str(k + 1) for k in r["sequence"]) for r in orders]),
        "position": _histogram([r["evidence_position"] for r in spans if r["evidence_position"] is not None]),
        "ratio": _histogram([r["evidence_ratio"] for r in spans]),
        "numbers": _quantiles(numbers),
        "fixed_list": bool(choices) and len({o for r in choices for o in r["options"]}) <= FIXED_LIST,
        "distractors": [{k: r[k] for k in ("kind", "options", "median_margin")} for r in kinds],
        "option_style": None
        if style is None
        else {k: round(v, 4) for k, v in vars_of(style).items()},
    }  # fmt: skip


def vars_of(style: Any) -> dict[str, float]:
    """The figures of an `OptionStyle` by name."""
    return {name: getattr(style, name) for name in style.__dataclass_fields__}


def _balance(right: Sequence[str]) -> dict[str, Any] | None:
    """How often each answer is right: the most frequent ones, how many there are, the share of the first."""
    if not right:
        return None
    found = sorted(Counter(right).items(), key=lambda a: (-a[1], a[0]))
    listed = [{"answer": a, "samples": n} for a, n in found[:_MOST_ANSWERS]]
    return {
        "answers": listed,
        "distinct": len(found),
        "largest_share": round(found[0][1] / len(right), 4),
        "samples": len(right),
    }


def _histogram(values: Sequence[float]) -> list[int] | None:
    """Counts in ten bins of 0..1; None for no values."""
    if not values:
        return None
    found = [0] * BINS
    for value in values:
        found[min(BINS - 1, max(0, int(value * BINS)))] += 1
    return found


def _quantiles(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_unit: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_unit[str(row["unit"])].append(float(row["number"]))
    found = []
    for unit, values in sorted(by_unit.items()):
        values.sort()
        at = [values[round(q * (len(values) - 1))] for q in (0, 0.25, 0.5, 0.75, 1)]
        found.append({"unit": unit, "samples": len(values), "quartiles": at})
    return found


def _share(good: int, of: int, name: str) -> dict[str, Any]:
    low, high = wilson_interval(good, of)
    return {name: round(good / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4)}


def _by_task(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.pop("task")].append(row)
    return dict(found)
