"""First hits of rendered rooms against arithmetic: depth, owners, shares and pictures of boxes whose faces are known."""

from __future__ import annotations

import numpy as np
import pytest
import s0
from chronotope.annotators.rooms.caster import Caster
from chronotope.annotators.rooms.draw import Draw
from chronotope.annotators.rooms.film import render_view
from chronotope.annotators.rooms.meshes import box_thing
from chronotope.annotators.rooms.scene import RoomScene, Thing, camera_towards
from chronotope.annotators.rooms.shell import shell_of
from chronotope.annotators.rooms.sightings import seen_in, shrunk
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.camera import Camera
from chronotope.schemas.masks import box_of

FLOOR = np.array([[0.0, 0.0], [5.0, 0.0], [5.0, 4.0], [0.0, 4.0]])


def scene_of(things: list[Thing], *cameras: Camera) -> RoomScene:
    draw = Draw("test")
    return RoomScene(FLOOR, 2.6, tuple(things), cameras, 1.0, shell_of(FLOOR, 2.6, draw), (2.5, 2.0, 2.4))


def crate(label: str, centre: tuple[float, float, float], size: tuple[float, float, float], yaw: float = 0.0) -> Thing:
    return box_thing(label, Box3D.upright(centre, size, yaw), Draw(label).material("red"))


def level(x: float, y: float, yaw_deg: float, width: int = 160, height: int = 120, fov: float = 90.0) -> Camera:
    return camera_towards(0.0, np.array([x, y, 1.0]), np.radians(yaw_deg), 0.0, width, height, fov)


def test_the_canonical_scene_is_seen_as_it_is_by_arithmetic() -> None:
    """S0 from F0: who is seen, and how far, pixel by pixel; table, sofa, lamp and tv fill a percent each, the clock a speck."""
    draw = Draw("s0")
    things = [box_thing(t.label, s0.box_of_thing(t), draw.material("blue")) for t in s0.THINGS]
    camera = Camera(0.0, 320, 240, 120.0, 120.0, 160.0, 120.0, tuple(s0.pose_of(s0.F0).ravel().tolist()))
    scene = scene_of(things, camera)
    view = Caster(scene).view(0)
    known, depth = s0.first_hits(camera, [t.box for t in things])
    assert (view.owners == known).mean() > 0.9995  # rays through an edge may go either way
    hit = (view.owners == known) & (known >= 0)
    assert np.abs(view.depth[hit] - depth[hit]).max() < 1e-6
    shares = {things[k].label: float((view.owners == k).mean()) for k in range(len(things))}
    assert {k for k, v in shares.items() if v >= 0.01} == {"table", "sofa", "lamp", "tv"}
    assert 0 < shares["clock"] < 0.01
    assert shares["bin"] == 0
    caster = Caster(scene)
    shown = {scene.things[s.thing].label: s for s in seen_in(caster, 0, view)}
    told = {s.object_id: s for s in s0.s0().seen_at(0.0)}
    assert set(shown) == set(told)
    for name, seen in shown.items():
        assert seen.visibility == pytest.approx(told[name].visibility, abs=0.05), name
        assert seen.depth_m == pytest.approx(told[name].depth_m, abs=0.05), name
        assert seen.truncated == told[name].truncated, name


def test_what_stands_behind_is_not_seen_and_what_half_does_is_seen_by_half() -> None:
    wall = crate("board", (3.0, 2.0, 1.0), (0.05, 2.0, 2.0))
    hidden, half = crate("box", (4.0, 2.0, 1.0), (0.4, 0.4, 0.4)), crate("stool", (2.99, 3.0, 1.0), (0.001, 0.4, 0.4))
    behind = crate("chair", (0.4, 2.0, 1.0), (0.3, 0.3, 0.3))
    scene = scene_of([wall, hidden, half, behind], level(1.0, 2.0, 0.0))
    caster = Caster(scene)
    seen = {scene.things[s.thing].label: s for s in seen_in(caster, 0, caster.view(0))}
    assert set(seen) == {"board", "stool"}
    assert seen["board"].visibility > 0.85
    alone = scene_of([half, crate("board", (2.0, 4.0, 1.0), (0.01, 2.0, 2.0))], level(1.0, 3.0, 0.0))
    caster = Caster(alone)
    stool = next(s for s in seen_in(caster, 0, caster.view(0)) if s.thing == 0)
    assert abs(stool.visibility - 0.5) < 0.05


def test_sides_of_the_picture_that_cut_a_thing_off_are_counted_and_the_rest_is_its_share() -> None:
    """A board 2 m wide, 1 m away, and a view of 90 degrees that sees exactly its right half and all of its height."""
    board = crate("board", (2.0, 3.0, 1.0), (0.002, 2.0, 1.0))
    scene = scene_of([board], level(1.0, 2.0, 0.0, 200, 150))
    caster = Caster(scene)
    (seen,) = seen_in(caster, 0, caster.view(0))
    assert seen.truncated == 1
    assert seen.box[0] == 0.0
    assert abs(seen.visibility - 0.5) < 0.03
    assert abs(seen.depth_m - 0.999) < 1e-6


def test_masks_and_boxes_are_of_the_same_pixels_at_any_size() -> None:
    scene = scene_of([crate("box", (3.0, 2.2, 0.8), (0.5, 0.5, 0.7), 0.6)], level(1.0, 2.0, 0.0))
    caster = Caster(scene)
    (seen,) = seen_in(caster, 0, caster.view(0))
    assert seen.box == box_of(seen.pixels)
    small = shrunk(seen.pixels, 40)
    assert small.shape == (30, 40)
    assert np.abs(np.subtract(box_of(small), seen.box)).max() <= 1 / 30
    corners, depth = scene.cameras[0].project(scene.things[0].box.corners)
    assert (depth > 0).all()
    x, y = corners[:, 0] / 160, corners[:, 1] / 120
    assert np.abs(np.subtract((x.min(), y.min(), x.max(), y.max()), seen.box)).max() < 1 / 100


def test_a_camera_that_turns_left_moves_the_picture_to_the_right() -> None:
    """What optical flow will say of the picture has the sign that the poses say."""
    import cv2

    scene = scene_of([crate("box", (4.0, 2.0, 0.5), (0.5, 0.5, 1.0))], level(1.0, 2.0, 0.0), level(1.0, 2.0, 3.0))
    first, second = (cv2.cvtColor(render_view(scene, c)[0], cv2.COLOR_RGB2GRAY) for c in scene.cameras)
    flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    expected = 80 * np.tan(np.radians(3.0))
    assert np.median(flow[30:90, 40:120, 0]) > 0.6 * expected
    picture, view = render_view(scene, scene.cameras[0])
    red = picture[view.owners == 0].astype(int)
    assert (red[:, 0] - red[:, 2]).mean() > 60
