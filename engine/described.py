"""Described spans in one view: what people and composers say in `captions`, and what stands in `events`.

One producer is read, so that two descriptions of the same medium are never mixed: the one whose descriptions are told, then one
whose events are exact, then one whose events were fused from proposals (only those with a calibrated probability that is high
enough). A producer that writes both tables is read whole; what it says twice counts once. Every row carries its `table`, so
that it is cited where it stands. What models wrote is never among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..schemas.metrics import normalise_words
from ..schemas.sample import Evidence
from ..schemas.span import to_us
from .captions import told_rows
from .task import EvidenceRow

DESCRIBED_TABLES = ("captions", "events")
"""Tables that described spans stand in."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "captions": ("start_s", "end_s", "text", "level"),
    "events": ("start_s", "end_s", "text", "kind", "p_correct"),
}
"""The columns that a citation holds."""
SEEN_KINDS = ("event", "query", "narration", "step", "action", "needle")
"""Kinds of `events` that say what is to be seen; sound and speech are heard."""
LEAST_P = 0.5
"""Probability of being right (tIoU of at least 0.5 with the truth) from which a fused event counts as described."""


def described_rows(
    rows: Mapping[str, Sequence[Mapping[str, Any]]], *, least_p: float = LEAST_P
) -> list[dict[str, Any]]:
    """The described spans of one producer, in order of time, each with its key `table` (`captions` or `events`).

    `least_p`: least `p_correct` of fused events; 0 takes those without calibration too. Queries that are questions, and
    descriptions without length or words, are left out.
    """
    told = told_rows(rows["captions"])
    events = [e for e in rows["events"] if _usable(e, least_p)]
    producer = min((str(r["producer"]) for r in told), default=None)
    if producer is None:
        exact = [e for e in events if e["localiser"] is None]
        producer = min((str(e["producer"]) for e in exact or events), default=None)
    found = [_viewed("captions", c) for c in told if c["producer"] == producer and _is_part(c)]
    said = {_content(row) for row in found}
    found += [_viewed("events", e) for e in events if e["producer"] == producer and _content(e) not in said]
    return sorted(found, key=lambda r: (r["start_s"], r["end_s"], r["text"], r["table"]))


def described_of(evidence: Iterable[EvidenceRow], *, least_p: float = LEAST_P) -> list[dict[str, Any]]:
    """The cited rows that describe a span, in the order in which they are cited; those that do not count any more are not
    among them.
    """
    return [
        _viewed(e.table, e.row)
        for e in evidence
        if (e.table == "captions" and told_rows([e.row]) and _is_part(e.row))
        or (e.table == "events" and _usable(e.row, least_p))
    ]


def cite_described(row: Mapping[str, Any]) -> Evidence:
    """Evidence: a row of the view, as it stands in its own table."""
    table = str(row["table"])
    return Evidence(table=table, row_id=row["row_id"], values={name: row[name] for name in COLUMNS[table]})


def _viewed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "table": table}


def _is_part(caption: Mapping[str, Any]) -> bool:
    return caption["level"] != "medium" and bool(caption["end_s"] > caption["start_s"])


def _usable(event: Mapping[str, Any], least_p: float) -> bool:
    text = str(event["text"] or "").strip()
    if event["kind"] not in SEEN_KINDS or not event["end_s"] > event["start_s"] or not text or text.endswith("?"):
        return False
    return event["localiser"] is None or (event["p_correct"] or 0.0) >= least_p


def _content(row: Mapping[str, Any]) -> tuple[int, int, tuple[str, ...]]:
    return to_us(row["start_s"]), to_us(row["end_s"]), tuple(normalise_words(str(row["text"])))
