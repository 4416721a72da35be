"""mirror and reverse write real files whose pictures, times and rows say the same thing."""

from __future__ import annotations

import av
import numpy as np
import pytest
from chronotope.annotators.compose.mirror import Mirror
from chronotope.annotators.compose.reverse import Reverse
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit
from chronotope.engine.media.hashing import media_id_of
from chronotope.engine.media.probe import probe
from chronotope.schemas.motion import Edit
from chronotope.schemas.tables import TABLES

FPS, FRAMES, WIDTH, HEIGHT = 10, 60, 128, 64


def centre_x(frame_index):
    """A bright bar goes right across the picture every three seconds; as a share of the width."""
    return 0.1 + 0.8 * (frame_index % 30) / 30


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "bar.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i in range(FRAMES):
            picture = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
            x = int(centre_x(i) * WIDTH)
            picture[8:40, max(0, x - 5) : x + 5] = 240
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def bright_columns(path):
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            row = frame.to_ndarray(format="gray")[20].astype(float)
            weight = np.clip(row - 100, 0, None)
            found.append(float((weight * (np.arange(len(row)) + 0.5)).sum() / weight.sum() / len(row)))
        return found


def unit_and_rows(source, folder, **motion):
    media_id = media_id_of(source)
    facts = probe(source) | {
        "origin": "real",
        "licence": "CC0",
        "group_id": "g",
        "official_split": "test",
        "title": "bar.mp4",
    }

    def stored(table, **values):
        return TABLES[table].complete({"media_id": media_id} | values, table, media_id, media_id)

    base = dict.fromkeys(("pan", "tilt", "zoom", "roll", "residual_dx", "residual_dy"), 0.0) | {
        "inlier_share": 0.9, "contrast": 40.0, "residual_area": 0.1, "residual": 0.25,
    }  # fmt: skip
    signals = [
        stored("signals", t_s=i / 4, **({} if i in (0, 12) else base | ({"residual_dx": 0.25} | motion)))
        for i in range(24)
    ]
    media = stored("media", **facts)
    clips = [stored("clips", clip_id=f"c{k}", start_s=3.0 * k, end_s=3.0 * k + 3, policy="shot") for k in range(2)]
    medium = Medium(
        media_id,
        str(source),
        source,
        "video",
        facts["duration_s"],
        facts["fps"],
        FRAMES,
        WIDTH,
        HEIGHT,
        True,
        False,
        row=media,
    )
    rows = Rows({"media": [media], "clips": clips, "selection": [], "signals": signals})
    return Unit(media_id, "medium", medium, "r", 0, folder), rows


def compose(annotator, source, folder, **motion):
    unit, rows = unit_and_rows(source, folder, **motion)
    by_table = {"media": [], "sources": [], "edits": []}
    for table, values in annotator.annotate(unit, rows):
        by_table[table].append(TABLES[table].complete(values, annotator.name, unit.unit, unit.medium.media_id))
    return by_table


@pytest.mark.parametrize("annotator", [Mirror(Mirror.Params()), Reverse(Reverse.Params())], ids=lambda a: a.name)
def test_twins_show_what_their_rows_say(source, tmp_path, annotator):
    tables = compose(annotator, source, tmp_path)
    original = bright_columns(source)
    assert len(tables["media"]) == len(tables["sources"]) == len(tables["edits"]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{m['media_id']}.mp4" for m in tables["media"])
    for media, place, edit in zip(tables["media"], tables["sources"], tables["edits"], strict=True):
        file = tmp_path / f"{media['media_id']}.mp4"
        assert media_id_of(file) == media["media_id"] == place["media_id"] == edit["media_id"]
        assert place["uri"] == f"media/{file.name}" and place["size"] == file.stat().st_size
        assert (media["origin"], media["group_id"], media["licence"], media["official_split"]) == (
            "edited",
            "g",
            "CC0",
            "test",
        )
        assert media["duration_s"] == pytest.approx(3.0) and media["frames"] == 30
        mapping, columns = Edit.from_row(edit), bright_columns(file)
        a, _, c, *_ = mapping.box_affine
        for i, x in enumerate(columns):
            middle_s = mapping.source_time((i + 0.5) / FPS)
            assert a * original[int(middle_s * FPS)] + c == pytest.approx(x, abs=0.02)


def test_the_same_bytes_again(source, tmp_path):
    first = compose(Reverse(Reverse.Params()), source, tmp_path / "a")
    second = compose(Reverse(Reverse.Params()), source, tmp_path / "b")
    assert first == second


def test_only_motion_that_the_edit_changes_is_worth_a_twin(source, tmp_path):
    with pytest.raises(SkipUnit, match="no kept clip"):
        compose(Mirror(Mirror.Params()), source, tmp_path, residual_dx=0.0, residual_dy=0.3, residual=0.2)
    assert (
        len(
            compose(Reverse(Reverse.Params()), source, tmp_path, residual_dx=0.0, residual_dy=0.3, residual=0.2)[
                "media"
            ]
        )
        == 2
    )
    with pytest.raises(SkipUnit, match="no kept clip"):
        compose(Reverse(Reverse.Params()), source, tmp_path, residual_dx=0.0, residual=0.0, residual_area=0.0)


def test_limits_hold(source, tmp_path):
    tables = compose(Mirror(Mirror.Params(per_medium=1, max_side_px=64)), source, tmp_path)
    assert [(m["width"], m["height"]) for m in tables["media"]] == [(64, 32)]
    with pytest.raises(SkipUnit):
        compose(Mirror(Mirror.Params(length_s=(4.0, 12.0))), source, tmp_path)
