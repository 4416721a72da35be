"""Every presented frame comes once, in order, at its exact time; damage is counted and a broken end is an error."""

from __future__ import annotations

import shutil
from fractions import Fraction

import av
import numpy as np
import pytest
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.decode import VideoReader

from .conftest import clicks, read_number

UNEVEN = np.cumsum([0, 3, 5, 2, 9, 4, 1, 6, 3, 12]).tolist()


def shown(path):
    return [(f.index, f.t_s, read_number(f.luma_at(192, 96))) for f in VideoReader(path)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
def test_constant_rate(footage, name):
    for i, (index, t_s, number) in enumerate(shown(footage(name))):
        assert index == number == i
        assert t_s == pytest.approx(i / 25, abs=1e-9)


def test_variable_rate_is_exact(footage):
    path = footage("v.mp4", frames=10, pts=UNEVEN, time_base=Fraction(1, 90))
    assert [t for _, t, _ in shown(path)] == [p / 90 for p in UNEVEN]


def test_the_first_presented_frame_is_zero(footage):
    reader = VideoReader(footage("late.mkv", pts=[250 + i for i in range(50)]))
    assert [f.t_s for f in reader][:3] == pytest.approx([0.0, 0.04, 0.08])
    assert reader.start_pts_s == pytest.approx(10.0) and reader.end_s == pytest.approx(2.0)


def test_avi_without_presentation_times(footage):
    path = footage("a.avi", codec="mpeg4", options={"b": "4000k"})
    assert [(round(t * 25), n) for _, t, n in shown(path)] == [(i, i) for i in range(50)]


def test_frames_before_an_edit_list_are_not_presented(footage, tmp_path):
    """A stream copy from the middle keeps frames from the key frame on, and says that they are not to be shown."""
    import subprocess

    import imageio_ffmpeg

    source = footage("a.mp4", options={"g": "50", "bf": "0", "crf": "12"})
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-ss",
        "0.8",
        "-i",
        source,
        "-c",
        "copy",
        tmp_path / "e.mp4",
    ]
    subprocess.run(command, check=True)
    frames = shown(tmp_path / "e.mp4")
    assert frames[0][1:] == (0.0, 20) and [n for *_, n in frames] == list(range(20, 50))


def test_cover_art_is_not_video(footage, tmp_path):
    song = footage("song.mp3", frames=0, sound=clicks([0.5], 2.0, 44_100), sound_rate=44_100, sound_codec="libmp3lame")
    import subprocess

    import imageio_ffmpeg
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "cover.jpg")
    out = tmp_path / "with_cover.mp3"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", song, "-i", tmp_path / "cover.jpg", "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic", out]  # fmt: skip
    subprocess.run(command, check=True)
    with pytest.raises(MediaError, match="no video stream"):
        list(VideoReader(out))


def test_one_frame_and_a_still(footage, tmp_path):
    from PIL import Image

    assert [f.t_s for f in VideoReader(footage("one.mp4", frames=1))] == [0.0]
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.png")
    (frame,) = VideoReader(tmp_path / "a.png")
    assert (frame.t_s, frame.width, frame.height, frame.rgb(10).reshape(-1, 3)[0].tolist()) == (
        0.0,
        30,
        20,
        [255, 0, 0],
    )


def rewritten(source, target, change):
    """Copy packets, `change(packet number, bytes)` gives the new ones (None drops it)."""
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        stream = b.add_stream_from_template(a.streams.video[0])
        for i, packet in enumerate(p for p in a.demux(video=0) if p.size):
            data = change(i, bytes(packet))
            if data is not None:
                new = av.Packet(data)
                new.pts, new.dts, new.time_base, new.duration = (
                    packet.pts,
                    packet.dts,
                    packet.time_base,
                    packet.duration,
                )
                new.is_keyframe = packet.is_keyframe
                new.stream = stream
                b.mux(new)
    return target


def test_a_scratch_is_counted_and_a_wreck_is_an_error(footage, tmp_path):
    source = footage("a.mkv", frames=300, codec="mjpeg", pix_fmt="yuvj420p", options={})
    scratched = VideoReader(rewritten(source, tmp_path / "s.mkv", lambda i, d: b"\0" * len(d) if i in (5, 40) else d))
    assert len(list(scratched)) >= 298 and scratched.damaged == 2
    wreck = VideoReader(rewritten(source, tmp_path / "w.mkv", lambda i, d: b"\0" * len(d) if i > 150 else d))
    with pytest.raises(MediaError, match=r"breaks off at 6\.0\d s.*damaged"):
        list(wreck)


def test_a_stream_that_ends_before_its_header_says_so_breaks_off(footage, tmp_path):
    data = footage("a.mp4", frames=200, container_options={"movflags": "faststart"}).read_bytes()
    half = tmp_path / "half.mp4"
    half.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(MediaError, match=r"half\.mp4: the video breaks off at [1-7]\.\d\d s"):
        list(VideoReader(half))


def test_two_recordings_glued_together_are_an_error_not_a_lie(footage, tmp_path):
    a, b = footage("a.ts", frames=100), footage("b.ts", frames=100)
    glued = tmp_path / "glued.ts"
    with glued.open("wb") as out:
        for part in (a, b):
            with part.open("rb") as source:
                shutil.copyfileobj(source, out)
    with pytest.raises(MediaError, match="clock jumps back"):
        list(VideoReader(glued))
