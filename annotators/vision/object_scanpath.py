"""Fixations as paths over objects: which tracked object each rests on, and in which order they were looked at (OAT).

Needs recorded gaze (`import: fixations`) and tracks with boxes, from wherever they come. A fixation is placed at its middle in
time; beside all objects it is on none. The gaze's own error is not known, so nothing is moved to a near object.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.objects import object_of
from ...schemas.scanpaths import scene_of, steps


class ObjectScanpath(UnitAnnotator[Params]):
    """Writes `scanpaths`: one row per fixation."""

    name: ClassVar[str] = "object_scanpath"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("fixations", "tracks", "boxes")
    writes: ClassVar[tuple[str, ...]] = ("scanpaths",)
    grade: ClassVar[Grade] = "exact"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of every observer. Raises `SkipUnit` without fixations or without tracked objects."""
        assert unit.medium is not None
        fixations = one_producer(rows["fixations"])
        tracks = one_producer(rows["tracks"])
        if not fixations:
            raise SkipUnit("no fixations")
        if not tracks:
            raise SkipUnit("no tracked objects")
        still = unit.medium.kind == "image"
        boxes = [b for b in rows["boxes"] if b["producer"] == tracks[0]["producer"]]
        scene = scene_of(tracks, boxes, still)
        labels = {str(t["track_id"]): (object_of(t), str(t["label"])) for t in tracks}
        ordered = sorted(fixations, key=lambda f: (f["observer"], f["position"]))
        for observer, of in groupby(ordered, key=lambda f: str(f["observer"])):
            path = list(of)
            seen = []
            for f in path:
                middle = 0.0 if still else min(f["t_s"] + (f["duration_s"] or 0.0) / 2, unit.medium.duration_s)
                seen.append(scene.looked_at(f["x"], f["y"], middle))
            named = [labels[s.track_id] if s.track_id else (None, None) for s in seen]
            for f, s, (object_id, label), step in zip(path, seen, named, steps([n[0] for n in named]), strict=True):
                yield (
                    "scanpaths",
                    {
                        "observer": observer, "position": f["position"], "t_s": f["t_s"], "object_id": object_id,
                        "label": label, "track_id": s.track_id, "how": s.how, "others": s.others, "step": step,
                    },
                )  # fmt: skip


ANNOTATOR = ObjectScanpath
