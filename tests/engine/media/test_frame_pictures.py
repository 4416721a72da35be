"""Pictures of a frame have the right colours, size and orientation for every way in which pixels are stored."""

from __future__ import annotations

import io
from fractions import Fraction

import cv2
import numpy as np
import pytest
from chronotope.engine.media.decode import VideoReader
from chronotope.engine.media.geometry import EXIF_ORIENTATIONS, fit
from PIL import Image

COLOURS = [
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (255, 255, 255),
    (0, 0, 0),
    (128, 64, 200),
    (20, 200, 100),
]


def chart(_number: int = 0) -> np.ndarray:
    """rgb [96, 128, 3]: eight coloured fields, four in a row."""
    picture = np.zeros((96, 128, 3), np.uint8)
    for i, colour in enumerate(COLOURS):
        picture[i // 4 * 48 : i // 4 * 48 + 48, i % 4 * 32 : i % 4 * 32 + 32] = colour
    return picture


def first_frame(path):
    return next(iter(VideoReader(path)))


def fields(rgb):
    """Colours in the middle of the eight fields."""
    h, w = rgb.shape[:2]
    return [rgb[h // 4 + h // 2 * (i // 4), w // 8 + w // 4 * (i % 4)].tolist() for i in range(8)]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "colour"),
    [
        ("a.mp4", "libx264", "yuv420p", {}),
        ("b.mp4", "libx264", "yuv422p", {}),
        ("c.mp4", "libx264", "yuv444p", {}),
        ("d.mp4", "libx264", "yuv420p", {"colorspace": 1, "color_range": 1}),
        ("e.mp4", "libx264", "yuvj420p", {"colorspace": 5, "color_range": 2}),
        ("f.mkv", "ffv1", "yuv420p10le", {}),
        ("g.mkv", "ffv1", "bgr0", {}),
        ("h.mkv", "ffv1", "yuva420p", {}),
        ("i.mkv", "rawvideo", "nv12", {}),
        ("j.mkv", "ffv1", "yuv444p12le", {}),
    ],
)
@pytest.mark.parametrize("side", [32, 50, 128])
def test_colours_are_right_in_every_pixel_format(footage, name, codec, pix_fmt, colour, side):
    options = {"crf": "4"} if codec == "libx264" else {}
    path = footage(name, frames=2, codec=codec, pix_fmt=pix_fmt, options=options, picture=chart, colour=colour)
    frame = first_frame(path)
    assert np.abs(np.array(fields(frame.rgb(side))) - COLOURS).max() <= 3
    assert np.array_equal(frame.bgr(side)[:, :, ::-1], frame.rgb(side))
    kr, kb = (0.2126, 0.0722) if colour.get("colorspace") == 1 else (0.299, 0.114)
    grey = np.array(COLOURS) @ [kr, 1 - kr - kb, kb]
    assert np.abs(np.array(fields(frame.luma(side))) - grey).max() <= 2


def test_untagged_large_video_is_bt709(footage):
    large = lambda _i: cv2.resize(chart(), (1280, 720), interpolation=cv2.INTER_NEAREST)  # noqa: E731
    path = footage("hd.mp4", frames=1, picture=large, options={"crf": "4"}, colour={"colorspace": 1, "color_range": 1})
    tagged = fields(first_frame(path).rgb(64))
    assert np.abs(np.array(tagged) - COLOURS).max() <= 3


def test_grey_stays_grey(footage):
    path = footage("g.mkv", frames=1, codec="ffv1", pix_fmt="gray", options={}, picture=chart)
    frame = first_frame(path)
    assert np.ptp(frame.bgr(64), axis=2).max() == 0
    assert np.array_equal(frame.bgr(64)[:, :, 0], frame.luma(64))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_display_matrix_is_applied(footage, degrees, mirrored):
    path = footage("r.mp4", frames=1, picture=chart, options={"crf": "4"}, rotation=(degrees, mirrored))
    wanted = np.rot90(chart(), degrees // 90)  # counter-clockwise, then left-right
    wanted = wanted[:, ::-1] if mirrored else wanted
    frame = first_frame(path)
    assert (frame.height, frame.width) == wanted.shape[:2]
    assert np.median(np.abs(frame.rgb(500).astype(int) - wanted)) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_stills(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    picture = Image.fromarray(chart())
    picture.save(tmp_path / "p.jpg", exif=exif, quality=95)
    from PIL import ImageOps

    with Image.open(tmp_path / "p.jpg") as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))
    frame = first_frame(tmp_path / "p.jpg")
    assert frame.rgb(500).shape == wanted.shape
    assert np.median(np.abs(frame.rgb(500).astype(int) - wanted)) <= 2
    assert EXIF_ORIENTATIONS[orientation].transpose == (orientation >= 5)


def test_wide_pixels_become_square(footage):
    frame = first_frame(footage("w.mp4", frames=1, picture=chart, sample_aspect=Fraction(4, 3)))
    assert (frame.width, frame.height) == (171, 96)
    assert frame.bgr(100).shape == (56, 100, 3)
    assert np.abs(np.array(fields(frame.rgb(500))) - COLOURS).max() <= 12


def test_scaling_is_close_to_an_exact_area_average(footage):
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (480, 854, 3)).astype(np.uint8), (0, 0), 5)
    noise = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX)
    frame = first_frame(footage("n.mkv", frames=1, codec="ffv1", pix_fmt="bgr0", options={}, picture=lambda _i: noise))
    for side in (64, 256, 300, 512):
        small = frame.rgb(side)
        exact = cv2.resize(noise, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - exact).mean() < 3


def test_a_product_does_not_depend_on_what_was_asked_before(footage):
    path = footage("a.mp4", frames=1, picture=chart)
    alone, after = first_frame(path), first_frame(path)
    for side in (17, 128, 60, 33):
        after.bgr(side), after.luma(side)
    assert np.array_equal(alone.bgr(30), after.bgr(30)) and np.array_equal(alone.luma(30), after.luma(30))
    assert alone.bgr(30) is alone.bgr(30)


def test_sizes_never_grow_and_jpeg_is_deterministic(footage):
    assert fit(1920, 1080, 512) == (512, 288) and fit(100, 50, 512) == (100, 50) and fit(4000, 3, 64) == (64, 1)
    frame = first_frame(footage("a.mp4", frames=1, picture=chart, options={"crf": "4"}))
    data, width, height = frame.jpeg(64, 90)
    assert (width, height) == (64, 48) == Image.open(io.BytesIO(data)).size
    again = first_frame(footage("b.mp4", frames=1, picture=chart, options={"crf": "4"})).jpeg(64, 90)[0]
    assert data == again
    decoded = np.asarray(Image.open(io.BytesIO(frame.jpeg(500, 95)[0])))
    assert np.abs(np.array(fields(decoded), int) - COLOURS).max() <= 6
    assert frame.luma_at(300, 10).shape == (10, 300)
