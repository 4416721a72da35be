"""The regions that a sample's text names, with their masks over the frames that it cites: what formats about regions carry.

A region is a box at a time (`<boxat:...>`) of a cited row of `boxes`; its track gives the other times. Masks are read from the
table when a package is written, so samples stay small; where a box has no mask, its rectangle is the mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.markup import BoxAt, parse
from ..schemas.sample import Sample
from ..schemas.span import to_us
from .rendering import LeftOut, View

_EDGES = ("x1", "y1", "x2", "y2")
_NEAR = 2e-6
"""Edges of markup have six decimals."""


def regions_of(sample: Sample, views: Sequence[View], catalog: Catalog) -> list[dict[str, Any]]:
    """For each region in reading order {track_id, times: {seconds on the packaged file's clock: {box, mask}}}.

    Raises `LeftOut` for a region that is no cited box.
    """
    cited = [e for e in sample.evidence if e.table == "boxes"]
    masks = _masks([e.row_id for e in cited], catalog)
    view = views[0]
    found = []
    for token in (t for turn in sample.turns for t in parse(turn.text) if isinstance(t, BoxAt)):
        track = next((e.values["track_id"] for e in cited if _is(e.values, token)), None)
        if track is None:
            raise LeftOut("format: a region is no cited box", f"at {token.t_s:g} s")
        times = {}
        for e in cited:
            inside = to_us(view.window.start_s) <= to_us(e.values["t_s"]) < to_us(view.window.end_s)
            if e.values["track_id"] == track and inside:
                box = [e.values[edge] for edge in _EDGES]
                times[view.time(e.values["t_s"])] = {"box": box, "mask": masks.get(e.row_id)}
        found.append({"track_id": track, "times": {str(t): times[t] for t in sorted(times)}})
    return found


def _is(values: Mapping[str, Any], token: BoxAt) -> bool:
    edges = (token.x1, token.y1, token.x2, token.y2)
    same = all(abs(values[name] - edge) <= _NEAR for name, edge in zip(_EDGES, edges, strict=True))
    return same and to_us(values["t_s"]) == to_us(token.t_s)


def _masks(row_ids: Sequence[str], catalog: Catalog) -> dict[str, str]:
    if not row_ids:
        return {}
    rows = catalog.rows(
        "SELECT row_id, mask FROM boxes WHERE list_contains($ids, row_id) AND mask IS NOT NULL", {"ids": list(row_ids)}
    )
    return {r["row_id"]: r["mask"] for r in rows}
