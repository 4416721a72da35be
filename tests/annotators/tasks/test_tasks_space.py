"""Tasks about space on the canonical scene: samples that can be made again, scale that gates, and answers that survive telling
the same scene otherwise.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from chronotope.annotators.tasks.camera_questions import CameraQuestions
from chronotope.annotators.tasks.room_questions import RoomQuestions
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import problems, replay, same_answer
from chronotope.schemas.chain_doubt import doubt
from chronotope.schemas.geometry.poses import camera_to_world
from chronotope.schemas.sample import ChoiceAnswer, NumberAnswer, Sample
from s0 import moved, poses_as, renamed, up_to_scale
from space_worlds import SHARP, around, fill

TASKS = {RoomQuestions: {"room": {"order_gap_s": 0.9}, "tries": 60}, CameraQuestions: {"pictures": 6}}
METRES = {
    "object_size", "room_size", "obj_abs_dist", "cam_obj_abs_dist", "cam_obj_dist_change", "cam_displacement", "cam_path_length",
}  # fmt: skip
UPRIGHT = {"room_size", "obj_rel_dir", "route_plan", "cam_obj_direction", "obj_obj_above"}


def made(new_world, kind, rows, **params):
    """A world with these rows, the task, its samples, and the kind and checks of each."""
    world = fill(new_world(), rows)
    given = {"seen": SHARP, "clearly": SHARP, "per_kind": 3, **TASKS[kind], **params}
    task = kind(kind.Params.model_validate(given))
    found = world.run(task, "s0")
    samples = [Sample.from_row(r) for r in found if "turns" in r]
    return world, task, samples, [r for r in found if "tier" in r], [r for r in found if "reason" in r]


def said(samples: list[Sample]) -> list[tuple]:
    """What is asked and answered, without evidence."""
    return sorted(
        (s.turns[0].text, s.turns[1].text, [o.text for o in s.options], s.answer.model_dump_json()) for s in samples
    )


@pytest.mark.parametrize("kind", TASKS)
def test_samples_follow_from_what_they_cite_and_their_chains_replay(new_world, all_caught, kind) -> None:
    world, task, samples, checks, withheld = made(new_world, kind, around(), formats=["number", "choice"])
    kinds = {c["kind"] for c in checks}
    assert len(kinds) >= 7 and len(samples) == len(checks) == sum(w["candidates"] for w in withheld if not w["reason"])
    assert {c["tier"] for c in checks} == {"exact"} and all(c["agree"] in (None, True) for c in checks)
    assert {type(s.answer) for s in samples} == {NumberAnswer, ChoiceAnswer}
    for sample in samples:
        assert not sample.problems()
        assert world.check(task, sample.to_row())["passed"], world.check(task, sample.to_row())["reason"]
        evidence = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        steps = task.trace(sample, evidence)
        if not steps:
            continue
        rows = {e.row["row_id"]: e.row for e in evidence}
        run = replay(steps, rows)
        assert not problems(steps) and same_answer(run.answer, sample.answer), (sample.wording, run)
        doubted = doubt(steps, rows, run)
        assert doubted.closed and not [v for v in doubted.idle if v[0] != "cameras"], sample.wording
    one_each = {c["kind"]: s for c, s in zip(checks, samples, strict=True)}
    few = [
        s.to_row() for name, s in sorted(one_each.items()) if name in ("obj_rel_dir", "obj_obj_lr", "cam_rotation_deg")
    ]
    assert few and all_caught(world, task, few)


@pytest.mark.parametrize("kind", TASKS)
def test_the_same_scene_told_otherwise_gets_the_same_questions_and_answers(new_world, kind) -> None:
    rows = around()
    truth = said(made(new_world, kind, rows)[2])
    turned = moved(rows, yaw_deg=33.0, shift=(2.0, -1.0, 0.5))
    again, _ = renamed(rows)
    recoded = around()
    for row, pose in zip(recoded["cameras"], poses_as(rows, kind="w2c", axes="opengl"), strict=True):
        row["pose"] = camera_to_world(pose, "w2c", "opengl").ravel().tolist()
    for other in (turned, again, recoded):
        assert said(made(new_world, kind, other)[2]) == truth


@pytest.mark.parametrize("kind", TASKS)
def test_scale_and_gravity_decide_what_may_be_asked(new_world, kind) -> None:
    def kinds(rows, **params) -> set[str]:
        return {c["kind"] for c in made(new_world, kind, rows, **params)[3]}

    every = kinds(around())
    unit = up_to_scale(around())
    _, _, samples, checks, withheld = made(new_world, kind, unit)
    compared = {c["kind"] for c in checks}
    assert compared and not compared & METRES and all(c["scale_status"] == "unit" for c in checks)
    assert Counter(w["reason"] for w in withheld)["unit scale"] == len([k for k in METRES if k in every])
    assert all(not isinstance(s.answer, NumberAnswer) or s.answer.unit in ("instances", "deg") for s in samples)
    assert not kinds(around(scale_status="predicted", scale_sigma=0.06)) & METRES
    sure = around(scale_status="predicted", scale_sigma=0.01)
    _, _, near, told, _ = made(new_world, kind, sure)
    approximate = [s.difficulty["approximate"] for s, c in zip(near, told, strict=True) if c["kind"] in METRES]
    assert approximate and set(approximate) == {1.0}
    leaning = kinds(around(up_error_deg=8.0))
    assert leaning and not leaning & UPRIGHT and leaning | UPRIGHT >= every
    if kind is RoomQuestions:
        assert "object_count" in every and "object_count" not in kinds(around(all_labelled=False))


def test_margins_shrink_with_the_scene_where_there_are_no_metres(new_world) -> None:
    def answers(rows) -> dict[str, str]:
        samples = made(new_world, CameraQuestions, rows, per_kind=40, imbalance=99)[2]
        return {s.turns[0].text: s.options[s.answer.index].text for s in samples if isinstance(s.answer, ChoiceAnswer)}

    truth, unit = answers(around()), answers(up_to_scale(around()))
    shared = truth.keys() & unit.keys()
    assert len(shared) > 40 and all(truth[q] == unit[q] for q in shared)


def test_a_second_source_that_disagrees_withholds_the_answer(new_world) -> None:
    rows = around()
    for row in rows["points"]:
        if row["object_id"] == "sofa":
            row["xyz"] = (np.asarray(row["xyz"]) + 1.0).tolist()
    _, _, samples, _, withheld = made(new_world, RoomQuestions, rows, kinds=["obj_abs_dist"], per_kind=20)
    assert samples and not any("sofa" in s.turns[0].text for s in samples)
    assert {w["reason"] for w in withheld} >= {"the second representation answers otherwise"}


def test_pictures_are_counted_among_those_that_are_shown(new_world) -> None:
    rows = around()
    for row in rows["cameras"][3:5]:
        row["pose"] = None
    _, _, samples, _, _ = made(new_world, CameraQuestions, rows, kinds=["cam_obj_abs_dist"], per_kind=30, pictures=6)
    ordinals = ("first", "second", "third", "fourth", "fifth", "sixth")
    assert samples
    for sample in samples:
        shown = sample.media[0].frame_times
        asked = next(e.values["t_s"] for e in sample.evidence if e.table == "cameras")
        assert f"the {ordinals[shown.index(asked)]} picture" in sample.turns[0].text
        assert not {r["t_s"] for r in rows["cameras"][3:5]} & set(shown)
