"""Resizing and visual tokens, as the trainers' sources state them: hand-computed sizes, and what holds for all."""

from __future__ import annotations

import pytest
from chronotope.engine.answering.resizing import (
    FitPixels,
    PadSquare,
    SmartResize,
    Square,
    TokenRule,
    fit_pixels,
    frame_tokens,
    resized,
    smart_resize,
)
from hypothesis import given
from hypothesis import strategies as st

SIDES = st.integers(16, 4000)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 360), (644, 364)),  # 22.86 and 12.86 patches: nearest multiples, inside the range
        ((1920, 1080), (1008, 560)),  # too many: sqrt(1920 x 1080 / 602112) = 1.856, cut down
        ((160, 120), (392, 280)),  # too few: enlarged by sqrt(100352 / 19200) = 2.286, rounded up
    ],
)
def test_smart_resize_of_hand_computed_sizes(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert smart_resize(*size, 28, 128 * 784, 768 * 784) == expected


@given(width=SIDES, height=SIDES, factor=st.sampled_from([14, 28, 32]))
def test_smart_resize_gives_whole_patches_within_the_budget(width: int, height: int, factor: int) -> None:
    least, most = 128 * factor**2, 768 * factor**2
    if max(width, height) > 10 * min(width, height):
        return
    wide, high = smart_resize(width, height, factor, least, most)
    assert wide % factor == high % factor == 0
    assert least <= wide * high <= most
    assert 0.5 < (wide / high) / (width / height) < 2, "the shape is nearly kept"


def test_smart_resize_refuses_ribbons() -> None:
    with pytest.raises(ValueError, match="200 : 1"):
        smart_resize(4000, 10, 28, 3136, 12845056)


def test_a_video_shares_its_pixels_among_its_frames() -> None:
    step = SmartResize(factor_px=28, min_pixels=100352, max_pixels=602112, total_pixels=90316800, frame_factor=2)
    few, many = (resized(1920, 1080, [step], n) for n in (20, 768))
    assert (few.width, few.height) == (1008, 560)
    budget = 90316800 / 768 * 2
    assert many.width * many.height <= budget < few.width * few.height
    endless = resized(1920, 1080, [step], 10_000)
    assert endless.width * endless.height <= int(100352 * 1.05), "never below 1.05 of the least, however many frames"


@given(width=SIDES, height=SIDES)
def test_fit_pixels_never_exceeds_its_budget(width: int, height: int) -> None:
    wide, high = fit_pixels(width, height, 65536)
    assert wide * high <= 65536 or min(wide, high) == 1
    if width * height <= 65536:
        assert (wide, high) == (width, height)


def test_fit_pixels_of_a_wide_film() -> None:
    assert fit_pixels(1920, 1080, 65536, 256, 28) == (341, 192)


def test_what_is_left_of_a_picture_is_its_smallest_size_along_the_chain() -> None:
    steps = [FitPixels(max_pixels=65536), SmartResize(factor_px=28, min_pixels=602112, max_pixels=802112)]
    shown = resized(1920, 1080, steps)
    assert shown.width * shown.height >= 602112
    assert shown.kept == (341.0, 192.0), "enlarging shows nothing new"
    assert resized(1920, 1080, [PadSquare(side_px=384)]).kept == (384.0, 216.0)
    assert resized(1920, 1080, [Square(side_px=384)]).kept == (384.0, 384.0)
    assert resized(192, 108, [Square(side_px=384)]).kept == (192.0, 108.0)


def test_tokens_of_a_frame() -> None:
    llava = TokenRule(patch_px=14, pool=2, row_end=1)
    assert frame_tokens(384, 384, llava, 2) == [210, 210], "27 patches pooled to 14, 14 rows of 14 + 1"
    qwen = TokenRule(patch_px=14, pool=2, frames=2)
    assert sum(frame_tokens(644, 364, qwen, 4)) == 2 * 23 * 13
    assert frame_tokens(644, 364, qwen, 3) == [150, 149, 299], "an odd frame has a group of its own"
