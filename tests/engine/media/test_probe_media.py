"""The probe tells what a decode would show, without decoding, and refuses what is broken with a cause and a remedy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.decode import VideoReader
from chronotope.engine.media.probe import probe
from chronotope.schemas.tables_source import MEDIA
from PIL import Image

from .conftest import clicks

UNEVEN = np.cumsum([0, 3, 5, 2, 9, 4, 1, 6, 3, 12]).tolist()


def test_a_plain_video_with_sound(footage):
    row = probe(footage("a.mp4", sound=clicks([0.5], 2.0, 48_000)))
    assert set(row) <= {c.name for c in MEDIA.columns}
    assert (row["kind"], row["frames"], row["width"], row["height"]) == ("video", 50, 192, 96)
    assert (row["codec"], row["pixel_format"], row["rotation"], row["variable_fps"]) == ("h264", "yuv420p", 0, False)
    assert (row["duration_s"], row["fps"]) == (pytest.approx(2.0), pytest.approx(25.0))
    assert (row["audio_codec"], row["audio_rate"], row["audio_channels"]) == ("aac", 48_000, 1)
    assert row["audio_start_s"] == pytest.approx(0.0, abs=0.025) and row["audio_end_s"] == pytest.approx(2.0, abs=0.05)
    assert row["subtitle_streams"] == 0 and row["key_frames"] >= 1


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.webm"])
def test_the_probe_agrees_with_the_decoder(footage, name):
    codec = {"a.webm": "libvpx", "a.avi": "mpeg4"}.get(name, "libx264")
    path = footage(name, frames=60, codec=codec, options={})
    row, reader = probe(path), VideoReader(path)
    times = [f.t_s for f in reader]
    assert row["frames"] == len(times) == 60
    assert row["start_pts_s"] == pytest.approx(reader.start_pts_s)
    assert row["duration_s"] == pytest.approx(reader.end_s, abs=1e-3)
    list(VideoReader(path, expected_frames=row["frames"]))


def test_rates_orientation_and_shape(footage):
    uneven = probe(footage("v.mp4", frames=10, pts=UNEVEN, time_base=Fraction(1, 90)))
    assert uneven["variable_fps"] is True
    assert probe(footage("ms.mkv", frames=30, pts=list(range(30)), time_base=Fraction(1, 30)))["variable_fps"] is False
    turned = probe(footage("r.mp4", rotation=(-90, False)))
    assert (turned["rotation"], turned["width"], turned["height"]) == (90, 96, 192)
    wide = probe(footage("w.mp4", sample_aspect=Fraction(2, 1)))
    assert (wide["width"], wide["height"]) == (384, 96)
    one = probe(footage("one.mp4", frames=1))
    assert (one["frames"], one["variable_fps"]) == (1, False) and one["duration_s"] == pytest.approx(0.04)


def test_sound_alone_and_stills(footage, tmp_path):
    row = probe(footage("a.flac", frames=0, sound=clicks([0.5], 2.0, 44_100), sound_rate=44_100, sound_codec="flac"))
    assert (row["kind"], row["frames"], row["width"], row["codec"]) == ("audio", None, None, None)
    assert (row["duration_s"], row["audio_start_s"]) == (pytest.approx(2.0), 0.0)

    exif = Image.Exif()
    exif[0x112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 10:20:30"
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 30.0, 0.0), 3: "E", 4: (151.0, 15.0, 0.0)})
    Image.new("RGB", (60, 40), "red").save(tmp_path / "p.jpg", exif=exif)
    row = probe(tmp_path / "p.jpg")
    assert (row["kind"], row["width"], row["height"], row["rotation"]) == ("image", 40, 60, 90)
    assert (row["duration_s"], row["fps"], row["frames"]) == (0.0, None, 1)
    assert (row["captured_at"], row["gps_lat"], row["gps_lon"]) == ("2024:05:01 10:20:30", -33.5, 151.25)


def test_capture_time_and_place(footage):
    tags = {"creation_time": "2023-07-04T12:00:00.000000Z", "location": "+48.8577+002.2950/"}
    row = probe(footage("a.mp4", tags=tags))
    assert row["captured_at"].startswith("2023-07-04T12:00:00")
    assert (row["gps_lat"], row["gps_lon"]) == (pytest.approx(48.8577), pytest.approx(2.295))
    assert probe(footage("b.mp4", tags={"creation_time": "1970-01-01T00:00:00Z"}))["captured_at"] is None


def test_places_in_degrees_minutes_and_seconds():
    from chronotope.engine.media.tags import place

    assert place({"location": "-3330+15115/"}) == (-33.5, 151.25)
    assert place({"location": "+483030.0-0021500/"}) == (pytest.approx(48.508333, abs=1e-6), -2.25)
    assert place({"location": "Paris"}) == (None, None)


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("zero.mp4", b"", r"zero\.mp4: the file is empty \(0 bytes\)"),
        ("text.mp4", b"these are my holiday notes\n" * 50, "holds text, not media"),
        ("noise.mp4", bytes(range(256)) * 40, "not a readable media file"),
        ("missing.mp4", None, "no such file"),
    ],
)
def test_what_is_not_media_says_what_it_is(tmp_path, name, data, cause):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(MediaError, match=cause) as caught:
        probe(tmp_path / name)
    assert len(caught.value.remedy) > 10


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.wav"])
def test_truncated_files_are_refused_unless_allowed(footage, tmp_path, name):
    sound = {"a.wav": {"frames": 0, "sound": clicks([0.5], 10.0, 48_000), "sound_codec": "pcm_s16le"}}
    options = {"frames": 250, "container_options": {"movflags": "faststart"} if name == "a.mp4" else {}}
    data = footage(name, **(sound.get(name) or options)).read_bytes()
    half = tmp_path / f"half_{name}"
    half.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(MediaError, match="truncated"):
        probe(half)
    assert 3.0 < probe(half, allow_truncated=True)["duration_s"] < 8.0


def test_an_mp4_without_its_index_is_cut_off(footage, tmp_path):
    data = footage("a.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match="cut off: the index"):
        probe(tmp_path / "half.mp4")


def test_errors_survive_the_way_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(MediaError("a.mp4", "cause", "remedy")))
    assert (str(error), error.cause) == ("a.mp4: cause; remedy", "cause")
