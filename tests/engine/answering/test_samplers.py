"""The trainers' samplers, as their sources state them: hand-computed frame numbers."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.engine.answering.samplers import StreamFacts, drawn_times, llamafactory, llava_video


def facts(frames: int, duration_s: float | None, fps: float = 25.0, header: int | None = None) -> StreamFacts:
    return StreamFacts(frames if header is None else header, duration_s, fps, np.arange(frames) / fps)


def test_llamafactory_draws_two_frames_a_second_from_first_to_last_cut_to_integers() -> None:
    indices = llamafactory(facts(500, 20.0))
    assert len(indices) == 40
    assert indices[:4].tolist() == [0, 12, 25, 38], "499 / 39 = 12.79 a step, cut down"
    assert indices[-1] == 499


def test_llamafactory_draws_at_most_video_maxlen() -> None:
    assert llamafactory(facts(5000, 200.0), video_maxlen=5).tolist() == [0, 1249, 2499, 3749, 4999]


def test_llamafactory_draws_one_frame_of_a_very_short_video() -> None:
    assert llamafactory(facts(7, 0.28)).tolist() == [0]


def test_llamafactory_takes_the_first_frames_when_the_header_has_no_count() -> None:
    drawn = llamafactory(facts(500, None, header=0))
    assert drawn.tolist() == list(range(128))
    assert drawn_times(facts(100, None), drawn)[-1] == pytest.approx(99 / 25), "numbers past the end draw nothing"


def test_llamafactory_cannot_open_a_stream_without_duration() -> None:
    with pytest.raises(ValueError, match="duration"):
        llamafactory(facts(500, None))


def test_llava_video_draws_one_frame_a_second_or_the_bound() -> None:
    assert llava_video(facts(500, 20.0), force_sample=False).tolist() == list(range(0, 500, 25))
    assert llava_video(facts(500, 20.0), frames_upbound=5).tolist() == [0, 124, 249, 374, 499]
    assert llava_video(facts(500, 20.0), frames_upbound=5, force_sample=False).tolist() == [0, 124, 249, 374, 499]
    assert len(llava_video(facts(40, 1.6), frames_upbound=64)) == 64, "frames repeat"
    drawn = drawn_times(facts(40, 1.6), llava_video(facts(40, 1.6), frames_upbound=64))
    assert (len(drawn), len(set(drawn))) == (64, 40)
