"""spatial_mllm_120k (row 36): what is asked about is seen in the frames that are shipped, and reasons stand beside the answer."""

from __future__ import annotations

from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import Sample

SMALL = {
    "CHRONOTOPE_ROOMS": 1,
    "CHRONOTOPE_SECONDS": 9,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 72,
    "CHRONOTOPE_PER_KIND": 4,
}


def unseen(samples: list[Sample]) -> list[str]:
    """Questions about a thing that no shipped frame shows."""
    found = []
    for sample in samples:
        shown = set(sample.media[0].frame_times)
        owner = {e.values["track_id"]: e.values["object_id"] for e in sample.evidence if e.table == "tracks"}
        seen = {owner[e.values["track_id"]] for e in sample.evidence if e.table == "boxes" and e.values["t_s"] in shown}
        ids = list(dict.fromkeys(e.values["object_id"] for e in sample.evidence if e.table == "boxes3d"))
        found += [sample.sample_id] if set(ids[: int(sample.difficulty["objects"])]) - seen else []
    return found


def test_spatial_mllm_asks_only_about_what_its_frames_show(build) -> None:
    root = build("spatial_mllm_120k", CHRONOTOPE_FRAMES=8, **SMALL)
    assert verify_root(root).problems == []
    samples = [Sample.from_row(r) for r in Catalog(root).rows("SELECT * FROM samples")]
    assert len(samples) > 8 and {len(s.media[0].frame_times) for s in samples} == {8}
    assert unseen(samples) == [] and all(len(s.rationale) >= 2 for s in samples)
    asked = next(s for s in samples if s.difficulty["objects"])
    blind = asked.model_copy(update={"media": (asked.media[0].model_copy(update={"frame_times": (0.123,)}),)})
    assert unseen([blind]) == [blind.sample_id]
