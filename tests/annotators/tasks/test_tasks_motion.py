"""camera_motion and motion_direction: true labels, honest refusals, twins that flip, and no lie unnoticed."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from chronotope.annotators.tasks import camera_motion, motion_direction
from chronotope.annotators.tasks.camera_motion import CameraMotion
from chronotope.annotators.tasks.motion_direction import MotionDirection
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.sample import Sample

CAMERA = {
    "pan_left": {"pan": -0.2},
    "pan_right": {"pan": 0.2},
    "tilt_up": {"tilt": 0.2},
    "tilt_down": {"tilt": -0.2},
    "zoom_in": {"zoom": 0.4},
    "zoom_out": {"zoom": -0.4},
    "roll_cw": {"roll": -20.0},
    "roll_ccw": {"roll": 20.0},
    "static": {},
}
OBJECT = {
    "left": {"residual_dx": -0.2},
    "right": {"residual_dx": 0.2},
    "up": {"residual_dy": -0.3},
    "down": {"residual_dy": 0.3},
    "still": {"residual_area": 0.0},
}


def measure(world, media_id, start_s, end_s, *, fps=4.0, **values):
    """Signals of one shot: its first frame is not measured, the others waver by a tenth."""
    for i in range(math.ceil(start_s * fps), math.ceil(end_s * fps)):
        wave = 0.9 + 0.2 * seeded_fraction(media_id, i)
        row = dict.fromkeys(("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy"), 0.0)
        row |= {"inlier_share": 0.9, "residual_area": 0.05} | values
        row |= {k: row[k] * wave for k in ("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy")}
        row["residual"] = math.hypot(row["residual_dx"], row["residual_dy"] * 9 / 16)
        measured = {} if i / fps - 1 / fps < start_s else row
        world.add("signals", media_id, t_s=i / fps, contrast=40.0, phash=i, **measured)


def film(world, media_id, kinds, *, shot_s=5.0):
    """One shot and kept clip per kind, one after the other."""
    for k, values in enumerate(kinds):
        measure(world, media_id, k * shot_s, (k + 1) * shot_s, **values)
        world.clip(media_id, k * shot_s, (k + 1) * shot_s)
    world.medium(media_id, len(kinds) * shot_s)


def twin(world, media_id, clip, operation):
    """The rows that a composer writes about one twin."""
    length = clip["end_s"] - clip["start_s"]
    twin_id = f"{clip['clip_id']}-{operation}"
    reverse = operation == "reverse"
    world.medium(twin_id, length, origin="edited")
    world.add(
        "edits", twin_id, operation, step=0, operation=operation, source_media_id=media_id, source_clip_id=clip["clip_id"],
        start_s=clip["start_s"], end_s=clip["end_s"], time_scale=-1.0 if reverse else 1.0,
        time_offset_s=clip["end_s"] if reverse else -clip["start_s"],
        box_affine=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0] if reverse else [-1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
    )  # fmt: skip


def answers(rows, texts):
    names = {text: name for name, text in texts.items()}
    found = {}
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == []
        found[row["media_id"], row["clip_id"]] = names[sample.options[sample.answer.index].text]
    return found


@pytest.fixture
def camera_world(new_world):
    world = new_world()
    film(world, "m", list(CAMERA.values()))
    return world


@pytest.fixture
def object_world(new_world):
    world = new_world()
    film(world, "m", list(OBJECT.values()))
    return world


CAMERA_TASK = CameraMotion(CameraMotion.Params(per_medium=20, twins=2))
OBJECT_TASK = MotionDirection(MotionDirection.Params(per_medium=20, per_answer=2, twins=2))


def test_every_camera_motion_is_found_with_the_clip_as_its_window(camera_world):
    rows = camera_world.run(CAMERA_TASK, "m")
    found = answers(rows, camera_motion.TEXTS)
    assert {clip: label for (_, clip), label in found.items()} == {
        f"m:{5 * k}-{5 * k + 5}": label for k, label in enumerate(CAMERA)
    }
    for row in rows:
        assert row["clip_id"] == f"m:{row['window_start_s']:g}-{row['window_end_s']:g}"


def test_every_direction_is_found(object_world):
    found = answers(object_world.run(OBJECT_TASK, "m"), motion_direction.TEXTS)
    assert sorted(found.values()) == sorted(OBJECT)


def test_a_pan_over_a_still_scene_answers_that_nothing_moves(new_world):
    world = new_world()
    film(world, "m", [{"pan": 0.3, "residual_area": 0.0}])
    assert list(answers(world.run(OBJECT_TASK, "m"), motion_direction.TEXTS).values()) == ["still"]
    assert list(answers(world.run(CAMERA_TASK, "m"), camera_motion.TEXTS).values()) == ["pan_right"]


@pytest.mark.parametrize(
    "values",
    [
        {"pan": 0.2, "inlier_share": 0.3},
        {"pan": 0.2, "tilt": 0.25},
        {"pan": 0.015},
        {"residual_dx": 0.1, "residual_dy": 0.2},
    ],
)
def test_weak_or_mixed_motion_is_withheld(new_world, values):
    world = new_world()
    film(world, "m", [values])
    task = OBJECT_TASK if "residual_dx" in values else CAMERA_TASK
    assert world.run(task, "m") == []


def test_a_clip_with_a_cut_inside_is_withheld(new_world):
    world = new_world()
    measure(world, "m", 0.0, 2.5, **CAMERA["pan_left"])
    measure(world, "m", 2.5, 5.0, **CAMERA["pan_left"])
    world.medium("m", 5.0)
    world.clip("m", 0.0, 5.0)
    assert world.run(CAMERA_TASK, "m") == []


def test_a_dissolve_at_the_edge_is_tolerated_unless_the_camera_seems_to_rest(new_world):
    for kind, expected in (("pan_left", 1), ("static", 0)):
        world = new_world()
        measure(world, "m", 0.0, 5.0, **CAMERA[kind])
        world.medium("m", 5.0)
        world.clip("m", 0.0, 5.0)
        for row in list(world.tables["signals"].values()):
            if row["t_s"] >= 4.5:
                world.tables["signals"][row["row_id"]] = row | {"pan": None}
        assert len(world.run(CAMERA_TASK, "m")) == expected


@pytest.mark.parametrize("task_name", ["camera", "object"])
def test_every_lie_is_caught(camera_world, object_world, all_caught, task_name):
    world, task = (camera_world, CAMERA_TASK) if task_name == "camera" else (object_world, OBJECT_TASK)
    assert all_caught(world, task, world.run(task, "m")[:3]) > 60


def test_twins_flip_the_answer_and_share_the_pair(camera_world, object_world, all_caught):
    for world, task, texts in (
        (camera_world, CAMERA_TASK, camera_motion.TEXTS),
        (object_world, OBJECT_TASK, motion_direction.TEXTS),
    ):
        for clip in world.rows("m")["clips"]:
            twin(world, "m", clip, "mirror")
            twin(world, "m", clip, "reverse")
        rows = world.run(task, "m")
        found = answers(rows, texts)
        for opposites, mirrored in (
            (("left", "right"), True), (("pan_left", "pan_right"), True), (("roll_cw", "roll_ccw"), True),
            (("up", "down"), False), (("tilt_up", "tilt_down"), False), (("zoom_in", "zoom_out"), False),
        ):  # fmt: skip
            for one, other in (opposites, opposites[::-1]):
                for (media_id, clip_id), label in list(found.items()):
                    if media_id == "m" and label == one:
                        assert found[f"{clip_id}-reverse", clip_id] == other
                        assert found.get((f"{clip_id}-mirror", clip_id)) == (other if mirrored else None)
        pairs = Counter(row["pair_id"] for row in rows if row["pair_id"])
        assert pairs and set(pairs.values()) <= {2, 3}
        assert {row["origin"] for row in rows if row["media_id"] != "m"} == {"edited"}
        twins = [row for row in rows if row["media_id"] != "m"]
        assert all_caught(world, task, [r for r in rows if r["pair_id"]][:2] + twins[:3]) > 100


def test_one_twin_of_a_clip_is_asked_about_unless_more_are_wanted(camera_world):
    for clip in camera_world.rows("m")["clips"]:
        twin(camera_world, "m", clip, "mirror")
        twin(camera_world, "m", clip, "reverse")
    rows = camera_world.run(CameraMotion(CameraMotion.Params(per_medium=20)), "m")
    assert set(Counter(row["pair_id"] for row in rows if row["pair_id"]).values()) == {2}
    made = {row["media_id"].rpartition("-")[2] for row in rows if row["media_id"] != "m"}
    assert made == {"mirror", "reverse"}, "drawn by hash, not always the same kind"


def test_a_twin_with_the_source_answer_is_caught(object_world):
    twin(object_world, "m", object_world.rows("m")["clips"][0], "mirror")
    rows = object_world.run(OBJECT_TASK, "m")
    source = next(r for r in rows if r["pair_id"] and r["media_id"] == "m")
    other = next(r for r in rows if r["pair_id"] and r["media_id"] != "m")
    lie = Sample.from_row(other).model_copy(update={"answer": Sample.from_row(source).answer}).to_row()
    verdict = object_world.check(OBJECT_TASK, lie)
    assert verdict["problem"] == "answer wrong" and "left" in verdict["reason"]


def test_unflipped_twins_only_on_request(object_world):
    clips = {c["start_s"]: c for c in object_world.rows("m")["clips"]}
    twin(object_world, "m", clips[10.0], "mirror")  # something moves up
    assert len({r["media_id"] for r in object_world.run(OBJECT_TASK, "m")}) == 1
    task = MotionDirection(MotionDirection.Params(per_medium=20, unflipped_twins=True))
    rows = object_world.run(task, "m")
    assert len({r["media_id"] for r in rows}) == 2
    assert all(object_world.check(task, r)["passed"] for r in rows)


def test_a_piece_of_a_long_clip_has_its_twin_at_the_mapped_time(new_world):
    world = new_world()
    measure(world, "m", 0.0, 20.0, **CAMERA["zoom_in"])
    world.medium("m", 20.0)
    world.clip("m", 0.0, 20.0)
    twin(world, "m", world.rows("m")["clips"][0], "reverse")
    task = CameraMotion(CameraMotion.Params(per_clip=2))
    rows = world.run(task, "m")
    windows = {r["pair_id"]: {} for r in rows}
    for r in rows:
        windows[r["pair_id"]][r["media_id"] == "m"] = (r["window_start_s"], r["window_end_s"])
        assert world.check(task, r)["passed"]
    assert sorted(w[True] for w in windows.values()) == [(0.0, 10.0), (10.0, 20.0)]
    assert all(w[False] == (20 - w[True][1], 20 - w[True][0]) for w in windows.values())


def test_answers_are_spread_over_what_the_footage_offers(new_world):
    world = new_world()
    film(world, "m", [OBJECT["still"]] * 10 + [OBJECT["left"], OBJECT["up"]])
    task = MotionDirection(MotionDirection.Params(per_medium=3))
    assert sorted(answers(world.run(task, "m"), motion_direction.TEXTS).values()) == ["left", "still", "up"]


def test_dropped_clips_give_no_samples(camera_world):
    for clip in camera_world.rows("m")["clips"]:
        camera_world.add("selection", "m", clip_id=clip["clip_id"], recipe="r", kept=clip["start_s"] == 5.0)
    assert [r["clip_id"] for r in camera_world.run(CAMERA_TASK, "m")] == ["m:5-10"]
