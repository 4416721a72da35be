"""Rooms of the composer: their truth agrees with itself from every side, and the same seed gives the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.composers.rooms import Params, Rooms
from chronotope.annotators.rooms.layout import apart, footprint, within
from chronotope.annotators.rooms.make import RoomPlan, make_room
from chronotope.annotators.rooms.scene import RoomScene
from chronotope.annotators.rooms.shell import inside
from chronotope.engine.depth_maps import depth_of, pixel_grid
from chronotope.engine.media.timeline import read_timeline
from chronotope.pipelines.composed_places import facts_of, make
from chronotope.schemas.masks import box_of, decode_mask
from chronotope.schemas.space import Space, space_of
from pydantic import ValidationError

SMALL: dict[str, Any] = {"videos": 1, "width": 160, "height": 120, "movers": (2, 2), "area_m2": (16, 24), "seconds": 8}
SEEDS = range(9)


def composed(path: Path, seed: int = 4, **more: Any) -> dict[str, Any]:
    (draft,) = Rooms(Params.model_validate(SMALL | more)).compose((), seed)
    draft.write(path)
    assert draft.measured is not None
    return dict(draft.measured())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("rooms") / "room.mp4"
    return path, composed(path)


@pytest.fixture(scope="module")
def space(made: tuple[Path, dict[str, Any]]) -> Space:
    rows = {name: [full(row) for row in found] for name, found in made[1].items()}
    return space_of(rows["scenes"][0], rows["boxes3d"], rows["cameras"], rows["tracks"], rows["boxes"], rows["points"])


@pytest.fixture(scope="module")
def scenes() -> list[RoomScene]:
    return [make_room(RoomPlan(f"room {seed}", seconds=20, movers=(0, 3))) for seed in SEEDS]


def full(row: dict[str, Any]) -> dict[str, Any]:
    return {"label_raw": None, "distortion": [], **row}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_room(tmp_path: Path) -> None:
    short = {"seconds": 1.5, "width": 96, "height": 72}
    rows = composed(tmp_path / "one.mp4", **short)
    assert composed(tmp_path / "again.mp4", **short) == rows
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "one.mp4").read_bytes()
    assert composed(tmp_path / "other.mp4", seed=5, **short)["boxes3d"] != rows["boxes3d"]


def test_a_truth_that_is_lost_is_measured_again_and_one_that_is_there_is_kept(tmp_path: Path) -> None:
    """A build may be interrupted between film and truth; later builds do not cast the rays again."""

    def built() -> tuple[str, int]:
        composer = Rooms(Params.model_validate(SMALL | {"seconds": 1.5, "width": 96, "height": 72}))
        (draft,) = composer.compose((), 4)
        make(draft, facts_of(draft, composer), tmp_path / "room.mp4")
        truth = tmp_path / "room.truth.json"
        return truth.read_text(encoding="utf-8"), truth.stat().st_mtime_ns

    first, written = built()
    assert built() == (first, written)
    (tmp_path / "room.truth.json").unlink()
    assert built()[0] == first


def test_film_and_truth_are_on_one_clock(made: tuple[Path, dict[str, Any]], space: Space) -> None:
    path, _ = made
    times = read_timeline(path).times_s
    assert len(times) == 80
    assert {c.t_s for c in space.cameras} <= {round(t, 6) for t in times}
    assert [s.t_s for s in space.sightings] == sorted(s.t_s for s in space.sightings)
    assert {s.t_s for s in space.sightings} <= {c.t_s for c in space.cameras}


def test_points_lie_in_their_boxes_and_boxes_are_no_larger_than_their_points(space: Space) -> None:
    for thing in space.objects:
        assert thing.points is not None
        assert 400 <= len(thing.points) <= 1500
        assert thing.box.contains(thing.points, grow_m=2e-4).all()
        reach = np.abs(thing.box.to_local(thing.points)).max(axis=0) * 2
        assert (reach > np.asarray(thing.box.size) - 0.15).all(), thing.phrase


def test_depth_back_projects_into_the_room_and_onto_the_boxes_that_are_seen(
    made: tuple[Path, dict[str, Any]], space: Space
) -> None:
    polygon = np.asarray(space.scene["polygon"]).reshape(-1, 2)
    on_things = 0
    for row in made[1]["depths"]:
        camera = space.camera_at(row["t_s"])
        assert camera is not None
        depth = depth_of(row)
        world = camera.back_project(pixel_grid(depth, camera.width, camera.height), depth).reshape(-1, 3)
        low, high = [*(polygon.min(axis=0) - 1e-3), -1e-3], [*(polygon.max(axis=0) + 1e-3), 3.0]
        assert ((world > low) & (world < high)).all()
        for seen in space.seen_at(row["t_s"]):
            box = space.by_id[seen.object_id].at(row["t_s"])
            assert box is not None
            mask = decode_mask(seen.row["mask"])
            assert box.contains(world[mask.ravel()], grow_m=2e-4).all()
            assert seen.depth_m == pytest.approx(float(np.median(depth[mask])), abs=1e-3)
            on_things += 1
    assert on_things > 3


def test_masks_boxes_and_projected_boxes_agree(space: Space) -> None:
    checked = 0
    for seen in space.sightings:
        mask = decode_mask(seen.row["mask"])
        assert mask.shape == (120, 160)
        assert box_of(mask) == seen.box.edges
        assert seen.area == pytest.approx(float(mask.mean()), abs=1e-6)
        assert 0 < float(seen.visibility or 0) <= 1
        camera, box = space.camera_at(seen.t_s), space.by_id[seen.object_id].at(seen.t_s)
        assert camera is not None
        assert box is not None
        pixels, depth = camera.project(box.corners)
        if (depth > 0.1).all():
            x, y = pixels[:, 0] / 160, pixels[:, 1] / 120
            assert seen.box.x1 >= x.min() - 0.01
            assert seen.box.x2 <= x.max() + 0.01
            assert seen.box.y1 >= y.min() - 0.01
            assert seen.box.y2 <= y.max() + 0.01
            checked += 1
    assert checked > 20


def test_tracks_span_the_sightings_and_movers_have_a_box_per_camera(space: Space, made: Any) -> None:
    for track in space.tracks:
        times = [s.t_s for s in space.seen[str(track["object_id"])]]
        assert track["start_s"] == times[0]
        assert times[-1] < track["end_s"] <= 8.0
    movers = [o for o in space.objects if o.moving]
    assert movers
    for mover in movers:
        assert mover.times == tuple(c.t_s for c in space.cameras)
        told = json.loads(mover.rows[0]["attributes_json"])
        places = np.array([b.centre for b in mover.boxes])
        turned = np.array([b.matrix[0] for b in mover.boxes])
        assert np.ptp(places, axis=0).max() > 0.2 or np.ptp(turned, axis=0).max() > 0.5
        still = [t for t in mover.times if t < told["windows_s"][0][0]]
        assert np.ptp(places[: len(still)], axis=0).max() == 0


def test_events_say_what_movers_do_while_they_are_seen_doing_it(
    space: Space, made: tuple[Path, dict[str, Any]]
) -> None:
    assert made[1]["events"]
    for event in made[1]["events"]:
        (mover,) = [o for o in space.objects if f"the {o.phrase} " in event["text"]]
        told = json.loads(mover.rows[0]["attributes_json"])
        assert [event["start_s"], event["end_s"]] in told["windows_s"]
        times = [c.t_s for c in space.cameras if event["start_s"] <= c.t_s < event["end_s"]]
        seen = {s.t_s for s in space.seen[mover.object_id]}
        assert sum(t in seen for t in times) >= 0.75 * len(times)
        outside = [b.centre for t, b in zip(mover.times, mover.boxes, strict=True) if t < event["start_s"]]
        assert len(set(outside)) <= 1


def test_nothing_stands_in_anything_else_or_in_a_wall(scenes: list[RoomScene]) -> None:
    for scene in scenes:
        still = [t.box for t in scene.things if not t.moving]
        for k, a in enumerate(still):
            assert within(scene.polygon, a, 0.0)
            for b in still[:k]:
                level = abs(a.centre[2] - b.centre[2]) < (a.size[2] + b.size[2]) / 2 - 1e-6
                assert not level or apart(footprint(a), footprint(b), 0.0)


def test_nothing_that_moves_touches_anything_or_the_camera(scenes: list[RoomScene]) -> None:
    for scene in scenes:
        for thing in (t for t in scene.things if t.moving):
            radius = float(np.hypot(*thing.box.size[:2])) / 2
            for frame in range(0, scene.frames, 5):
                box = thing.box_at(frame)
                for other in (
                    t.box for t in scene.things if not t.moving and t.box.centre[2] - t.box.size[2] / 2 < 0.5
                ):
                    assert apart(footprint(box), footprint(other), 0.0)
                assert np.hypot(*(scene.cameras[frame].centre[:2] - box.centre[:2])) > radius


def test_the_camera_stays_inside_moves_smoothly_and_does_everything_that_can_be_asked(scenes: list[RoomScene]) -> None:
    kinds: Counter[str] = Counter()
    for scene in scenes:
        centres = np.array([c.centre for c in scene.cameras])
        assert inside(scene.polygon, centres[:, :2]).all()
        assert ((centres[:, 2] > 0.7) & (centres[:, 2] < 1.7)).all()
        assert np.sqrt((np.diff(centres, axis=0) ** 2).sum(axis=1)).max() < 0.2
        forward = np.array([c.forward for c in scene.cameras])
        assert (forward[1:] * forward[:-1]).sum(axis=1).min() > np.cos(np.radians(12))
        rights = np.array([c.rotation[:, 0] for c in scene.cameras])
        assert np.abs(rights[:, 2]).max() < 1e-9
        for kind, start, end in scene.told["stages"]:
            kinds[kind] += round(10 * (min(end, 20.0) - start))
    assert all(kinds[k] > 20 for k in ("stay", "turn", "forward", "sideways", "backward", "watch")), kinds


def test_labels_repeat_and_stand_alone_and_looks_alike_occur(scenes: list[RoomScene]) -> None:
    counted = [Counter(t.label for t in s.things) for s in scenes]
    assert all(any(n == 1 for n in c.values()) for c in counted)
    assert sum(any(n > 1 for n in c.values()) for c in counted) >= len(scenes) * 0.7
    same_label = [s for s in scenes if len({t.phrase for t in s.things}) > len({t.label for t in s.things})]
    shared = [s for s in scenes if max(Counter(t.colour for t in s.things).values()) >= 2]
    assert len(same_label) >= len(scenes) * 0.7
    assert len(shared) >= len(scenes) * 0.7


def test_floors_have_the_area_that_was_asked_for_and_some_are_l_shaped(scenes: list[RoomScene]) -> None:
    assert all(12.0 - 0.1 <= s.area_m2 <= 40.0 + 0.1 for s in scenes)
    assert any(len(make_room(RoomPlan(f"l {k}", seconds=1, l_share=1.0)).polygon) == 6 for k in range(3))


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"width": 161}, "even"), ({"area_m2": (20, 12)}, "smaller number first"), ({"annotate_fps": 30}, "at most fps")],
)
def test_settings_that_cannot_be_met_are_refused_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Params.model_validate(settings)
