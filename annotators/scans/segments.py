"""Objects as ScanNet and its kin list them: which segment each vertex (or face) belongs to, and which segments an object has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.importing import ImportProblem
from ..importers.reading import read_mapping
from .scan import Ints, Item, RawBox


def segment_numbers(path: Path, count: int, of: str) -> Ints:
    """Segment of each of `count` vertices or faces. Raises `ImportProblem` where there are more or fewer."""
    numbers = np.asarray(read_mapping(path, "{segIndices: [...]}").get("segIndices", ()), np.int64)
    if len(numbers) != count:
        raise ImportProblem(
            f"{path.name} is of a mesh with {len(numbers)} {of}, and the mesh has {count}: two versions of the scan?"
        )
    return numbers


def members(numbers: Ints, group: Mapping[str, Any]) -> Ints:
    """Vertices (or faces) of an object."""
    return np.flatnonzero(np.isin(numbers, np.asarray(group.get("segments", ()), np.int64)))


def groups_of(path: Path) -> list[dict[str, Any]]:
    """The objects of an aggregation. Raises `ImportProblem` for another layout."""
    groups = read_mapping(path, "{segGroups: [...]}").get("segGroups")
    if not isinstance(groups, list):
        raise ImportProblem(f"{path.name}: no list `segGroups`; is it the right file?")
    return groups


def items_of(groups: list[dict[str, Any]], numbers: Ints) -> tuple[Item, ...]:
    """Objects by their vertices; with the box of their `obb`, if they have one."""
    return tuple(
        Item(int(g["objectId"]), str(g.get("label") or ""), members(numbers, g), box=box_in(g.get("obb")))
        for g in groups
    )


def box_in(told: Any) -> RawBox | None:
    """The box of `{centroid, axesLengths, normalizedAxes}`; None without."""
    if not isinstance(told, dict):
        return None
    (x, y, z), (a, b, c) = (map(float, told[key]) for key in ("centroid", "axesLengths"))
    return RawBox((x, y, z), tuple(float(v) for v in told["normalizedAxes"]), (a, b, c))
