"""`evaluate relations`: the answers of models and baselines to true and false statements, with VSRE's diagnostics.

Rows of `attempts` about samples of `relation_pairs`. Whether a statement was called true follows from the reward and from what
is true of the picture; answers that could not be read are counted, and are in no diagnostic.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.metrics_vsre import Said, diagnostics
from .console import UsageError
from .evaluate_items import Item, Share
from .evaluate_rows import RowDict, Side
from .evaluate_scoring import Scoring

TASK = "relation_pairs"


def relations_side(catalog: Catalog) -> Side:
    """Attempts at statements that are true or false. Raises `UsageError` where there are none."""
    found: list[RowDict] = catalog.rows(
        "SELECT a.*, s.pair_id, s.wording, s.difficulty_json FROM attempts a JOIN (SELECT DISTINCT ON (sample_id) * FROM samples) s "
        "USING (sample_id) WHERE a.task = ? ORDER BY a.row_id",
        [TASK],
    )
    rows = [r for r in found if json.loads(r["difficulty_json"])["holds"] != 0.5]
    if not rows:
        raise UsageError(f"no answers to {TASK}; `chronotope rollout` and the check `ladder` write them")
    return Side(rows, f"attempts at {TASK}")


def relations(
    predicted: Sequence[Mapping[str, Any]],
    _truth: Sequence[Mapping[str, Any]],
    _lengths: Mapping[str, float],
    _s: Scoring,
    _table: str,
) -> Iterator[Item]:
    """An item per answer; the diagnostics are added to the lines afterwards."""
    for row in predicted:
        values = {"accuracy": Share(float(bool(row["correct"]))), "answered": Share(float(row.get("reason") is None))}
        yield Item(str(row["media_id"]), str(row["solver"]).split("#")[0], values)


def with_diagnostics(lines: Sequence[dict[str, Any]], rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds the diagnostics of each solver to its line."""
    told: dict[str, list[Said]] = defaultdict(list)
    for row in rows:
        if row.get("reason") is not None and not row["correct"] and row.get("model"):
            continue
        factors, right = json.loads(row["difficulty_json"]), bool(row["correct"])
        said = (factors["holds"] == 1.0) == right
        told[str(row["solver"]).split("#")[0]].append(
            Said(str(row["pair_id"]), str(row["media_id"]), int(factors["cell"]), str(row["wording"]), said, right)
        )
    for line in lines:
        for name, value in diagnostics(told[line["who"]]).items():
            line["figures"][name] = {"value": round(value, 6), "low": None, "high": None, "n": line["items"]}
