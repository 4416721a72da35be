"""`plan`: what a build would do, why and at what cost, without doing it.

Exact for the first wave that has something to do; what lies behind it depends on rows that do not exist yet and is told
as "at most N, depends on X".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ..engine.catalog import Catalog
from ..engine.fingerprint import LedgerIndex
from ..engine.media_index import known_media, media_of
from ..engine.plan import StaleUnit, plan_wave
from ..engine.producer import Producer
from ..engine.runner import open_ledger
from ..engine.scan import unreadable
from ..engine.select import selection_mark
from ..engine.store import Store
from .forecast import Forecast, forecast
from .places import places_of
from .recipe import Recipe
from .run_record import check_conflicts, difference, latest_runs, retired

SHOWN = 4
"""Producers that a reason names, at most (one more rather than "1 more")."""


@dataclass(frozen=True)
class PlanLine:
    """What would happen to one producer."""

    producer: str
    stage: str
    shape: str
    units: int
    run: int
    at_most: bool
    gone: int
    reason: str
    footage_s: float
    """Seconds of footage that it would have to see."""
    seconds: float | None
    """Estimate from the ledger; None when it never ran here."""
    asks: tuple[dict[str, Any], ...] = ()
    """What it would ask of language models: model, requests, on_record, tokens, money."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return dict(self.__dict__)


def plan_recipe(recipe: Recipe, root: Path, *, retry_failed: bool = False, limit: int | None = None) -> list[PlanLine]:
    """Plan a build. Raises `RecipeError` where building would."""
    graph = recipe.graph
    recipe.check()
    places = places_of(recipe, limit, root)
    if not Store.is_root(root):
        return _first_build(recipe, len(places))
    catalog = Catalog(Store.open(root))
    try:
        ledger = open_ledger(catalog)
        settings = {p.name: p.settings for p in graph.producers}
        check_conflicts(catalog, recipe.name, settings)
        before = next((r for r in latest_runs(catalog) if r["recipe"] == recipe.name), None)
        old_settings = json.loads(before["producers_json"]) if before else {}
        media = media_of(catalog, recipe.scan_name)
        known = known_media(catalog)
        lines, dirty = _scan_line(recipe, places, ledger, catalog, limit)
        if limit is not None:
            media = _at_places(catalog, recipe, places, media)
        elif not lines[0].run:
            lost = _lost(catalog, recipe, places)
            media = {m: medium for m, medium in media.items() if m not in lost}
            known -= lost
        digests = {p.name: p.settings_digest for p in graph.producers}
        new_places = lines[0].run
        asking: list[tuple[Producer, list[StaleUnit]]] = []
        touched: dict[str, set[str] | None] = {}
        for stage in ("annotate", "enrich", "task"):
            if stage == "enrich":
                lines.append(_select_line(recipe, before, ledger, dirty))
            for wave in graph.waves(stage):
                plan = plan_wave(
                    wave,
                    sorted(media),
                    ledger,
                    digests,
                    known_media=known,
                    retry_failed=retry_failed,
                    dirty=sorted(dirty),
                )
                for producer in wave.producers:
                    mine = [
                        s
                        for s in plan.stale
                        if s.key.producer == producer.name and _may_run(s, producer, dirty, touched)
                    ]
                    touched[producer.name] = (
                        {s.key.unit for s in mine} if producer.annotator.grain == "medium" else None
                    )
                    gone = sum(1 for name, _ in plan.gone if name == producer.name)
                    unseen = new_places if producer.annotator.grain == "medium" else int(bool(new_places))
                    run = len(mine) + (unseen if producer.annotator.grain == "medium" else 0)
                    certain = not (set(producer.upstream) & dirty) and not unseen
                    reason = _reason(producer, [s.reason for s in mine], old_settings, dirty, bool(unseen))
                    if producer.shape == "model":
                        asking.append((producer, mine))
                        reason = producer.unmet or reason if mine else reason
                    seen = producer.shape in ("frame", "audio", "batch")
                    footage = sum(media[s.key.unit].duration_s for s in mine if s.key.unit in media) if seen else 0.0
                    cost = _cost(ledger, producer.name)
                    units = len(media) if producer.annotator.grain == "medium" else 1
                    lines.append(
                        PlanLine(
                            producer.name,
                            stage,
                            producer.shape,
                            units,
                            run,
                            bool(run) and not certain,
                            gone,
                            reason,
                            footage,
                            None if cost is None else cost * run,
                        )
                    )
                    if run or gone:
                        dirty.add(producer.name)
        for name in retired(catalog, recipe.name, settings):
            gone = sum(1 for _ in ledger.units(name))
            if gone:
                lines.append(PlanLine(name, "", "", gone, 0, False, gone, "the recipe names it no more", 0.0, None))
        found = forecast(recipe, root, catalog, media, asking)
        return [replace(line, asks=tuple(_asks(found, line.producer))) for line in lines]
    finally:
        catalog.close()


def _may_run(stale: StaleUnit, producer: Producer, dirty: set[str], touched: Mapping[str, set[str] | None]) -> bool:
    """Whether a unit whose input may change has an input that does: something about its own medium, or about all."""
    if stale.reason != "input may change" or stale.key.grain != "medium":
        return True
    return any(
        (media := touched.get(name)) is None or stale.key.unit in media for name in set(producer.upstream) & dirty
    )


def _asks(found: Forecast, producer: str) -> Iterator[dict[str, Any]]:
    for model, e in found.of(producer):
        yield {
            "model": model,
            "requests": round(e.requests),
            "on_record": e.on_record,
            "prompt_tokens": round(e.prompt_tokens),
            "reply_tokens": round(e.reply_tokens),
            "money": round(e.money, 6),
            "currency": e.currency,
        }


