"""frame_feature_cache (row 43): what is encoded again equals the cache, and another model or picture never hits it."""

from __future__ import annotations

import pytest
from chronotope.annotators.objects.frame_feature_check import MISSING, FrameFeatureCheck
from chronotope.annotators.objects.frame_feature_check import FrameFeatureCheckParams as CheckParams
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.catalog import Catalog


@pytest.mark.xdist_group("ray")
def test_what_is_encoded_again_equals_the_cache(build) -> None:
    pytest.importorskip("onnxruntime")
    root = build("frame_feature_cache", CHRONOTOPE_FPS=1, CHRONOTOPE_FRAMES=8)
    catalog = Catalog(root)
    errors = catalog.rows("SELECT value FROM measurements WHERE name = 'feature_cache_error'")
    assert len(errors) == 2 and all(r["value"] <= 1e-3 for r in errors)
    features = catalog.rows("SELECT * FROM frame_features ORDER BY media_id, t_s")
    assert len(features) == 16 and len({r["revision"] for r in features}) == 1
    assert catalog.rows("SELECT count(*) AS n FROM selection WHERE kept")[0]["n"] == 2

    media_id = features[0]["media_id"]
    stored = catalog.rows("SELECT * FROM frames WHERE media_id = ? ORDER BY t_s", [media_id])
    mine = [r for r in features if r["media_id"] == media_id]

    def worst(changed: list[dict]) -> float:
        check = FrameFeatureCheck(CheckParams(model="composed-tiny", share=1.0))
        rows = check.annotate(
            Unit(media_id, "medium", None, "r", 0), Rows({"frames": stored, "frame_features": changed})
        )
        return max(row["value"] for _, row in rows)

    assert worst(mine) <= 1e-3
    vector = list(mine[0]["vector"])
    assert 1e-3 < worst([{**mine[0], "vector": [vector[0] + 0.01, *vector[1:]]}, *mine[1:]]) < 1
    assert worst([{**mine[0], "revision": "another"}]) == MISSING
    assert worst([{**mine[0], "frame_hash": mine[-1]["frame_hash"]}]) == MISSING
