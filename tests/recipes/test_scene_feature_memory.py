"""A memory of features over two rendered rooms: points land where they were seen, components cover all, a wrong pose shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.spatial.cosine_cover import cosine_cover
from chronotope.engine.catalog import Catalog
from chronotope.schemas.geometry.camera import camera_of
from chronotope.schemas.geometry.cells import cells, morton


@pytest.fixture
def root(build: Callable[..., Path]) -> Path:
    size = {"CHRONOTOPE_WIDTH": 160, "CHRONOTOPE_HEIGHT": 120, "CHRONOTOPE_SECONDS": 8}
    return build("scene_feature_memory", CHRONOTOPE_ROOMS=2, **size)


def off_px(view: dict[str, Any], camera: dict[str, Any]) -> float:
    """How far the stored points of a picture land from where they were seen, px."""
    posed = camera_of(camera)
    assert posed is not None
    at, _ = posed.project(np.array(view["xyz"]).reshape(-1, 3))
    true = np.stack([view["x"], view["y"]], axis=1) * [posed.width, posed.height]
    return float(np.linalg.norm(at - true, axis=1).max())


def test_points_land_where_they_were_seen_and_components_stand_for_all(root: Path) -> None:
    catalog = Catalog(root)
    media = [m["media_id"] for m in catalog.rows("SELECT media_id FROM media ORDER BY media_id")]
    views = catalog.rows("SELECT * FROM feature_views ORDER BY media_id, t_s")
    cameras = {(c["media_id"], c["t_s"]): c for c in catalog.rows("SELECT * FROM cameras")}
    assert {v["media_id"] for v in views} == set(media) and len(views) >= 12
    assert max(off_px(v, cameras[v["media_id"], v["t_s"]]) for v in views) < 2.0, "row 16's own check"
    crossed = [v for v in views if v["cross_points"] >= 5]
    assert crossed and np.median([v["cross_px"] for v in crossed]) < 2.0, "also through the next picture and back"

    for medium in media:
        mine = [v for v in views if v["media_id"] == medium]
        memory = catalog.rows("SELECT * FROM feature_memory WHERE media_id = $m ORDER BY component", {"m": medium})
        told = np.concatenate([v["component"] for v in mine])
        assert sum(c["sources"] for c in memory) == len(told) == sum(sum(c["counts"]) for c in memory)
        assert len(memory) < len(told) / 2, "a memory is smaller than what it remembers"
        assert min(min(v["cosine"]) for v in mine) >= 0.9 - 1e-6, "every vector is within reach of a component"
        first = memory[0]
        points = np.concatenate([np.array(v["xyz"]).reshape(-1, 3) for v in mine])[told == 0]
        keys = np.unique(morton(cells(points.astype(np.float64), first["edge_m"], first["origin"]).clip(min=0)))
        assert len(set(keys.tolist()) & set(first["cells"])) >= 0.8 * len(first["cells"]), "its cells hold its points"

    # planted: the pose of another picture
    a, b = (v for v in views[:2])
    assert off_px(a, cameras[b["media_id"], b["t_s"]]) > 2.0


def test_clusters_get_one_component_each_in_any_order_and_none_is_left_out() -> None:
    chance = np.random.default_rng(4)
    centres = np.eye(16)[:3]
    vectors = np.repeat(centres, 20, axis=0) + chance.normal(0, 0.02, (60, 16))
    for order in (np.arange(60), chance.permutation(60)):
        cover = cosine_cover(vectors[order], 0.9)
        assert len(cover.chosen) == 3 == cover.first and cover.cosine.min() >= 0.9
        groups = [set((order[cover.nearest == k] // 20).tolist()) for k in range(3)]
        assert sorted(map(len, groups)) == [1, 1, 1]
    # a chain: 20 degrees are near, 40 are not; the third one's neighbour is marked by the first, so the first pass skips it
    angles = np.radians([0, 20, 40])
    cover = cosine_cover(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.9)
    assert cover.first == 1 and len(cover.chosen) == 2 and cover.cosine.min() >= 0.9
