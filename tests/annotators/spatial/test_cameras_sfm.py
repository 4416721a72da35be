"""Cameras of a rendered room against its truth: poses, gravity, unit scale, depth; and footage that is no static scene."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.spatial.cameras_sfm import CamerasSfm, CamerasSfmParams
from chronotope.annotators.spatial.colmap import ColmapSettings, pairs_of
from chronotope.annotators.spatial.fit_scale import FitScale, FitScaleParams
from chronotope.annotators.spatial.links import only, trusted
from chronotope.annotators.spatial.sightings import Sightings, SightingsParams
from chronotope.annotators.spatial.views import Candidate, chosen
from chronotope.annotators.tasks.room_questions import ANNOTATOR as RoomQuestions
from chronotope.engine.annotator import Rows, SkipUnit
from chronotope.engine.depth_maps import depth_at, depth_of, depth_values, pixel_grid
from chronotope.schemas.geometry.box3d import Box3D, box3d_values
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.scale import admissible
from chronotope.schemas.span import to_us
from chronotope.schemas.tables import TABLES
from textured_room import BOXES, Walk, told, unit_of

pytest.importorskip("pycolmap", reason="chronotope[sfm] is not installed")
SETTINGS = CamerasSfmParams(
    views=14, candidates_fps=5, max_side_px=256, colmap=ColmapSettings(features=1200, neighbours=5)
)
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def found(walk: Walk) -> Tables:
    """Rows of the walk by SfM, complete as they are stored."""
    tables: Tables = {t: [] for t in CamerasSfm.writes}
    for table, row in CamerasSfm(SETTINGS).annotate(walk.unit, Rows({})):
        TABLES[table].complete(row, "sfm", "m", "m")
        tables[table].append({**row, "producer": "sfm", "media_id": "m"})
    return tables


def similarity(cameras: Sequence[Camera], true: Sequence[Camera]) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale and rotation into the true world, from orientations (a straight path does not fix its own roll), and place errors."""
    u, _, vt = np.linalg.svd(np.sum([t.rotation @ c.rotation.T for c, t in zip(cameras, true, strict=True)], axis=0))
    turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    a = np.array([turn @ c.centre for c in cameras])
    b = np.array([t.centre for t in true])
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = float((a * b).sum() / (a * a).sum())
    return scale, turn, np.linalg.norm(scale * a - b, axis=1)


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))))


def test_poses_of_a_rendered_room_are_true_up_to_scale_and_upright(walk: Walk, found: Tables) -> None:
    posed = [c for c in map(camera_of, found["cameras"]) if c is not None]
    true = [walk.cameras()[to_us(c.t_s)] for c in posed]
    (scene,) = found["scenes"]
    checks = json.loads(scene["checks_json"])
    assert len(posed) >= 0.6 * len(found["cameras"]) and checks["registered"]["value"] == round(
        len(posed) / len(found["cameras"]), 6
    )
    scale, turn, off = similarity(posed, true)
    length = float(np.linalg.norm(np.diff([t.centre for t in true], axis=0), axis=1).sum())
    assert np.sqrt((off**2).mean()) < 0.02 * length, "a fiftieth of the path"
    assert max(degrees(turn @ c.rotation, t.rotation) for c, t in zip(posed, true, strict=True)) < 1.5
    assert posed[0].width == 256 and abs(posed[0].fx / true[0].fx - 1) < 0.05, "intrinsics are of the medium's size"
    # gravity: the world's z axis is the true one, as far as it says itself
    assert scene["world_up"] == "z" and scene["up_error_deg"] <= 5
    assert np.degrees(np.arccos(turn[2, 2])) < max(2.5, 2 * scene["up_error_deg"])
    # scale: unit, so nothing in metres may be asked
    assert scene["scale_status"] == "unit" and scene["scale_sigma"] is None
    assert admissible(scene, ("metres",)) == "unit scale" and admissible(scene, ("gravity",)) == ""
    # sparse depth, in the unit of the cameras
    maps = {to_us(r["t_s"]): depth_of(r) for r in walk.truth["depths"]}
    ratios = []
    for row in found["depths"]:
        depth, camera = depth_of(row), walk.cameras()[to_us(row["t_s"])]
        known = np.isfinite(depth)
        there = depth_at(maps[to_us(row["t_s"])], pixel_grid(depth, camera.width, camera.height)[known], 256, 192)
        ratios.append(there / depth[known])
        assert not row["metric"] and row["origin"] == "reconstructed"
    assert abs(np.nanmedian(np.concatenate(ratios)) / scale - 1) < 0.02
    assert sum(r["count"] for r in found["points"]) >= 300


