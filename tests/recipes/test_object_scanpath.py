"""object_scanpath (row 76): a scripted gaze over known objects gives back exactly the objects and their order."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.schemas.box import Box
from chronotope.schemas.masks import decode_mask


def places(film: Path) -> list[tuple[float, str, tuple[float, float]]]:
    """(time, track, a point on the object) of each sighting in a rendered room, in order of time."""
    found = []
    for r in json.loads(film.with_suffix(".truth.json").read_text())["rows"]["boxes"]:
        rows, columns = np.nonzero(decode_mask(r["mask"]))
        middle = len(rows) // 2
        height, width = decode_mask(r["mask"]).shape
        found.append((r["t_s"], r["track_id"], ((columns[middle] + 0.5) / width, (rows[middle] + 0.5) / height)))
    return sorted(found)


@pytest.fixture
def gaze(rooms: Path, tmp_path: Path) -> tuple[Path, list[tuple[str, str]]]:
    """A CSV of fixations on objects, with one past the end and one outside the picture, and (film, track) of each in turn."""
    script, rows = [], []
    for film in sorted(rooms.glob("*.mp4")):
        seen = places(film)
        for t, track, (x, y) in seen[:: max(1, len(seen) // 8)]:
            rows.append(
                {"media": film.name, "observer": "a", "t_s": t, "duration_s": 0, "x": f"{x:.6f}", "y": f"{y:.6f}"}
            )
            script.append((film.name, track))
        rows.append({"media": film.name, "observer": "a", "t_s": 1e6, "duration_s": 0.1, "x": 0.5, "y": 0.5})
        rows.append({"media": film.name, "observer": "b", "t_s": 0.0, "duration_s": 0, "x": 1.5, "y": 0.5})
    path = tmp_path / "fixations.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path, script


def faults(paths: list[dict], boxes: dict[tuple[str, float], Box]) -> list[str]:
    """Fixations that do not lie in the box of the object they are said to be on."""
    return [
        f"{p['title']} {p['position']}"
        for p in paths
        if p["track_id"] and not boxes[p["track_id"], p["t_s"]].contains_point(p["x"], p["y"])
    ]


def test_a_scripted_gaze_gives_back_its_objects_in_order(build, rooms: Path, gaze) -> None:
    path, script = gaze
    root = build("object_scanpath", CHRONOTOPE_FOOTAGE=rooms, CHRONOTOPE_GAZE=path)
    catalog = Catalog(root)
    paths = catalog.rows(
        "SELECT m.title, f.x, f.y, s.* FROM scanpaths s JOIN fixations f USING (media_id, observer, position) "
        "JOIN media m USING (media_id) ORDER BY m.title, s.observer, s.position"
    )
    boxes = {
        (b["track_id"], b["t_s"]): Box(b["x1"], b["y1"], b["x2"], b["y2"]) for b in catalog.rows("SELECT * FROM boxes")
    }
    assert [(p["title"], p["track_id"]) for p in paths] == script and len({t for _, t in script}) > 3
    assert {p["how"] for p in paths} == {"mask"} and faults(paths, boxes) == []
    for title in {p["title"] for p in paths}:
        seen = [p for p in paths if p["title"] == title]
        order = [p["object_id"] for i, p in enumerate(seen) if i == 0 or p["object_id"] != seen[i - 1]["object_id"]]
        assert seen[-1]["step"] == len(order) - 1

    notes = catalog.rows("SELECT rule, sum(items) AS n FROM import_notes GROUP BY rule")
    assert {n["rule"]: n["n"] for n in notes} == {"past_the_end": 2, "outside_the_picture": 2}

    other = next(p for p in paths if p["title"] == paths[0]["title"] and p["track_id"] != paths[0]["track_id"])
    swapped = {**paths[0], "x": other["x"], "y": other["y"]}
    far = not boxes[paths[0]["track_id"], paths[0]["t_s"]].contains_point(other["x"], other["y"])
    assert bool(faults([swapped], boxes)) == far
    assert faults([{**paths[0], "x": 0.999, "y": 0.999}], boxes)
