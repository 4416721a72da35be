"""What a build would ask of language models, and what that costs, before anything is spent.

The annotators that ask run here on the rows that exist, with models that only count (`engine/llm/planned.py`): questions
on record are free, others are answered with typical replies, and the rows that follow are handed to the producers behind
them. It is exact in requests where the footage is annotated already and replies are as typical as their authors think.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..engine.annotator import Medium, Rows, Unit
from ..engine.asking import Asking
from ..engine.bundle import full_rows, inputs_by_unit, ready
from ..engine.catalog import Catalog
from ..engine.llm.log import open_record
from ..engine.llm.loop import run
from ..engine.llm.pictures import Pictures, calls_file
from ..engine.llm.planned import Expected, Experience, PlannedModels
from ..engine.plan import StaleUnit
from ..engine.producer import Producer
from .recipe import Recipe

MIN_UNITS = 2
"""Media from which what a producer asked so far says what it will ask."""
MIN_CALLS = 3
"""Calls from which a model's or prompt's own figures are used instead of estimates."""


@dataclass
class Forecast:
    """Expectations by (producer, model), and units that could not be foreseen."""

    expected: dict[tuple[str, str], Expected] = field(default_factory=dict)
    unforeseen: list[str] = field(default_factory=list)
    """Why units of a producer could not be foreseen."""

    def of(self, producer: str) -> list[tuple[str, Expected]]:
        """(model, expectation) of one producer."""
        return [(model, e) for (name, model), e in sorted(self.expected.items()) if name == producer]


def forecast(
    recipe: Recipe,
    root: Path,
    catalog: Catalog,
    media: Mapping[str, Medium],
    work: Sequence[tuple[Producer, Sequence[StaleUnit]]],
) -> Forecast:
    """What the stale units of producers that ask, in the order in which they run, would ask."""
    able = [(producer, stale) for producer, stale in work if stale and producer.unmet is None]
    if not able:
        return Forecast()
    record = open_record(root, catalog) if calls_file(root).exists() or _has_calls(catalog) else None
    uris = {m: medium.uri for m, medium in media.items()}
    models = PlannedModels(recipe.models.roles, record, Pictures(catalog, root, uris.get), experience(catalog))
    try:
        unforeseen = run(_foresee(recipe, root, catalog, media, able, models))
    finally:
        if record is not None:
            record.close()
    return Forecast(dict(models.expected), unforeseen)


async def _foresee(
    recipe: Recipe,
    root: Path,
    catalog: Catalog,
    media: Mapping[str, Medium],
    work: Sequence[tuple[Producer, Sequence[StaleUnit]]],
    models: PlannedModels,
) -> list[str]:
    foreseen: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {}
    unforeseen = []
    for producer, stale in work:
        annotator = cast(Asking[Any], ready(producer.spec))
        units = [s.key.unit for s in stale]
        inputs = inputs_by_unit(annotator, producer.inputs, units, catalog, {})
        mine: dict[str, dict[str, list[dict[str, Any]]]] = {}
        asking = []
        for unit in units:
            before = models.new_requests(producer.name)
            rows = _with_foreseen(inputs(unit), producer, unit, foreseen)
            asked = Unit(
                unit, annotator.grain, media.get(unit), recipe.name, producer.spec.seed, root / "media", producer.name
            )
            key = next(s.key for s in stale if s.key.unit == unit)
            try:
                mine[unit] = full_rows(annotator, await annotator.propose(asked, rows, models.of(producer.name)), key)
            except Exception as error:  # a unit that has nothing to ask, or whose typical replies lead nowhere
                unforeseen.append(f"{producer.name}: {error}")
            if models.new_requests(producer.name) > before:
                asking.append(unit)
        if set(producer.upstream) & set(foreseen):
            footage_s = sum(media[u].duration_s for u in asking if u in media)
            models.expected.update(_as_before(catalog, producer, footage_s, models.expected))
        foreseen[producer.name] = mine
    return unforeseen


def _as_before(
    catalog: Catalog, producer: Producer, footage_s: float, expected: Mapping[tuple[str, str], Expected]
) -> dict[tuple[str, str], Expected]:
    """What a producer whose input is foreseen only would ask by what it has asked so far, per second of footage: that knows
    better than typical replies. Nothing until it has worked on `MIN_UNITS` media.
    """
    done = catalog.rows(
        "SELECT count(*) AS n, sum(m.duration_s) AS footage_s FROM ledger l JOIN "
        "(SELECT DISTINCT media_id, duration_s FROM media) m USING (media_id) WHERE l.producer = ? AND l.status = 'done'",
        [producer.name],
    )[0]
    if producer.annotator.grain != "medium" or done["n"] < MIN_UNITS or not done["footage_s"]:
        return {}
    share = footage_s / done["footage_s"]
    asked = catalog.rows(
        "SELECT model, sum(tries) AS requests, sum(prompt_tokens) AS prompt_tokens, sum(reply_tokens) AS reply_tokens, "
        "sum(cost) AS cost FROM llm_calls WHERE asked_by = ? GROUP BY model",
        [producer.name],
    )
    before = {(producer.name, r["model"]): r for r in asked}
    found = {}
    for key, typical in expected.items():
        if key[0] == producer.name:
            r = before.get(key)
            counts = (
                [0.0] * 4
                if r is None
                else [r[n] * share for n in ("requests", "prompt_tokens", "reply_tokens", "cost")]
            )
            found[key] = Expected(counts[0], 0, counts[1], counts[2], counts[3], typical.currency)
    return found


def _with_foreseen(
    rows: Rows, producer: Producer, unit: str, foreseen: Mapping[str, Mapping[str, Mapping[str, list[dict[str, Any]]]]]
) -> Rows:
    """The stored input rows of a unit, but those that producers before it would write instead of theirs."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table in producer.inputs:
        tables[table] += [r for r in rows[table] if r.get("unit") not in foreseen.get(str(r["producer"]), {})]
    for table, names in producer.inputs.items():
        for name in names:
            for other, made in foreseen.get(name, {}).items():
                if producer.annotator.grain == "corpus" or other == unit:
                    tables[table] += made.get(table, [])
    return Rows(tables)


def _has_calls(catalog: Catalog) -> bool:
    return bool(catalog.rows("SELECT 1 AS one FROM llm_calls LIMIT 1"))


def experience(catalog: Catalog) -> Experience:
    """What the calls on record have taken."""
    usable = "status IN ('ok', 'repaired', 'truncated', 'refused', 'empty', 'malformed', 'wrong_schema') AND tries > 0"
    by_model = catalog.rows(
        "SELECT model, sum(prompt_tokens) / nullif(sum(predicted_tokens * tries), 0) AS factor, avg(tries) AS tries "
        f"FROM llm_calls WHERE {usable} GROUP BY model HAVING count(*) >= ?",
        [MIN_CALLS],
    )
    by_prompt = catalog.rows(
        "SELECT model, prompt, avg(reply_tokens / tries) AS tokens "
        f"FROM llm_calls WHERE {usable} GROUP BY model, prompt HAVING count(*) >= ?",
        [MIN_CALLS],
    )
    return Experience(
        {r["model"]: float(r["factor"]) for r in by_model if r["factor"]},
        {(r["model"], r["prompt"]): float(r["tokens"]) for r in by_prompt if r["tokens"] is not None},
        {r["model"]: float(r["tries"]) for r in by_model},
    )
