"""The media of a recipe as annotators see them, from the stored rows of its scan and of `probe`."""

from __future__ import annotations

from typing import Any

from .annotator import Medium
from .catalog import Catalog


def media_of(catalog: Catalog, scan_producer: str) -> dict[str, Medium]:
    """Medium by media_id, for every content that the scan found; facts of `probe` where there are any."""
    uris = catalog.rows(
        "SELECT media_id, min(uri) AS uri FROM sources WHERE producer = ? GROUP BY media_id ORDER BY media_id",
        [scan_producer],
    )
    facts = {r["media_id"]: r for r in catalog.rows("SELECT * FROM media WHERE producer = 'probe'")}
    return {r["media_id"]: medium_of(r["media_id"], r["uri"], facts.get(r["media_id"])) for r in uris}


def medium_of(media_id: str, uri: str, row: dict[str, Any] | None) -> Medium:
    """A medium from its place and its row of table `media` (None before it was probed)."""
    row = row or {}
    return Medium(
        media_id=media_id,
        uri=uri,
        path=None,
        kind=row.get("kind") or "unknown",
        duration_s=row.get("duration_s") or 0.0,
        fps=row.get("fps"),
        frames=row.get("frames"),
        width=row.get("width"),
        height=row.get("height"),
        has_video=bool(row.get("frames")),
        has_audio=row.get("audio_codec") is not None,
        start_pts_s=row.get("start_pts_s") or 0.0,
        row=row,
    )


def known_media(catalog: Catalog) -> set[str]:
    """Media that any recipe of this root yields."""
    return {
        r["media_id"] for r in catalog.rows("SELECT DISTINCT media_id FROM sources WHERE producer LIKE 'sources:%'")
    }
