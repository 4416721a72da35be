"""What is stored around a sample's window: its media, shots, speech, words, on-screen texts, sounds, events, the edit behind a twin,
the scene and the tracks that it rests on.

A table may hold rows of several producers (a recogniser's speech and a subtitle file's): shown are those of the
producer that the sample cites, else of the first by name.
"""

from __future__ import annotations

from typing import Any

from ..engine.catalog import Catalog
from ..schemas.box import box_or_none
from ..schemas.readings import Appearance, Reading, merge_readings
from ..schemas.sample import Sample
from .asked_space import asked_space
from .overlays import marked_tracks
from .timeline import Around, axis_of

_COLUMNS = {
    "shots": "start_s, end_s, transition",
    "speech": "start_s, end_s, text",
    "words": "start_s, end_s, word",
    "text_regions": "start_s, end_s, text, confidence, x1, y1, x2, y2",
    "sounds": "start_s, end_s, label, attributes_json",
    "events": "start_s, end_s, text",
}


def around_of(catalog: Catalog, sample: Sample) -> Around:
    """Rows about the sample's media that touch its window."""
    ids = sorted({m.media_id for m in sample.media})
    media = catalog.rows(
        "SELECT media_id, kind, title, duration_s, width, height, origin FROM media WHERE list_contains(?, media_id) "
        "QUALIFY row_number() OVER (PARTITION BY media_id ORDER BY producer, row_id) = 1",
        [ids],
    )
    edits = catalog.rows(
        "SELECT e.operation, e.start_s, e.end_s, e.time_scale, e.time_offset_s, min(m.title) AS title "
        "FROM edits e LEFT JOIN media m ON m.media_id = e.source_media_id WHERE e.media_id = ? "
        "AND e.target_start_s IS NULL GROUP BY ALL "
        "ORDER BY e.operation, e.start_s",
        [clock_of(sample)],
    )
    space = asked_space(catalog, sample)
    return Around(
        media={m["media_id"]: m for m in media},
        shots=_rows(catalog, "shots", sample),
        speech=_rows(catalog, "speech", sample),
        words=_rows(catalog, "words", sample),
        texts=_texts(_rows(catalog, "text_regions", sample)),
        sounds=_rows(catalog, "sounds", sample),
        events=_rows(catalog, "events", sample),
        edit=edits[-1] if edits else None,
        space=space,
        tracks=marked_tracks(catalog, sample, space),
    )


def clock_of(sample: Sample) -> str:
    """The medium whose clock the timeline shows."""
    return sample.media[0].media_id


def _rows(catalog: Catalog, table: str, sample: Sample) -> list[dict[str, Any]]:
    axis = axis_of(sample)
    rows = catalog.rows(
        f"SELECT row_id, producer, {_COLUMNS[table]} FROM {table} "
        "WHERE media_id = ? AND end_s > ? AND start_s < ? ORDER BY start_s, end_s, row_id",
        [clock_of(sample), axis.start_s, axis.end_s],
    )
    cited = {e.row_id for e in sample.evidence if e.table == table}
    producers = sorted({r["producer"] for r in rows}, key=lambda p: (not _cites(rows, p, cited), p))
    return [r for r in rows if r["producer"] == producers[0]] if producers else []


def _cites(rows: list[dict[str, Any]], producer: str, cited: set[str]) -> bool:
    return any(r["producer"] == producer and r["row_id"] in cited for r in rows)


def _texts(rows: list[dict[str, Any]]) -> list[Appearance]:
    readings = []
    for r in rows:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is not None and r["end_s"] > r["start_s"]:
            readings.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, r["confidence"]))
    return list(merge_readings(readings))
