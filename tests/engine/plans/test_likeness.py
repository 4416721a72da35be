"""How alike pictures are: patch by patch as Keye-VL compares them, by colour, by hashes; and what each cannot see."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from chronotope.engine.plans.likeness import HashLikeness, PatchRule, PictureLikeness, patch_likeness, patches_of
from chronotope.engine.plans.plan import Inputs
from made_plans import plan

CHANCE = np.random.default_rng(4)


def textured(seed: int, width: int = 224, height: int = 140) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height // 7, width // 7, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def plain(blue: int, green: int, red: int) -> np.ndarray:
    return np.full((140, 224, 3), (blue, green, red), np.uint8)


def like(a: np.ndarray, b: np.ndarray, rule: PatchRule) -> float:
    return patch_likeness(patches_of(a, rule), patches_of(b, rule), rule)


def test_patches_are_28_px_and_at_most_256() -> None:
    assert patches_of(textured(1), "hsv_cosine").shape == (5 * 8, 784, 3)
    assert len(patches_of(textured(1, 1920, 1080), "hsv_cosine")) <= 256


@pytest.mark.parametrize("rule", ["hsv_cosine", "colour_difference"])
def test_the_share_of_patches_that_changed_is_what_is_missing(rule: PatchRule) -> None:
    picture = textured(1)
    changed = picture.copy()
    changed[:28] = 255 - picture[:28] // 8 if rule == "colour_difference" else 0
    assert like(picture, picture, rule) == 1.0
    assert like(picture, changed, rule) == pytest.approx(4 / 5), "one row of patches of five"
    black = np.zeros_like(picture)
    assert like(black, black, rule) == 1.0
    framed = black.copy()
    framed[:28] = picture[:28]
    assert like(framed, np.roll(framed, 0), rule) == 1.0
    assert like(framed, black, rule) == 0.0, "patches that are black in both are not counted"


def test_plain_saturated_colours_look_alike_to_the_cosine_and_unlike_to_the_difference() -> None:
    red, green = plain(20, 20, 230), plain(20, 230, 20)
    assert like(red, green, "hsv_cosine") == 1.0, "a limit of the source's rule, which the docs name"
    assert like(red, green, "colour_difference") == 0.0


def test_slow_frames_open_at_cuts_between_pictures_and_a_fade_is_caught() -> None:
    def jpeg(picture: np.ndarray) -> bytes:
        return cv2.imencode(".jpg", picture)[1].tobytes()

    def planned(pictures: list[np.ndarray]) -> list[float]:
        times = np.arange(len(pictures)) / 2
        looks = PictureLikeness(times, [jpeg(p) for p in pictures], "colour_difference")
        inputs = Inputs(0.0, len(pictures) / 2, times, 224, 140, looks)
        return [f.t_s for f in plan("slow_fast_similarity", inputs).frames if f.role == "slow"]

    scenes = [textured(seed) for seed in range(4)]
    assert planned([s for s in scenes for _ in range(5)]) == [0.0, 2.5, 5.0, 7.5]
    assert planned([scenes[0]] * 20) == [0.0]
    fade = [cv2.addWeighted(plain(230, 120, 60), 1 - k / 39, plain(40, 160, 220), k / 39, 0) for k in range(40)]
    neighbours = [like(a, b, "colour_difference") for a, b in pairwise(fade)]
    assert min(neighbours) == 1.0 and len(planned(fade)) > 1


def test_hashes_forgive_noise_and_see_cuts() -> None:
    base = int(CHANCE.integers(0, 2**62))
    hashes = np.array([base, base ^ 0b10101, base ^ (2**32 - 1), base], np.int64)
    looks = HashLikeness(np.arange(4.0), hashes, np.array([100.0, 101.0, 100.0, 200.0]))
    assert looks.between(0, 1) == pytest.approx(1 - 1 / 255) and looks.between(0, 2) == 0.0
    assert looks.between(0, 3) == pytest.approx(1 - 100 / 255), "equal hashes in other light"
    assert looks.take(np.array([2, 2])).between(0, 1) == 1.0
