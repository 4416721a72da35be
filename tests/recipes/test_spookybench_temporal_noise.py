"""spookybench_temporal_noise (row 4): frames tell nothing, motion everything; a frame that tells is caught."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
from chronotope.annotators.composers.motion_noise import write_luma
from chronotope.annotators.vision.hidden_mask import HiddenMask
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.recipe import Recipe, find_recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.masks import decode_mask

LADDER = ("  - motion_snr", "  - clip_embedding")
"""What only the ladder and the tables of noise look at; without it the small build needs no workers."""
FORBIDDEN = ("aesthetic", "clip_scores", "sharpness", "luma", "contrast", "black")
"""What rules of other recipes look at; noise fails them all on purpose."""


def measured(path: Path, tracks: list[dict], boxes: list[dict], fps: float) -> dict[str, float]:
    medium = Medium("m", path.name, path, "video", 1.0, fps, 30, 192, 128, True, False)
    made = HiddenMask(HiddenMask.Params()).annotate(
        Unit("m", "medium", medium, "r", 0), Rows({"tracks": tracks, "boxes": boxes})
    )
    return {row["name"]: row["value"] for _, row in made}


def test_frames_tell_nothing_and_a_frame_that_does_is_caught(build, tmp_path) -> None:
    lines = find_recipe("spookybench_temporal_noise").read_text().splitlines()
    small = tmp_path / "spookybench_temporal_noise.yaml"
    small.write_text("\n".join(line for line in lines if not line.startswith(LADDER)))
    sizes = {"CHRONOTOPE_VIDEOS": 5, "CHRONOTOPE_WIDTH": 192, "CHRONOTOPE_HEIGHT": 128, "CHRONOTOPE_SECONDS": 1}
    root = build(str(small), **sizes)
    report = verify_root(root)
    assert (report.problems, report.recomputed) == ([], report.samples)
    assert report.samples >= 6

    catalog = Catalog(root)
    worst = {
        r["name"]: (r["low"], r["high"])
        for r in catalog.rows("SELECT name, min(value) low, max(value) high FROM measurements GROUP BY name")
    }
    assert worst["hidden_leak"][1] < 0.02
    kept = "SELECT min(measured['hidden_iou']) iou, max(measured['hidden_iou_shuffled'] - measured['hidden_chance']) mixed FROM clip_view JOIN selection USING (clip_id) WHERE kept"
    (row,) = catalog.rows(kept)
    assert row["iou"] >= 0.9 and row["mixed"] < 0.2

    (film,) = catalog.rows(
        "SELECT m.media_id, uri, fps FROM media m JOIN sources USING (media_id) ORDER BY uri LIMIT 1"
    )
    of = {t: catalog.rows(f"SELECT * FROM {t} WHERE media_id = '{film['media_id']}'") for t in ("tracks", "boxes")}
    with av.open(film["uri"]) as container:
        frames = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    mask = decode_mask(of["boxes"][0]["mask"])
    frames[11] = np.clip(frames[11].astype(int) + 8 * mask, 0, 255).astype(np.uint8)
    faulty = tmp_path / "faulty.mp4"
    write_luma(iter(frames), 192, 128, 30, 18, faulty)
    assert measured(faulty, of["tracks"], of["boxes"], film["fps"])["hidden_leak"] >= 0.02


def test_the_recipe_looks_at_no_beauty_or_clarity() -> None:
    recipe = Recipe.read("spookybench_temporal_noise").model
    assert not any(word in rule for rule in recipe.select.values() for word in FORBIDDEN)
    assert json.dumps(recipe.model_dump(mode="json")).count("clip_scores") == 0
