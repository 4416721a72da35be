"""How well does COLMAP place cameras in films whose true poses are known, how upright is the world, and what scale is fitted?

`python benchmarks/cameras.py ROOT` takes a dataset of rendered rooms (`compose: rooms`, `annotate: [composed_truth]`). Found poses are
laid over the true ones by rotation, scale and shift; errors are in true metres. The scale is fitted to depth maps of two imitated
estimators (the true depth, one of them 5% too long, with noise per frame). Seconds are of this machine and all its other work.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.annotators.spatial.cameras_sfm import CamerasSfm, CamerasSfmParams
from chronotope.annotators.spatial.fit_scale import FitScale, FitScaleParams
from chronotope.engine.annotator import Medium, Row, Rows, SkipUnit, Unit
from chronotope.engine.catalog import Catalog
from chronotope.engine.depth_maps import depth_of, depth_values
from chronotope.schemas.geometry.alignment import align_poses, pose_errors
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.span import to_us

TABLES = ("scenes", "cameras", "points", "depths", "boxes3d", "media")
ESTIMATORS = (("one", 1.0, 0.05), ("other", 1.05, 0.08))
"""Name, factor and noise (of the logarithm, per frame) of the imitated estimators."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--media", type=int, default=4, help="how many films to look at")
    given = parser.parse_args()
    with Catalog(given.root) as catalog:
        media = catalog.rows("SELECT * FROM media WHERE frames > 0 ORDER BY media_id")[: given.media]
        uris = {r["media_id"]: r["uri"] for r in catalog.rows("SELECT media_id, uri FROM sources")}
        print("| film | placed | rms mm | of path m | turned deg | up deg (said) | log scale off (sigma) | s, CPU s |")
        print("|---|---|---|---|---|---|---|---|")
        for row in media:
            told = {
                t: catalog.rows(f"SELECT * FROM {t} WHERE media_id = ?", [row["media_id"]])
                for t in ("cameras", "depths")
            }
            print(
                f"| {row['media_id'][:6]} | {_measured(row, Path(uris[row['media_id']].removeprefix('file://')), told)} |",
                flush=True,
            )


def _measured(row: dict[str, Any], path: Path, told: dict[str, list[dict[str, Any]]]) -> str:
    medium = Medium(
        row["media_id"], path.as_uri(), path, "video", row["duration_s"], row["fps"], row["frames"], row["width"], row["height"],
        True, False,
    )  # fmt: skip
    unit = Unit(row["media_id"], "medium", medium, "benchmark", 0)
    wall, cpu = time.monotonic(), time.process_time()
    try:
        found = list(CamerasSfm(CamerasSfmParams()).annotate(unit, Rows({})))
    except SkipUnit as rule:
        return f"skipped: {rule} | | | | | | {time.monotonic() - wall:.0f}, {time.process_time() - cpu:.0f}"
    spent = f"{time.monotonic() - wall:.0f}, {time.process_time() - cpu:.0f}"
    scene = next(values for table, values in found if table == "scenes")
    every = [values for table, values in found if table == "cameras"]
    placed, truth = _pairs((r for r in every), told["cameras"])
    errors = pose_errors(placed, truth)
    path_m = sum(math.dist(a.centre, b.centre) for a, b in itertools.pairwise(truth))
    up = math.degrees(math.acos(min(1.0, float(align_poses(placed, truth).rotation[2, 2]))))
    scale = _scale(unit, found, told, row["media_id"])
    return (
        f"{sum(r['pose'] is not None for r in every)}/{len(every)} | {1000 * errors.place_rms_m:.1f} | {path_m:.1f} | "
        f"{errors.angle_mean_deg:.2f} | {up:.2f} ({scene['up_error_deg']}) | {scale} | {spent}"
    )


def _pairs(found: Iterable[dict[str, Any]], told: Iterable[dict[str, Any]]) -> tuple[list[Camera], list[Camera]]:
    true = {to_us(r["t_s"]): camera_of(r) for r in told}
    pairs = [(c, true.get(to_us(c.t_s))) for c in map(camera_of, found) if c is not None]
    kept = [(c, t) for c, t in pairs if t is not None]
    return [c for c, _ in kept], [t for _, t in kept]


def _scale(unit: Unit, found: list[Row], told: dict[str, list[dict[str, Any]]], media_id: str) -> str:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for table, values in found:
        rows[table].append({**values, "producer": "cameras_sfm", "media_id": media_id})
    chance = np.random.default_rng(0)
    for name, factor, noise in ESTIMATORS:
        for true in told["depths"]:
            depth = depth_of(true) * factor * math.exp(chance.normal(0, noise))
            rows["depths"].append(
                {
                    "t_s": true["t_s"],
                    **depth_values(depth),
                    "origin": "predicted",
                    "model": name,
                    "metric": True,
                    "producer": name,
                    "media_id": media_id,
                }
            )
    try:
        fitted = list(FitScale(FitScaleParams()).annotate(unit, Rows(rows)))
    except SkipUnit as rule:
        return str(rule)
    scene = next(values for table, values in fitted if table == "scenes")
    placed, truth = _pairs((values for table, values in fitted if table == "cameras"), told["cameras"])
    return (
        f"{math.log(align_poses(placed, truth).scale):+.3f} ({scene['scale_sigma']:.3f})"
        if scene["scale_sigma"]
        else "unit"
    )


if __name__ == "__main__":
    main()
