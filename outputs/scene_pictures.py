"""Pictures of a scene without any sample: the plan, a page in three dimensions, and frames with everything that is tracked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..engine.catalog import Catalog
from ..engine.local_media import local_media
from . import pen as p
from .asked_space import INKS, AskedSpace, space_stored
from .frames_at import frames_at, wish_at
from .overlays import MarkedTrack, draw_marks
from .pen import Pen
from .show import ShowError
from .space_view import write_space_view
from .top_view import top_view

_FRAMES, _COLUMNS, _FRAME_PX = 6, 3, 420


@dataclass(frozen=True)
class ScenePictures:
    """What was drawn of a scene."""

    plan: Path
    page: Path
    frames: Path | None
    """None where the medium cannot be read any more."""


def show_scene(root: Path, medium: str, folder: Path | None = None) -> ScenePictures:
    """Draw the scene of a medium, named by the beginning of its media_id or title.

    Raises `ShowError` when there is no such medium, when several begin so, or when it has no scene.
    """
    folder = Path(root) / "pictures" if folder is None else Path(folder)
    with Catalog(root) as catalog:
        media = _medium(catalog, medium)
        space = space_stored(catalog, media["media_id"], points=True)
        if space is None:
            raise ShowError(f"medium {media['media_id']} has no scene with geometry")
        folder.mkdir(parents=True, exist_ok=True)
        asked = AskedSpace(space)
        name = f"scene-{media['media_id']}"
        plan, page = folder / f"{name}.png", folder / f"{name}.html"
        top_view(asked, 900, 900).save(plan, "PNG", compress_level=6)
        write_space_view(page, f"Scene of {media['title'] or media['media_id']}", asked)
        return ScenePictures(plan, page, _frames(catalog, Path(root), media, folder / f"{name}-frames.png"))


def _medium(catalog: Catalog, wanted: str) -> dict[str, Any]:
    found = catalog.rows(
        "SELECT media_id, min(title) AS title, max(duration_s) AS duration_s FROM media "
        "WHERE starts_with(media_id, ?) OR starts_with(title, ?) GROUP BY media_id ORDER BY media_id LIMIT 6",
        [wanted, wanted],
    )
    if len(found) == 1:
        return dict(found[0])
    scenes = catalog.rows("SELECT DISTINCT media_id FROM scenes ORDER BY media_id LIMIT 5")
    if not found:
        known = ", ".join(r["media_id"] for r in scenes) or "none"
        raise ShowError(f"no medium {wanted!r}; media with a scene begin: {known}")
    raise ShowError(f"several media begin with {wanted!r}: {', '.join(r['media_id'] for r in found)}")


def _frames(catalog: Catalog, root: Path, media: dict[str, Any], file: Path) -> Path | None:
    """Six frames with all that is tracked in them."""
    uris = catalog.rows("SELECT min(uri) AS uri FROM sources WHERE media_id = ?", [media["media_id"]])
    if not uris or uris[0]["uri"] is None or not media["duration_s"]:
        return None
    wishes = [wish_at(media["duration_s"] * (k + 0.5) / _FRAMES, _FRAME_PX) for k in range(_FRAMES)]
    with local_media(uris[0]["uri"], root) as path:
        found = frames_at(path, wishes)
    tracks = every_track(catalog, media["media_id"])
    pictures = []
    for wish in wishes:
        shown = Image.fromarray(found[wish].rgb)
        pen = Pen(shown)
        draw_marks(pen, (0, 0, *shown.size), wish.t_us / 1e6, tracks)
        pictures.append(shown)
    width, height = pictures[0].size
    sheet = Image.new("RGB", (_COLUMNS * (width + 6) - 6, -(-_FRAMES // _COLUMNS) * (height + 6) - 6), p.PAPER)
    for k, shown in enumerate(pictures):
        sheet.paste(shown, (k % _COLUMNS * (width + 6), k // _COLUMNS * (height + 6)))
    sheet.save(file, "PNG", compress_level=6)
    return file


def every_track(catalog: Catalog, media_id: str) -> Sequence[MarkedTrack]:
    """All tracks of a medium, one colour after the other."""
    rows = catalog.rows(
        "SELECT t.track_id, coalesce(t.phrase, t.label) AS name, b.t_s, b.x1, b.y1, b.x2, b.y2, b.mask FROM tracks t "
        "JOIN boxes b ON b.track_id = t.track_id AND b.media_id = t.media_id WHERE t.media_id = ? ORDER BY t.track_id, b.t_s",
        [media_id],
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["track_id"], []).append(row)
    return [MarkedTrack(str(own[0]["name"]), INKS[k % len(INKS)], tuple(own)) for k, own in enumerate(found.values())]
