"""Where a walk is when: visits of places, told from the positions of the camera.

A place is a cell of a grid, a cluster of positions, or a named polygon (`schemas/places.py`); coming back to it is another visit
of the same place. A visit ends where the next one begins, the last one half a step after the last camera.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.geometry.camera import camera_of
from ...schemas.places import PlaceRule, places_of, visits_of
from ...schemas.span import from_us, to_us


class Params(BaseParams):
    """Parameters of place_visits."""

    rule: PlaceRule = Field(PlaceRule(), description="What a place is, and the shortest visit.")


class PlaceVisits(UnitAnnotator[Params]):
    """Writes `place_visits` of one medium from its `cameras`."""

    name: ClassVar[str] = "place_visits"
    version: ClassVar[int] = 1
    Params = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "scenes", "cameras")
    writes: ClassVar[tuple[str, ...]] = ("place_visits",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Visits in order of time. Raises `SkipUnit` without poses."""
        assert unit.medium is not None
        found = [c for c in map(camera_of, one_producer(rows["cameras"])) if c is not None]
        cameras = sorted(found, key=lambda c: c.t_s)
        if len(cameras) < 2:
            raise SkipUnit("no poses of the camera")
        times = [c.t_s for c in cameras]
        at = np.asarray([c.centre for c in cameras])
        step = (times[-1] - times[0]) / (len(times) - 1)
        numbers: dict[str, int] = {}
        visited: Counter[str] = Counter()
        for visit in visits_of(times, places_of(at, self.params.rule), self.params.rule):
            visited[visit.place] += 1
            end = times[visit.end] if visit.end < len(times) else min(times[-1] + step / 2, unit.medium.duration_s)
            x, y, _ = at[visit.start : visit.end].mean(axis=0)
            yield (
                "place_visits",
                {
                    "scene_id": str(cameras[0].row["scene_id"]) if cameras[0].row else None,
                    "start_s": from_us(to_us(times[visit.start])),
                    "end_s": from_us(max(to_us(end), to_us(times[visit.end - 1]) + 1)),
                    "place_id": visit.place,
                    "place": numbers.setdefault(visit.place, len(numbers) + 1),
                    "visit": visited[visit.place],
                    "method": self.params.rule.method,
                    "x": round(float(x), 6),
                    "y": round(float(y), 6),
                },
            )


ANNOTATOR = PlaceVisits
