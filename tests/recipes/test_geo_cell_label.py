"""geo_cell_label (row 34): photos with GPS data fall into their cells, cells are neither too full nor too empty."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from PIL import Image
from s2sphere import CellId, LatLng

MOST, LEAST = 5, 2


def photo(path: Path, lat: float, lon: float, taken: str, shade: int) -> None:
    """A small picture with a place and a time in its EXIF data."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    exif.get_ifd(0x8825).update({
        1: "N" if lat >= 0 else "S", 2: dms(abs(lat)), 3: "E" if lon >= 0 else "W", 4: dms(abs(lon)),
    })  # fmt: skip
    Image.new("RGB", (16, 12), (shade % 256, shade // 256, 90)).save(path, exif=exif)


def dms(degrees: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds."""
    minutes = (degrees - int(degrees)) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos around two towns, some alone in the world, one at (0, 0) and one at whole degrees."""
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(4)
    places = [(48.86 + d, 2.35 + e) for d, e in draw.uniform(-2, 2, (10, 2))]
    places += [(-33.9 + d, 151.2 + e) for d, e in draw.uniform(-0.01, 0.01, (3, 2))]
    places += [(61.5, -149.9), (0.0, 0.0), (52.0, 13.0)]
    for number, (lat, lon) in enumerate(places):
        photo(folder / f"p{number:02}.jpg", lat, lon, f"2021:06:{1 + number:02} 12:00:00", 7 * number)
    return folder


def faults(rows: list[dict]) -> list[str]:
    """What is wrong with labels, by S2's own library."""
    labelled = [r for r in rows if r["cell"]]
    counts = Counter(r["cell"] for r in labelled)
    cells = {t: CellId.from_token(t) for t in counts}
    found = []
    for r in labelled:
        chain = [CellId.from_token(t) for t in r["path"]]
        if not cells[r["cell"]].contains(CellId.from_lat_lng(LatLng.from_degrees(r["gps_lat"], r["gps_lon"]))):
            found.append(f"{r['title']} is not in its cell")
        if chain[-1] != cells[r["cell"]] or any(a.level() != i for i, a in enumerate(chain)):
            found.append(f"{r['title']}: the path does not lead to the cell")
        if any(chain[i + 1].parent() != chain[i] for i in range(len(chain) - 1)):
            found.append(f"{r['title']}: the path is no chain")
        if not LEAST <= counts[r["cell"]] <= MOST and cells[r["cell"]].level() < 7:
            found.append(f"{r['cell']} holds {counts[r['cell']]}")
    if any(a.contains(b) for a in cells.values() for b in cells.values() if a != b):
        found.append("cells overlap")
    return found


def test_photos_fall_into_cells(build, photos: Path) -> None:
    root = build("geo_cell_label", CHRONOTOPE_FOOTAGE=photos, CHRONOTOPE_CELL_MAX=MOST, CHRONOTOPE_CELL_MIN=LEAST)
    rows = Catalog(root).rows(
        "SELECT m.title, m.gps_lat, m.gps_lon, g.* FROM geo_cells g JOIN media m USING (media_id)"
    )
    assert len(rows) == 16 and faults(rows) == []
    reasons = {r["title"]: r["reason"] for r in rows}
    assert (reasons["p13.jpg"], reasons["p14.jpg"], reasons["p15.jpg"]) == ("too few", "zero place", "whole degrees")
    sydney = {r["cell"] for r in rows if r["title"] in {f"p{n}.jpg" for n in range(10, 13)}}
    assert len(sydney) == 1 and max(r["level"] or 0 for r in rows) <= 7 and len({r["cell"] for r in rows}) > 3

    first = next(r for r in rows if r["title"] == "p00.jpg")
    far = next(r for r in rows if r["cell"] in sydney)
    moved = {**first, "cell": far["cell"], "path": far["path"]}
    assert "p00.jpg is not in its cell" in faults([moved if r is first else r for r in rows])
    deep = max(rows, key=lambda r: r["level"] or 0)
    cut = {**deep, "path": [deep["path"][0], *deep["path"][2:]]}
    assert f"{deep['title']}: the path is no chain" in faults([cut if r is deep else r for r in rows])
