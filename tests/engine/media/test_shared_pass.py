"""One decode feeds everybody: who gets which frames, what pictures stand for, and who pays for whose failure."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.annotator import FrameSession, FrameSet, Medium, Sampling, SkipUnit
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import (
    Finished,
    FrameSetTap,
    FrameTap,
    PassDone,
    PictureOut,
    RowsOut,
    run_frames,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from .conftest import numbered, read_number

UNEVEN = np.cumsum([0, 3, 5, 2, 9, 4, 1, 6, 3, 12, 2, 2, 7, 5, 3, 8, 1, 4, 6, 10]).tolist()


def medium_of(path: Path) -> Medium:
    row = probe(path, allow_truncated=True)
    names = ("kind", "duration_s", "fps", "frames", "width", "height", "start_pts_s")
    return Medium("m", str(path), path, **{n: row[n] for n in names}, has_video=True, has_audio=False)


class Eyes(FrameSession):
    """Writes down the number of each frame; raises at one of them."""

    def __init__(self, fail_at: int | None = None, error: Exception | None = None) -> None:
        self._fail_at, self._error = fail_at, error or RuntimeError("blind")

    def see(self, frame):
        if frame.index == self._fail_at:
            raise self._error
        yield "signals", {"t_s": frame.t_s, "number": read_number(frame.luma_at(192, 96))}

    def close(self):
        yield "signals", {"t_s": -1.0, "number": -1}


def rows(events, producer="p"):
    return [r for e in events if isinstance(e, RowsOut) and e.producer == producer for _, r in e.rows]


def finished(events):
    return {e.producer: e for e in events if isinstance(e, Finished)}


def first_at_or_after(times, fps):
    """The definition: for each k the first frame with t >= k / fps, each frame once."""
    taken = []
    for k in range(int(times[-1] * fps) + 2):
        after = [i for i, t in enumerate(times) if t >= k / fps - 1e-6]
        if after and after[0] not in taken:
            taken.append(after[0])
    return taken


@pytest.mark.parametrize("fps", [None, 1.0, 3.0, 12.5, 25.0, 29.97, 60.0])
def test_each_consumer_gets_the_frames_that_it_wants(footage, fps):
    even = footage("a.mp4", frames=60)
    uneven = footage("v.mp4", frames=20, pts=UNEVEN, time_base=Fraction(1, 90))
    for path, times in ((even, [i / 25 for i in range(60)]), (uneven, [p / 90 for p in UNEVEN])):
        events = list(run_frames(medium_of(path), [FrameTap("p", Eyes(), Sampling(fps))], []))
        seen = rows(events)
        wanted = list(range(len(times))) if fps is None else first_at_or_after(times, fps)
        assert [r["number"] for r in seen] == [*wanted, -1]
        assert [r["t_s"] for r in seen[:-1]] == pytest.approx([times[i] for i in wanted], abs=1e-9)


@given(
    ticks=st.lists(st.integers(1, 400), min_size=1, max_size=60),
    den=st.sampled_from([25, 30, 90, 1000, 12800, 90000]),
    fps=st.sampled_from([0.1, 0.5, 1.0, 2.0, 4.0, 7.3, 23.976, 25.0, 30.0, 59.94, 1000.0]),
)
def test_sampling_follows_its_definition_for_any_timestamps(ticks, den, fps):
    from chronotope.engine.media.pictures import Sampler

    times = [int(t) / den for t in np.cumsum([0, *ticks])]
    if times[-1] * fps > 3000:
        return
    sampler = Sampler(fps)
    assert [i for i, t in enumerate(times) if sampler.wants(t)] == first_at_or_after(times, fps)


def test_pictures_stand_until_the_next_and_the_last_until_the_end(footage):
    medium = medium_of(footage("a.mp4", frames=60))
    wanted = FrameSet(fps=2.0, max_side_px=96)
    events = list(run_frames(medium, [], [FrameSetTap(wanted)]))
    pictures = [e.picture for e in events if isinstance(e, PictureOut) and e.frame_set_name == wanted.name]
    assert [p.t_s for p in pictures] == pytest.approx([0.0, 0.52, 1.0, 1.52, 2.0])
    assert [p.until_s for p in pictures] == [*[p.t_s for p in pictures[1:]], pytest.approx(2.4)]
    assert all((p.width, p.height) == (96, 48) == Image.open(io.BytesIO(p.jpeg)).size for p in pictures)
    assert finished(events)[wanted.name].error is None


def test_pictures_that_hardly_change_are_left_out(footage):
    steps = [0] * 20 + [4095] * 20 + [0] * 20
    path = footage("a.mp4", frames=60, picture=lambda i: numbered(steps[i]))
    events = list(run_frames(medium_of(path), [], [FrameSetTap(FrameSet(fps=25.0, min_change=0.02))]))
    spans = [(e.picture.t_s, e.picture.until_s) for e in events if isinstance(e, PictureOut)]
    assert spans == [pytest.approx(s) for s in ((0.0, 0.8), (0.8, 1.6), (1.6, 2.4))]


def test_the_same_pictures_come_out_whoever_else_is_watching(footage):
    medium, wanted = medium_of(footage("a.mp4")), FrameSet(fps=5.0, max_side_px=50)

    class Greedy(FrameSession):
        def see(self, frame):
            frame.bgr(64), frame.luma(25), frame.bgr(50)
            return ()

    alone = [e for e in run_frames(medium, [], [FrameSetTap(wanted)]) if isinstance(e, PictureOut)]
    tap = FrameTap("greedy", Greedy(), Sampling())
    crowded = [e for e in run_frames(medium, [tap], [FrameSetTap(wanted)]) if isinstance(e, PictureOut)]
    assert alone == crowded


def test_one_failure_does_not_stop_the_others(footage):
    taps = [
        FrameTap("bad", Eyes(fail_at=10), Sampling()),
        FrameTap("skips", Eyes(fail_at=0, error=SkipUnit("nothing to see")), Sampling()),
        FrameTap("good", Eyes(), Sampling()),
    ]
    events = list(run_frames(medium_of(footage("a.mp4")), taps, []))
    ends = finished(events)
    assert str(ends["bad"].error) == "blind"
    assert (ends["skips"].error, ends["skips"].skipped) == (None, "nothing to see")
    assert len(rows(events, "good")) == 51 and ends["good"].error is None and ends["good"].seconds > 0
    assert events[-1] == PassDone(pytest.approx(2.0), 50)


def test_decoding_stops_when_nobody_is_left(footage):
    events = list(run_frames(medium_of(footage("a.mp4")), [FrameTap("bad", Eyes(fail_at=5), Sampling())], []))
    assert events[-1].frames == 6


def test_a_broken_video_fails_everybody_who_is_unfinished(footage, tmp_path):
    whole = footage("a.mp4", frames=200, container_options={"movflags": "faststart"})
    half = tmp_path / "half.mp4"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    medium = medium_of(whole)
    medium = Medium(**{**medium.__dict__, "path": half, "uri": "s3://store/half.mp4"})
    taps = [FrameTap("early", Eyes(fail_at=1), Sampling()), FrameTap("p", Eyes(), Sampling())]
    events = list(run_frames(medium, taps, [FrameSetTap(FrameSet())]))
    ends = finished(events)
    assert str(ends["early"].error) == "blind"
    assert isinstance(ends["p"].error, MediaError) and isinstance(ends[FrameSet().name].error, MediaError)
    assert str(ends["p"].error).startswith("s3://store/half.mp4: the video breaks off at")
    assert isinstance(events[-1], PassDone) and 0 < events[-1].frames < 200


def test_a_still_is_a_video_of_one_frame(tmp_path):
    Image.fromarray(numbered(77)).save(tmp_path / "p.png")
    events = list(
        run_frames(medium_of(tmp_path / "p.png"), [FrameTap("p", Eyes(), Sampling(2.0))], [FrameSetTap(FrameSet())])
    )
    assert [r["number"] for r in rows(events)] == [77, -1]
    assert [(e.picture.t_s, e.picture.until_s) for e in events if isinstance(e, PictureOut)] == [(0.0, 0.0)]


MEMORY = """
import resource, sys
from pathlib import Path
from chronotope.engine.annotator import FrameSession, FrameSet, Medium, Sampling
from chronotope.engine.media.shared_pass import FrameSetTap, FrameTap, run_frames

class Talkative(FrameSession):
    def see(self, frame):
        frame.bgr(256)
        yield "signals", {"t_s": frame.t_s, "text": "x" * 2000}

medium = Medium("m", "m", Path(sys.argv[1]), "video", 1e9, None, None, None, None, True, False)
peaks = []
for i, event in enumerate(run_frames(medium, [FrameTap("p", Talkative(), Sampling())], [FrameSetTap(FrameSet(25.0))])):
    if i in (1000, 7000):
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(*peaks)
"""


def test_memory_stays_flat_on_a_long_video(footage):
    """Five minutes at 25 frames per second with a row and a picture for each frame."""
    small = lambda i: np.full((48, 64, 3), i % 250, np.uint8)  # noqa: E731
    fast = {"preset": "ultrafast", "crf": "30"}
    path = footage("long.mp4", frames=8_000, picture=small, options=fast)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True, env=environment
    )
    early, late = map(int, run.stdout.split())
    assert late - early < 25, f"{early} MB after 1,000 frames, {late} MB after 7,000"
