"""`evaluate` for objects: tracks (HOTA, IDF1, IoU of boxes), detections (average precision) and boxes in 3D (IoU, centres).

Rows of `boxes` and `detections` are compared where there is truth: at true times only, so that a tracker that looked more often than the
truth is not punished for it. Labels are compared when both sides have them in common; else things are things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.catalog import Catalog
from ..schemas.box import Box, box_or_none, iou
from ..schemas.geometry.box3d import box3d_of
from ..schemas.geometry.overlap import box_iou
from ..schemas.metrics_boxes import on_times
from ..schemas.metrics_intervals import Share
from ..schemas.metrics_tracking import average_precision, tracking
from ..schemas.span import to_us
from .console import UsageError
from .evaluate_items import Item, bucket
from .evaluate_rows import RowDict, Side, table_side
from .evaluate_scoring import Scoring
from .evaluate_spans import grouped

OBJECTS = ("tracks", "detections", "boxes3d")
"""What is measured here."""
ANY = "thing"


def truth_table(table: str) -> str:
    """The table that holds the truth of one of `OBJECTS`."""
    return "tracks" if table == "detections" else table


def with_boxes(catalog: Catalog, side: Side, table: str) -> Side:
    """A side of tracks as rows of its boxes, each with its track's label. Raises `UsageError` for tracks without boxes."""
    if table != "tracks":
        return side
    labels = {(r["producer"], r["media_id"], r["track_id"]): r["label"] for r in side.rows}
    found = table_side(catalog, "boxes", None, only=side.producers).rows
    rows: list[RowDict] = [
        {**r, "label": labels[r["producer"], r["media_id"], r["track_id"]]}
        for r in found
        if (r["producer"], r["media_id"], r["track_id"]) in labels
    ]
    if not rows:
        raise UsageError(f"{side.said} have no boxes")
    return Side(rows, side.said, side.unknown_media, side.producers)


def objects(
    predicted: Sequence[RowDict], truth: Sequence[RowDict], lengths: Mapping[str, float], s: Scoring, table: str
) -> Iterator[Item]:
    """An item per medium (tracks, detections), or per true object (boxes3d)."""
    measure = {"tracks": _tracks, "detections": _detections, "boxes3d": _boxes3d}[table]
    true: dict[str, list[RowDict]] = defaultdict(list)
    for row in truth:
        true[row["media_id"]].append(row)
    for group, rows in sorted(grouped(predicted, table).items()):
        own: dict[str, list[Any]] = defaultdict(list)
        for found in rows:
            own[found["media_id"]].append(found)
        for media_id, told in sorted(true.items()):
            length = {"length": bucket(lengths.get(media_id, 0.0))}
            for values, labels in measure(own.get(media_id, []), told, s):
                yield Item(media_id, group, values, {**length, **labels})


Values = tuple[dict[str, Share], dict[str, str]]


def _tracks(mine: Sequence[RowDict], true: Sequence[RowDict], s: Scoring) -> Iterator[Values]:
    told, times = _by_track(true), sorted({float(r["t_s"]) for r in true})
    known = set(map(to_us, times))
    found = {}
    for name, track in _by_track(mine).items():
        moved = {t: b for t, b in on_times(track, times, s.tolerance_s).items() if to_us(t) in known}
        if moved:
            found[name] = moved
    made = tracking(list(found.values()), list(told.values()))
    best = [
        max((iou(other[t], box) for other in found.values() if t in other), default=0.0)
        for track in told.values()
        for t, box in track.items()
    ]
    yield (
        {
            "HOTA": Share(made.hota), "DetA": Share(made.deta), "AssA": Share(made.assa), "LocA": Share(made.loca),
            "IDF1": Share(2 * made.id_true, made.predicted + made.truth),
            "best IoU of a true box": Share(sum(best), len(best)),
            "true boxes found at .5": Share(sum(b >= 0.5 for b in best), len(best)),
            "tracks per true track": Share(len(found), len(told)),
        },
        {},
    )  # fmt: skip


def _detections(mine: Sequence[RowDict], true: Sequence[RowDict], s: Scoring) -> Iterator[Values]:
    times = sorted({to_us(r["t_s"]) for r in true})
    near = np.asarray(times, np.float64)
    seen = []
    for row in mine:
        at = int(np.argmin(np.abs(near - to_us(row["t_s"]))))
        if abs(times[at] - to_us(row["t_s"])) <= to_us(s.tolerance_s):
            seen.append({**row, "at": times[at]})
    labels = sorted({str(r["label"]) for r in true} & {str(r["label"]) for r in seen})
    for label in (ANY, *labels):
        found = [(r["at"], b, float(r["score"])) for r in seen if label in (ANY, r["label"]) and (b := _box(r))]
        told = [(to_us(r["t_s"]), b) for r in true if label in (ANY, r["label"]) and (b := _box(r))]
        score = average_precision(found, told)
        if score is not None:
            name = "AP@.5 of things" if label == ANY else "AP@.5 by label"
            yield {name: Share(score)}, {"label": label}


def _boxes3d(mine: Sequence[RowDict], true: Sequence[RowDict], _s: Scoring) -> Iterator[Values]:
    from scipy.optimize import linear_sum_assignment

    a = [(str(r["label"]), box3d_of(r)) for r in mine if not r["moving"]]
    b = [(str(r["label"]), box3d_of(r)) for r in true if not r["moving"]]
    shared = bool({x for x, _ in a} & {x for x, _ in b})
    scores = np.asarray([[box_iou(x, y) if not shared or lx == ly else 0.0 for lx, x in a] for ly, y in b])
    scores = scores.reshape(len(b), len(a))
    partner = dict(zip(*(m.tolist() for m in linear_sum_assignment(-scores)), strict=True)) if scores.size else {}
    for k, (label, box) in enumerate(b):
        got = float(scores[k, partner[k]]) if k in partner else 0.0
        values = {"3D IoU": Share(got)} | {f"found at {m:g}": Share(float(got >= m)) for m in (0.25, 0.5)}
        if got > 0:
            off = np.linalg.norm(np.asarray(a[partner[k]][1].centre) - np.asarray(box.centre))
            values["centre error m"] = Share(float(off))
        yield values, {"label": label}


def _by_track(rows: Sequence[RowDict]) -> dict[str, dict[float, Box]]:
    found: dict[str, dict[float, Box]] = defaultdict(dict)
    for row in sorted(rows, key=lambda r: (str(r["track_id"]), float(r["t_s"]))):
        box = _box(row)
        if box is not None:
            found[str(row["track_id"])][float(row["t_s"])] = box
    return found


def _box(row: Mapping[str, Any]) -> Box | None:
    return box_or_none(*(float(row[edge]) for edge in ("x1", "y1", "x2", "y2")))
