"""foveated_view (row 28): around each recorded fixation the frame is unchanged, and blurred away from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from chronotope.annotators.compose.foveation import eccentricity
from chronotope.engine.catalog import Catalog
from chronotope.engine.media.decode import VideoReader
from PIL import Image

FOVEA = 0.15


def frame_at(path: Path, t_s: float) -> np.ndarray:
    """The frame that stands at a time, uint8 rgb."""
    shown = None
    for frame in VideoReader(path):
        if shown is not None and frame.t_s > t_s + 1e-6:
            break
        shown = np.array(frame.rgb(1280))
    assert shown is not None
    return shown


def faults(seen: np.ndarray, frame: np.ndarray, x: float, y: float) -> list[str]:
    """What is wrong with a foveated picture of a frame."""
    height, width = frame.shape[:2]
    away = eccentricity(width, height, x, y)
    inside = away <= FOVEA * np.hypot(width, height)
    rough = [
        np.abs(np.diff(p.astype(float), axis=1, append=p[:, -1:])).mean(axis=2)[~inside].mean() for p in (seen, frame)
    ]
    checks = {
        "the middle has changed": bool((seen[inside] == frame[inside]).all()),
        "the rest is as sharp as before": rough[0] < 0.8 * rough[1],
    }
    return [name for name, holds in checks.items() if not holds]


def test_pictures_are_sharp_where_the_eye_was(build, films: Path, tmp_path: Path) -> None:
    gaze = [("film5.mp4", 3.2, 0.3, 0.4), ("film5.mp4", 7.7, 0.8, 0.5), ("film6.mp4", 5.0, 0.5, 0.9)]
    lines = [f"{film},{t},0.3,{x},{y}" for film, t, x, y in gaze]
    (tmp_path / "fixations.csv").write_text("\n".join(["media,t_s,duration_s,x,y", *lines]))
    root = build(
        "foveated_view", CHRONOTOPE_GAZE=tmp_path / "fixations.csv", CHRONOTOPE_FOVEA=FOVEA, CHRONOTOPE_BLUR=0.1
    )
    catalog = Catalog(root)
    rows = catalog.rows(
        "SELECT s.uri, e.parameters_json, f.x, f.y FROM sources s "
        "JOIN edits e USING (media_id) JOIN fixations f USING (media_id)"
    )
    told = {(json.loads(r["parameters_json"])["t_s"], r["x"], r["y"]): Path(r["uri"]) for r in rows}
    assert set(told) == {g[1:] for g in gaze}
    for film, t, x, y in gaze:
        path = told[t, x, y]
        seen = np.array(Image.open(path if path.is_absolute() else root / path))
        frame = frame_at(films / film, t)
        assert faults(seen, frame, x, y) == []
        assert faults(frame, frame, x, y) == ["the rest is as sharp as before"]
        assert "the middle has changed" in faults(seen, frame, 1 - x, 1 - y)
