"""What a dataset holds and how its last build went, from the stored tables alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..engine.store import Store
from .costs import without_models
from .planning import rules_of, tasks_of
from .run_record import latest_runs


def summary(root: Path, recipe: str | None = None) -> dict[str, Any]:
    """Media, hours, the funnel, samples by task, unit statuses, failures and the last build, for people and `--json`."""
    store = Store.open(root)
    with Catalog(store) as catalog:
        runs = latest_runs(catalog)
        recipe = recipe or (max(runs, key=lambda r: r["started_at"])["recipe"] if runs else None)
        last = next((r for r in runs if r["recipe"] == recipe), None)
        return {
            "root": str(root),
            "recipe": recipe,
            "dataset_version": store.head().dataset_version,
            "media": catalog.rows(
                "SELECT origin, kind, count(*) AS media, round(sum(duration_s) / 3600, 4) AS hours "
                "FROM media GROUP BY ALL ORDER BY ALL"
            ),
            "funnel": funnel(catalog, recipe, rules_of(last["recipe_text"]) if last else ()),
            "samples": samples(catalog),
            "ledger": catalog.rows(
                "SELECT producer, count(*) AS units, "
                + ", ".join(
                    f"count(*) FILTER (status = '{s}') AS {s}"
                    for s in ("done", "filtered", "skipped", "undecided", "failed", "blocked")
                )
                + ", sum(row_count) AS row_count, round(sum(seconds), 2) AS seconds FROM ledger GROUP BY producer "
                "ORDER BY producer"
            ),
            "failures": failures(catalog),
            "without_models": without_models(catalog),
            "without_samples": without_samples(catalog, tasks_of(last["recipe_text"]) if last else ()),
            "last_build": None
            if last is None
            else {
                k: last[k]
                for k in ("run_id", "started_at", "seconds", "source_s", "decoded_s", "model_calls", "status")
            },
        }


def funnel(catalog: Catalog, recipe: str | None, rules: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Clips that came in, what each rule took out (false or missing) in the order of `rules`, and what stayed."""
    rows = catalog.rows(
        "SELECT rule, reason, count(*) AS clips FROM selection WHERE recipe = ? GROUP BY ALL ORDER BY ALL", [recipe]
    )
    order = list(rules)
    rows.sort(key=lambda r: order.index(r["rule"]) if r["rule"] in order else len(order))
    total = sum(r["clips"] for r in rows)
    if not total:
        return []
    kept = sum(r["clips"] for r in rows if r["rule"] is None)
    steps = [{"step": "clips", "clips": total, "why": ""}]
    for row in rows:
        if row["rule"] is not None:
            why = "condition false" if row["reason"] == "false" else "no data (NULL)"
            steps.append({"step": f"dropped by {row['rule']}", "clips": row["clips"], "why": why})
    return [*steps, {"step": "kept", "clips": kept, "why": ""}]


def samples(catalog: Catalog) -> list[dict[str, Any]]:
    """Samples by task with their checks and grades."""
    return catalog.rows(
        """
        SELECT s.task, count(*) AS samples,
               count(*) FILTER (v.check_status = 'recomputed') AS recomputed,
               count(*) FILTER (v.passed) AS passed,
               string_agg(DISTINCT v.evidence_grade, ', ' ORDER BY v.evidence_grade) AS grades,
               count(*) FILTER (s.origin <> 'real') AS composed
        FROM samples s LEFT JOIN verdicts v USING (sample_id) GROUP BY s.task ORDER BY s.task
        """
    )


def without_samples(catalog: Catalog, tasks: Iterable[str]) -> list[dict[str, Any]]:
    """Tasks that asked nothing, with what most candidates were withheld for, or why media were skipped; not those that lack a
    model, which `without_models` tells.
    """
    return catalog.rows(
        """
        WITH why AS (
          SELECT producer, reason, sum(candidates) AS n FROM withheld WHERE reason <> '' GROUP BY ALL
          UNION ALL SELECT producer, rule, count(*) FROM ledger WHERE status = 'skipped' GROUP BY ALL
        )
        SELECT producer, count(*) AS units,
               (SELECT list(reason ORDER BY n DESC, reason)[1:3] FROM why WHERE why.producer = ledger.producer) AS reasons
        FROM ledger WHERE status IN ('done', 'skipped') AND list_contains(?, producer)
        AND producer NOT IN (SELECT producer FROM samples) AND NOT starts_with(coalesce(rule, ''), 'no model for the role')
        GROUP BY producer ORDER BY producer
        """,
        [list(tasks)],
    )


def failures(catalog: Catalog) -> list[dict[str, Any]]:
    """Units that failed, with the error and the file; blocked ones are counted under what blocks them."""
    return catalog.rows(
        """
        WITH names AS (SELECT media_id, min(uri) AS uri FROM sources GROUP BY media_id)
        SELECT l.producer, coalesce(n.uri, l.unit) AS source, l.unit, l.error, l.error_kind,
               (SELECT count(*) FROM ledger b WHERE b.status = 'blocked' AND b.media_id = l.media_id
                 AND b.rule = 'by ' || l.producer) AS blocks
        FROM ledger l LEFT JOIN names n USING (media_id) WHERE l.status = 'failed' ORDER BY ALL
        """
    )
