"""Selection: named SQL conditions over the clip view, in order; a clip is kept when each is true.

NULL never passes, and is told apart from false. `q('column', p)` is the p-quantile of a column over all clips that came
so far. One query decides for the whole corpus; what is written are rows per clip, so that a new threshold touches only
the clips whose answer changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .catalog import Catalog
from .digest import RowDigest
from .producer import RecipeError
from .results import Outcome, UnitKey, UnitResult

QUANTILE = re.compile(r"""\bq\(\s*'([A-Za-z_][\w]*)'\s*,\s*([0-9.]+)\s*\)""")


@dataclass(frozen=True)
class Decision:
    """What selection decided about one clip, as a unit result with its row."""

    result: UnitResult
    row: dict[str, Any]


def columns_in(condition: str, columns: Sequence[str]) -> list[str]:
    """Columns of the clip view that a condition mentions, in order."""
    bare = re.sub(r"'[^']*'", " ", QUANTILE.sub(lambda m: f" {m[1]} ", condition))
    words = re.findall(r"[A-Za-z_]\w*", bare)
    return [c for c in dict.fromkeys(words) if c in columns]


def decide(
    catalog: Catalog,
    rules: Mapping[str, str],
    producer: str,
    recipe: str,
    clip_producers: Sequence[str],
) -> list[Decision]:
    """Decide for every clip of the given producers. Raises `RecipeError` naming the rule that is wrong."""
    catalog.connection.execute(
        "CREATE OR REPLACE TEMP TABLE clips_now AS SELECT * FROM clip_view "
        "WHERE clip_id IN (SELECT clip_id FROM clips WHERE list_contains(?, producer))",
        [list(clip_producers)],
    )
    columns = catalog.columns("clips_now")
    shown: list[str] = []
    checks = []
    for name, condition in rules.items():
        expression = QUANTILE.sub(r"(SELECT quantile_cont(\1, \2) FROM clips_now)", condition)
        mentioned = columns_in(condition, columns)
        shown += [c for c in mentioned if c not in shown]
        try:
            catalog.sql(f"SELECT CAST(({expression}) AS BOOLEAN) FROM clips_now LIMIT 1")
        except Exception as error:
            message = str(error).splitlines()[0]
            raise RecipeError(f"select: rule {name!r} ({condition}): {message}") from None
        checks.append(f"CAST(({expression}) AS BOOLEAN)")
    picked = "".join(f", {c}" for c in shown)
    verdicts = ", ".join(checks) or "true"
    rows = catalog.rows(
        f"SELECT clip_id, media_id, [{verdicts}] AS checks{picked} FROM clips_now ORDER BY media_id, start_s, clip_id"
    )
    return [_decision(row, list(rules), shown, producer, recipe) for row in rows]


def _decision(
    row: Mapping[str, Any], names: Sequence[str], shown: Sequence[str], producer: str, recipe: str
) -> Decision:
    failed = next((i for i, ok in enumerate(row["checks"]) if ok is not True), None) if names else None
    rule = names[failed] if failed is not None else None
    missing = failed is not None and row["checks"][failed] is None
    values = {c: row[c] for c in shown}
    full = TABLES["selection"].complete(
        {
            "clip_id": row["clip_id"],
            "recipe": recipe,
            "kept": rule is None,
            "rule": rule,
            "reason": None if rule is None else ("missing" if missing else "false"),
            "values_json": json.dumps(_rounded(values), sort_keys=True, default=str),
        },
        producer,
        row["clip_id"],
        row["media_id"],
    )
    digest = RowDigest(TABLES["selection"]).add([full])
    key = UnitKey(producer, row["clip_id"], row["media_id"], "clip", derive_id("select", digest.hex()))
    outcome = Outcome() if rule is None else Outcome("undecided" if missing else "filtered", rule=rule)
    return Decision(UnitResult(key, outcome, rows=1, digest=digest.hex()), full)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {k: _rounded(v) for k, v in value.items()}
    return value
