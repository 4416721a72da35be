"""What the tests of long-video recipes share: built datasets read back, pictures of their files, hashes, and bare material."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.annotators.vision.picture_numbers import dct_hash
from chronotope.engine.catalog import Catalog
from chronotope.engine.composing import Draft, Material
from chronotope.engine.media.decode import VideoReader
from chronotope.pipelines.material import material_of
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.recipe_sources import Source
from chronotope.schemas.needles import Needle, needles_of
from chronotope.schemas.sample import Sample
from chronotope.schemas.tables import TABLES


def samples_in(root: Path, task: str | None = None) -> list[Sample]:
    """The stored samples, in order of their identifiers."""
    rows = Catalog(root).rows("SELECT * FROM samples ORDER BY sample_id")
    return [Sample.from_row(r) for r in rows if task in (None, r["task"])]


def rows_in(root: Path, table: str, media_id: str | None = None) -> list[dict[str, Any]]:
    """The stored rows of a table (of one medium), in order of time."""
    rows = Catalog(root).rows(f"SELECT * FROM {table}")
    found = [r for r in rows if media_id in (None, r["media_id"])]
    return sorted(found, key=lambda r: (r["media_id"], r.get("start_s") or 0.0, r["row_id"]))


def files_in(root: Path) -> dict[str, Path]:
    """Composed files by media_id."""
    rows = Catalog(root).rows("SELECT media_id, uri FROM sources WHERE media_id IS NOT NULL")
    return {r["media_id"]: Path(r["uri"]) if Path(r["uri"]).is_absolute() else root / r["uri"] for r in rows}


def pictures_of(path: Path, width: int = 64, height: int = 36) -> list[np.ndarray]:
    """All frames, uint8 rgb [height, width, 3]."""
    return [frame.rgb_at(width, height) for frame in VideoReader(path)]


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    """Distance of the perceptual hashes of two pictures."""
    import cv2

    mine, other = (dct_hash(cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (32, 32))) for p in (a, b))
    return ((int(mine) ^ int(other)) & (2**64 - 1)).bit_count()


def source_in(recipe: str) -> Source:
    """The one `compose:` entry of a carried recipe, with the environment's variables filled in."""
    [source] = Recipe.read(recipe).model.sources
    return source


def material_in(source: Source, work: Path, *, bare: bool = False) -> list[Material]:
    """The material of an entry; `bare`: with its descriptions alone, for drafts that are never rendered."""
    found = material_of(source, Path(), work)
    return [replace(m, rows={"captions": m.rows.get("captions", ())}) for m in found] if bare else found


def completed(draft: Draft, media_id: str = "film") -> dict[str, list[Mapping[str, Any]]]:
    """A draft's rows as the store would hold them."""
    return {
        table: [TABLES[table].complete(dict(row), "composed_truth", media_id, media_id) for row in rows]
        for table, rows in draft.rows.items()
    }


def hidden_in(draft: Draft) -> list[Needle]:
    """The needles of a draft."""
    return needles_of(completed(draft).get("events", []))
