"""Planning a wave: which units are new, changed, to be tried again, blocked or gone, and why.

Planning reads the ledger and nothing else. It is exact for a wave whose inputs are committed; for later waves `plan`
tells "at most N, depends on X", because their inputs may come out identical.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..schemas.ids import derive_id
from .fingerprint import LedgerIndex, fingerprint
from .graph import MEDIA_SHAPES, Wave
from .producer import Producer
from .results import Outcome, UnitKey, UnitResult

CORPUS = "corpus"


@dataclass(frozen=True)
class StaleUnit:
    """A unit to work on, with the reason in words."""

    key: UnitKey
    reason: str


@dataclass
class WavePlan:
    """Everything a wave has to do."""

    wave: Wave
    stale: list[StaleUnit] = field(default_factory=list)
    blocked: list[UnitResult] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    current: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.stale or self.blocked or self.gone)


def plan_wave(
    wave: Wave,
    media: Sequence[str],
    ledger: LedgerIndex,
    settings: Mapping[str, str],
    *,
    known_media: Collection[str],
    retry_failed: bool = False,
    dirty: Collection[str] = (),
) -> WavePlan:
    """Plan one wave over the media of this recipe.

    `settings` maps producers to their settings digest, `known_media` are the media that any recipe of the root yields
    (units outside them are gone), `dirty` are producers that an earlier wave of a dry plan would run.
    """
    plan = WavePlan(wave)
    for producer in wave.producers:
        units: list[tuple[str, str | None]]
        units = [(CORPUS, None)] if producer.annotator.grain == "corpus" else [(m, m) for m in media]
        if producer.annotator.grain == "corpus" and not media:
            units = []
        for unit, media_id in units:
            _plan_unit(plan, producer, unit, media_id, ledger, settings[producer.name], retry_failed, dirty)
        if producer.annotator.grain == "medium":
            plan.gone += [(producer.name, u) for u in ledger.units(producer.name) if u not in known_media]
        elif not media:
            plan.gone += [(producer.name, u) for u in ledger.units(producer.name)]
    return plan


def _plan_unit(
    plan: WavePlan,
    producer: Producer,
    unit: str,
    media_id: str | None,
    ledger: LedgerIndex,
    settings: str,
    retry_failed: bool,
    dirty: Collection[str],
) -> None:
    grain = producer.annotator.grain
    before = ledger.get(producer.name, unit)
    blocker = _blocker(producer, media_id, ledger)
    if blocker is not None:
        key = UnitKey(producer.name, unit, media_id, grain, derive_id("blocked", blocker))
        if before is None or before["fingerprint"] != key.fingerprint:
            plan.blocked.append(UnitResult(key, Outcome("blocked", rule=f"by {blocker}")))
        else:
            plan.current += 1
        return
    key = UnitKey(producer.name, unit, media_id, grain, fingerprint(producer, settings, unit, media_id, ledger))
    reason = _reason(before, key, retry_failed)
    if reason is None and dirty and set(producer.upstream) & set(dirty):
        reason = "input may change"
    if reason is None:
        plan.current += 1
    else:
        plan.stale.append(StaleUnit(key, reason))


def _blocker(producer: Producer, media_id: str | None, ledger: LedgerIndex) -> str | None:
    upstream = ("probe", *producer.upstream) if producer.shape in MEDIA_SHAPES else producer.upstream
    for name in upstream:
        if media_id is not None and ledger.trouble(name, media_id):
            return name
    return None


def _reason(before: Mapping[str, Any] | None, key: UnitKey, retry_failed: bool) -> str | None:
    if before is None:
        return "new"
    if before["fingerprint"] != key.fingerprint:
        return "was blocked" if before["status"] == "blocked" else "changed"
    if before["status"] == "failed" and (retry_failed or before["error_kind"] == "transient"):
        return "failed before"
    if before["status"] == "undecided" and before["error_kind"] == "transient":
        return "undecided before"
    return None
