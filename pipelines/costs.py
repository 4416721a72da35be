"""What language models have cost a dataset: by producer, model and day, from its record of calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog

_SUMS = """count(*) AS calls, sum(tries) AS requests,
    count(*) FILTER (status IN ('ok', 'repaired')) AS usable, count(*) FILTER (status = 'repaired') AS repaired,
    count(*) FILTER (status NOT IN ('ok', 'repaired', 'error')) AS rejected, count(*) FILTER (status = 'error') AS failed,
    sum(prompt_tokens) AS prompt_tokens, sum(reply_tokens) AS reply_tokens, round(sum(cost), 6) AS cost, currency"""


def costs(root: Path, run_id: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Calls, tokens and money by producer and model, by model and day, and why replies were rejected.

    With `run_id` of that run only.
    """
    where, params = ("WHERE run_id = ?", [run_id]) if run_id is not None else ("", [])
    with Catalog(root) as catalog:
        return {
            "by_producer": catalog.rows(
                f"SELECT asked_by AS producer, role, model, {_SUMS} FROM llm_calls {where} GROUP BY ALL ORDER BY ALL",
                params,
            ),
            "by_day": catalog.rows(
                f"SELECT asked_at[1:10] AS day, model, {_SUMS} FROM llm_calls {where} GROUP BY ALL ORDER BY ALL", params
            ),
            "not_usable": catalog.rows(
                "SELECT asked_by AS producer, status, count(*) AS calls, any_value(reason) AS such_as FROM llm_calls "
                f"{where or 'WHERE true'} AND status NOT IN ('ok', 'repaired') GROUP BY ALL ORDER BY ALL",
                params,
            ),
        }


def without_models(catalog: Catalog) -> list[dict[str, Any]]:
    """Producers whose units were skipped for want of a model, and the rule."""
    return catalog.rows(
        "SELECT producer, count(*) AS units, any_value(rule) AS rule FROM ledger "
        "WHERE status = 'skipped' AND starts_with(rule, 'no model for the role') GROUP BY producer ORDER BY producer"
    )
