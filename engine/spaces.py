"""The space that a unit's rows describe: one producer's scene with its objects and cameras, joined with what was seen of it.

Producers are not mixed: the scene, boxes, cameras and points of one producer belong together, and so do tracks with their
boxes, which may come from another one (a tracker, or masks that were imported).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..schemas.space import Space, space_of
from .annotator import Rows, SkipUnit
from .kept import one_producer
from .task import EvidenceRow

SPACE_TABLES = ("scenes", "boxes3d", "cameras", "points", "tracks", "boxes")


def space_in(rows: Rows) -> Space:
    """The space of one medium. Raises `SkipUnit` where no scene is described."""
    scenes = one_producer(rows["scenes"])
    if not scenes:
        raise SkipUnit("no scene with geometry")
    return space_of(
        scenes[0], one_producer(rows["boxes3d"]), one_producer(rows["cameras"]), one_producer(rows["tracks"]),
        one_producer(rows["boxes"]), one_producer(rows["points"]),
    )  # fmt: skip


def space_cited(evidence: Sequence[EvidenceRow]) -> Space | None:
    """The space of cited rows; None when no scene is cited."""
    found: dict[str, list[dict[str, object]]] = {name: [] for name in SPACE_TABLES}
    for item in evidence:
        if item.table in found:
            found[item.table].append(item.row)
    if not found["scenes"]:
        return None
    return space_of(
        found["scenes"][0], found["boxes3d"], found["cameras"], found["tracks"], found["boxes"], found["points"]
    )
