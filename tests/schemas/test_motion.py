"""Pooled motion: clear clips get their label, unclear ones a reason, and edits map motion as they map
places.
"""

from __future__ import annotations

import math

import pytest
from chronotope.schemas.motion import (
    CAMERA_LABELS,
    OBJECT_LABELS,
    SIGNAL_COLUMNS,
    CameraRule,
    Edit,
    Motion,
    ObjectRule,
    measured,
    pool_camera,
    pool_object,
)
from hypothesis import given
from hypothesis import strategies as st

ASPECT = 16 / 9
MIRROR = Edit(1.0, -2.0, (-1.0, 0.0, 1.0, 0.0, 1.0, 0.0))
REVERSE = Edit(-1.0, 6.0, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
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
FLIPPED = {
    "mirror": {
        "pan_left": "pan_right", "pan_right": "pan_left", "roll_cw": "roll_ccw", "roll_ccw": "roll_cw",
        "left": "right", "right": "left",
    },
    "reverse": {
        "pan_left": "pan_right", "pan_right": "pan_left", "roll_cw": "roll_ccw", "roll_ccw": "roll_cw",
        "tilt_up": "tilt_down", "tilt_down": "tilt_up", "zoom_in": "zoom_out", "zoom_out": "zoom_in",
        "left": "right", "right": "left", "up": "down", "down": "up",
    },
}  # fmt: skip


def motion(t_s=2.5, **values):
    base = dict.fromkeys(("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy"), 0.0)
    row = (
        base
        | {"inlier_share": 0.9, "contrast": 40.0, "residual_area": 0.05, "residual": 0.0, "x": 0.5, "y": 0.5}
        | values
    )
    if not row["residual"]:
        row["residual"] = math.hypot(row["residual_dx"], row["residual_dy"] / ASPECT)
    return Motion(t_s=t_s, **row)


def clip(**values):
    return [motion(2.0 + 0.25 * (i + 1), **values) for i in range(16)]


def camera(motions, **rule):
    return pool_camera(motions, ASPECT, CameraRule(**rule))


def moving(motions, **rule):
    return pool_object(motions, ASPECT, ObjectRule(**rule))


@pytest.mark.parametrize("label", CAMERA_LABELS)
def test_each_camera_motion_is_named(label):
    pooled = camera(clip(**CAMERA[label]))
    assert pooled.label == label and pooled.margin > 0.5
    assert pooled.scores[label] == pytest.approx(1.0) and set(pooled.scores) == set(CAMERA_LABELS)


@pytest.mark.parametrize("label", OBJECT_LABELS)
def test_each_direction_is_named_whatever_the_camera_does(label):
    for turning in ({}, {"pan": 0.3}, {"tilt": -0.2, "zoom": 0.1}):
        pooled = moving(clip(**OBJECT[label], **turning))
        assert pooled.label == label and set(pooled.scores) == set(OBJECT_LABELS)


def test_a_pan_over_a_still_scene_is_not_motion_of_its_own():
    assert moving(clip(pan=0.3, residual_area=0.0)).label == "still"


@pytest.mark.parametrize(
    ("motions", "reason"),
    [
        (clip(pan=0.2, inlier_share=0.3), "inlier share"),
        (clip(pan=0.2, contrast=2.0), "flat"),
        (clip(pan=0.2)[:2], "2 measured frames"),
        (clip(pan=0.012), "too little"),
        (clip()[:8] + clip(inlier_share=0.2)[8:9] + clip()[9:], "jumped"),
        (clip(pan=0.2, tilt=0.2), "two ways"),
        (clip(pan=0.2)[:8] + clip(pan=-0.1)[8:], "one way"),
        (clip(pan=0.05)[:4], "travels"),
    ],
)
def test_unclear_camera_motion_is_withheld(motions, reason):
    pooled = camera(motions)
    assert pooled.label is None and reason in pooled.reason and pooled.margin == 0


@pytest.mark.parametrize(
    ("motions", "reason"),
    [
        (clip(residual_dx=0.2, inlier_share=0.3), "inlier share"),
        (clip(residual_dx=0.2, residual_area=None), "uncertain"),
        (clip(residual_dx=0.2)[:8] + clip(residual_area=0.0)[8:], "only in 50%"),
        (clip(residual_area=0.0, inlier_share=0.6), "to be sure"),
        (clip(residual_dx=0.2, residual_area=0.7), "background"),
        (clip(residual_dx=0.02), "too slowly"),
        (clip(residual_dx=0.2)[:10] + clip(residual_dx=-0.15)[10:], "one way"),
        (clip(residual_dx=0.2, residual_dy=0.3), "diagonally"),
        (clip(residual_dx=0.1, residual=0.4), "different ways"),
        (clip(pan=0.2, residual_dx=0.2), "lettering"),
        (clip(zoom=-0.3, residual_dx=0.12, x=0.9), "lettering"),
    ],
)
def test_unclear_object_motion_is_withheld(motions, reason):
    pooled = moving(motions)
    assert pooled.label is None and reason in pooled.reason


@pytest.mark.parametrize(("name", "edit"), [("mirror", MIRROR), ("reverse", REVERSE)])
def test_edits_flip_exactly_what_they_should(name, edit):
    for label in CAMERA_LABELS:
        turned = sorted((edit.motion(m) for m in clip(**CAMERA[label])), key=lambda m: m.t_s)
        assert camera(turned).label == FLIPPED[name].get(label, label)
    for label in OBJECT_LABELS:
        turned = sorted((edit.motion(m) for m in clip(**OBJECT[label])), key=lambda m: m.t_s)
        assert moving(turned).label == FLIPPED[name].get(label, label)


rates = st.floats(-1, 1)


@given(rates, rates, rates, rates, rates, rates, st.sampled_from([-2.0, -1.0, 0.5, 1.0]), st.sampled_from([1.0, -1.0]))
def test_edited_motion_is_the_motion_of_edited_points(pan, tilt, zoom, roll, dx, dy, scale, side):
    """A scene point moved by camera and residual, mapped by the edit before and after, moves as the edited
    row says.
    """
    edit = Edit(scale, 3.0, (side, 0.0, (1 - side) / 2, 0.0, 1.0, 0.0))
    before = motion(1.0, pan=pan, tilt=tilt, zoom=zoom, roll=roll, residual_dx=dx, residual_dy=dy)
    after = edit.motion(before)
    a, b, c, d, e, f = edit.box_affine

    def velocity(m, x, y):
        turn = math.radians(m.roll)  # of a square picture
        return (
            -m.pan + m.zoom * (x - 0.5) - turn * (y - 0.5) + m.residual_dx,
            m.tilt + m.zoom * (y - 0.5) + turn * (x - 0.5) + m.residual_dy,
        )

    for x, y in ((0.2, 0.7), (0.9, 0.1), (0.5, 0.5)):
        vx, vy = velocity(before, x, y)
        mapped = (a * x + b * y + c, d * x + e * y + f)
        assert (after.x, after.y) == pytest.approx((a * before.x + b * before.y + c, before.y))
        assert velocity(after, *mapped) == pytest.approx(
            ((a * vx + b * vy) / scale, (d * vx + e * vy) / scale), abs=1e-9
        )
    assert edit.source_time(edit.time(1.7)) == pytest.approx(1.7)


def test_rows_that_were_not_measured_have_no_motion():
    row = dict.fromkeys(SIGNAL_COLUMNS)
    assert Motion.from_row(row | {"t_s": 0.0, "contrast": 3.0}) is None
    seen = Motion.from_row(
        row | {"t_s": 0.0, "contrast": 3.0, "inlier_share": 0.9} | dict.fromkeys(("pan", "tilt", "zoom", "roll"), 0.1)
    )
    assert seen is not None and seen.residual_area is None and seen.residual_dx == 0.0


def test_a_thing_that_the_camera_follows_is_not_lettering_when_it_drifts_over_the_screen():
    assert moving(clip(pan=0.2, residual_dx=0.26)).label == "right"


def test_a_caption_during_part_of_a_pan_does_not_count():
    plain, titled = clip(pan=0.2, residual_area=0.0), clip(pan=0.2, residual_dx=0.2)
    assert moving(plain[:8] + titled[8:]).label == "still"
    assert moving(titled[:8] + clip(pan=0.2, residual_dx=-0.3)[8:]).label == "left"


def test_unmeasured_frames_are_left_out_at_the_ends_only():
    empty = dict.fromkeys(SIGNAL_COLUMNS) | {"t_s": 0.0}
    full = dict.fromkeys(SIGNAL_COLUMNS, 0.5)
    assert len(measured([empty, empty, full, full, full, empty])) == 3
    assert measured([full, full, empty, full, full]) is None
    assert measured([empty] * 3 + [full] * 5) is None and measured([empty]) is None and measured([]) is None


def test_a_collapsing_edit_is_refused():
    with pytest.raises(ValueError, match="collapses"):
        Edit.from_row(
            {"operation": "freeze", "time_scale": 0.0, "time_offset_s": 0.0, "box_affine": [1, 0, 0, 0, 1, 0]}
        )
