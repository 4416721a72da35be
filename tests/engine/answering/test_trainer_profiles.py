"""Profiles: what the shipped ones draw and show, files of one's own, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.answering.answerable import show_stills, show_video
from chronotope.engine.answering.samplers import StreamFacts, qwen_vl, window_facts
from chronotope.engine.answering.trainer_profiles import Least, Profile, ProfileError, Said, load_profile, profile_names
from hypothesis import given
from hypothesis import strategies as st


def facts(frames: int, fps: float = 25.0) -> StreamFacts:
    return StreamFacts(frames, frames / fps, fps, np.arange(frames) / fps)


def test_llava_video_shows_sixty_four_frames_of_210_tokens() -> None:
    shown = show_video(load_profile("llava-video-64"), facts(1500), 100.0, 1920, 1080)
    assert len(shown.frames) == 64
    assert {(f.width, f.height, f.tokens) for f in shown.frames} == {(384, 384, 210)}
    assert (shown.times[0], shown.times[-1]) == (100.0, pytest.approx(100 + 1499 / 25))
    assert shown.kept == (384.0, 384.0)


def test_qwen_shows_two_frames_a_second_within_its_limits() -> None:
    profile = load_profile("qwen2.5-vl-2fps")
    assert len(show_video(profile, facts(500), 0.0, 640, 360).frames) == 40
    assert len(show_video(profile, facts(25), 0.0, 640, 360).frames) == 4, "at least four"
    assert len(show_video(profile, facts(3), 0.0, 640, 360).frames) == 2, "an even number, at most what there is"
    hour = show_video(profile, facts(3600 * 25), 0.0, 1920, 1080)
    assert len(hour.frames) == 768
    assert sum(f.tokens for f in hour.frames) <= 0.9 * 128_000
    assert show_video(profile, facts(1), 0.0, 640, 360).refused is not None


@given(frames=st.integers(2, 5000), fps=st.sampled_from([8.0, 23.976, 25.0, 30.0, 60.0]))
def test_qwen_draws_an_even_number_from_first_to_last(frames: int, fps: float) -> None:
    drawn = qwen_vl(facts(frames, fps))
    assert len(drawn) % 2 == 0
    assert 2 <= len(drawn) <= min(768, frames)
    assert (drawn[0], drawn[-1]) == (0, frames - 1)
    assert (np.diff(drawn) > 0).all()


def test_llamafactory_shows_at_most_128_small_frames() -> None:
    shown = show_video(load_profile("llamafactory-128"), facts(5000), 0.0, 1920, 1080)
    assert len(shown.frames) == 128
    assert shown.kept == (336.0, 192.0), "341 x 192, then whole patches"
    assert {(f.width, f.height) for f in shown.frames} == {(336, 196)}


def test_stills_are_shown_larger_than_frames() -> None:
    stills = show_stills(load_profile("llamafactory-128"), (3.0, 1.0), 10.0, 1920, 1080)
    assert [f.t_s for f in stills.frames] == [3.0, 1.0]
    assert stills.kept[0] == 1024.0


def test_frames_of_a_cut_are_those_that_begin_in_it() -> None:
    cut, zero_s = window_facts(10.01, 12.0, 25.0)
    assert zero_s == pytest.approx(10.04)
    assert (cut.frames, cut.duration_s) == (49, pytest.approx(1.96))
    assert window_facts(1.01, 1.02, 25.0)[0].frames == 0


def test_every_shipped_profile_says_where_its_facts_come_from() -> None:
    assert profile_names() == ("llamafactory-128", "llava-video-64", "qwen2.5-vl-2fps")
    for name in profile_names():
        profile = load_profile(name)
        assert profile.name == name
        assert profile.description and profile.sources


def test_a_profile_of_your_own(tmp_path: Path) -> None:
    file = tmp_path / "eight.yaml"
    file.write_text("video:\n  sampler: llava_video\n  sampler_params: {frames_upbound: 8}\nleast: {object_px: 20}\n")
    profile = load_profile(str(file))
    assert profile.name == "eight"
    assert profile.least.object_px == 20
    shown = show_video(profile, facts(500), 0.0, 640, 360)
    assert [(f.width, f.height) for f in shown.frames] == [(640, 360)] * 8, "no resizing unless it is written"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("llava-video", None, "did you mean llava-video-64"),
        ("mine.yaml", None, "no such file"),
        ("mine.yaml", "video: {sampler: lava_video}", "did you mean llava_video"),
        ("mine.yaml", "video: {sampler: qwen_vl, sampler_params: {frames: 3}}", "it has fps, min_frames"),
        ("mine.yaml", "video: {sampler: qwen_vl, resize: [{rule: shrink}]}", "smart_resize"),
        ("mine.yaml", "video: {sampler: qwen_vl}\nlanguage: {times: minutes}", "mm:ss"),
        ("mine.yaml", "- 3", "mapping"),
        ("mine.yaml", "video: [", "not YAML"),
    ],
)
def test_mistakes_are_named_with_what_to_write(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    given_name = str(tmp_path / name) if name.endswith(".yaml") else name
    with pytest.raises(ProfileError, match=said):
        load_profile(given_name)


def test_trainer_flags_overrule_the_profile_and_change_its_digest() -> None:
    profile = load_profile("llava-video-64")
    fewer = profile.with_sampler(frames_upbound=16, video_fps=None)
    assert len(show_video(fewer, facts(500), 0.0, 640, 360).frames) == 16
    assert fewer.digest != profile.digest
    assert profile.with_sampler(frames_upbound=None) is profile
    with pytest.raises(ProfileError, match="has no parameter 'fps'"):
        profile.with_sampler(fps=3)


def test_prose_does_not_change_the_digest() -> None:
    profile = load_profile("llava-video-64")
    reworded = Profile.model_validate(profile.model_dump() | {"description": "other words", "sources": []})
    assert reworded.digest == profile.digest


def test_the_profile_in_the_documentation_loads_and_says_the_defaults(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
    (text,) = [block.split("```")[0] for block in page.split("```yaml\n")[1:] if "\nvideo:" in block.split("```")[0]]
    (tmp_path / "mine.yaml").write_text(text)
    profile = load_profile(str(tmp_path / "mine.yaml"))
    assert (profile.least, profile.language) == (Least(), Said())
