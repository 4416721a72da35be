"""Fingerprints: what a unit's result depends on, and nothing else.

A fingerprint covers a producer's settings (annotator, version, parameters, code, model digests, seed), the media layer's
version where media are read, the unit's identity, and the digests of the input rows that concern the unit. Because it
covers digests of rows and not fingerprints of their producers, an upstream rerun with identical rows stops there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schemas.ids import derive_id
from .annotator import UnitAnnotator
from .digest import merge_hex
from .media import MEDIA_VERSION
from .producer import Producer


@dataclass
class LedgerIndex:
    """The ledger in memory: by (producer, unit), with the units of each medium."""

    entries: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    _by_medium: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_producer: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> LedgerIndex:
        index = cls()
        for row in rows:
            index.put(row)
        return index

    def put(self, row: Mapping[str, Any]) -> None:
        """Add or replace one entry."""
        key = (row["producer"], row["unit"])
        if key not in self.entries:
            self._by_producer[row["producer"]].append(row["unit"])
            if row["media_id"] is not None:
                self._by_medium[(row["producer"], row["media_id"])].append(row["unit"])
        self.entries[key] = row

    def drop(self, producer: str, unit: str) -> None:
        """Forget one entry."""
        row = self.entries.pop((producer, unit))
        self._by_producer[producer].remove(unit)
        if row["media_id"] is not None:
            self._by_medium[(producer, row["media_id"])].remove(unit)

    def get(self, producer: str, unit: str) -> Mapping[str, Any] | None:
        return self.entries.get((producer, unit))

    def units(self, producer: str) -> list[str]:
        """Units of a producer."""
        return list(self._by_producer.get(producer, ()))

    def digest(self, producer: str, media_id: str | None) -> str:
        """Digest of a producer's rows about one medium, or of all its rows (None)."""
        units = self._by_medium.get((producer, media_id), ()) if media_id else self._by_producer.get(producer, ())
        digests = [self.entries[(producer, unit)]["output_digest"] for unit in units]
        return merge_hex(d for d in digests if d)

    def marks(self, producer: str, media_id: str | None) -> str:
        """Digest of the fingerprints of a producer's units about one medium, or of all its units (None)."""
        units = self._by_medium.get((producer, media_id), ()) if media_id else self._by_producer.get(producer, ())
        return derive_id("marks", sorted(str(self.entries[(producer, unit)]["fingerprint"]) for unit in units))

    def trouble(self, producer: str, media_id: str | None) -> str | None:
        """Why a producer has no answer about a medium: `failed` or `blocked`, or None when it has one."""
        units = self._by_medium.get((producer, media_id), ()) if media_id else ()
        for unit in units:
            if self.entries[(producer, unit)]["status"] in ("failed", "blocked"):
                return str(self.entries[(producer, unit)]["status"])
        return None


def fingerprint(producer: Producer, settings_digest: str, unit: str, media_id: str | None, ledger: LedgerIndex) -> str:
    """The fingerprint of one unit. Corpus units cover all rows of each input."""
    scope = media_id if producer.annotator.grain in ("medium", "clip") else None
    inputs = [_input(name, scope, ledger) for name in producer.upstream]
    touches_media = producer.shape not in ("unit", "model") or (
        isinstance(producer.annotator, UnitAnnotator) and type(producer.annotator).reads_media
    )
    layer = MEDIA_VERSION if touches_media else 0
    return derive_id("fingerprint", producer.name, settings_digest, layer, unit, inputs)


def _input(name: str, scope: str | None, ledger: LedgerIndex) -> tuple[str, str]:
    """An input and its state. What a scan says about a place does not depend on whose scan it was (`sources:RECIPE`)."""
    if name.startswith("sources:"):
        return "sources", ledger.marks(name, scope)
    return name, ledger.digest(name, scope)
