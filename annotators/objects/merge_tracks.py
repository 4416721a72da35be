"""Tracks of one thing in several shots get one `object_id`, by what they look like (in space: `lift_boxes` does it by place).

Two tracks of one label that are never seen at once are one when each is the other's nearest by the vectors of their crops, the
likeness is high, and the second nearest is clearly less alike. Look-alikes are withheld by the margin, not decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.objects import object_of
from ...schemas.span import Span
from .things import RowDict, changed, groups


class Params(BaseParams):
    """Parameters of merge_tracks."""

    least_likeness: float = Field(0.8, ge=-1, le=1, description="Cosine of two tracks of one thing.")
    margin: float = Field(0.05, ge=0, description="How much less alike the second nearest must be.")


class MergeTracks(UnitAnnotator[Params]):
    """Writes `tracks` with the object that each shows, from `tracks` and `object_embeddings`."""

    name: ClassVar[str] = "merge_tracks"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "tracks", "object_embeddings")
    writes: ClassVar[tuple[str, ...]] = ("tracks",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """All tracks. Raises `SkipUnit` without tracks."""
        tracks = sorted(one_producer(rows["tracks"]), key=lambda t: (t["start_s"], str(t["track_id"])))
        if not tracks:
            raise SkipUnit("no tracks")
        looks = {
            str(r["track_id"]): np.asarray(r["vector"], np.float64) for r in one_producer(rows["object_embeddings"])
        }
        known = [k for k, t in enumerate(tracks) if str(t["track_id"]) in looks]
        pairs = []
        for label in sorted({t["label"] for t in tracks}):
            own = [k for k in known if tracks[k]["label"] == label]
            if len(own) < 2:
                continue
            vectors = np.stack([looks[str(tracks[k]["track_id"])] for k in own])
            apart = np.asarray([[not _together(tracks[a], tracks[b]) for b in own] for a in own])
            made = matches(vectors, apart, self.params.least_likeness, self.params.margin)
            pairs += [(own[a], own[b]) for a, b in made]
        owners = groups(len(tracks), pairs)
        for track, owner in zip(tracks, owners, strict=True):
            yield "tracks", changed(track, object_id=object_of(tracks[owner]))


def matches(
    vectors: NDArray[np.float64], allowed: NDArray[np.bool_], least: float, margin: float
) -> list[tuple[int, int]]:
    """Pairs of unit vectors [n, d] that are each other's nearest among the allowed ones, alike by at least `least`, and by
    `margin` more than the second nearest of either.
    """
    cosine = np.where(allowed & ~np.eye(len(vectors), dtype=bool), vectors @ vectors.T, -np.inf)
    found = []
    for a in range(len(vectors)):
        b = int(np.argmax(cosine[a]))
        if a < b and int(np.argmax(cosine[b])) == a and cosine[a, b] >= least:
            second = max((float(np.sort(cosine[k])[-2]) for k in (a, b)), default=-np.inf)
            if cosine[a, b] - second >= margin:
                found.append((a, b))
    return found


def _together(a: RowDict, b: RowDict) -> bool:
    one, other = Span(a["start_s"], a["end_s"]), Span(b["start_s"], b["end_s"])
    return one.intersection(other) is not None


ANNOTATOR = MergeTracks
