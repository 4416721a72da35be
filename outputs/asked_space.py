"""What a sample is about in space: the scene of its first medium, and which objects, cameras, distances and angles it asks for.

Samples about space cite the asked objects first, in the order of their roles, and the asked cameras likewise; how many there
are stands in their difficulty factors. Everything is read from stored rows; a medium without a scene has no `AskedSpace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..engine.annotator import Rows, SkipUnit
from ..engine.catalog import Catalog
from ..engine.spaces import SPACE_TABLES, space_in
from ..schemas.sample import NumberAnswer, Sample
from ..schemas.space import Space

INKS = ("#c8102e", "#0066b3", "#007a33", "#8e44ad", "#c2570c", "#00798c", "#7d5a00", "#ad1457")
"""Colours of what is asked about, the same on pictures and in the top view."""


@dataclass(frozen=True)
class AskedSpace:
    """A scene, and what is to be pointed out in it."""

    space: Space
    objects: tuple[str, ...] = ()
    """object_ids in the order of their roles."""
    times: tuple[float, ...] = ()
    """Times of cameras, in the order of their roles."""
    spans: tuple[tuple[str, str, str], ...] = ()
    """Distances to draw: two ends, each an object_id or `@` and a camera's index, and a label."""
    angle: tuple[str, str, str, float] | None = None
    """An angle to draw: stand at the first object, face the second, where is the third; degrees anticlockwise."""
    window: tuple[float, float] | None = None
    """The part of the camera's way that is shown, seconds; None: all of it."""

    def ink(self, object_id: str) -> str | None:
        """The colour of an object that is asked about; None for any other."""
        return INKS[self.objects.index(object_id) % len(INKS)] if object_id in self.objects else None


def space_stored(catalog: Catalog, media_id: str, *, points: bool = False) -> Space | None:
    """The space of a medium from its rows; None where no scene is described."""
    wanted = [name for name in SPACE_TABLES if points or name != "points"]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SPACE_TABLES}
    for name in wanted:
        rows[name] = catalog.rows(f"SELECT * FROM {name} WHERE media_id = ? ORDER BY row_id", [media_id])
        if name == "scenes" and not rows[name]:
            return None
    try:
        return space_in(Rows(rows))
    except SkipUnit:
        return None


def asked_space(catalog: Catalog, sample: Sample) -> AskedSpace | None:
    """What a sample asks in the space of its first medium; None for samples that cite no scene."""
    cited = {e.table for e in sample.evidence}
    if not cited & {"scenes", "boxes3d", "cameras"}:
        return None
    space = space_stored(catalog, sample.media[0].media_id)
    if space is None:
        return None
    told = {e.table: [dict(x.values) for x in sample.evidence if x.table == e.table] for e in sample.evidence}
    ids = list(dict.fromkeys(str(v["object_id"]) for v in told.get("boxes3d", ()) if "object_id" in v))
    times = [float(v["t_s"]) for v in told.get("cameras", ()) if "t_s" in v]
    count, cameras = (int(sample.difficulty.get(k, n)) for k, n in (("objects", len(ids)), ("cameras", len(times))))
    objects = tuple(i for i in ids[: min(count, len(INKS))] if i in space.by_id)
    asked = tuple(times[: min(cameras, 8)])
    window = sample.media[0].start_s, sample.media[0].end_s
    spans, angle = _figures(sample, objects, asked)
    return AskedSpace(space, objects, asked, spans, angle, window if window[1] > window[0] else None)


def _figures(
    sample: Sample, objects: tuple[str, ...], times: tuple[float, ...]
) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, str, str, float] | None]:
    """Distances and angles that the answer is made of."""
    turn = sample.difficulty.get("angle_deg")
    if turn is not None and len(objects) == 3 and not times:
        return (), (objects[0], objects[1], objects[2], float(turn))
    answer = sample.answer
    if isinstance(answer, NumberAnswer) and answer.unit == "m":
        ends = (*objects, *(f"@{k}" for k in range(len(times))))
        if len(ends) == 2:
            return ((ends[0], ends[1], f"{answer.value:g} m"),), None
    return (), None
