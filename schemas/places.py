"""Places of a walk: which one each position of the camera is in, and the visits that a walk pays to them.

A place is a cell of a grid on the ground, a cluster of positions, or a polygon that has a name. A visit is a stretch of time in
one place; a stretch shorter than `least_visit_s` belongs to the visit before it (or, at the beginning, after it). Coming back
to a place gives another visit of the same place. Clusters depend on the whole walk, cells and polygons on the position alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from .geometry.cells import cells

Floats = NDArray[np.float64]
ELSEWHERE = "elsewhere"


class PlaceRule(BaseModel):
    """What a place is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["cells", "clusters", "polygons"] = Field("cells", description="How places are told apart.")
    cell_m: float = Field(2.0, gt=0, description="Edge of a cell, metres.")
    clusters: int = Field(4, ge=2, description="Clusters of positions (k-means), at most one per distinct position.")
    polygons: dict[str, tuple[tuple[float, float], ...]] = Field(
        {}, description="Name of a place -> corners on the ground, metres; the first that holds a position counts."
    )
    least_visit_s: float = Field(0.5, ge=0, description="Shortest visit, seconds.")


@dataclass(frozen=True)
class Visit:
    """A stretch of time in one place: steps `[start, end)` of the walk."""

    place: str
    start: int
    end: int


def places_of(positions: ArrayLike, rule: PlaceRule) -> list[str]:
    """The place of each position [n, 2 or 3] on the ground. Raises ValueError where polygons are asked for and none is given."""
    at = np.asarray(positions, np.float64)
    at = at.reshape(len(at), -1)[:, :2]
    if not len(at):
        return []
    if rule.method == "cells":
        found = cells(np.column_stack([at, np.zeros(len(at))]), rule.cell_m)
        return [f"cell {x} {y}" for x, y, _ in found.tolist()]
    if rule.method == "polygons":
        if not rule.polygons:
            raise ValueError("places by polygons need polygons: name -> corners")
        return [next((k for k, p in rule.polygons.items() if _inside(q, p)), ELSEWHERE) for q in at]
    return _clusters(at, rule.clusters)


def visits_of(times: Sequence[float], places: Sequence[str], rule: PlaceRule) -> list[Visit]:
    """The visits of a walk, in order. Raises ValueError when times and places differ in number."""
    if len(times) != len(places):
        raise ValueError(f"{len(times)} times and {len(places)} places")
    runs = [(place, [i for i, _ in of]) for place, of in groupby(enumerate(places), key=lambda p: p[1])]
    kept: list[tuple[str, list[int]]] = []
    waiting: list[int] = []
    for place, steps in runs:
        end = times[steps[-1] + 1] if steps[-1] + 1 < len(times) else times[-1]
        if end - times[steps[0]] < rule.least_visit_s - 1e-9 and len(runs) > 1:
            (kept[-1][1] if kept else waiting).extend(steps)
        elif kept and kept[-1][0] == place:
            kept[-1][1].extend(steps)
        else:
            kept.append((place, [*waiting, *steps]))
            waiting = []
    if waiting:
        kept.append((places[waiting[0]], waiting))
    return [Visit(place, steps[0], steps[-1] + 1) for place, steps in kept]


def _clusters(at: Floats, count: int) -> list[str]:
    """k-means, clusters numbered along x, then y, of their centres, so that equal positions give equal names."""
    from sklearn.cluster import KMeans

    count = min(count, len(np.unique(np.round(at, 6), axis=0)))
    fitted = KMeans(count, n_init=4, random_state=0).fit(at)
    centres = np.round(fitted.cluster_centers_, 6)
    rank = {int(old): new for new, old in enumerate(np.lexsort((centres[:, 1], centres[:, 0])))}
    return [f"cluster {rank[int(label)]}" for label in fitted.labels_]


def _inside(point: Floats, corners: Sequence[tuple[float, float]]) -> bool:
    """Whether a point lies in a polygon: a ray to the right crosses its edges an odd number of times."""
    x, y = float(point[0]), float(point[1])
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd
