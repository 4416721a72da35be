"""multi_expert_features (row 79): experts share one index of frames, and positions follow their declared budgets."""

from __future__ import annotations

import pytest
from chronotope.annotators.objects.expert_plans import ExpertPlans, Params, plan_problems
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.catalog import Catalog


@pytest.mark.xdist_group("ray")
def test_experts_share_their_frames_and_keep_their_budgets(build) -> None:
    pytest.importorskip("onnxruntime")
    root = build("multi_expert_features", CHRONOTOPE_FPS=1, CHRONOTOPE_FRAMES=6)
    catalog = Catalog(root)
    plans = catalog.rows("SELECT * FROM expert_plans ORDER BY media_id, first_position")
    for media_id in {p["media_id"] for p in plans}:
        own = [p for p in plans if p["media_id"] == media_id]
        assert [(p["expert"], p["scheme"], p["tokens"], p["positions"], p["budget"], p["saved"]) for p in own] == [
            ("meaning", "own", 1, 1, 6, 0), ("layout", "row", 64, 8, 48, 336),
        ]  # fmt: skip
        assert plan_problems(own) == []
        # planted: a budget that is not kept, positions that overlap, another index
        assert plan_problems([{**own[0], "budget": 7}, own[1]])
        assert plan_problems([own[0], {**own[1], "first_position": 5}])
        assert plan_problems([own[0], {**own[1], "frame_index": "another"}])

    media_id = plans[0]["media_id"]
    features = catalog.rows("SELECT * FROM frame_features WHERE media_id = ? ORDER BY producer, t_s", [media_id])
    unit = Unit(media_id, "medium", None, "r", 0)
    both = Params(experts={"meaning": "own", "layout": "row"})
    with pytest.raises(ValueError, match="same pictures"):
        list(ExpertPlans(both).annotate(unit, Rows({"frame_features": features[1:]})))
    with pytest.raises(ValueError, match="54 positions, the limit is 50"):
        list(ExpertPlans(both.model_copy(update={"limit": 50})).annotate(unit, Rows({"frame_features": features})))
