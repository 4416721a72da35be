"""Which samples a person is asked about: some of every stratum, the rest in proportion, the same ones again for the same seed.

Strata are the combinations of any columns of `sample_view`. Only samples that passed their check are drawn, whatever
reviewers said of them before: reviews must not change what is drawn. Samples of all strata come mixed, so that an audit that
is stopped half-way has seen about half of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.ids import seeded_fraction
from .console import UsageError

FLOOR = 5
"""Samples of each stratum at least, where there are as many."""
CHANGING = ("grade", "deep_agrees")
"""Columns of `sample_view` that change with reviews."""
Stratum = tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A sample to be judged."""

    sample_id: str
    task: str
    media_id: str
    grade: str
    stratum: Stratum


def columns_of(catalog: Catalog, by: str) -> list[str]:
    """Names of the columns of `sample_view` in a comma-separated list. Raises `UsageError` for others."""
    known = catalog.columns("sample_view")
    names = [name.strip() for name in by.split(",") if name.strip()]
    for name in names:
        if name in CHANGING:
            raise UsageError(f"--by {name}: reviews change this column; use evidence_grade")
        if name not in known:
            raise UsageError(f"--by {name}: sample_view has no such column; it has {', '.join(known)}")
    return names


def candidates(
    catalog: Catalog, by: Sequence[str], task: str | None = None, where: str | None = None
) -> dict[Stratum, list[Drawn]]:
    """All samples that may be drawn, by stratum. Raises `QueryError` for a `where` that is not SQL."""
    strata = ", ".join(f"coalesce(CAST({name} AS VARCHAR), 'none')" for name in by)
    rows = catalog.rows(
        f"SELECT sample_id, task, media_id, evidence_grade, [{strata}]::VARCHAR[] AS stratum FROM sample_view "
        f"WHERE passed AND ($task IS NULL OR task = $task) AND ({where or 'true'}\n) ORDER BY sample_id",
        {"task": task},
    )
    found: dict[Stratum, list[Drawn]] = defaultdict(list)
    for row in rows:
        stratum = tuple(row["stratum"])
        found[stratum].append(
            Drawn(row["sample_id"], row["task"], row["media_id"], row["evidence_grade"] or "judge", stratum)
        )
    return dict(sorted(found.items()))


def allocate(sizes: Mapping[Stratum, int], number: int, floor: int = FLOOR) -> dict[Stratum, int]:
    """How many of each stratum: all when there are no more than `number`, else `floor` (as far as `number` goes) and the
    rest one by one to the stratum that is furthest below its proportional share.
    """
    total = sum(sizes.values())
    if total <= number:
        return dict(sizes)
    least = min(floor, number // len(sizes))
    given = {stratum: min(least, size) for stratum, size in sizes.items()}
    for _ in range(number - sum(given.values())):
        open_ = [s for s in sizes if given[s] < sizes[s]]
        given[max(open_, key=lambda s: (number * sizes[s] / total - given[s], s))] += 1
    return given


def draw(strata: Mapping[Stratum, Sequence[Drawn]], number: int, seed: int) -> list[Drawn]:
    """The drawn samples, strata mixed evenly. Raises `UsageError` when there is nothing to draw from."""
    if not strata:
        raise UsageError("no sample that passed its check fits; `chronotope sql` on sample_view shows what there is")
    wanted = allocate({s: len(members) for s, members in strata.items()}, number)
    placed: list[tuple[float, str, Drawn]] = []
    for stratum, members in strata.items():
        ranked = sorted(members, key=lambda d: (seeded_fraction(seed, "audit", d.sample_id), d.sample_id))
        n = wanted[stratum]
        placed += [((k + 0.5) / n, d.sample_id, d) for k, d in enumerate(ranked[:n])]
    return [d for _, _, d in sorted(placed, key=lambda p: p[:2])]


def spoken(stratum: Stratum) -> str:
    """A stratum in words."""
    return ", ".join(part.replace("_", " ") for part in stratum) or "all"


def audit_label(number: int, by: Sequence[str], seed: int, task: str | None, where: str | None) -> str:
    """What is stored about the draw with each verdict."""
    narrowed: list[Any] = [*([f"task={task}"] if task else []), *([f"where={where}"] if where else [])]
    return " ".join([f"n={number}", f"by={','.join(by)}", f"seed={seed}", *narrowed])
