"""Sound is heard at the time at which it is shown, in pieces that end in silence, from one decode for all rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.annotator import AudioSession, Medium, SkipUnit
from chronotope.engine.media.audio import MAX_PIECE_S, AudioTap, quietest, run_audio
from chronotope.engine.media.events import Finished, PassDone, RowsOut
from chronotope.engine.media.probe import probe

from .conftest import clicks

RATE = 48_000


def medium_of(path: Path) -> Medium:
    row = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height", "start_pts_s")
    return Medium(
        "m", str(path), path, **{n: row[n] for n in names}, has_video=row["kind"] == "video",
        has_audio=row["audio_codec"] is not None,
    )  # fmt: skip


class Ears(AudioSession):
    """Keeps what it hears."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.pieces, self._fail_at = [], fail_at

    def hear(self, piece):
        if len(self.pieces) == self._fail_at:
            raise RuntimeError("deaf")
        self.pieces.append(piece)
        yield "sounds", {"start_s": piece.start_s, "end_s": piece.end_s}

    def clicks(self):
        """Times of loud onsets on the presentation clock."""
        found = []
        for piece in self.pieces:
            loud = np.flatnonzero(np.abs(piece.samples.astype(int)) > 5000)
            starts = loud[np.diff(loud, prepend=-piece.rate) > piece.rate // 10]
            found += [piece.start_s + s / piece.rate for s in starts]
        return found


def hear(path, *rates):
    ears = [Ears() for _ in rates]
    taps = [AudioTap(f"p{r}", e, r) for r, e in zip(rates, ears, strict=True)]
    return ears, list(run_audio(medium_of(path), taps))


def test_clicks_are_heard_when_they_sound_at_every_rate(footage):
    path = footage("a.mp4", frames=100, sound=clicks([0.5, 1.25, 3.0], 4.0, RATE))
    ears, events = hear(path, 8_000, 16_000, 44_100, RATE)
    for ear in ears:
        assert ear.clicks() == pytest.approx([0.5, 1.25, 3.0], abs=0.002)
        assert ear.pieces[0].samples.dtype == np.int16 and ear.pieces[0].samples.ndim == 1
    assert isinstance(events[-1], PassDone) and events[-1].decoded_s == pytest.approx(4.0, abs=0.03)
    assert [e.error for e in events if isinstance(e, Finished)] == [None] * 4


def test_the_first_frame_is_time_zero_even_when_sound_starts_before_or_after(footage):
    late = footage("late.mkv", frames=100, sound=clicks([0.5], 2.0, RATE), sound_start=RATE, sound_codec="pcm_s16le")
    (ear,), _ = hear(late, 16_000)
    assert ear.pieces[0].start_s == pytest.approx(1.0, abs=1e-3)
    assert ear.clicks() == pytest.approx([1.5], abs=0.002)

    pts = [25 + i for i in range(50)]  # the picture starts one second after the sound
    early = footage("early.mkv", pts=pts, sound=clicks([0.5, 1.75], 3.0, RATE), sound_codec="pcm_s16le")
    (ear,), _ = hear(early, 16_000)
    assert ear.pieces[0].start_s == 0.0
    assert ear.clicks() == pytest.approx([0.75], abs=0.002)


def test_sound_ends_with_the_picture(footage):
    path = footage("long.mkv", frames=50, sound=clicks([0.5, 3.0], 5.0, RATE), sound_codec="pcm_s16le")
    (ear,), _ = hear(path, 16_000)
    assert ear.pieces[-1].end_s == pytest.approx(2.0, abs=0.002)
    assert ear.clicks() == pytest.approx([0.5], abs=0.002)


def test_a_gap_in_the_sound_is_silence_not_a_shift(footage, tmp_path):
    import av

    whole = footage("whole.mkv", frames=100, sound=clicks([0.5, 3.0], 4.0, RATE), sound_codec="pcm_s16le")
    holed = tmp_path / "holed.mkv"
    with av.open(str(whole)) as source, av.open(str(holed), "w") as out:
        streams = [out.add_stream_from_template(s) for s in source.streams]
        for packet in source.demux():
            gone = (
                packet.stream.type == "audio" and packet.pts is not None and 1.0 < packet.pts * packet.time_base < 2.0
            )
            if packet.size and not gone:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    (ear,), _ = hear(holed, 16_000)
    assert ear.clicks() == pytest.approx([0.5, 3.0], abs=0.002)


def test_sound_alone_starts_at_its_first_sample(footage):
    path = footage("a.flac", frames=0, sound=clicks([0.25, 1.0], 2.0, RATE), sound_codec="flac")
    (ear,), _ = hear(path, 16_000)
    assert ear.clicks() == pytest.approx([0.25, 1.0], abs=0.002)
    assert ear.pieces[-1].end_s == pytest.approx(2.0, abs=1e-3)


def test_pieces_are_at_most_ten_minutes_follow_each_other_and_end_in_silence(footage):
    rate = 8_000
    sound = np.tile((3000 * np.sin(np.arange(rate) / 3)).astype(np.int16), 1500)
    for pause_s in (450.0, 580.0, 1100.0):
        sound[int(pause_s * rate) : int((pause_s + 1) * rate)] = 0
    path = footage("talk.wav", frames=0, sound=sound, sound_rate=rate, sound_codec="pcm_s16le")
    (ear,), _ = hear(path, rate)
    assert [p.start_s for p in ear.pieces] == pytest.approx([0.0, 580.5, 1100.5], abs=0.5)
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in zip(ear.pieces, ear.pieces[1:], strict=False))
    assert max(p.end_s - p.start_s for p in ear.pieces) <= MAX_PIECE_S
    assert np.array_equal(np.concatenate([p.samples for p in ear.pieces]), sound)


def test_loud_all_through_is_cut_at_ten_minutes():
    assert quietest(np.full(600 * 100, 1000, np.int16), 100) == pytest.approx(600 * 100, abs=60)


def test_consumers_fail_alone_and_silent_media_are_skipped(footage):
    path = footage("a.mp4", sound=clicks([0.5], 2.0, RATE))
    bad, good = Ears(fail_at=0), Ears()
    events = list(run_audio(medium_of(path), [AudioTap("bad", bad, 16_000), AudioTap("good", good, 16_000)]))
    ends = {e.producer: e for e in events if isinstance(e, Finished)}
    assert str(ends["bad"].error) == "deaf" and ends["good"].error is None
    assert [e.producer for e in events if isinstance(e, RowsOut)] == ["good"]

    events = list(run_audio(medium_of(footage("mute.mp4")), [AudioTap("p", Ears(), 16_000)]))
    assert [(e.skipped, e.error) for e in events if isinstance(e, Finished)] == [("no audio stream", None)]


def test_a_session_may_skip_the_medium(footage):
    class Picky(AudioSession):
        def hear(self, piece):
            raise SkipUnit("too quiet")

    path = footage("a.mp4", sound=clicks([0.5], 2.0, RATE))
    (end,) = [e for e in run_audio(medium_of(path), [AudioTap("p", Picky(), 16_000)]) if isinstance(e, Finished)]
    assert (end.skipped, end.error) == ("too quiet", None)
