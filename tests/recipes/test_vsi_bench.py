"""vsi_bench (the ancestor of rows 36 and 41): answers follow from boxes and from points."""

from __future__ import annotations

from collections import Counter

import numpy as np
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.geometry.box3d import box3d_of
from chronotope.schemas.geometry.distances import box_box, cloud_cloud
from chronotope.schemas.sample import NumberAnswer, Sample

SMALL = {
    "CHRONOTOPE_ROOMS": 1,
    "CHRONOTOPE_SECONDS": 9,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 72,
    "CHRONOTOPE_PER_KIND": 4,
}


def wrong_distances(samples: list[Sample], kinds: dict[str, str], points: dict[str, np.ndarray]) -> list[str]:
    """Stated distances of two things that are not those of the boxes cited, or farther than 10 % (0.1 m) from their points'."""
    found = []
    for sample in samples:
        if kinds[sample.sample_id] != "obj_abs_dist" or not isinstance(sample.answer, NumberAnswer):
            continue
        (first, a), (second, b) = [
            (e.values["object_id"], box3d_of(e.values)) for e in sample.evidence if e.table == "boxes3d"
        ][:2]
        apart, by_points = box_box(a, b), cloud_cloud(points[first], points[second])
        off = abs(sample.answer.value - apart) > 0.0501 or abs(by_points - apart) > max(0.1, 0.1 * apart)
        found += [sample.sample_id] if off else []
    return found


def test_vsi_bench_answers_follow_from_boxes_and_points(build) -> None:
    root = build("vsi_bench", **SMALL)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
    kinds = {r["sample_id"]: r["kind"] for r in catalog.rows("SELECT sample_id, kind FROM spatial_checks")}
    assert len(samples) == len(kinds) > 12 and len(set(kinds.values())) >= 5
    points: dict[str, np.ndarray] = {}
    for row in catalog.rows("SELECT object_id, part, xyz FROM points ORDER BY object_id, part"):
        part = np.asarray(row["xyz"], float).reshape(-1, 3)
        points[row["object_id"]] = np.concatenate([points.get(row["object_id"], part[:0]), part])
    assert wrong_distances(samples, kinds, points) == []
    asked = [s for s in samples if kinds[s.sample_id] == "obj_abs_dist" and isinstance(s.answer, NumberAnswer)]
    lie = asked[0].model_copy(update={"answer": NumberAnswer(value=asked[0].answer.value + 0.3, unit="m")})
    assert wrong_distances([lie], {lie.sample_id: "obj_abs_dist"}, points) == [lie.sample_id]
    withheld = Counter(
        {r["reason"]: r["n"] for r in catalog.rows("SELECT reason, sum(candidates) AS n FROM withheld GROUP BY 1")}
    )
    assert withheld[""] == len(samples)
