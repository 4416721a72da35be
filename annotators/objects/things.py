"""Tracks with their boxes as rows hand them over, and rows with columns of their own changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.annotator import Rows, SkipUnit
from ...engine.kept import one_producer

RowDict = Mapping[str, Any]
_COMMON = ("row_id", "producer", "unit", "media_id")


def tracks_with_boxes(rows: Rows) -> list[tuple[RowDict, list[RowDict]]]:
    """Each track of one producer with its boxes in order of time. Raises `SkipUnit` where there are none."""
    tracks, boxes = one_producer(rows["tracks"]), one_producer(rows["boxes"])
    by_track: dict[str, list[RowDict]] = {}
    for row in sorted(boxes, key=lambda r: r["t_s"]):
        by_track.setdefault(str(row["track_id"]), []).append(row)
    found = [(t, by_track[str(t["track_id"])]) for t in tracks if str(t["track_id"]) in by_track]
    if not found:
        raise SkipUnit("no tracks with boxes")
    return sorted(found, key=lambda f: (f[0]["start_s"], str(f[0]["track_id"])))


def changed(row: RowDict, **values: Any) -> dict[str, Any]:
    """The row's own columns, some of them with other values."""
    return {**{k: v for k, v in row.items() if k not in _COMMON}, **values}


def groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The first member of the group of each of `count` things, which `pairs` put together."""
    first = list(range(count))

    def root(k: int) -> int:
        while first[k] != k:
            k = first[k]
        return k

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        first[high] = low
    return [root(k) for k in range(count)]
