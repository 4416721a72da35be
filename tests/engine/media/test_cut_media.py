"""A cut holds exactly the frames whose times lie in the span, whatever the source's rate, start and orientation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.cut import cut_audio, cut_media
from chronotope.engine.media.decode import VideoReader

from .conftest import clicks, numbered, read_number

UNEVEN = np.cumsum([0, 3, 5, 2, 9, 4, 1, 6, 3, 12, 2, 2, 7, 5, 3, 8, 1, 4, 6, 10]).tolist()


def shown(path, **_):
    """[(time, number)] of the frames of a file."""
    return [(f.t_s, read_number(f.luma_at(192, 96))) for f in VideoReader(path)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "numbers"),
    [(0.0, 0.2, range(0, 5)), (0.4, 1.0, range(10, 25)), (0.41, 1.01, range(11, 26)), (1.9, 9.0, range(48, 50))],
)
def test_a_cut_holds_the_frames_of_its_span(footage, tmp_path, start_s, end_s, numbers):
    facts = cut_media(footage("a.mp4"), start_s, end_s, tmp_path / "cut.mp4")
    assert [n for _, n in shown(facts.path)] == list(numbers)
    assert [t for t, _ in shown(facts.path)] == pytest.approx([i / 25 for i in range(len(numbers))], abs=1e-6)
    assert facts.source_start_s == pytest.approx(numbers[0] / 25)
    assert facts.source_end_s == pytest.approx((numbers[-1] + 1) / 25)
    assert (facts.frames, facts.duration_s) == (len(numbers), pytest.approx(len(numbers) / 25))


def test_a_variable_rate_keeps_its_own_times(footage, tmp_path):
    source = footage("v.mp4", frames=20, pts=UNEVEN, time_base=Fraction(1, 90))
    times = np.array(UNEVEN) / 90
    facts = cut_media(source, times[4], times[15], tmp_path / "cut.mp4")
    assert [n for _, n in shown(facts.path)] == list(range(4, 15))
    assert [t for t, _ in shown(facts.path)] == pytest.approx(list(times[4:15] - times[4]), abs=2e-5)
    assert facts.duration_s == pytest.approx(times[15] - times[4], abs=2e-3)


@pytest.mark.parametrize("name", ["late.mkv", "late.ts", "late.mp4"])
def test_container_time_need_not_start_at_zero(footage, tmp_path, name):
    often = {"g": "10", "crf": "20", "preset": "veryfast"}
    source = footage(name, frames=200, pts=[250 + i for i in range(200)], options=often)
    facts = cut_media(source, 5.0, 5.2, tmp_path / "cut.mp4")
    assert [n for _, n in shown(facts.path)] == list(range(125, 130))
    assert facts.source_start_s == pytest.approx(5.0)


def test_far_into_a_long_file_with_few_key_frames(footage, tmp_path):
    source = footage("long.mp4", frames=600, options={"crf": "20", "g": "170", "bf": "3", "preset": "veryfast"})
    facts = cut_media(source, 17.3, 18.1, tmp_path / "cut.mp4")
    assert [n for _, n in shown(facts.path)] == list(range(433, 453))


def test_the_cut_is_upright_with_square_pixels(footage, tmp_path):
    turned = footage("turned.mp4", rotation=(-90, False))
    facts = cut_media(turned, 0.0, 0.2, tmp_path / "t.mp4")
    first = next(iter(VideoReader(facts.path)))
    assert (facts.width, facts.height) == (first.width, first.height) == (96, 192)
    upright = np.ascontiguousarray(np.rot90(first.luma_at(96, 192)))
    assert read_number(upright) == 0
    assert np.abs(upright.astype(int) - numbered(0)[:, :, 0])[40:60, 80:].max() < 12

    wide = footage("wide.mp4", sample_aspect=Fraction(2, 1))
    facts = cut_media(wide, 0.4, 0.6, tmp_path / "w.mp4", max_side_px=192)
    assert (facts.width, facts.height) == (192, 48)
    assert [n for _, n in shown(facts.path)] == list(range(10, 15))


def test_mirror_and_reverse(footage, tmp_path):
    source = footage("a.mp4")
    mirrored = next(iter(VideoReader(cut_media(source, 1.0, 1.2, tmp_path / "m.mp4", mirror=True).path)))
    assert read_number(np.ascontiguousarray(mirrored.luma_at(192, 96)[:, ::-1])) == 25
    facts = cut_media(source, 1.0, 1.4, tmp_path / "r.mp4", reverse=True)
    assert [n for _, n in shown(facts.path)] == list(range(34, 24, -1))
    for t, number in shown(facts.path):  # a span [a, b) of the source lies at [source_end_s - b, source_end_s - a)
        assert facts.source_end_s - (number + 1) / 25 == pytest.approx(t, abs=1e-6)


def test_another_rate_shows_at_each_instant_what_stood_then(footage, tmp_path):
    facts = cut_media(footage("a.mp4"), 0.4, 1.4, tmp_path / "cut.mp4", fps=10)
    assert [n for _, n in shown(facts.path)] == [10 + int(k * 2.5) for k in range(10)]
    slow = cut_media(footage("b.mp4"), 0.4, 1.4, tmp_path / "up.mp4", fps=50)
    assert [n for _, n in shown(slow.path)] == [10 + k // 2 for k in range(50)]


def test_sound_stays_in_step(footage, tmp_path):
    rate = 48_000
    source = footage("s.mp4", frames=100, sound=clicks([1.5, 2.5], 4.0, rate), sound_rate=rate)
    facts = cut_media(source, 1.0, 3.0, tmp_path / "cut.mp4")
    heard = cut_audio(facts.path, 0.0, facts.duration_s, tmp_path / "cut.wav", rate=rate)
    assert click_times(heard.path) == pytest.approx([0.5, 1.5], abs=0.003)
    direct = cut_audio(source, 1.0, 3.0, tmp_path / "direct.flac", rate=16_000)
    assert direct.duration_s == pytest.approx(2.0, abs=1e-3)
    assert click_times(direct.path) == pytest.approx([0.5, 1.5], abs=0.003)


def test_sound_that_starts_late_stays_late(footage, tmp_path):
    rate = 48_000
    source = footage("s.mkv", frames=100, sound=clicks([0.5], 2.0, rate), sound_start=rate, sound_codec="pcm_s16le")
    facts = cut_media(source, 0.6, 2.6, tmp_path / "cut.mp4")
    heard = cut_audio(facts.path, 0.0, facts.duration_s, tmp_path / "cut.wav", rate=rate)
    assert click_times(heard.path) == pytest.approx([0.9], abs=0.003)


def test_no_sound_when_none_is_wanted_or_there(footage, tmp_path):
    rate = 48_000
    source = footage("s.mp4", sound=clicks([0.5], 2.0, rate), sound_rate=rate)
    assert not cut_media(source, 0, 1, tmp_path / "a.mp4", keep_audio=False).has_audio
    assert not cut_media(footage("mute.mp4"), 0, 1, tmp_path / "b.mp4").has_audio


def test_the_same_cut_gives_the_same_bytes(footage, tmp_path):
    source = footage("s.mp4", sound=clicks([0.5], 2.0, 48_000))
    one = cut_media(source, 0.3, 1.1, tmp_path / "one" / "cut.mp4").path.read_bytes()
    two = cut_media(source, 0.3, 1.1, tmp_path / "two" / "cut.mp4").path.read_bytes()
    assert one == two


def test_what_cannot_be_cut_leaves_nothing_behind(footage, tmp_path):
    source = footage("a.mp4")
    with pytest.raises(ValueError, match="empty or inverted"):
        cut_media(source, 1.0, 1.0, tmp_path / "x.mp4")
    with pytest.raises(MediaError, match="no frame between"):
        cut_media(source, 7.0, 8.0, tmp_path / "x.mp4")
    data = bytearray(footage("broken.mp4", frames=200, container_options={"movflags": "faststart"}).read_bytes())
    broken = tmp_path / "half.mp4"
    broken.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match=r"half\.mp4"):
        cut_media(broken, 0.0, 8.0, tmp_path / "x.mp4")
    assert list(tmp_path.glob("*x.mp4*")) == []


def click_times(path):
    """Times of the clicks in a mono sound file."""
    import av

    with av.open(str(path)) as file:
        rate = file.streams.audio[0].rate
        sound = np.concatenate([f.to_ndarray().ravel() for f in file.decode(audio=0)])
    sound = sound / (32768 if sound.dtype == np.int16 else np.iinfo(sound.dtype).max if sound.dtype.kind == "i" else 1)
    loud = np.flatnonzero(np.abs(sound) > 0.2)
    starts = loud[np.diff(loud, prepend=-rate) > rate // 10]
    return [float(s) / rate for s in starts]
