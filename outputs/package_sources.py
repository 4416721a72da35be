"""Where the footage of a package comes from: media by identifier, a local file with their content, and what
neighbouring packages have cut already.

A source counts only while its file has the size that the scan saw; remote ones are copied to bounded scratch, one at a
time, and deleted after use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..engine.catalog import Catalog
from ..engine.media.container import MediaError
from .rendering import LeftOut


@dataclass(frozen=True)
class Medium:
    """What of table `media` matters to a package."""

    kind: str
    duration_s: float
    fps: float
    variable_fps: bool


class Footage:
    """Media and sources of a dataset, as the catalog sees them."""

    def __init__(self, catalog: Catalog) -> None:
        self.root = catalog.store.root
        columns = "media_id, kind, duration_s, fps, variable_fps"
        self.media = {
            row["media_id"]: Medium(
                row["kind"] or "video", row["duration_s"] or 0.0, row["fps"] or 0.0, bool(row["variable_fps"])
            )
            for row in catalog.rows(f"SELECT {columns} FROM media ORDER BY media_id, row_id")
        }
        self._sources: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
        for row in catalog.rows("SELECT DISTINCT media_id, uri, size FROM sources ORDER BY uri, size"):
            self._sources[row["media_id"]].append((row["uri"], row["size"]))

    def is_source(self, media_id: str, path: Path) -> bool:
        """Whether `path` is where the medium lies, not a copy that goes away."""
        return any("://" not in uri and self.root / uri == path for uri, _ in self._sources[media_id])

    @contextmanager
    def open(self, media_id: str) -> Iterator[Path]:
        """A local file with the content of a medium, local sources first. Raises `LeftOut` when there is none."""
        places = sorted(self._sources.get(media_id, ()), key=lambda place: ("://" in place[0], place[0]))
        tried: list[str] = []
        with ExitStack() as stack:
            for uri, size in places:
                try:
                    path = self._local(uri, stack)
                    found = path.stat().st_size
                except (MediaError, OSError) as error:
                    tried.append(f"{uri}: {getattr(error, 'cause', None) or 'gone'}")
                    continue
                if size is None or found == size:
                    yield path
                    return
                tried.append(f"{uri}: changed since the build, {found} instead of {size} bytes")
        raise LeftOut("media missing", "; ".join(tried) or f"no source of {media_id} is known")

    def _local(self, uri: str, stack: ExitStack) -> Path:
        if "://" not in uri:
            return self.root / uri
        from ..engine.media.fetch import Scratch, local_copy

        scratch = stack.enter_context(Scratch())
        return stack.enter_context(local_copy(uri, scratch))
