"""The camera fit: exact on synthetic flow, and deaf to what moves by itself."""

from math import radians

import numpy as np
import pytest
from chronotope.annotators.vision.camera_fit import Rates, fit_similarity, name_motion, rates
from hypothesis import given, settings
from hypothesis import strategies as st

WIDTH, HEIGHT = 160, 90


def grid() -> np.ndarray:
    x, y = np.meshgrid(np.arange(2.5, WIDTH, 5), np.arange(2.5, HEIGHT, 5))
    return (x - WIDTH / 2 + 1j * (y - HEIGHT / 2)).ravel()


shifts = st.floats(-12, 12)
scales, angles = st.floats(0.93, 1.07), st.floats(-6, 6)


@settings(deadline=None, max_examples=60)
@given(
    dx=shifts,
    dy=shifts,
    scale=scales,
    angle=angles,
    object_dx=st.floats(-15, 15),
    object_dy=st.floats(-15, 15),
    corner=st.tuples(st.floats(0, 0.42), st.floats(0, 0.4)),
    share=st.floats(0.02, 0.35),
    seed=st.integers(0, 99),
)
def test_an_object_of_up_to_35_percent_does_not_become_camera_motion(
    dx, dy, scale, angle, object_dx, object_dy, corner, share, seed
):
    rng = np.random.default_rng(seed)
    before = grid()
    a, b = scale * np.exp(1j * radians(angle)), dx + 1j * dy
    side = share**0.5
    x, y = before.real / WIDTH + 0.5, before.imag / HEIGHT + 0.5
    moves = (x >= corner[0]) & (x < corner[0] + side) & (y >= corner[1]) & (y < corner[1] + side)
    own = np.where(moves, object_dx + 1j * object_dy, 0)
    noise = rng.normal(0, 0.1, len(before)) + 1j * rng.normal(0, 0.1, len(before))
    fit = fit_similarity(before, a * before + b + own + noise, tolerance_px=0.6)
    assert fit is not None
    wrong = np.abs(fit.predict(before) - (a * before + b))
    assert wrong.mean() < 0.35, "the fit follows the background"
    apart = abs(object_dx + 1j * object_dy) > 4 + 0.1 * (abs(b) + 10)
    if apart:
        assert not (fit.inliers & moves).any()
        assert wrong.mean() < 0.1
    assert fit.inlier_share >= 0.6


@given(pan=st.floats(-1, 1), tilt=st.floats(-1, 1), zoom=st.floats(-0.3, 0.3), roll=st.floats(-20, 20))
@settings(deadline=None, max_examples=40)
def test_rates_come_back_with_their_signs(pan: float, tilt: float, zoom: float, roll: float):
    seconds, before = 0.25, grid()
    a = np.exp(zoom * seconds + 1j * radians(roll * seconds))
    shift = -pan * WIDTH * seconds + 1j * tilt * HEIGHT * seconds
    fit = fit_similarity(before, a * before + shift * (1 + a) / 2, tolerance_px=0.6)
    assert fit is not None and fit.inlier_share == 1.0
    found = rates(fit, WIDTH, HEIGHT, seconds)
    assert found.pan == pytest.approx(pan, abs=1e-6) and found.tilt == pytest.approx(tilt, abs=1e-6)
    assert found.zoom == pytest.approx(zoom, abs=1e-6) and found.roll == pytest.approx(roll, abs=1e-5)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (Rates(0.001, -0.001, 0.002, 0.05), "static"),
        (Rates(0.1, 0, 0, 0), "pan_right"),
        (Rates(-0.1, 0.02, 0, 0), "pan_left"),
        (Rates(0, 0.1, 0, 0), "tilt_up"),
        (Rates(0, -0.1, 0, 0), "tilt_down"),
        (Rates(0, 0, 0.2, 0), "zoom_in"),
        (Rates(0, 0, -0.2, 0.5), "zoom_out"),
        (Rates(0, 0, 0, 8), "roll_ccw"),
        (Rates(0, 0, 0, -8), "roll_cw"),
        (Rates(0.1, 0.15, 0, 0), "mixed"),
    ],
)
def test_names_say_what_the_camera_does(found: Rates, name: str):
    assert name_motion(found, WIDTH / HEIGHT, static_below=0.01) == name


def test_flow_without_a_common_motion_has_few_inliers():
    before = grid()
    chaos = np.random.default_rng(3).normal(0, 8, (2, len(before)))
    fit = fit_similarity(before, before + chaos[0] + 1j * chaos[1], tolerance_px=0.6)
    assert fit is None or fit.inlier_share < 0.2


def test_too_little_to_fit_is_said():
    few = grid()[:7]
    assert fit_similarity(few, few + 3, 0.6) is None
    assert fit_similarity(np.zeros(50, complex), np.ones(50, complex), 0.6) is None