def test_a_scale_needs_two_that_agree_and_then_metres_are_metres(walk: Walk, found: Tables) -> None:
    chance = np.random.default_rng(1)

    def metric(producer: str, factor: float, noise: float, origin: str = "predicted") -> list[dict[str, Any]]:
        rows = []
        for row in walk.truth["depths"]:
            values = depth_values(depth_of(row) * factor * float(np.exp(chance.normal(0, noise))))
            extra = {"origin": origin, "model": "m", "metric": True, "producer": producer, "media_id": "m"}
            rows.append({"t_s": row["t_s"], **values, **extra})
        return rows

    def fitted(*depths: list[dict[str, Any]], **params: Any) -> Tables:
        rows = {**found, "depths": [*found["depths"], *(r for d in depths for r in d)]}
        made: Tables = {}
        for table, row in FitScale(FitScaleParams(**params)).annotate(walk.unit, Rows(rows)):
            TABLES[table].complete(row, "fit", "m", "m")
            made.setdefault(table, []).append(row)
        return made

    near, off = metric("a", 1.0, 0.02), metric("b", 1.04, 0.03)
    both = fitted(near, off)
    (scene,) = both["scenes"]
    posed = [c for c in map(camera_of, both["cameras"]) if c is not None]
    scale, _, _ = similarity(posed, [walk.cameras()[to_us(c.t_s)] for c in posed])
    assert scene["scale_status"] == "predicted" and abs(np.log(scale)) < 2 * scene["scale_sigma"] + 0.02
    assert 0.01 < scene["scale_sigma"] <= 0.05 and admissible(scene, ("metres",)) == ""
    assert {t: len(r) for t, r in both.items()} == {t: len(found[t]) for t in found}, (
        "all of the scene, nobody else's rows"
    )
    ratio = both["depths"][0]["unit_m"] / found["depths"][0]["unit_m"]
    assert np.allclose(np.array(both["points"][0]["xyz"]) / np.array(found["points"][0]["xyz"]), ratio, rtol=1e-4)

    for alone in (fitted(near), fitted(near, metric("c", 1.3, 0.02)), fitted()):
        (scene,) = alone["scenes"]
        assert scene["scale_status"] == "unit" and not json.loads(scene["checks_json"])["scale_confirmed"]["passed"]
        assert alone["cameras"][0]["pose"] == found["cameras"][0]["pose"], "nothing is multiplied"
    (scene,) = fitted(metric("lidar", 1.0, 0.0, "sensor"))["scenes"]
    assert scene["scale_status"] == "sensor" and scene["scale_sigma"] < 0.02

    # a length that somebody measured: the camera's way between two times; a second one that contradicts it
    a, b = posed[0], posed[-1]
    way = float(np.linalg.norm(walk.cameras()[to_us(a.t_s)].centre - walk.cameras()[to_us(b.t_s)].centre))
    anchor = {"metres": way, "times_s": (a.t_s, b.t_s)}
    made = fitted(anchors=[anchor])
    again = [c for c in map(camera_of, made["cameras"]) if c is not None]
    assert made["scenes"][0]["scale_status"] == "anchored" and made["scenes"][0]["scale_sigma"] == 0.02
    assert np.linalg.norm(again[0].centre - again[-1].centre) == pytest.approx(way, rel=1e-6)
    assert fitted(anchors=[anchor, {**anchor, "metres": 1.3 * way}])["scenes"][0]["scale_status"] == "unit"


