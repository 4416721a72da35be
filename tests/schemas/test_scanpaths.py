"""Which object a point is on: the smallest box, the mask where there is one, and nothing where nothing is."""

import numpy as np
from chronotope.schemas.masks import encode_mask
from chronotope.schemas.scanpaths import Seen, scene_of, steps


def track(name: str) -> dict:
    """A row of tracks of ten seconds."""
    return {"track_id": name, "start_s": 0.0, "end_s": 10.0, "label": name, "phrase": None, "attributes_json": "{}"}


def box(name: str, t_s: float, x1: float, y1: float, x2: float, y2: float, mask: str | None = None) -> dict:
    return {"track_id": name, "t_s": t_s, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "mask": mask}


ROOM = [box("table", 0.0, 0.1, 0.4, 0.9, 0.9), box("cup", 0.0, 0.4, 0.5, 0.5, 0.6)]


def test_the_smallest_box_is_looked_at() -> None:
    scene = scene_of([track("table"), track("cup")], ROOM, picture=True)
    assert scene.looked_at(0.45, 0.55, 0.0) == Seen("box", "cup", 1)
    assert scene.looked_at(0.2, 0.55, 0.0) == Seen("box", "table", 0)
    assert scene.looked_at(0.05, 0.05, 0.0) == Seen("none")


def test_a_mask_counts_more_than_a_box() -> None:
    ring = np.zeros((10, 10), bool)
    ring[5:6, 4:5] = True
    masks = [ROOM[0] | {"mask": encode_mask(~ring)}, ROOM[1] | {"mask": encode_mask(ring)}]
    scene = scene_of([track("table"), track("cup")], masks, picture=True)
    assert scene.looked_at(0.45, 0.55, 0.0) == Seen("mask", "cup", 0)
    assert scene.looked_at(0.3, 0.8, 0.0) == Seen("mask", "table", 0)


def test_a_moving_object_is_where_it_is_at_that_time() -> None:
    moving = [box("cup", 0.0, 0.0, 0.0, 0.1, 0.1), box("cup", 1.0, 0.8, 0.0, 0.9, 0.1)]
    scene = scene_of([track("cup")], moving, picture=False)
    assert scene.looked_at(0.45, 0.05, 0.5).track_id == "cup" and scene.looked_at(0.05, 0.05, 0.5).how == "none"
    assert scene.looked_at(0.85, 0.05, 5.0).how == "unknown"


def test_fixations_on_one_object_in_turn_are_one_step() -> None:
    assert steps(["a", "a", None, "a", "b", "a"]) == [0, 0, None, 0, 1, 2]
