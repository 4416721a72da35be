"""Pictures for questions: stored JPEG bytes of table `frames`, or a cut of the medium for models that take videos.

Pictures are chosen evenly over the span, those nearest to asked-for moments first, and scaled down to what the role sees.
A medium's list of pictures is read once; bytes of the last few media stay in memory, within a bound.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...schemas.span import Span, seconds_text
from ..catalog import Catalog
from ..local_media import local_media
from .ask import Footage, Still
from .settings import ModelSettings

KEPT_BYTES = 256 << 20
QUALITY = 90
_FPS = 2.0


class Pictures:
    """Pictures of one dataset at fixed pins. Not for several threads at once."""

    def __init__(self, catalog: Catalog, root: Path, uri_of: Callable[[str], str | None]) -> None:
        """`uri_of(media_id)` says where a medium lies."""
        self._catalog, self._root, self._uri_of = catalog, root, uri_of
        self._media: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._bytes = 0

    def stills(
        self, settings: ModelSettings, media_id: str, span: Span, *, at: Sequence[float] = (), most: int | None = None
    ) -> list[Still]:
        """At most `max_frames` (and `most`) pictures that stand in the span, in order of time."""
        if settings.sees == "nothing":
            return []
        limit = min(settings.max_frames, most if most is not None else settings.max_frames)
        rows = [r for r in self._of(media_id) if r["t_s"] < span.end_s and r["until_s"] > span.start_s]
        chosen = chosen_rows(rows, limit, at)
        return [self._still(settings, media_id, row, f"f{i}") for i, row in enumerate(chosen, start=1)]

    def footage(self, settings: ModelSettings, media_id: str, span: Span) -> list[Footage | Still]:
        """The span as a video where the role takes videos and the medium can be read, else stills."""
        uri = self._uri_of(media_id) if settings.sees == "video_url" else None
        if uri is None:
            return list(self.stills(settings, media_id, span))
        from ..media.cut import cut_media

        with local_media(uri, self._root) as path, tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "cut.mp4"
            cut_media(
                path, span.start_s, span.end_s, out, max_side_px=settings.frame_side_px, fps=_FPS, keep_audio=False
            )
            label = f"footage from {seconds_text(span.start_s)} to {seconds_text(span.end_s)} s"
            return [Footage(out.read_bytes(), span.length_s, label, media_id, span.start_s, span.end_s)]

    def _of(self, media_id: str) -> list[dict[str, Any]]:
        """The stored pictures of a medium, of the finest set, in order of time."""
        if media_id in self._media:
            self._media.move_to_end(media_id)
            return self._media[media_id]
        sets = self._catalog.rows(
            "SELECT frame_set, producer, count(*) AS n, max(greatest(width, height)) AS side FROM frames WHERE media_id = ? "
            "GROUP BY ALL ORDER BY n DESC, side DESC, frame_set, producer LIMIT 1",
            [media_id],
        )
        rows = (
            self._catalog.rows(
                "SELECT t_s, until_s, width, height, jpeg FROM frames WHERE media_id = ? AND frame_set = ? AND producer = ? "
                "ORDER BY t_s",
                [media_id, sets[0]["frame_set"], sets[0]["producer"]],
            )
            if sets
            else []
        )
        self._media[media_id] = rows
        self._bytes += _size(rows)
        while self._bytes > KEPT_BYTES and len(self._media) > 1:
            _, old = self._media.popitem(last=False)
            self._bytes -= _size(old)
        return rows

    def _still(self, settings: ModelSettings, media_id: str, row: dict[str, Any], name: str) -> Still:
        jpeg, width, height = scaled(row["jpeg"], row["width"], row["height"], settings.frame_side_px)
        return Still(jpeg, width, height, f"{name} at {seconds_text(row['t_s'])} s", media_id, row["t_s"])


def chosen_rows(rows: Sequence[dict[str, Any]], limit: int, at: Sequence[float] = ()) -> list[dict[str, Any]]:
    """At most `limit` of the rows in order of time: those that stand at the moments `at`, then evenly spread ones."""
    if len(rows) <= limit:
        return list(rows)
    wanted: dict[int, None] = {}
    for t_s in at:
        best = min(
            range(len(rows)), key=lambda i: (not rows[i]["t_s"] <= t_s < rows[i]["until_s"], abs(rows[i]["t_s"] - t_s))
        )
        if len(wanted) < limit:
            wanted[best] = None
    rest = [i for i in range(len(rows)) if i not in wanted]
    free = limit - len(wanted)
    for k in range(free):
        wanted[rest[min(len(rest) - 1, int((k + 0.5) * len(rest) / free))]] = None
    return [rows[i] for i in sorted(wanted)]


def scaled(jpeg: bytes, width: int, height: int, side_px: int) -> tuple[bytes, int, int]:
    """(JPEG, width, height) with the longest side at most `side_px`: the same bytes when it fits already."""
    if max(width, height) <= side_px:
        return jpeg, width, height
    import cv2
    import numpy as np

    share = side_px / max(width, height)
    size = max(1, round(width * share)), max(1, round(height * share))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"a stored picture of {width}x{height} is no JPEG; build again with `--retry-failed`")
    done, data = cv2.imencode(
        ".jpg", cv2.resize(picture, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise RuntimeError(f"JPEG encoding of a {size[0]}x{size[1]} picture failed")
    return data.tobytes(), *size


def _size(rows: Sequence[dict[str, Any]]) -> int:
    return sum(len(row["jpeg"]) for row in rows)


def calls_file(root: Path | str) -> Path:
    """Where a dataset keeps the record of its calls."""
    return Path(os.fspath(root)) / "work" / "llm" / "calls.sqlite"
