"""Things that are let go in a room fall, roll and hit as mechanics says, and the truth says so to the millisecond."""

from __future__ import annotations

import math

import numpy as np
import pytest
from chronotope.annotators.rooms.draw import Draw
from chronotope.annotators.rooms.meshes import ball, box_thing
from chronotope.annotators.rooms.movers import Mover
from chronotope.annotators.rooms.physics import events_of, simulate
from chronotope.annotators.rooms.scene import Thing
from chronotope.schemas.geometry.box3d import Box3D

pytest.importorskip("mujoco")
FLOOR = np.array([[0.0, 0.0], [5.0, 0.0], [5.0, 4.0], [0.0, 4.0]])
RADIUS = 0.15


def let_go(x: float, z: float, speed: float) -> Mover:
    material = Draw("ball").material("red")
    place = Box3D.upright((x, 2.0, z), (2 * RADIUS,) * 3)
    thing = Thing("ball", "red", (ball((0, 0, 0), RADIUS, material),), place)
    return Mover(thing, "drop", np.array([[x, 2.0]]), velocity=(speed, 0.0, 0.0), windows=((5, 30),))


def test_a_ball_hangs_until_it_is_let_go_and_falls_for_as_long_as_gravity_says() -> None:
    (made,), hits = simulate(FLOOR, 2.6, [], [let_go(2.5, 1.5, 0.0)], 30, 10.0)
    assert made.centres is not None
    assert np.abs(made.centres[:5, 2] - 1.5).max() < 1e-9
    assert hits[0].other == "floor"
    assert hits[0].t_s == pytest.approx(0.5 + math.sqrt(2 * (1.5 - RADIUS) / 9.81), abs=0.005)
    assert made.centres[:, 2].min() > RADIUS - 0.05
    events = events_of([], [made], hits, 10.0)
    assert events[0].text == "the red ball hits the floor"
    assert events[0].start_s == pytest.approx(hits[0].t_s)


def test_a_ball_that_rolls_into_a_box_hits_it_where_its_face_is() -> None:
    crate = box_thing("box", Box3D.upright((3.0, 2.0, 0.25), (0.5, 0.5, 0.5)), Draw("b").material("blue"), "blue")
    twin = box_thing("box", Box3D.upright((3.0, 3.5, 0.25), (0.5, 0.5, 0.5)), Draw("b").material("blue"), "blue")
    (made,), hits = simulate(FLOOR, 2.6, [crate], [let_go(1.5, RADIUS, 2.0)], 30, 10.0)
    first = next(h for h in hits if h.other != "floor")
    assert first.other == "0"
    assert made.centres is not None
    reached = made.centres[:, 0].max()
    assert reached <= 2.75 - RADIUS + 0.03
    assert [e.text for e in events_of([crate], [made], [first], 10.0)] == ["the red ball hits the blue box"]
    assert events_of([crate, twin], [made], [first], 10.0) == ()
    axes = made.axes
    assert axes is not None
    assert np.abs(axes @ axes.transpose(0, 2, 1) - np.eye(3)).max() < 1e-9
