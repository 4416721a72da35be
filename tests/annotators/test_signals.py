"""Signals: a picture's numbers, and camera and object motion told apart."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from chronotope.annotators.vision.picture_numbers import dark_bars, dct_hash, is_black
from chronotope.annotators.vision.signals import Signals, SignalsParams

SIGNS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def rgb(luma: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(luma, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def with_object(ground: np.ndarray, x: float, y: float, thing: np.ndarray) -> np.ndarray:
    height, width = ground.shape
    place = np.float32([[1, 0, x], [0, 1, y]])
    mask = cv2.warpAffine(np.ones_like(thing), place, (width, height))
    return ground * (1 - mask) + cv2.warpAffine(thing, place, (width, height)) * mask


@pytest.fixture
def signals(watch, write_video):
    """Rows of a world of luma pictures at 12 frames per second."""
    return lambda pictures, **params: watch(
        Signals(SignalsParams(**params)), write_video([rgb(p) for p in pictures], fps=12)
    )


def test_rows_come_at_the_asked_rate_and_the_first_has_no_motion(signals, textured):
    rows = signals([textured(180, 320, 1)] * 24)
    assert [row["t_s"] for row in rows] == pytest.approx([0.25 * k for k in range(8)])
    assert "camera" not in rows[0]
    assert {row["camera"] for row in rows[1:]} == {"static"}
    assert all(row["residual_area"] == 0 and row["inlier_share"] == 1.0 for row in rows[1:])


def test_light_sharpness_and_bars(signals, textured):
    sharp = textured(180, 320, 1)
    boxed = sharp.copy()
    boxed[:30] = boxed[-30:] = 0
    world = [sharp, cv2.GaussianBlur(sharp, (0, 0), 3), sharp * 0.3, boxed, sharp * 0]
    rows = signals([p for p in world for _ in range(3)])
    plain, blurred, dim, barred, black = rows
    assert blurred["sharpness"] < 0.2 * plain["sharpness"]
    assert dim["luma"] < 0.4 * plain["luma"] and dim["contrast"] < 0.4 * plain["contrast"]
    assert barred["letterbox"] == pytest.approx(60 / 180, abs=0.02) and plain["letterbox"] == 0
    assert black["black"] and black["letterbox"] is None
    assert not any(row["black"] for row in rows[:4])


def test_a_title_on_black_is_not_black():
    title = np.zeros((180, 320), np.uint8)
    title[85:95, 120:200] = 200
    assert is_black(np.zeros((180, 320), np.uint8)) and not is_black(title)
    assert dark_bars(np.zeros((180, 320), np.uint8)) == 1.0


def test_the_hash_bears_resizing_and_brightness_but_not_another_picture(textured):
    def differing(a: int, b: int) -> int:
        return ((a ^ b) & (2**64 - 1)).bit_count()

    def hashed(luma: np.ndarray) -> int:
        return dct_hash(cv2.resize(luma, (32, 32), interpolation=cv2.INTER_AREA))

    a, b = textured(180, 320, 1, 12.0), textured(180, 320, 2, 12.0)
    assert -(2**63) <= hashed(a) < 2**63
    assert differing(hashed(a), hashed(cv2.resize(a, (200, 100)) * 0.8 + 10)) <= 4
    assert differing(hashed(a), hashed(b)) > 15


@pytest.mark.parametrize(
    ("camera", "step"),
    [
        ("pan_right", (2.0, 0.0)),
        ("pan_left", (-2.0, 0.0)),
        ("tilt_down", (0.0, 2.0)),
        ("tilt_up", (0.0, -2.0)),
        ("pan_right", (12.0, 0.0)),
    ],
)
def test_a_turning_camera_over_still_things_has_no_residual_motion(camera, step, signals, textured):
    world = textured(700, 1400, 4, 3.0)
    x, y = 500.0, 250.0
    pictures = [world[round(y + step[1] * i) :, round(x + step[0] * i) :][:180, :320] for i in range(24)]
    rows = signals(pictures)[1:]
    assert {row["camera"] for row in rows} == {camera}
    assert all(row["residual_area"] == 0 for row in rows)
    assert np.median([row["pan"] for row in rows]) == pytest.approx(step[0] * 12 / 320, abs=0.01)
    assert np.median([row["tilt"] for row in rows]) == pytest.approx(-step[1] * 12 / 180, abs=0.01)


@pytest.mark.parametrize(("camera", "growth"), [("zoom_in", 1.01), ("zoom_out", 1 / 1.01)])
def test_zoom_is_growth_of_the_content(camera, growth, signals, textured):
    world = textured(540, 960, 5, 5.0)

    def view(i: int) -> np.ndarray:
        scale = 0.8 * growth**i
        back = np.float64([[1 / scale, 0, 480 - 160 / scale], [0, 1 / scale, 270 - 90 / scale]])
        return cv2.warpAffine(world, back, (320, 180), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    rows = signals([view(i) for i in range(24)])[1:]
    assert {row["camera"] for row in rows} == {camera}
    assert np.median([row["zoom"] for row in rows]) == pytest.approx(np.log(growth) * 12, rel=0.1)


@pytest.mark.parametrize("way", SIGNS)
def test_an_object_before_a_still_camera_is_residual_motion_with_place_and_direction(way, signals, textured):
    ground, thing = textured(180, 320, 6, 4.0), textured(60, 60, 7, 3.0)
    sx, sy = SIGNS[way]
    pictures = [with_object(ground, 130 + 2 * sx * (i - 12), 60 + 2 * sy * (i - 12), thing) for i in range(24)]
    rows = signals(pictures)[1:]
    assert {row["camera"] for row in rows} == {"static"}
    for k, row in enumerate(rows, start=1):
        at = 3 * k - 12
        assert row["residual_dx"] == pytest.approx(sx * 24 / 320, abs=0.02)
        assert row["residual_dy"] == pytest.approx(sy * 24 / 180, abs=0.03)
        left, top = (130 + 2 * sx * at) / 320, (60 + 2 * sy * at) / 180
        found = [row[f"residual_{side}"] for side in ("x1", "y1", "x2", "y2")]
        assert found == pytest.approx([left, top, left + 60 / 320, top + 60 / 180], abs=0.09)


def test_a_followed_object_moves_against_the_camera(signals, textured):
    world, thing = textured(180, 900, 8, 3.0), textured(60, 60, 9, 3.0)
    pictures = [with_object(world[:, 200 + 3 * i :][:, :320].copy(), 130, 60, thing) for i in range(24)]
    rows = signals(pictures)[1:]
    assert {row["camera"] for row in rows} == {"pan_right"}
    assert all(row["residual_dx"] > 0.08 for row in rows), "it moves right over the ground"


def test_motion_across_a_cut_or_a_flash_is_null(signals, textured):
    a, b = textured(180, 320, 1), textured(180, 320, 2)
    rows = signals([a] * 6 + [b] * 6 + [b * 0 + 250] * 3 + [b] * 6)
    assert ["camera" in row for row in rows] == [False, True, False, True, False, False, True]


def test_a_flat_picture_is_unknown_not_static(signals):
    rows = signals([np.full((180, 320), 120.0)] * 12)
    assert {row["camera"] for row in rows[1:]} == {"unknown"}
    assert all("pan" not in row and "residual" not in row for row in rows)


def test_camera_and_directions_of_a_composed_film(film, watch):
    path, truth = film
    rows = watch(Signals(SignalsParams()), path)
    named = wrong = answered = false = 0
    for earlier, row in pairwise(rows):
        a, b = earlier["t_s"] - 1e-6, row["t_s"] + 1e-6
        camera = [c for c in truth.camera if c.start_s <= a and c.end_s >= b]
        if not camera:
            continue
        assert row.get("camera") in (camera[0].kind, "unknown")
        named += row.get("camera") == camera[0].kind
        answered += 1
        moving = [o for o in truth.objects if o.start_s <= a and o.end_s >= b and o.world_direction != "still"]
        texts = any(t.start_s <= b and t.end_s >= a for t in truth.texts)
        if moving and row.get("residual_area"):
            across = abs(row["residual_dx"]) * 16 > abs(row["residual_dy"]) * 9
            sign = row["residual_dx"] > 0 if across else row["residual_dy"] > 0
            way = ("right" if sign else "left") if across else ("down" if sign else "up")
            wrong += way != moving[0].world_direction
        elif not moving and not texts:
            false += bool(row.get("residual_area"))
    assert answered > 50 and named / answered > 0.9
    assert wrong <= 2 and false <= 1
