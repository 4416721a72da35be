"""Accounting: every input of every producer has exactly one status in the ledger, or the build says which has none.

Inputs are places for the scan, media for producers of media, clips for selection. Statuses are done, skipped, filtered,
undecided, failed and blocked; their sum must be the number of inputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .fingerprint import LedgerIndex
from .graph import Graph
from .plan import CORPUS

STATUSES = ("done", "skipped", "filtered", "undecided", "failed", "blocked")


def unaccounted(
    graph: Graph, ledger: LedgerIndex, media: Collection[str], others: Mapping[str, Collection[str]]
) -> list[str]:
    """Producers whose ledger does not add up to their inputs, each with the difference in words; empty when all do.

    `others` gives the inputs of what is no annotator: places of the scan, clips of the selection.
    """
    found = []
    inputs = {p.name: set(media) if p.annotator.grain == "medium" else {CORPUS} for p in graph.producers}
    for name, wanted in (inputs | {n: set(units) for n, units in others.items()}).items():
        if not media and wanted == {CORPUS}:
            continue
        entries = {u: ledger.entries[(name, u)]["status"] for u in ledger.units(name)}
        without = sorted(u for u in wanted if entries.get(u) not in STATUSES)
        if without:
            found.append(f"{name}: {len(without)} of {len(wanted)} inputs have no status, such as {without[0]}")
    return found
