"""Tracks from detections, shot by shot: what was found in single pictures becomes one thing over time.

Labels are kept apart; a track that is too short or too uncertain is no track. Its score is the mean of its detections times the share
of pictures in which it was found while it lived. The same thing after a cut is another track: `merge_tracks` and `lift_boxes`
join them. It can be no better than its detections, and needs pictures so close in time that boxes overlap.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.box import box_or_none
from ...schemas.ids import derive_id
from ...schemas.span import from_us, to_us
from .linking import Seen, bridged, link


class Params(BaseParams):
    """Parameters of track."""

    least_iou: float = Field(0.2, gt=0, lt=1, description="IoU of a box with the predicted place of its track.")
    patience: int = Field(2, ge=0, description="Pictures for which a thing may be lost.")
    high_score: float = Field(0.5, ge=0, le=1, description="A track needs a detection of this score.")
    bridge: int = Field(5, ge=0, description="Tracks at one place this many pictures apart are one; 0: never.")
    bridge_iou: float = Field(0.5, gt=0, le=1, description="IoU of the last and the first box for that.")
    least_boxes: int = Field(3, ge=1, description="Shorter tracks are dropped.")
    least_score: float = Field(0.3, ge=0, le=1, description="Less certain tracks are dropped.")


class Track(UnitAnnotator[Params]):
    """Writes `tracks` and `boxes` from `detections`; `shots` say where cuts are."""

    name: ClassVar[str] = "track"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "detections", "detection_scores", "shots")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots",)
    writes: ClassVar[tuple[str, ...]] = ("tracks", "boxes")
    needs_extra: ClassVar[str | None] = "track"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Tracks in order of their beginning. Raises `SkipUnit` where no picture was looked at."""
        assert unit.medium is not None
        p = self.params
        times = sorted({to_us(r["t_s"]) for r in one_producer(rows["detection_scores"])})
        if not times:
            raise SkipUnit("no picture was looked at")
        cuts = sorted({to_us(r["start_s"]) for r in one_producer(rows["shots"])} | {0})
        end = to_us(unit.medium.duration_s)
        detections = one_producer(rows["detections"])
        for first, past in zip(cuts, [*cuts[1:], max(end, times[-1]) + 1], strict=True):
            own = times[bisect_left(times, first) : bisect_left(times, past)]
            if not own:
                continue
            place = {t: k for k, t in enumerate(own)}
            seen = []
            for row in detections:
                box = box_or_none(row["x1"], row["y1"], row["x2"], row["y2"])
                if box is not None and to_us(row["t_s"]) in place:
                    number = place[to_us(row["t_s"])]
                    seen.append(Seen(number, row["t_s"], row["label"], row["query"], box, row["score"]))
            found = link(len(own), seen, p.least_iou, p.patience, p.high_score)
            if p.bridge:
                found = bridged(found, p.bridge, p.bridge_iou)
            step = (own[-1] - own[0]) // (len(own) - 1) if len(own) > 1 else past - first
            for track in found:
                last = min(to_us(track[-1].t_s) + max(step, 1), past, max(end, to_us(track[-1].t_s) + 1))
                yield from self._rows(unit.medium.media_id, track, from_us(last))

    def _rows(self, media_id: str, track: Sequence[Seen], end_s: float) -> Iterable[Row]:
        p = self.params
        share = len(track) / (track[-1].number - track[0].number + 1)
        score = share * sum(s.score for s in track) / len(track)
        if len(track) < p.least_boxes or score < p.least_score:
            return
        first = track[0]
        track_id = derive_id("track", media_id, first.label, first.t_s, *first.box.edges)
        votes = [s.query for s in track]
        phrase = max(sorted(set(votes)), key=votes.count)
        yield (
            "tracks",
            {
                "track_id": track_id, "start_s": first.t_s, "end_s": end_s, "label": first.label, "phrase": phrase,
                "attributes_json": json.dumps({}), "score": round(score, 6), "object_id": None,
            },
        )  # fmt: skip
        for s in track:
            x1, y1, x2, y2 = s.box.edges
            sides = sum((x1 <= 0.0, y1 <= 0.0, x2 >= 1.0, y2 >= 1.0))
            place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            yield (
                "boxes",
                {"track_id": track_id, "t_s": s.t_s, **place, "mask": None, "visibility": None, "area": None, "depth_m": None, "truncated": sides},
            )  # fmt: skip


ANNOTATOR = Track
