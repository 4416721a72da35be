"""`evaluate` of tracks, detections and boxes in 3D: truth at its own times, labels where both sides share them."""

from __future__ import annotations

import pytest
from chronotope.pipelines.evaluate_objects import objects
from chronotope.pipelines.evaluate_scoring import Scoring
from chronotope.schemas.geometry.box3d import Box3D, box3d_values


def box(t_s: float, x: float, track: str = "a", label: str = "ball", **more) -> dict:
    place = {"x1": x, "y1": 0.2, "x2": x + 0.2, "y2": 0.5}
    return {"media_id": "m", "producer": "p", "track_id": track, "label": label, "t_s": t_s, **place, **more}


def measured(table: str, predicted: list[dict], truth: list[dict]) -> list:
    return list(objects(predicted, truth, {"m": 10.0}, Scoring(), table))


def value(item, name: str) -> float:
    share = item.values[name]
    return share.part / share.whole if share.whole else 0.0


def test_a_tracker_that_looked_more_often_is_compared_at_true_times() -> None:
    truth = [box(t, 0.1 * t) for t in (0.0, 1.0, 2.0)]
    often = [box(t / 5 + 0.01, 0.02 * t) for t in range(15)]
    (item,) = measured("tracks", often, truth)
    assert value(item, "HOTA") == pytest.approx(1.0) and value(item, "IDF1") == 1.0
    (item,) = measured("tracks", [r | {"track_id": str(r["t_s"] > 1.5)} for r in often], truth)
    assert value(item, "tracks per true track") == 2.0 and value(item, "IDF1") == pytest.approx(2 / 3)
    (item,) = measured("tracks", [box(0.5, 0.05)], truth)
    assert value(item, "HOTA") == 0.0 and value(item, "true boxes found at .5") == 0.0


def test_detections_are_judged_as_things_and_by_label() -> None:
    truth = [box(0.0, 0.1), box(0.0, 0.6, "b", "cube")]
    found = [box(0.0, 0.1, label="cube", score=0.9), box(0.0, 0.6, label="cube", score=0.8)]
    items = {i.labels["label"]: i for i in measured("detections", found, truth)}
    assert value(items["thing"], "AP@.5 of things") == 1.0
    assert value(items["cube"], "AP@.5 by label") == pytest.approx(0.5, abs=0.01)


def test_boxes_in_space_are_matched_one_to_one_by_label() -> None:
    def row(x: float, label: str, **more) -> dict:
        return {
            "media_id": "m",
            "producer": "p",
            "label": label,
            "moving": False,
            **box3d_values(Box3D.upright((x, 0, 0.5), (1, 1, 1))),
            **more,
        }

    truth = [row(0.0, "table"), row(3.0, "chair"), row(9.0, "cart", moving=True)]
    near, missed = measured("boxes3d", [row(0.2, "table"), row(0.0, "chair")], truth)
    assert value(near, "3D IoU") == pytest.approx(0.8 / 1.2) and value(near, "centre error m") == pytest.approx(0.2)
    assert value(missed, "3D IoU") == 0.0 and "centre error m" not in missed.values
