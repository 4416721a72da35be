"""Frames: which pictures are kept, how long each stands, and that they open."""

import io
from itertools import pairwise

import numpy as np
import pytest
from chronotope.annotators.vision.frames import Frames, FramesParams
from PIL import Image


def plain(value: int, frames: int) -> list[np.ndarray]:
    return [np.full((120, 200, 3), value, np.uint8)] * frames


def test_pictures_stand_until_the_next_one_and_the_last_until_the_end(watch, write_video):
    rows = watch(Frames(FramesParams(fps=2)), write_video(plain(60, 30) + plain(200, 30)))
    assert [row["t_s"] for row in rows] == pytest.approx([0.0, 0.52, 1.0, 1.52, 2.0])
    assert all(a["until_s"] == b["t_s"] for a, b in pairwise(rows))
    assert rows[-1]["until_s"] == pytest.approx(60 / 25)


def test_a_picture_is_a_jpeg_of_the_asked_size_and_never_larger_than_the_video(watch, write_video):
    path = write_video(plain(90, 5))
    small, large = (watch(Frames(FramesParams(max_side_px=side)), path)[0] for side in (100, 1000))
    for row, size in ((small, (100, 60)), (large, (200, 120))):
        picture = Image.open(io.BytesIO(row["jpeg"]))
        assert picture.format == "JPEG" and picture.size == size == (row["width"], row["height"])
        assert abs(np.asarray(picture).mean() - 90) < 3


def test_pictures_that_hardly_differ_are_left_out(watch, write_video):
    path = write_video(plain(60, 75) + plain(200, 50))
    rows = watch(Frames(FramesParams(fps=5, min_change=0.02)), path)
    assert [row["t_s"] for row in rows] == pytest.approx([0.0, 3.0])
    assert [row["until_s"] for row in rows] == pytest.approx([3.0, 5.0])


def test_rows_name_the_frame_set_that_others_ask_for(watch, write_video):
    annotator = Frames(FramesParams(fps=0.5, quality=70))
    rows = watch(annotator, write_video(plain(60, 60)))
    assert {row["frame_set"] for row in rows} == {annotator.frame_set().name} == {"fps0.5_px512_q70"}


def test_the_same_video_gives_the_same_bytes(watch, write_video, textured):
    pictures = [np.repeat(textured(120, 200, i)[..., None], 3, axis=2).astype(np.uint8) for i in range(10)]
    path = write_video(pictures)
    assert watch(Frames(FramesParams(fps=5)), path) == watch(Frames(FramesParams(fps=5)), path)
