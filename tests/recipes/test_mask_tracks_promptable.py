"""mask_tracks_promptable (row 75): prompts lie in their masks, what is hidden has an empty mask, and a wrong prompt is found."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
from chronotope.annotators.objects.prompting import problems
from chronotope.engine.catalog import Catalog
from chronotope.schemas.masks import decode_mask
from chronotope.schemas.metrics_masks import j_and_f


def test_prompts_lie_in_their_masks_and_hidden_frames_have_empty_ones(build) -> None:
    root = build(
        "mask_tracks_promptable", CHRONOTOPE_ROOMS=1, CHRONOTOPE_SECONDS=8, CHRONOTOPE_WIDTH=96, CHRONOTOPE_HEIGHT=72
    )
    catalog = Catalog(root)
    rows = catalog.rows("SELECT * FROM mask_prompts ORDER BY row_id")
    assert len(rows) >= 8 and len({r["kind"] for r in rows}) >= 2
    assert Counter(r["kind"] for r in rows).most_common(1)[0][0] == "mask"
    true = {
        (r["track_id"], round(r["t_s"], 6)): r["mask"]
        for r in catalog.rows("SELECT track_id, t_s, mask FROM boxes WHERE mask IS NOT NULL")
    }
    hidden = 0
    for row in rows:
        masks = [decode_mask(m) for m in row["masks"]]
        assert problems(masks, json.loads(row["prompts_json"])) == []
        for t_s, mask in zip(row["times"], masks, strict=True):
            known = true.get((row["track_id"], round(t_s, 6)))
            assert (known is None) == (not mask.any())
            hidden += known is None
            assert known is None or j_and_f([mask], [decode_mask(known)]) == 1.0
        line = json.loads(row["line_json"])
        assert len(line["frames"]) == len(line["masks"]) == len(masks) and line["frames"] == sorted(set(line["frames"]))
    assert hidden == sum(r["hidden"] for r in rows) > 0
    assert sum(r["clicks"] for r in rows) > 0

    # planted: a click moved out of its mask, a box of the neighbour's size, a first frame without the object
    row = next(r for r in rows if r["kind"] == "box")
    masks, prompts = [decode_mask(m) for m in row["masks"]], json.loads(row["prompts_json"])
    x1, y1, x2, y2 = prompts[0]["xyxy"]
    assert problems(masks, [{**prompts[0], "xyxy": [x1, y1, x2 + 2, y2]}])
    far = np.argwhere(~masks[0])[0]
    click = {"frame": 0, "type": "point", "xy": [float(far[1]) + 0.5, float(far[0]) + 0.5], "positive": True}
    assert problems(masks, [click])
    assert problems([np.zeros_like(masks[0]), *masks[1:]], prompts)
