"""What workers hand back to the driver: plain, picklable receipts about units and files, never rows or pixels."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .annotator import Grain, SkipUnit, TransientError, UndecidedUnit
from .files import DataFile

KNOWN = (
    "MediaError", "ModelNotFound", "ValueError", "TransientError", "EndpointDown", "EndpointRefuses", "PromptError",
)  # fmt: skip
"""Errors whose message says everything: their names would only be in the way."""


@dataclass(frozen=True)
class UnitKey:
    """One producer, one unit, and the fingerprint that it was worked on with."""

    producer: str
    unit: str
    media_id: str | None
    grain: Grain
    fingerprint: str


@dataclass(frozen=True)
class Outcome:
    """How a unit ended: `done`, or why not."""

    status: str = "done"
    rule: str | None = None
    error: str | None = None
    error_kind: str | None = None
    trace: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Outcome:
        """The outcome that an annotator's exception stands for."""
        if isinstance(error, SkipUnit):
            return cls("skipped", rule=str(error))
        if isinstance(error, UndecidedUnit):
            return cls("undecided", rule=str(error), error_kind="transient" if error.passing else None)
        transient = isinstance(error, (TransientError, ConnectionError, TimeoutError))
        text = str(error) or type(error).__name__
        known = type(error).__name__ in KNOWN
        message = text if known else f"{type(error).__name__}: {text}"
        trace = "".join(traceback.format_exception(error))[-6000:]
        return cls("failed", error=message, error_kind="transient" if transient else "permanent", trace=trace)

    def changed(self, text: Callable[[str], str]) -> Outcome:
        """The outcome with a function applied to its texts."""
        rule, error, trace = (None if t is None else text(t) for t in (self.rule, self.error, self.trace))
        return replace(self, rule=rule, error=error, trace=trace)


@dataclass
class UnitResult:
    """A finished unit with the files that hold its rows."""

    key: UnitKey
    outcome: Outcome
    rows: int = 0
    digest: str = ""
    seconds: float = 0.0
    model_calls: int = 0
    files: list[DataFile] = field(default_factory=list)

    def ledger_row(self, run_id: str, attempt: int) -> dict[str, Any]:
        """The row of table `ledger`."""
        return {
            "producer": self.key.producer,
            "unit": self.key.unit,
            "media_id": self.key.media_id,
            "grain": self.key.grain,
            "fingerprint": self.key.fingerprint,
            "output_digest": self.digest or None,
            "status": self.outcome.status,
            "rule": self.outcome.rule,
            "error": self.outcome.error,
            "error_kind": self.outcome.error_kind,
            "traceback": self.outcome.trace,
            "row_count": self.rows,
            "seconds": round(self.seconds, 4),
            "attempt": attempt,
            "run_id": run_id,
        }


@dataclass(frozen=True)
class PassReceipt:
    """What one decode pass cost: footage that had to be seen, and footage decoded for it."""

    source_s: float
    decoded_s: float
    media_id: str


def attempts(previous: Mapping[str, Any] | None, fingerprint: str) -> int:
    """Attempt number of a unit, given its previous ledger row."""
    if previous is None or previous["fingerprint"] != fingerprint:
        return 1
    return int(previous["attempt"] or 0) + 1