def _first_build(recipe: Recipe, places: int) -> list[PlanLine]:
    lines = [PlanLine("scan", "annotate", "scan", places, places, False, 0, "new", 0.0, None)]
    for producer in recipe.graph.producers:
        count = places if producer.annotator.grain == "medium" else 1
        lines.append(PlanLine(producer.name, producer.stage, producer.shape, count, count, True, 0, "new", 0.0, None))
    return lines


def _scan_line(
    recipe: Recipe, places: list[Any], ledger: LedgerIndex, catalog: Catalog, limit: int | None
) -> tuple[list[PlanLine], set[str]]:
    from ..engine.media.container import MediaError
    from ..engine.media.fetch import stat

    rows = catalog.rows("SELECT uri, size, etag FROM sources WHERE producer = ?", [recipe.scan_name])
    known = {r["uri"]: (r["size"], r["etag"]) for r in rows}
    changed = 0
    for place in places:
        try:
            size, etag = stat(place.uri)
        except MediaError:
            size, etag = None, ""
        entry = ledger.get(recipe.scan_name, place.uri)
        failed_alike = entry is not None and entry["fingerprint"] == unreadable(place.uri, size, etag)
        changed += not failed_alike and known.get(place.uri) != (size, etag)
    uris = {p.uri for p in places}
    gone = sum(1 for unit in ledger.units(recipe.scan_name) if unit not in uris) if limit is None else 0
    reason = "new or changed files" if changed else "files are gone" if gone else "up to date"
    line = PlanLine("scan", "annotate", "scan", len(places), changed, False, gone, reason, 0.0, None)
    return [line], {recipe.scan_name} if changed or gone else set()


def _at_places(catalog: Catalog, recipe: Recipe, places: list[Any], media: dict[str, Any]) -> dict[str, Any]:
    """The media at some places."""
    uris = [p.uri for p in places]
    query = "SELECT DISTINCT media_id FROM sources WHERE producer = ? AND list_contains(?, uri)"
    wanted = {r["media_id"] for r in catalog.rows(query, [recipe.scan_name, uris])}
    return {m: medium for m, medium in media.items() if m in wanted}


def _lost(catalog: Catalog, recipe: Recipe, places: list[Any]) -> set[str]:
    """Media that lie at none of the places any more, and that no other recipe of the root yields."""
    kept = "(producer = ? AND list_contains(?, uri)) OR (producer <> ? AND starts_with(producer, 'sources:'))"
    query = f"SELECT media_id FROM sources WHERE producer = ? GROUP BY media_id HAVING media_id NOT IN (SELECT media_id FROM sources WHERE {kept})"
    scan = recipe.scan_name
    return {r["media_id"] for r in catalog.rows(query, [scan, scan, [p.uri for p in places], scan])}


def _select_line(recipe: Recipe, before: dict[str, Any] | None, ledger: LedgerIndex, dirty: set[str]) -> PlanLine:
    clips = len([u for u in ledger.units(recipe.select_name) if u != "corpus"])
    old_rules = rules_of(before["recipe_text"]) if before is not None else None
    new_rules = rules_of(recipe.text)
    entry = ledger.get(recipe.select_name, "corpus")
    mark = selection_mark(recipe.model.select, recipe.before_selection, ledger)
    changed = entry is None or entry["fingerprint"] != mark
    reason = "up to date"
    if changed and old_rules == new_rules and not dirty:
        reason = "its input or a variable changed"
    elif changed and old_rules is not None and old_rules != new_rules:
        names = [n for n in {**old_rules, **new_rules} if old_rules.get(n) != new_rules.get(n)]
        reason = "rules changed: " + "; ".join(
            f"{n}: {old_rules.get(n, '(none)')} -> {new_rules.get(n, '(none)')}" for n in names
        )
    elif changed and old_rules is None:
        reason = "new"
    elif dirty:
        reason = f"depends on {', '.join(sorted(dirty))}"
    if changed or dirty:
        dirty.add(recipe.select_name)
    at_most = bool(dirty - {recipe.select_name})
    run = clips if changed or at_most else 0
    return PlanLine("select", "select", "sql", clips, run, at_most, 0, reason, 0.0, None)


def rules_of(text: str) -> dict[str, str]:
    """The rules in a recipe's text, as they stand there (variables unexpanded); none when it cannot be read."""
    try:
        return dict(yaml.safe_load(text).get("select") or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return {}


def tasks_of(text: str) -> list[str]:
    """What the tasks in a recipe's text are called; none when it cannot be read."""
    try:
        entries = [task if isinstance(task, dict) else {task: None} for task in yaml.safe_load(text).get("tasks") or ()]
        return [str((params or {}).get("as", name)) for entry in entries for name, params in entry.items()]
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return []


def _reason(producer: Producer, reasons: list[str], old: dict[str, Any], dirty: set[str], unseen: bool) -> str:
    if not reasons and not unseen:
        return "up to date"
    found = []
    if producer.name in old and (changes := difference(old[producer.name], producer.settings)) != "settings":
        found.append(changes)
    waiting = sorted(set(producer.upstream) & dirty)
    if waiting:
        told = waiting if len(waiting) <= SHOWN + 1 else [*waiting[:SHOWN], f"{len(waiting) - SHOWN} more"]
        found.append(f"depends on {', '.join(told)}")
    if unseen and not waiting:
        found.append("new footage")
    for reason in dict.fromkeys(reasons):
        if reason not in ("changed", "input may change") or not found:
            found.append({"changed": "input changed"}.get(reason, reason))
    return "; ".join(dict.fromkeys(found))


def _cost(ledger: LedgerIndex, producer: str) -> float | None:
    seconds = [float(ledger.entries[(producer, u)]["seconds"] or 0.0) for u in ledger.units(producer)]
    return sum(seconds) / len(seconds) if seconds else None
