"""What models wrote in captions, in figures: how much of it evidence supports, per model and kind of claim, and who said so."""

from __future__ import annotations

from typing import Any

from ...engine.catalog import Catalog
from ...schemas.metrics import wilson_interval

_CAPTIONS = """SELECT model, count(*) AS captions, sum(sentences) AS sentences, sum(silent) AS silent, sum(cut) AS cut
FROM caption_view WHERE claims IS NOT NULL GROUP BY model"""

_BY = """SELECT model, u.checker AS checker, count(*) AS claims, count(*) FILTER (status = 'supported') AS supported,
    count(*) FILTER (status = 'contradicted') AS contradicted, count(*) FILTER (status = 'unchecked') AS unchecked
FROM claims, unnest(checked_by) AS u(checker) GROUP BY ALL ORDER BY ALL"""


def claim_figures(catalog: Catalog) -> list[dict[str, Any]]:
    """One record per model that wrote captions with claims: totals, kinds and checkers; shares with their 95% interval."""
    captions = {row["model"]: row for row in catalog.rows(_CAPTIONS)}
    by = catalog.rows(_BY)
    found: dict[str, dict[str, Any]] = {}
    for row in catalog.rows("SELECT * FROM claim_rates ORDER BY model, claims DESC, kind"):
        told = captions.get(row["model"], {})
        names = ("captions", "sentences", "silent", "cut")
        one = found.setdefault(
            row["model"], {"model": row["model"], **{n: int(told.get(n) or 0) for n in names}, "kinds": []}
        )
        one["kinds"].append(_counted(row["kind"], [row], "kind"))
    for model, one in found.items():
        one |= _counted("all", one["kinds"], "kind")
        one["checkers"] = [_counted(row["checker"], [row], "checker") for row in by if row["model"] == model]
    return list(found.values())


def _counted(name: str, rows: list[dict[str, Any]], called: str) -> dict[str, Any]:
    """Sums, and the share of supported claims among those that were checked."""
    sums = {n: sum(row[n] for row in rows) for n in ("claims", "supported", "contradicted", "unchecked")}
    checked = sums["supported"] + sums["contradicted"]
    low, high = wilson_interval(sums["supported"], checked) if checked else (None, None)
    return {called: name, **sums, "share": sums["supported"] / checked if checked else None, "low": low, "high": high}
