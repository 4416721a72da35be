"""Pairs of clips follow their density, stay nested and keep one crop per clip; redundancy is true to known pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chronotope.annotators.second.flow import flow_of
from chronotope.annotators.temporal.clip_pairs import ANNOTATOR as ClipPairs
from chronotope.annotators.temporal.redundancy import ANNOTATOR as Redundancy
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit
from chronotope.engine.media.decode import VideoReader
from made_plans import film, plan
from scipy.stats import kstest


def unit(number: int = 0, duration_s: float = 62.0, fps: float = 10.0) -> Unit:
    medium = Medium(
        f"m{number}", "m.mp4", None, "video", duration_s, fps, round(duration_s * fps), 160, 90, True, False
    )
    return Unit(f"m{number}", "medium", medium, "hand", 3)


def pairs(units: Iterable[Unit], rows: dict[str, Any] | None = None, **params: Any) -> list[dict[str, Any]]:
    annotator = ClipPairs(ClipPairs.Params(**params))
    return [row for u in units for _, row in annotator.annotate(u, Rows(rows or {}))]


def test_distances_follow_the_chosen_density_and_no_other() -> None:
    made = pairs((unit(k) for k in range(150)), kinds=("contrastive",))
    shares = [row["interval_s"] / 60.0 for row in made]
    assert len(made) == 600 and made == pairs((unit(k) for k in range(150)), kinds=("contrastive",))
    assert kstest(shares, lambda x: 1 - (1 - x) ** 2).pvalue > 0.05
    assert kstest(shares, "uniform").pvalue < 1e-6, "planted: distances drawn evenly"
    steep = [row["interval_s"] / 60.0 for row in pairs((unit(k) for k in range(150)), kinds=("contrastive",), power=3)]
    assert kstest(steep, lambda x: 1 - (1 - x) ** 4).pvalue > 0.05
    for row in made:
        assert 0 <= row["first_start_s"] <= row["second_start_s"] and row["second_end_s"] <= 62.0 + 1e-6
        change = json.loads(row["augmentation_json"])
        assert set(change) == {"first", "second"} and change["first"] != change["second"], (
            "one for all frames of a clip"
        )
        x1, y1, x2, y2 = change["first"]["crop"]
        assert 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1


def test_short_clips_are_nested_in_long_ones_at_the_ratio() -> None:
    moving = [
        {"producer": "s", "t_s": k / 2, "residual_area": 0.1, "residual_x1": 0.2, "residual_y1": 0.3,
         "residual_x2": 0.2 + k / 500, "residual_y2": 0.6}
        for k in range(1, 124)
    ]  # fmt: skip
    made = pairs([unit(), unit(1, 6.0)], {"signals": moving}, kinds=("long_short",), ratio=0.25)
    for row in made:
        long_s = row["second_end_s"] - row["second_start_s"]
        assert row["second_start_s"] <= row["first_start_s"] and row["first_end_s"] <= row["second_end_s"]
        assert row["first_end_s"] - row["first_start_s"] == pytest.approx(0.25 * long_s, abs=2e-6)
    assert [round(row["second_end_s"] - row["second_start_s"], 5) for row in made] == [16.0] * 4 + [6.0] * 4
    hint = json.loads(made[0]["augmentation_json"])["informative_box"]
    assert hint[:2] == [0.2, 0.3] and hint[3] == 0.6
    assert all(
        json.loads(r["augmentation_json"])["informative_box"] is None for r in pairs([unit()], kinds=("long_short",))
    )


def test_snippets_lie_in_their_segments_and_stills_have_none() -> None:
    made = pairs([unit(0, 9.0)], kinds=("flow_snippet",))
    assert [(r["first_start_s"], r["first_end_s"], r["second_end_s"]) for r in made] == [
        (0.9, 1.0, 2.0), (3.9, 4.0, 5.0), (6.9, 7.0, 8.0),
    ]  # fmt: skip
    assert pairs([unit(0, 2.0)], kinds=("flow_snippet",)) == [], "segments shorter than a snippet"
    with pytest.raises(SkipUnit):
        pairs([unit(0, 0.1)])


def test_flow_of_a_planned_snippet_is_the_velocity_of_the_pattern(tmp_path: Path, write_pattern: Any) -> None:
    dx, dy = 1.5, -0.75
    path = write_pattern(tmp_path / "pattern.mp4", dx, dy, 45)
    frames = {round(f.t_s, 3): np.array(f.luma(160)) for f in VideoReader(path)}
    made = plan("temporal_segment_rgb_flow", film([4.5]), segments=3, flow_frames=4)
    for segment in range(3):
        times = [round(f.t_s, 3) for f in made.frames if f.segment == segment]
        for a, b in pairwise(times):
            flow = flow_of(frames[a], frames[b])[12:-12, 12:-12]
            assert np.abs(np.median(flow, axis=(0, 1)) - (dx, dy)).max() < 0.2
    skipped = flow_of(frames[times[0]], frames[times[2]])[12:-12, 12:-12]
    assert np.abs(np.median(skipped, axis=(0, 1)) - (dx, dy)).max() > 0.2, "planted: a frame left out"


@pytest.fixture
def write_pattern() -> Any:
    """Writes a smooth pattern that moves by (dx, dy) px a frame at 10 fps."""
    import av

    def write(path: Path, dx: float, dy: float, frames: int) -> Path:
        noise = np.random.default_rng(1).random((400, 500)).astype(np.float32)
        big = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 20, 235, cv2.NORM_MINMAX)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
            for k in range(frames):
                shift = np.float32([[1, 0, -170 + dx * k], [0, 1, -150 + dy * k]])
                luma = cv2.warpAffine(big, shift, (160, 90), flags=cv2.INTER_LINEAR).astype(np.uint8)
                picture = av.VideoFrame.from_ndarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2RGB), "rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path

    return write


def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def redundancies(pictures: list[np.ndarray], sounds: list[dict[str, Any]] | None = None) -> dict[str, float]:
    frames = [{"producer": "f", "t_s": float(k), "frame_set": "a", "jpeg": jpeg(p)} for k, p in enumerate(pictures)]
    rows = Rows({"frames": frames, "sounds": sounds or []})
    found = [row for _, row in Redundancy(Redundancy.Params()).annotate(unit(0, float(len(pictures))), rows)]
    return {n: float(np.mean([r["value"] for r in found if r["name"] == n])) for n in {r["name"] for r in found}}


def test_a_still_is_redundant_in_time_and_noise_in_nothing() -> None:
    chance = np.random.default_rng(2)
    card = np.full((90, 160, 3), (40, 90, 200), np.uint8)
    cv2.putText(card, "7", (60, 60), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    still = redundancies([card] * 8, [{"producer": "s", "start_s": 2.0, "end_s": 4.5, "label": "silence"}])
    assert still["red_temporal"] >= 0.999 and still["red_audio"] == pytest.approx(2.5 / 8)
    noise = redundancies([chance.integers(0, 256, (90, 160, 3), np.uint8) for _ in range(8)])
    assert noise["red_temporal"] < 0.2 and noise["red_spatial"] < 0.1 and "red_audio" not in noise
    assert redundancies([np.full((90, 160, 3), 80, np.uint8)] * 3) == {"red_temporal": 1.0, "red_spatial": 1.0}
