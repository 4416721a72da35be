"""What `verify --deep` says: agreement per task, what disagreed, and what was still found with something taken away.

Agreement is agreements over agreements and disagreements; samples about which nothing could be said are counted apart, never
in it. A task fails when even the upper end of the 95% interval (Wilson) lies below the least agreement that is asked for, so
that five samples do not fail a dataset by bad luck.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ..schemas.metrics import wilson_interval
from .deep_verify import DeepCheck, DeepReport

MIN_AGREEMENT = 0.8


def verdict_of(checks: Sequence[DeepCheck]) -> bool | None:
    """Of one sample, nothing removed: False when any method disagrees, else True when one agrees, else None."""
    said = [c.opinion.agrees for c in checks if c.removed == "nothing"]
    return False if False in said else True if True in said else None


def by_sample(checks: Sequence[DeepCheck]) -> dict[str, list[DeepCheck]]:
    """Checks by sample."""
    found: dict[str, list[DeepCheck]] = defaultdict(list)
    for check in checks:
        found[check.drawn.sample_id].append(check)
    return dict(found)


def agreement(report: DeepReport) -> list[dict[str, Any]]:
    """One row per task: samples looked at, agreements, disagreements, cannot say, agreement with its 95% interval."""
    counts: dict[str, Counter[bool | None]] = defaultdict(Counter)
    for checks in by_sample(report.checks).values():
        counts[checks[0].drawn.task][verdict_of(checks)] += 1
    rows = []
    for task, count in sorted(counts.items()):
        agree, disagree = count[True], count[False]
        low, high = wilson_interval(agree, agree + disagree)
        share = agree / (agree + disagree) if agree + disagree else None
        rows.append(
            {
                "task": task,
                "looked at": sum(count.values()),
                "agree": agree,
                "disagree": disagree,
                "cannot say": count[None],
                "agreement": None if share is None else round(share, 3),
                "95% interval": "" if share is None else f"{low:.2f}..{high:.2f}",
                "high": high,
            }
        )
    return rows


def failing(rows: Sequence[Mapping[str, Any]], least: float) -> list[str]:
    """Tasks whose agreement is below `least` beyond doubt."""
    return [row["task"] for row in rows if row["agreement"] is not None and row["high"] < least]


def disagreements(report: DeepReport) -> list[dict[str, Any]]:
    """Opinions that contradict a sample."""
    return [
        {"task": c.drawn.task, "sample": c.drawn.sample_id, "method": c.opinion.method, "found": c.opinion.found}
        for c in report.checks
        if c.removed == "nothing" and c.opinion.agrees is False
    ]


def ablations(report: DeepReport) -> list[dict[str, Any]]:
    """One row per task, what was removed and how it was looked for: in how many the answer was still found."""
    counts: dict[tuple[str, str, str], Counter[bool | None]] = defaultdict(Counter)
    for c in report.checks:
        if c.removed != "nothing":
            method = c.opinion.method.split(":")[0]
            counts[c.drawn.task, c.removed, method][c.opinion.agrees] += 1
    return [
        {
            "task": task,
            "removed": removed,
            "looked by": method,
            "still found": count[True],
            "of": count[True] + count[False],
            "cannot say": count[None],
        }
        for (task, removed, method), count in sorted(counts.items())
    ]


def as_dict(report: DeepReport, least: float) -> dict[str, Any]:
    """For `--json`."""
    rows = agreement(report)
    return {
        "packages": report.packages,
        "looked_at": report.drawn,
        "no_longer_in_dataset": report.gone,
        "no_second_method": report.no_method,
        "in_no_package": report.out_of_reach,
        "agreement": [{k: v for k, v in row.items() if k != "high"} for row in rows],
        "below_min_agreement": failing(rows, least),
        "disagreements": disagreements(report),
        "ablations": ablations(report),
    }
