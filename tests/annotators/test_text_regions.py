"""Reading text in pictures: the right words at the right place, the same for any batch."""

from __future__ import annotations

import io

import numpy as np
import pytest
from chronotope.annotators.vision.text_regions import TextRegions, TextRegionsParams
from chronotope.engine.annotator import Picture
from chronotope.schemas.box import Box, iou
from PIL import Image, ImageDraw, ImageFont

pytest.importorskip("rapidocr")
SIZE = (640, 360)


def picture(t_s: float, *signs: tuple[str, int, int, int]) -> tuple[Picture, list[Box]]:
    """A picture with signs (text, x, y, letter height) and the true boxes of their letters."""
    noise = np.random.default_rng(3).integers(60, 90, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    boxes = []
    for text, x, y, height in signs:
        font = ImageFont.load_default(height)
        left, top, right, bottom = draw.textbbox((x, y), text, font=font)
        draw.rectangle((left - 12, top - 10, right + 12, bottom + 10), fill=(240, 240, 235))
        draw.text((x, y), text, fill=(15, 15, 20), font=font)
        boxes.append(Box(left / SIZE[0], top / SIZE[1], right / SIZE[0], bottom / SIZE[1]))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90)
    return Picture("m1", t_s, t_s + 1.0, *SIZE, data.getvalue()), boxes


@pytest.fixture(scope="module")
def annotator() -> TextRegions:
    annotator = TextRegions(TextRegionsParams())
    annotator.setup()
    return annotator


def test_signs_are_read_where_they_stand(annotator) -> None:
    shown, truth = picture(4.0, ("MARKET STREET", 60, 50, 36), ("Gate 14", 400, 280, 24))
    (rows,) = annotator.look([shown])
    assert [table for table, _ in rows] == ["text_regions", "text_regions"]
    read = [row for _, row in rows]
    assert [r["text"] for r in read] == ["MARKET STREET", "Gate 14"]
    assert {(r["start_s"], r["end_s"]) for r in read} == {(3.5, 4.5)}, "half a step to either side of the picture"
    assert all(r["confidence"] > 0.9 for r in read)
    for row, box in zip(read, truth, strict=True):
        assert iou(Box(row["x1"], row["y1"], row["x2"], row["y2"]), box) > 0.5


def test_a_picture_without_text_gives_no_rows(annotator) -> None:
    assert annotator.look([picture(0.0)[0]]) == [[]]


def test_rows_do_not_depend_on_the_other_pictures_of_a_batch(annotator) -> None:
    pictures = [picture(0.0, ("OPEN", 100, 100, 40))[0], picture(1.0)[0], picture(2.0, ("CLOSED", 200, 60, 30))[0]]
    together = annotator.look(pictures)
    assert [[r["text"] for _, r in rows] for rows in together] == [["OPEN"], [], ["CLOSED"]]
    assert [annotator.look([p])[0] for p in reversed(pictures)] == together[::-1]


def test_readings_below_the_threshold_are_dropped() -> None:
    strict = TextRegions(TextRegionsParams(min_confidence=1.0))
    assert strict.look([picture(0.0, ("OPEN", 100, 100, 40))[0]]) == [[]]


def test_a_lone_letter_is_taken_for_a_speck_unless_asked_for() -> None:
    shown, _ = picture(0.0, ("A", 200, 100, 60), ("OPEN", 400, 100, 40))
    assert [r["text"] for _, r in TextRegions(TextRegionsParams()).look([shown])[0]] == ["OPEN"]
    assert len(TextRegions(TextRegionsParams(min_letters=1)).look([shown])[0]) == 2


def test_the_models_come_from_the_package_and_enter_the_fingerprint(annotator) -> None:
    detection, recognition = annotator.models()
    assert detection.found_in == recognition.found_in == "package rapidocr"
    assert detection.digest != recognition.digest


def test_a_broken_picture_is_named(annotator) -> None:
    with pytest.raises(ValueError, match=r"picture of m1 at 7 s is no JPEG"):
        annotator.look([Picture("m1", 7.0, 8.0, 640, 360, b"no picture")])
