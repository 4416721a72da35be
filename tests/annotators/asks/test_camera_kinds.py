"""Questions about pictures of the canonical scene and their cameras: exact answers, and poses read from the wrong side."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.annotators.asks.ask import About
from chronotope.annotators.asks.camera_moves import Displacement, MoveDirection, PathLength, Rotation
from chronotope.annotators.asks.camera_pairs import AboveBelow, LeftRight, NearFar, Occlusion, UpDown
from chronotope.annotators.asks.camera_rule import PictureRule
from chronotope.annotators.asks.camera_things import CameraDirection, CameraDistance, CameraNearest
from chronotope.annotators.asks.view import CLEARLY, SEEN, View
from chronotope.annotators.tasks.common import Withheld
from chronotope.schemas.span import Span
from s0 import F0, Stand, s0_rows, space_from
from space_worlds import around, view_of_rows

RULE = PictureRule()
FIRST, SECOND, THIRD, FOURTH = 0.0, 1.0, 2.0, 3.0


def view(rows=None, **rule) -> View:
    return View(space_from(rows or s0_rows()), Span(0, 4), (FIRST, SECOND, THIRD, FOURTH), SEEN, SEEN)


def answer(kind, objects=(), times=(FIRST,), variant: int = 0, seen: View | None = None) -> str:
    return kind.solve(seen or view(), About(tuple(objects), tuple(times), variant)).key


def test_distances_from_the_camera_and_a_pose_read_from_the_wrong_side() -> None:
    assert answer(CameraDistance(RULE), ["table"]) == "1.6"
    wrong = s0_rows()
    for row in wrong["cameras"]:
        pose = np.asarray(row["pose"]).reshape(4, 4).copy()
        pose[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
        row["pose"] = pose.ravel().tolist()
    assert answer(CameraDistance(RULE), ["table"], seen=view(wrong)) == "2.9"
    with pytest.raises(Withheld):  # the two places are one; the wrong side says 1.6 m
        answer(Displacement(RULE), times=(FIRST, FOURTH))
    assert answer(Displacement(RULE), times=(FIRST, FOURTH), seen=view(wrong)) == "1.6"
    assert answer(Displacement(RULE), times=(FIRST, SECOND)) == "1.2"


def test_what_is_out_of_view_or_a_speck_is_not_asked_about() -> None:
    for thing in ("chair1", "bin", "clock"):
        with pytest.raises(Withheld):
            answer(CameraDistance(RULE), [thing])
    assert answer(CameraNearest(RULE), ["table", "sofa", "tv"], variant=1) == "sofa"


def test_sides_levels_and_depths_are_full_extents() -> None:
    assert answer(LeftRight(RULE), ["sofa", "table"]) == "left"
    assert answer(LeftRight(RULE), ["table", "sofa"]) == "right"
    assert answer(NearFar(RULE), ["table", "tv"]) == "nearer"
    assert answer(UpDown(RULE), ["tv", "table"]) == "higher"
    assert answer(AboveBelow(RULE), ["tv", "table"]) == "above"
    with pytest.raises(Withheld, match="one side"):
        answer(UpDown(RULE), ["sofa", "table"])
    assert view().picture(THIRD) == "the third picture"


def test_a_rolled_camera_changes_up_in_the_picture_and_not_in_the_room() -> None:
    rows = s0_rows()
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], float)  # a quarter about the line of sight
    for row in rows["cameras"]:
        pose = np.asarray(row["pose"]).reshape(4, 4).copy()
        pose[:3, :3] = pose[:3, :3] @ turn
        row["pose"] = pose.ravel().tolist()
    rolled = view(rows)
    assert answer(AboveBelow(RULE), ["tv", "table"], seen=rolled) == "above"
    assert answer(UpDown(RULE), ["sofa", "table"], seen=rolled) != ""  # sideways became upright


def test_movements_are_named_only_when_one_axis_leads_and_the_steps_agree() -> None:
    assert answer(MoveDirection(RULE), times=(FIRST, SECOND)) == "forward"
    assert answer(MoveDirection(RULE), times=(SECOND, THIRD)) == "right"
    with pytest.raises(Withheld, match="no axis"):
        answer(MoveDirection(RULE), times=(FIRST, THIRD))
    back_and_forth = tuple(
        Stand(t / 4, (1.0, 0.5 + y, 1.5), F0.facing) for t, y in enumerate((0, 1.4, 0.2, 1.5, 0.3, 1.6))
    )
    wavering = View(space_from(s0_rows(stands=back_and_forth)), Span(0, 2), (0.0, 1.25), SEEN, CLEARLY)
    with pytest.raises(Withheld, match="consistent"):
        answer(MoveDirection(RULE), times=(0.0, 1.25), seen=wavering)
    assert answer(Displacement(RULE), times=(0.0, 1.25), seen=wavering) == "1.6"
    assert float(answer(PathLength(RULE), times=(0.0, 1.25), seen=wavering)) > 6
    assert answer(Rotation(RULE), times=(FIRST, FOURTH)) == "to the right"


def test_what_no_picture_shows_is_placed_around_the_camera() -> None:
    ring = view_of_rows(around(), 0.0, 3.0, 6.0, 9.0)
    kind = CameraDirection(RULE)
    checked = 0
    for about in kind.candidates(ring):
        try:
            side = kind.solve(ring, about).key
        except Withheld:
            continue
        camera, thing = ring.camera(about.times[0]), ring.space.by_id[about.objects[0]]
        right, _, ahead = camera.to_camera(thing.box.centre)
        sides = {"right": right, "left": -right, "ahead": ahead, "behind": -ahead}
        assert side == max(sides, key=lambda name: sides[name])
        checked += 1
    assert checked


def test_what_hides_a_thing_is_in_front_of_it() -> None:
    ring = view_of_rows(around(), *(float(k) for k in range(12)))
    kind = Occlusion(PictureRule(hidden=0.95, whole=0.5))
    found = []
    for about in kind.candidates(ring):
        try:
            found.append((kind.solve(ring, about).key, about))
        except Withheld:
            continue
    assert found
    for key, about in found:
        camera = ring.camera(about.times[0])
        depth = {ring.space.by_id[i].label: camera.to_camera(ring.space.by_id[i].box.centre)[2] for i in about.objects}
        assert key == min(depth, key=lambda name: depth[name])
