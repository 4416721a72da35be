"""vlm3r_vsti (row 41): questions name the pictures that are shipped by their rank, and answers follow from the cameras."""

from __future__ import annotations

from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import Sample
from room_recipes import build_on

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def misnamed(samples: list[Sample]) -> list[str]:
    """Questions that do not name each picture asked about by its rank among those shipped."""
    found = []
    for sample in samples:
        asked = [e.values["t_s"] for e in sample.evidence if e.table == "cameras"][: int(sample.difficulty["cameras"])]
        shipped = sample.media[0].frame_times
        named = [t in shipped and f"{ORDINALS[shipped.index(t)]} picture" in sample.turns[0].text for t in asked]
        found += [] if named and all(named) else [sample.sample_id]
    return found


def test_vlm3r_names_the_pictures_that_it_ships(room, tmp_path, monkeypatch) -> None:
    root = build_on(room, "vlm3r_vsti", tmp_path, monkeypatch, CHRONOTOPE_PICTURES=8, CHRONOTOPE_PER_KIND=4)
    assert verify_root(root).problems == []
    samples = [Sample.from_row(r) for r in Catalog(root).rows("SELECT * FROM samples")]
    camera = [s for s in samples if s.task == "camera_questions"]
    assert len(camera) > 12 and misnamed(camera) == []
    # a picture that is dropped on the way moves the rank of all that follow
    first, moved = camera[0].media[0], 0
    for sample in camera:
        late = max(e.values["t_s"] for e in sample.evidence if e.table == "cameras")
        fewer = first.model_copy(update={"frame_times": first.frame_times[1:]})
        if late > first.frame_times[0]:
            dropped = sample.model_copy(update={"media": (fewer,)})
            assert misnamed([dropped]) == [dropped.sample_id]
            moved += 1
    assert moved > 8
