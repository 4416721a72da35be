"""Selection: named SQL conditions over the clip view, in order; a clip is kept when each is true.

NULL never passes, and is told apart from false. `q('column', p)` is the p-quantile of a column over all clips of the
recipe, whatever other rules say. One query decides for the whole corpus; what is written are rows per clip, so that a new
threshold touches only the clips whose answer changed. `check_rules` tries rules on empty tables, before any work.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb

from ..schemas.ids import derive_id
from ..schemas.tables import TABLES
from .catalog import Catalog, QueryError, empty_catalog
from .digest import RowDigest
from .fingerprint import LedgerIndex
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
    bare = re.sub(r"'[^']*'|--[^\n]*", " ", QUANTILE.sub(lambda m: f" {m[1]} ", condition))
    words = [w.lower() for w in re.findall(r"[A-Za-z_]\w*", bare)]
    return [c for c in dict.fromkeys(words) if c in columns]


def check_rules(rules: Mapping[str, str]) -> None:
    """Try rules on the clip view of an empty dataset. Raises `RecipeError` naming the rule, its mistake and close names."""
    if rules:
        with closing(empty_catalog()) as connection:
            columns = [str(row[0]) for row in connection.execute("DESCRIBE clip_view").fetchall()]
            for name, condition in rules.items():
                try:
                    query = f"SELECT {_expression(condition, 'clip_view')} AS answer FROM clip_view"
                    kind = str(connection.execute(f"DESCRIBE {query}").fetchall()[0][1])
                except duckdb.Error as error:
                    raise RecipeError(_problem(name, condition, error, columns)) from None
                if kind not in ("BOOLEAN", '"NULL"'):
                    raise RecipeError(
                        f"select: rule {name!r} ({condition}) is no condition but a value ({kind}); compare it with something"
                    )


def _expression(condition: str, relation: str) -> str:
    return "(" + QUANTILE.sub(rf"(SELECT quantile_cont(\1, \2) FROM {relation})", condition) + "\n)"


def _problem(name: str, condition: str, error: Exception, columns: Sequence[str]) -> str:
    text = str(error).splitlines()[0]
    unknown = re.search(r'column "?([A-Za-z_]\w*)"? not found', text)
    if unknown:
        close = difflib.get_close_matches(unknown[1], columns, 3, 0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else '`chronotope sql "DESCRIBE clip_view"` lists them'
        text = f"clip_view has no column {unknown[1]}; {hint}"
    elif re.search(r"\bq\s*\(", QUANTILE.sub("", condition)):
        text += "; a quantile is written q('column', 0.2)"
    return f"select: rule {name!r} ({condition}): {text}"


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
        shown += [c for c in columns_in(condition, columns) if c not in shown]
        checks.append(f"CAST({_expression(condition, 'clips_now')} AS BOOLEAN)")
        try:
            catalog.rows(f"SELECT count(*) FILTER ({checks[-1]}) AS passed FROM clips_now")
        except QueryError as error:
            raise RecipeError(_problem(name, condition, error, columns)) from None
    picked = "".join(f", {c}" for c in shown)
    verdicts = ", ".join(checks) or "true"
    rows = catalog.rows(
        f"SELECT clip_id, media_id, [{verdicts}] AS checks{picked} FROM clips_now ORDER BY media_id, start_s, clip_id"
    )
    return [_decision(row, list(rules), shown, producer, recipe) for row in rows]


def selection_mark(rules: Mapping[str, str], upstream: Sequence[str], ledger: LedgerIndex) -> str:
    """What a selection depends on: the rules, in order, and all rows of the producers before it."""
    inputs = [(name, ledger.digest(name, None)) for name in upstream]
    return derive_id("selection", dict(rules), list(rules), inputs)


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