def test_footage_that_is_no_walk_through_a_static_scene_is_skipped_with_the_rule(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    chance = np.random.default_rng(0)
    wall = (chance.random((30, 40, 1)).repeat(6, 0).repeat(6, 1) * 255).astype(np.uint8).repeat(3, 2)
    still = write_video([wall[:120, :160]] * 20, fps=10)
    pan = write_video([wall[20:140, k : k + 160] for k in range(0, 60, 3)], fps=10)
    for path, rule in (
        (still, "no shot whose camera moves enough"),
        (pan, "lies in one plane|got poses|fit together|hardly changes its place"),
    ):
        with pytest.raises(SkipUnit, match=rule):
            list(CamerasSfm(SETTINGS).annotate(unit_of(path), Rows({})))


def test_pictures_are_spread_over_motion_and_sharp_ones_win() -> None:
    still = [Candidate(0.1 * k, 1.0, 0.0) for k in range(30)]
    assert len(chosen(still, 60, 0.02)) == 1
    moving = [Candidate(0.1 * k, 5.0 if k % 3 == 1 else 1.0, 0.01) for k in range(30)]
    times = chosen(moving, 10, 0.03)
    assert len(times) == 10 and all(round(t * 10) % 3 == 1 for t in times)
    late = [Candidate(0.1 * k, 1.0, 0.0 if k < 20 else 0.05) for k in range(30)]
    assert sum(t >= 2.0 for t in chosen(late, 60, 0.02)) >= 9, "where nothing moves one picture is enough"
    pairs = pairs_of(20, 2, 5)
    assert {(0, 1), (0, 2), (0, 4), (0, 16), (5, 15)} <= set(pairs) and (1, 4) not in pairs


def test_a_chain_is_cut_where_tracked_corners_contradict_the_poses(walk: Walk) -> None:
    from chronotope.annotators.spatial.colmap import Sparse
    from chronotope.annotators.spatial.views import pictures

    true = [c for _, c in sorted(walk.cameras().items())][4:14]
    taken = [bgr for _, bgr in pictures(walk.path, [c.t_s for c in true], 256)]
    poses = [c.matrix for c in true]
    seen = tuple((np.arange(6), np.zeros((6, 2))) for _ in poses)
    at, lens = np.zeros((6, 3)), (true[0].fx, true[0].fy, true[0].cx, true[0].cy)
    good = Sparse(tuple(poses), (256, 192), lens, (), at, np.zeros((6, 3), np.uint8), seen, 0.2, 9.0, 4.0, 0.4, ())
    told = trusted(good, taken, 0.75)
    assert told.cut == 0 and told.kept == tuple(range(10)) and told.tested >= 5
    tilt = np.eye(4)
    tilt[:3, :3] = [[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]]
    wrong = [p if k < 6 else p @ tilt for k, p in enumerate(poses)]
    broken = Sparse(tuple(wrong), (256, 192), lens, (), at, np.zeros((6, 3), np.uint8), seen, 0.2, 9.0, 4.0, 0.4, ())
    told = trusted(broken, taken, 0.75)
    assert told.cut >= 1 and told.kept == tuple(range(6)) and only(broken, told.kept).registered == 6


def test_at_unit_scale_only_what_no_scale_can_change_is_asked(walk: Walk, found: Tables) -> None:
    posed = [c for c in map(camera_of, found["cameras"]) if c is not None]
    true = [walk.cameras()[to_us(c.t_s)] for c in posed]
    scale, turn, _ = similarity(posed, true)
    shift = np.mean([t.centre - scale * turn @ c.centre for c, t in zip(posed, true, strict=True)], axis=0)
    names = ("crate", "table", "chest", "cabinet", "stool")
    boxes = []
    for name, (centre, size) in zip(names, BOXES, strict=True):
        place = Box3D(
            tuple((turn.T @ (np.array(centre) - shift) / scale).tolist()),
            tuple(turn.ravel()),
            tuple((np.array(size) / scale).tolist()),
        )
        extra = {"object_id": name, "t_s": 0.0, "moving": False, "label": name, "label_raw": None, "phrase": None, "score": 1.0,
                 "attributes_json": None, "gravity_aligned": True, "source_box_json": None, "points": 900, "views": 9}  # fmt: skip
        boxes.append({**extra, **box3d_values(place)})
    dense = [{"t_s": c.t_s, "model": "", **depth_values(walk.depths()[to_us(c.t_s)] / scale)} for c in posed]
    rows: Tables = {**found, "boxes3d": told(boxes, "sfm"), "depths": told(dense, "sfm"), "points": []}
    seen: Tables = {"tracks": [], "boxes": []}
    for table, row in Sightings(SightingsParams()).annotate(walk.unit, Rows(rows)):
        seen[table].append({**row, "producer": "sightings", "media_id": "m"})
    assert {t["object_id"] for t in seen["tracks"]} >= {"chest", "table"}
    blank = {c.name: None for c in TABLES["media"].columns}
    medium = {**blank, "media_id": "m", "kind": "video", "duration_s": 5.2, "fps": 5.0, "frames": 26, "width": 256, "height": 192,
              "title": "room.mp4", "row_id": "m0", "producer": "scan"}  # fmt: skip
    clip = {
        "media_id": "m",
        "clip_id": "c",
        "start_s": 0.0,
        "end_s": 5.2,
        "row_id": "c0",
        "producer": "clips",
        "unit": "m",
    }
    numbered = {
        t: [{**r, "row_id": f"{t}{k}", "unit": "m"} for k, r in enumerate(rs)] for t, rs in {**rows, **seen}.items()
    }

    def kinds(scene: dict[str, Any]) -> tuple[set[str], set[tuple[str, str]]]:
        given = {**numbered, "scenes": [{**numbered["scenes"][0], **scene}], "media": [medium], "clips": [clip]}
        task = RoomQuestions(RoomQuestions.Params())
        made = list(task.annotate(walk.unit, Rows(given)))
        asked = {r["kind"] for t, r in made if t == "spatial_checks"}
        return asked, {(r["kind"], r["reason"]) for t, r in made if t == "withheld" and r["reason"]}

    asked, withheld = kinds({})
    metres = {"object_size", "obj_abs_dist", "room_size"}
    assert asked and not asked & metres, asked
    assert {k for k, reason in withheld if reason == "unit scale"} & metres
    more, _ = kinds({"scale_status": "sensor", "scale_sigma": 0.005})
    assert more & metres, "the same scene with a measured scale"
