"""The pictures of posed questions: decoded from the medium at exactly the planned times and sizes, as JPEG.

Where a medium cannot be opened any more, the stored picture of `frames` that is nearest in time stands in, and is counted.
The same question always gives the same bytes (one set of library versions), so that asking again costs nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.catalog import Catalog
from ..engine.llm.ask import Still
from ..engine.media.container import MediaError
from .frames_at import FrameWish, frames_at, wish_at
from .package_sources import Footage
from .posed import Look
from .rendering import LeftOut

QUALITY = 90
Picture = np.ndarray[Any, Any]


class PosedPictures:
    """Pictures of one dataset. Not for several threads at once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._footage = catalog, Footage(catalog)
        self._sizes = {
            r["media_id"]: (r["width"] or 0, r["height"] or 0)
            for r in catalog.rows("SELECT media_id, width, height FROM media")
        }
        self.from_stored = 0
        """Pictures that came from `frames`, because their medium could not be opened."""

    def stills(self, looks: Iterable[Look]) -> dict[Look, Still]:
        """The picture of every look. Raises `LeftOut` when a medium is gone and nothing of it is stored."""
        by_medium: dict[str, dict[Look, None]] = defaultdict(dict)
        for look in looks:
            by_medium[look.media_id][look] = None
        found: dict[Look, Still] = {}
        for media_id, wanted in by_medium.items():
            pictures = self._pictures(media_id, list(wanted))
            done: dict[tuple[float, int, int, bool], bytes] = {}
            for look in wanted:
                key = (look.t_s, look.width, look.height, look.padded)
                if key not in done:
                    done[key] = encoded(pictures[look], look)
                found[look] = Still(done[key], look.width, look.height, look.label, media_id, look.t_s)
        return found

    def _pictures(self, media_id: str, looks: list[Look]) -> dict[Look, Picture]:
        wishes = {look: self._wish(look) for look in looks}
        try:
            with self._footage.open(media_id) as path:
                seen = frames_at(path, wishes.values())
        except (LeftOut, MediaError, OSError) as error:
            return self._stored(media_id, looks, str(error))
        return {look: seen[wish].rgb for look, wish in wishes.items()}

    def _wish(self, look: Look) -> FrameWish:
        """At a size from which resizing only shrinks, as far as the medium has it."""
        width, height = self._sizes.get(look.media_id, (0, 0))
        if not width or not height:
            return wish_at(look.t_s, max(look.width, look.height))
        share = (min if look.padded else max)(look.width / width, look.height / height)
        return wish_at(look.t_s, min(max(width, height), math.ceil(share * max(width, height))))

    def _stored(self, media_id: str, looks: list[Look], why: str) -> dict[Look, Picture]:
        import cv2

        found = {}
        for look in looks:
            rows = self._catalog.rows(
                "SELECT jpeg FROM frames WHERE media_id = ? "
                "ORDER BY abs(t_s - ?), greatest(width, height) DESC, frame_set, producer LIMIT 1",
                [media_id, look.t_s],
            )
            if not rows:
                raise LeftOut("media missing", f"{why}; and no picture of it is stored in `frames`")
            picture = cv2.imdecode(np.frombuffer(rows[0]["jpeg"], np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                raise LeftOut("media missing", f"{why}; and its picture in `frames` cannot be read")
            found[look] = picture[:, :, ::-1]
        self.from_stored += len(found)
        return found


def encoded(picture: Picture, look: Look) -> bytes:
    """JPEG of an RGB picture at the look's size, stretched, or kept in shape on black."""
    import cv2

    height, width = picture.shape[:2]
    size = (look.width, look.height)
    if look.padded:
        share = min(look.width / width, look.height / height)
        size = max(1, round(width * share)), max(1, round(height * share))
    if size != (width, height):
        shrinks = size[0] <= width and size[1] <= height
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    if look.padded:
        canvas = np.zeros((look.height, look.width, 3), np.uint8)
        top, left = (look.height - size[1]) // 2, (look.width - size[0]) // 2
        canvas[top : top + size[1], left : left + size[0]] = picture
        picture = canvas
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError(f"JPEG encoding of a {look.width}x{look.height} picture failed")
    return bytes(data)
