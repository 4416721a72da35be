"""What people's verdicts say: precision with a 95% interval by stratum and in all, and how far two reviewers agree.

Precision is right / (right + wrong) over samples; unclear ones are counted apart. A sample that several people judged is wrong
when one of them says so. "All, weighted" weighs each stratum by its samples in the dataset, because small strata are
drawn more densely; its interval uses Kish's effective number of samples. Limits: verdicts of audits that were narrowed
with --where say something about those samples only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from ..schemas.metrics import cohens_kappa, wilson_interval
from .audit_draw import Drawn, Stratum, spoken
from .audit_rows import Review


def summary(strata: Mapping[Stratum, Sequence[Drawn]], reviews: Iterable[Review]) -> dict[str, Any]:
    """Rows by stratum (the last two are all samples), agreement by pair of reviewers, and reviews of samples that are not there."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for review in reviews:
        said[review["sample_id"]][review["reviewer"]] = review["verdict"]
    rows: list[dict[str, Any]] = []
    everything: Counter[str] = Counter()
    weighed: list[tuple[int, int, int]] = []
    here: set[str] = set()
    for stratum, members in strata.items():
        verdicts = Counter(_joint(said[d.sample_id].values()) for d in members if d.sample_id in said)
        here |= {d.sample_id for d in members}
        everything += verdicts
        judged = verdicts["right"] + verdicts["wrong"]
        if judged:
            weighed.append((len(members), verdicts["right"], judged))
        rows.append(_row(spoken(stratum), len(members), verdicts, verdicts["right"], judged))
    total, right, judged = (
        sum(len(m) for m in strata.values()),
        everything["right"],
        everything["right"] + everything["wrong"],
    )
    rows.append(_row("all, as drawn", total, everything, right, judged))
    if len(strata) > 1 and weighed:
        population = sum(n for n, _, _ in weighed)
        precision = sum(n / population * k / of for n, k, of in weighed)
        effective = 1 / sum((n / population) ** 2 / of for n, _, of in weighed)
        rows.append(_row("all, weighted", population, everything, precision * effective, effective))
    return {"precision": rows, "agreement": _agreement(said), "elsewhere": sorted(set(said) - here)}


def _joint(verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    return "wrong" if "wrong" in found else "right" if "right" in found else "unclear"


def _row(name: str, samples: int, verdicts: Mapping[str, int], right: float, judged: float) -> dict[str, Any]:
    low, high = wilson_interval(right, judged)
    return {
        "stratum": name,
        "samples": samples,
        "right": verdicts["right"],
        "wrong": verdicts["wrong"],
        "unclear": verdicts["unclear"],
        "precision": round(right / judged, 4) if judged else None,
        "low": round(low, 4) if judged else None,
        "high": round(high, 4) if judged else None,
    }


def _agreement(said: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    reviewers = sorted({name for verdicts in said.values() for name in verdicts})
    rows = []
    for a, b in combinations(reviewers, 2):
        both = [(v[a], v[b]) for _, v in sorted(said.items()) if a in v and b in v]
        if both:
            kappa = cohens_kappa(*zip(*both, strict=True))
            rows.append(
                {
                    "reviewers": f"{a} and {b}",
                    "both judged": len(both),
                    "agree": round(sum(x == y for x, y in both) / len(both), 4),
                    "kappa": None if kappa is None else round(kappa, 4),
                }
            )
    return rows
