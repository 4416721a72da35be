"""Putting packets of a media wave together into finished units.

A unit is finished when it has ended in the pass and, for batch producers, when all the pictures that the pass announced
have been looked at. Files of units that failed are forgotten (recovery removes them from disk).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .digest import merge_hex
from .files import DataFile
from .media_work import Ended, Looked, Packet, Written
from .results import Outcome, PassReceipt, UnitResult


@dataclass
class _Open:
    rows: int = 0
    files: list[DataFile] = field(default_factory=list)
    looked: int = 0
    looked_rows: int = 0
    seconds: float = 0.0
    calls: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    ended: Ended | None = None


class Collector:
    """Turns packets, in any order, into unit results."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Open] = {}
        self._closed: set[tuple[str, str]] = set()
        self.source_s = 0.0
        self.decoded_s = 0.0

    def take(self, packet: Packet) -> Iterator[UnitResult]:
        """Zero or one finished unit."""
        if isinstance(packet, PassReceipt):
            self.source_s += packet.source_s
            self.decoded_s += packet.decoded_s
            return
        if _unit_of(packet) in self._closed:
            return
        if isinstance(packet, Written):
            state = self._state(packet.producer, packet.unit)
            state.rows += packet.file.rows
            state.files.append(packet.file)
            yield from self._finished(packet.producer, packet.unit)
        elif isinstance(packet, Looked):
            state = self._state(packet.key_producer, packet.unit)
            state.looked += packet.pictures
            state.looked_rows += packet.rows
            state.seconds += packet.seconds
            state.calls += packet.model_calls
            if packet.outcome.status != "done":
                state.outcome = packet.outcome
            yield from self._finished(packet.key_producer, packet.unit)
        elif isinstance(packet, Ended):
            self._state(packet.key.producer, packet.key.unit).ended = packet
            yield from self._finished(packet.key.producer, packet.key.unit)

    def unfinished(self) -> list[tuple[str, str]]:
        """Units of which something arrived, but not all."""
        return sorted(self._open)

    def _state(self, producer: str, unit: str) -> _Open:
        return self._open.setdefault((producer, unit), _Open())

    def _finished(self, producer: str, unit: str) -> Iterator[UnitResult]:
        state = self._open[(producer, unit)]
        ended = state.ended
        if ended is None:
            return
        failed = ended.outcome.status != "done"
        if not failed and (state.looked < ended.pictures or state.rows < ended.rows + state.looked_rows):
            return
        outcome = ended.outcome if failed else state.outcome
        done = outcome.status == "done"
        del self._open[(producer, unit)]
        self._closed.add((producer, unit))
        yield UnitResult(
            ended.key,
            outcome,
            state.rows if done else 0,
            merge_hex(f.digests[unit] for f in state.files) if done else "",
            ended.seconds + state.seconds,
            ended.model_calls + state.calls,
            state.files if done else [],
        )


def _unit_of(packet: Packet) -> tuple[str, str] | None:
    if isinstance(packet, Ended):
        return packet.key.producer, packet.key.unit
    if isinstance(packet, Written):
        return packet.producer, packet.unit
    if isinstance(packet, Looked):
        return packet.key_producer, packet.unit
    return None
