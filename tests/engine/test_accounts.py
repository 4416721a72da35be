"""Inputs equal the sum of their statuses; whatever is missing is named."""

from __future__ import annotations

from chronotope.engine.accounts import unaccounted
from chronotope.engine.fingerprint import LedgerIndex
from chronotope.engine.graph import Outside, build_graph
from chronotope.engine.producer import ProducerSpec


def entry(producer: str, unit: str, status: str = "done") -> dict[str, object]:
    return {"producer": producer, "unit": unit, "media_id": unit, "status": status, "output_digest": None}


def test_every_input_needs_a_status() -> None:
    graph = build_graph(
        (ProducerSpec("probe", "probe"), ProducerSpec("shots", "shots")),
        (Outside("sources:r", ("sources",), "annotate"),),
    )
    rows = [entry("probe", "a"), entry("probe", "b", "failed"), entry("shots", "a"), entry("shots", "b", "blocked")]
    places = {"sources:r": {"x.mp4", "y.mp4"}}
    scanned = [entry("sources:r", "x.mp4"), entry("sources:r", "y.mp4", "failed")]
    assert unaccounted(graph, LedgerIndex.of([*rows, *scanned]), {"a", "b"}, places) == []
    lost = unaccounted(graph, LedgerIndex.of([*rows[:3], *scanned[:1]]), {"a", "b"}, places)
    assert lost == [
        "shots: 1 of 2 inputs have no status, such as b",
        "sources:r: 1 of 2 inputs have no status, such as y.mp4",
    ]
