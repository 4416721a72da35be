"""Tracks, objects across shots, crops and vectors, and boxes in 3D from true masks and depth."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
from chronotope.annotators.objects.lift_boxes import LiftBoxes
from chronotope.annotators.objects.lift_boxes import Params as LiftParams
from chronotope.annotators.objects.lifting import LiftRule, lift, parallax_deg, view_of
from chronotope.annotators.objects.linking import Seen, link
from chronotope.annotators.objects.merge_tracks import matches
from chronotope.annotators.objects.object_crops import ObjectCrops
from chronotope.annotators.objects.object_crops import Params as CropParams
from chronotope.annotators.objects.track import Params, Track
from chronotope.annotators.rooms.make import RoomPlan, make_room
from chronotope.annotators.rooms.truth import TruthPlan, truth_of
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.schemas.box import Box
from chronotope.schemas.geometry.box3d import box3d_of
from chronotope.schemas.geometry.camera import Camera
from chronotope.schemas.geometry.overlap import box_iou
from chronotope.schemas.metrics_tracking import average_precision, tracking

MEDIUM = Medium("m", "file:///m.mp4", None, "video", 4.0, 5.0, 20, 160, 120, True, False)
UNIT = Unit("m", "medium", MEDIUM, "r", 0)


def moving(t: int, y: float = 0.3, speed: float = 0.03) -> Box:
    return Box(0.1 + speed * t, y, 0.25 + speed * t, y + 0.2)


def detections(*things: tuple[str, list[tuple[int, Box, float]]]) -> dict[str, list[dict]]:
    rows = [
        {
            "producer": "detect",
            "t_s": t / 5,
            "query": label,
            "label": label,
            "number": k,
            "score": score,
            "x1": b.x1,
            "y1": b.y1,
            "x2": b.x2,
            "y2": b.y2,
        }
        for k, (label, seen) in enumerate(things)
        for t, b, score in seen
    ]
    return {"detections": rows, "detection_scores": [{"producer": "detect", "t_s": t / 5} for t in range(20)]}


def tracked(rows: dict, **params) -> tuple[list[dict], list[dict]]:
    made = list(Track(Params(**params)).annotate(UNIT, Rows(rows)))
    return [r for t, r in made if t == "tracks"], [r for t, r in made if t == "boxes"]


def test_two_things_that_pass_each_other_stay_two_and_labels_are_kept_apart() -> None:
    pytest.importorskip("norfair")
    right = [(t, moving(t), 0.9) for t in range(20)]
    left = [(t, Box(0.7 - 0.03 * t, 0.32, 0.85 - 0.03 * t, 0.52), 0.8) for t in range(20)]
    tracks, boxes = tracked(detections(("circle", right), ("square", left)))
    assert [(t["label"], t["start_s"], t["end_s"]) for t in tracks] == [("circle", 0.0, 4.0), ("square", 0.0, 4.0)]
    truth = [{t / 5: b for t, b, _ in right}, {t / 5: b for t, b, _ in left}]
    found = [
        {b["t_s"]: Box(b["x1"], b["y1"], b["x2"], b["y2"]) for b in boxes if b["track_id"] == t["track_id"]}
        for t in tracks
    ]
    made = tracking(found, truth)
    assert made.hota == pytest.approx(1.0) and made.idf1 == 1.0


def test_gaps_are_bridged_cuts_end_tracks_and_what_is_short_or_weak_is_dropped() -> None:
    pytest.importorskip("norfair")
    gap = [(t, moving(t, speed=0.0), 0.9) for t in range(20) if t not in (7, 8)]
    rows = detections(("circle", gap), ("star", [(3, moving(3, 0.7), 0.9), (4, moving(4, 0.7), 0.9)]))
    tracks, boxes = tracked(rows)
    assert (
        [t["label"] for t in tracks] == ["circle"]
        and len(boxes) == 18
        and tracks[0]["score"] == pytest.approx(0.9 * 0.9)
    )
    cut = [{"producer": "shots", "start_s": s} for s in (0.0, 2.0)]
    tracks, _ = tracked(rows | {"shots": cut})
    assert [(t["start_s"], t["end_s"]) for t in tracks] == [(0.0, 2.0), (2.0, 4.0)]
    assert tracks[0]["track_id"] != tracks[1]["track_id"]
    weak = [(t, moving(t), 0.2) for t in range(20)]
    assert tracked(detections(("circle", weak))) == ([], [])


def test_a_weak_detection_continues_a_track_but_begins_none() -> None:
    pytest.importorskip("norfair")
    seen = [Seen(t, t / 5, "a", "a", moving(t), 0.2 if t % 2 else 0.8) for t in range(6)]
    assert [len(t) for t in link(6, seen, 0.2, 2, 0.5)] == [6]
    assert link(6, [s for s in seen if s.score < 0.5], 0.05, 2, 0.5) == []


def test_hota_and_average_precision_by_hand() -> None:
    track = {float(t): moving(t) for t in range(10)}
    halves = [{t: b for t, b in track.items() if t < 5}, {t: b for t, b in track.items() if t >= 5}]
    split = tracking(halves, [track])
    assert split.deta == 1.0 and split.assa == pytest.approx(0.5) and split.idf1 == pytest.approx(0.5)
    assert split.hota == pytest.approx(np.sqrt(0.5))
    half = tracking([halves[0]], [track])
    assert half.deta == pytest.approx(0.5) and half.idf1 == pytest.approx(2 * 5 / 15)
    truth = [(t, b) for t, b in track.items()]
    right = [(t, b, 0.9) for t, b in truth]
    assert (
        average_precision(right, truth) == 1.0
        and average_precision([], truth) == 0.0
        and average_precision(right, []) is None
    )
    wrong = [(0.0, Box(0.8, 0.8, 0.9, 0.9), 0.95)]
    assert average_precision(right + wrong, truth) == pytest.approx(10 / 11)
    assert average_precision([*right[:5], (0.0, right[0][1], 0.1)], truth) == pytest.approx(51 / 101)


def test_look_alikes_are_not_merged_and_mutual_neighbours_are() -> None:
    a, b = np.asarray([1.0, 0.0, 0.0]), np.asarray([0.0, 1.0, 0.0])
    near = a * 0.99 + b * np.sqrt(1 - 0.99**2)
    free = np.ones((3, 3), bool)
    assert matches(np.stack([a, near, b]), free, 0.8, 0.05) == [(0, 1)]
    assert matches(np.stack([a, near, a]), free, 0.8, 0.05) == []
    together = free.copy()
    together[0, 1] = together[1, 0] = False
    assert matches(np.stack([a, near, b]), together, 0.8, 0.05) == []


def test_crops_show_the_object_where_it_is_clearest() -> None:
    pictures = []
    for t in range(10):
        picture = np.full((120, 160, 3), 90, np.uint8)
        cv2.circle(picture, (30 + 10 * t, 60), 6 + 2 * t, (250, 40, 40), -1)
        pictures.append(picture)
    frames = [
        {
            "producer": "f",
            "t_s": t / 5,
            "frame_set": "s",
            "width": 160,
            "height": 120,
            "jpeg": cv2.imencode(".jpg", p[:, :, ::-1])[1].tobytes(),
        }
        for t, p in enumerate(pictures)
    ]
    boxes = [
        {
            "producer": "t",
            "track_id": "a",
            "t_s": t / 5,
            "x1": (24 + 8 * t) / 160,
            "y1": (54 - 2 * t) / 120,
            "x2": (36 + 12 * t) / 160,
            "y2": (66 + 2 * t) / 120,
            "visibility": None,
        }
        for t in range(10)
    ]
    track = {"producer": "t", "track_id": "a", "object_id": "o", "start_s": 0.0, "end_s": 2.0}
    rows = Rows({"frames": frames, "tracks": [track], "boxes": boxes})
    out = [r for _, r in ObjectCrops(CropParams(per_track=2)).annotate(UNIT, rows)]
    assert [r["t_s"] for r in out] == [0.0, 1.8] and {r["object_id"] for r in out} == {"o"}
    middle = cv2.imdecode(np.frombuffer(out[1]["jpeg"], np.uint8), 1)
    assert middle[middle.shape[0] // 2, middle.shape[1] // 2, 2] > 200


@pytest.fixture(scope="module")
def room() -> dict[str, list[dict]]:
    """Truth of a rendered room with depth at every annotated time."""
    pytest.importorskip("embreex")
    plan = RoomPlan("lifted", (12.0, 16.0), 0.0, (6, 8), (1, 1), False, False, 10.0, 5, 320, 240)
    rows = truth_of(make_room(plan), "lifted", TruthPlan(2, 2, 320, 160))
    return {name: [{"producer": "truth", **r} for r in found] for name, found in rows.items()}


def test_true_masks_and_depth_give_boxes_near_the_true_ones(room: dict[str, list[dict]]) -> None:
    made = list(LiftBoxes(LiftParams()).annotate(UNIT, Rows(room)))
    lifted = {r["object_id"]: r for t, r in made if t == "boxes3d"}
    true = {r["object_id"]: r for r in room["boxes3d"]}  # the cart of this room stays where it is
    assert len(lifted) >= 3
    off = [np.linalg.norm([r[a] - true[k][a] for a in "xyz"]) for k, r in lifted.items()]
    overlap = [box_iou(box3d_of(r), box3d_of(true[k])) for k, r in lifted.items()]
    assert np.median(off) < 0.25 and np.median(overlap) > 0.25
    assert all(
        r["views"] >= 3 and r["points"] >= 100 and 0 <= r["score"] <= 1 and r["gravity_aligned"]
        for r in lifted.values()
    )
    assert {r["track_id"] for t, r in made if t == "tracks"} == {r["track_id"] for r in room["tracks"]}


def test_tracks_of_one_thing_are_joined_by_their_place(room: dict[str, list[dict]]) -> None:
    """Every track cut in two, as by a cut in the film, and given no identity: what overlaps in space is one again."""
    tracks, boxes = [], []
    for track in room["tracks"]:
        own = sorted((b for b in room["boxes"] if b["track_id"] == track["track_id"]), key=lambda b: b["t_s"])
        for half in (0, 1):
            name = f"{track['track_id']}{half}"
            tracks.append({**track, "track_id": name, "object_id": None})
            boxes += [{**b, "track_id": name} for b in own[half::2]]
    made = list(LiftBoxes(LiftParams()).annotate(UNIT, Rows(room | {"tracks": tracks, "boxes": boxes})))
    joined = {r["track_id"]: r["object_id"] for t, r in made if t == "tracks"}
    lifted = {r["object_id"] for t, r in made if t == "boxes3d"}
    assert len(lifted) >= 3
    for name, owner in joined.items():
        if owner in lifted:
            assert joined[f"{name[:-1]}0"] == joined[f"{name[:-1]}1"]
    assert len(set(joined.values())) < len(tracks)


def test_a_thing_needs_views_points_and_parallax_and_must_not_move() -> None:
    depth, mask = np.full((60, 80), 2.0), np.ones((60, 80), bool)
    at = partial(Camera, width=80, height=60, fx=60.0, fy=60.0, cx=40.0, cy=30.0)

    def pose(x):
        return (1, 0, 0, x, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1)

    views = [view_of(at(t_s=float(k), pose=pose(0.5 * k)), depth, mask, LiftRule()) for k in range(3)]
    assert all(v is not None for v in views)
    assert lift(views[:2], LiftRule()) == "too few views"
    assert lift(views, LiftRule(least_points=10**6)) == "too few points"
    assert lift([views[0]] * 3, LiftRule()) == "too little parallax"
    far = view_of(at(t_s=3.0, pose=pose(9.0)), depth, mask, LiftRule())
    assert lift([*views, far], LiftRule()) == "it moves"
    assert parallax_deg(np.zeros(3), np.asarray([[1.0, 0, 0], [0, 1.0, 0]])) == pytest.approx(90.0)


def test_the_rim_of_a_mask_and_outliers_of_depth_are_left_out() -> None:
    depth = np.full((60, 80), 2.0)
    depth[20:24, 30:34] = 9.0
    mask = np.zeros((60, 80), bool)
    mask[10:40, 20:60] = True
    depth[~mask] = 5.0
    depth[10, 20:60] = 4.0  # what lies behind shines through at the rim
    camera = Camera(0.0, 80, 60, 60.0, 60.0, 40.0, 30.0, (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
    view = view_of(camera, depth, mask, LiftRule())
    assert view is not None and np.allclose(view.points[:, 2], 2.0)
