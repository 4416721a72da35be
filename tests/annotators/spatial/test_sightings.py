"""Sightings by projection against the rendered truth: who is in the picture, where, how much of it, and how far."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.composers.rooms import Params as RoomParams
from chronotope.annotators.composers.rooms import Rooms
from chronotope.annotators.spatial.sightings import Sightings, SightingsParams, in_picture_share, through
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.engine.depth_maps import depth_values
from chronotope.schemas.box import Box, iou
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.camera import Camera
from chronotope.schemas.span import to_us
from chronotope.schemas.tables import TABLES
from textured_room import told

UNIT = Unit("m", "medium", None, "hand", 0)
FACING = Camera(0.0, 64, 48, 50.0, 50.0, 32.0, 24.0, (1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 1, 0, 0, 0, 1))
"""At (0, 0, 1), looking along the world's y axis."""


def place(row: dict[str, Any]) -> Box:
    return Box(row["x1"], row["y1"], row["x2"], row["y2"])


@pytest.fixture(scope="module")
def room() -> dict[str, list[dict[str, Any]]]:
    """The truth of a rendered room of 6 s, every half second; its film is not needed."""
    settings = RoomParams(
        videos=1, seconds=6, fps=2, width=256, height=192, movers=(0, 0), objects=(10, 14), area_m2=(16, 22), annotate_fps=2,
        depth_fps=2, depth_side_px=128,
    )  # fmt: skip
    draft = next(iter(Rooms(settings).compose((), seed=4)))
    assert draft.measured is not None
    return {k: told(list(v), "truth") for k, v in draft.measured().items()}


def test_what_is_seen_is_found_where_it_is_and_nothing_else(room: dict[str, list[dict[str, Any]]]) -> None:
    for tables in (("scenes", "cameras", "boxes3d", "depths", "points"), ("scenes", "cameras", "boxes3d", "depths")):
        made = list(Sightings(SightingsParams()).annotate(UNIT, Rows({t: room[t] for t in tables})))
        for table, row in made:
            TABLES[table].complete(row, "p", "m", "m")
        owner = {r["track_id"]: r["object_id"] for t, r in made if t == "tracks"}
        found = {(owner[r["track_id"]], to_us(r["t_s"])): r for t, r in made if t == "boxes"}
        whose = {r["track_id"]: r["object_id"] or r["track_id"] for r in room["tracks"]}
        true = {(whose[r["track_id"]], to_us(r["t_s"])): r for r in room["boxes"]}
        plain = {k for k, r in true.items() if r["area"] >= 0.003}
        assert len(plain) > 30 and len(plain - set(found)) <= 0.02 * len(plain)
        assert not [k for k, r in found.items() if k not in true and r["area"] >= 0.005], "nothing is made up"
        both = sorted(plain & set(found))
        overlaps = [iou(place(found[k]), place(true[k])) for k in both]
        assert np.median(overlaps) > 0.85
        assert np.median([abs(found[k]["visibility"] - true[k]["visibility"]) for k in both]) < 0.1
        assert np.median([abs(found[k]["depth_m"] / true[k]["depth_m"] - 1) for k in both]) < 0.02
        assert np.mean([found[k]["truncated"] == true[k]["truncated"] for k in both]) > 0.9
    assert not any(t == "cameras" for t, _ in made), "that all objects were seen is not claimed"


def test_a_box_behind_another_is_hidden_and_half_a_box_in_the_picture_is_half_visible() -> None:
    scene = {
        "producer": "p",
        "scene_id": "s",
        "scale_status": "sensor",
        "scale_sigma": 0.0,
        "checks_json": json.dumps({}),
    }
    pose = [float(v) for v in FACING.pose]
    camera = {
        "producer": "p",
        "t_s": 0.0,
        "width": 64,
        "height": 48,
        "fx": 50.0,
        "fy": 50.0,
        "cx": 32.0,
        "cy": 24.0,
        "pose": pose,
    }

    def thing(name: str, centre: tuple[float, float, float], size: tuple[float, float, float]) -> dict[str, Any]:
        return {
            "producer": "p", "object_id": name, "t_s": 0.0, "moving": False, "label": name, "phrase": None, "score": 1.0,
            "x": centre[0], "y": centre[1], "z": centre[2], "axes": np.eye(3).ravel().tolist(), "size": list(size),
        }  # fmt: skip

    near, far = thing("near", (0, 2.0, 1.0), (0.6, 0.4, 0.6)), thing("far", (0, 4.0, 1.0), (2.4, 0.4, 0.6))
    boxes = [
        Box3D((0, 2.0, 1.0), tuple(np.eye(3).ravel()), (0.6, 0.4, 0.6)),
        Box3D((0, 4.0, 1.0), tuple(np.eye(3).ravel()), (2.4, 0.4, 0.6)),
    ]
    grid = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5), axis=-1)
    depth = np.full((48, 64), 6.0)
    for box in reversed(boxes):
        enter, leave = through(box, FACING, grid)
        depth = np.where(leave > enter, enter, depth)
    rows = {
        "scenes": [scene],
        "cameras": [camera],
        "boxes3d": [near, far],
        "depths": [{"producer": "p", "t_s": 0.0, "model": "", **depth_values(depth)}],
    }
    made = list(Sightings(SightingsParams(bottom=0.0)).annotate(UNIT, Rows(rows)))
    owner = {r["track_id"]: r["object_id"] for t, r in made if t == "tracks"}
    seen = {owner[r["track_id"]]: r for t, r in made if t == "boxes"}
    assert seen["near"]["visibility"] == pytest.approx(1.0) and seen["near"]["depth_m"] == pytest.approx(1.8, rel=1e-3)
    assert seen["far"]["visibility"] == pytest.approx(0.47, abs=0.06), "the near one stands before its middle"
    half = Box3D((-32 / 50 * 3, 3.0, 1.0), tuple(np.eye(3).ravel()), (0.8, 0.002, 0.8))
    assert in_picture_share(half, FACING) == pytest.approx(0.5, abs=0.01)
    with pytest.raises(SkipUnit, match="no dense depth"):
        list(
            Sightings(SightingsParams()).annotate(
                UNIT, Rows({**rows, "depths": [{**rows["depths"][0], "producer": "q"}]})
            )
        )
