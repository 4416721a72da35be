"""Every policy of the literature on films whose truth is known: its own rule, and what all plans must keep to.

Each group also has a planted fault: a plan changed by hand that the same check must catch.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from chronotope.engine.plans.carrier import survivors
from chronotope.engine.plans.grids import SAMPLERS, fps_grid
from chronotope.engine.plans.plan import Inputs, Plan, PlanError
from chronotope.engine.plans.policies import POLICIES, configured, make_plan
from chronotope.engine.plans.resolution import fitted
from chronotope.engine.plans.tokens import audio_tokens, patch_tokens
from chronotope.schemas.metrics import boundary_prf, temporal_prf
from chronotope.schemas.span import Span
from made_plans import film, picture, plan, scenes_met, walked

CARDS = film([1.0] * 60)
STILL = film([60.0])
UNEVEN = film([0.7, 9.3, 1.1, 14.9, 0.8, 6.2, 1.3, 12.7, 0.9, 12.1])
CHANGE_DRIVEN = {
    "keyframe": {"max_frames": 60},
    "slow_fast_similarity": {"fps": 4},
    "density_cubes": {"fps": 4, "max_cubes": 60},
    "temporal_dynamic_context": {"fps": 4, "max_frames": 240},
    "frame_carrier_stream": {"fps": 4, "bank": 60},
}
MARKS = {"keyframe": ("key",), "slow_fast_similarity": ("slow",), "temporal_dynamic_context": ("static",)}


def first_frames(made: Plan) -> list[float]:
    """Times at which segments open."""
    return [s.start_s for s in made.segments]


# -- what all plans keep to ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POLICIES)
def test_plans_ascend_stay_inside_keep_to_their_budget_and_are_the_same_again(name: str) -> None:
    many = film([1.0] * 60, needle_s=33.0, seen=walked(60))
    for inputs in (many, film([3.0, 4.5, 2.0], 29.97, needle_s=5.0, seed=4, seen=walked(9)), picture()):
        policy, params = configured(name)
        if inputs.image and name == "temporal_segment_rgb_flow":
            continue  # a picture has no flow
        made = make_plan(policy, params, inputs)
        assert made.frames and made.problems(inputs.start_s, inputs.end_s) == []
        again = make_plan(policy, params, replace(inputs))
        assert again == made
        if inputs.image:
            continue
        for share in (0.5, 0.11):
            budget = max(900, int(made.tokens * share))
            if "budget_tokens" in policy.Params.model_fields and name != "temporal_segment_rgb_flow":
                tight = plan(name, inputs, budget_tokens=budget)
                assert 0 < tight.tokens <= budget


def test_a_plan_that_breaks_the_rules_is_named() -> None:
    made = plan("uniform", CARDS, frames=4)
    swapped = replace(made, frames=(made.frames[1], made.frames[0], *made.frames[2:]))
    late = replace(made, frames=(*made.frames[:-1], replace(made.frames[-1], t_s=60.0)))
    dear = replace(made, budget_tokens=made.tokens - 1)
    cubes = plan("density_cubes", CARDS)
    torn = replace(cubes, segments=cubes.segments[1:])
    said = [p.problems(0.0, 60.0) for p in (made, swapped, late, dear, cubes, torn)]
    assert [bool(problems) for problems in said] == [False, True, True, True, False, True]
    assert "does not come after" in said[1][0] and "outside 0..60" in said[2][0] and "budget" in said[3][0]


@pytest.mark.parametrize("name", CHANGE_DRIVEN)
@pytest.mark.parametrize("inputs", [CARDS, UNEVEN], ids=["sixty scenes", "uneven scenes"])
def test_change_driven_policies_meet_every_scene_and_uniform_never_beats_them(name: str, inputs: Inputs) -> None:
    scenes = len(inputs.cuts_s) + 1
    params = dict(CHANGE_DRIVEN[name])
    if name == "temporal_dynamic_context":
        params["boundaries"] = max(24, scenes - 1)
    made = plan(name, inputs, **params)
    assert scenes_met(made, inputs) == 1.0
    marked = [f for f in made.frames if f.role in MARKS.get(name, (f.role,))]
    if name == "density_cubes":
        marked = [next(f for f in made.frames if f.segment == k) for k in range(len(made.segments))]
    even = plan("uniform", inputs, frames=len(marked))
    met = scenes_met(replace(made, frames=tuple(marked)), inputs)
    assert met == 1.0 >= scenes_met(even, inputs)
    if inputs is UNEVEN and name != "temporal_dynamic_context":
        ten = plan("uniform", inputs, frames=scenes)
        assert scenes_met(ten, inputs) < 1.0, "as many evenly spaced frames as scenes miss the short ones"


def test_seeds_matter_to_those_that_draw_and_to_no_other() -> None:
    drawing = {"frame_curriculum", "tstar_keyframe_search"}
    for name in POLICIES:
        params = {"stage": 2} if name == "frame_curriculum" else {}
        made = [
            plan(name, film([900.0], 2.0, needle_s=430.0, seed=seed, seen=walked(900)), **params) for seed in range(3)
        ]
        differ = any(m.frames != made[0].frames or m.attributes != made[0].attributes for m in made)
        assert differ == (name in drawing), name


# -- samplers -----------------------------------------------------------------------------------------------------------


def test_named_samplers_are_what_their_names_say() -> None:
    assert SAMPLERS["endpoints"](9, 3).tolist() == [0, 4, 8]
    assert SAMPLERS["stride"](9, 4).tolist() == [0, 2, 4, 6]
    assert SAMPLERS["bin_centre"](9, 3).tolist() == [1, 4, 7]
    assert SAMPLERS["endpoints"](3, 10).tolist() == [0, 1, 2]
    assert SAMPLERS["endpoints"](301, 100).tolist() == [round(i / 99 * 300) for i in range(100)], (
        "LLaVA-ST's window form"
    )
    times = np.array([0.0, 0.3, 0.9, 1.0, 1.7, 2.4])
    assert times[fps_grid(times, 0.0, 1.0)].tolist() == [0.0, 1.0, 2.4], "the first frame at or after each second"


def test_printed_times_are_true_to_half_a_frame() -> None:
    made = plan("interleaved_timestamps", film([10.0], 24.0), fps=3)
    printed = [float(t.removesuffix("s")) for t in made.attributes["timestamps"]]
    assert made.attributes["decimals"] == 2, "a tenth of a second is coarser than half a frame at 24 fps"
    errors = [abs(a - b) for a, b in zip(printed, made.times_s, strict=True)]
    assert max(errors) <= 0.5 / 24
    shifted = [abs(a + 1 / 24 - b) for a, b in zip(printed, made.times_s, strict=True)]
    assert max(shifted) > 0.5 / 24, "planted: times one frame late"


# -- slow and fast ------------------------------------------------------------------------------------------------------


def test_slow_frames_are_the_first_of_each_scene_and_a_still_has_one() -> None:
    made = plan("slow_fast_similarity", CARDS)
    assert [f.t_s for f in made.frames if f.role == "slow"] == [float(k) for k in range(60)]
    assert [f.role for f in plan("slow_fast_similarity", STILL).frames].count("slow") == 1
    drifting = film([60.0], drift=2.0)
    slow = [f.role for f in plan("slow_fast_similarity", drifting).frames].count("slow")
    neighbours = drifting.likeness.adjacent()  # type: ignore[union-attr]
    assert slow > 1 and neighbours.min() > 0.99, "a drift that no two neighbours show is caught by the last slow frame"


def test_slow_and_fast_tokens_come_from_a_search_below_the_budget() -> None:
    for seconds in (3.0, 17.0, 240.0):
        made = plan("slow_fast_similarity", film([seconds / 3] * 3), budget_tokens=8000, cost={"tokens_per_frame": 768})
        each, fast = made.attributes["slow_tokens"], made.attributes["fast_tokens"]
        slow = made.attributes["frame_types"].count(0)
        assert made.tokens == slow * each + (len(made.frames) - slow) * fast <= 8000
        dearer = slow * (each + 1) + (len(made.frames) - slow) * max(int(0.3 * (each + 1)), 4)
        assert each == 768 or dearer > 8000


def test_the_few_are_among_the_many() -> None:
    made = plan("dual_rate_frame_plan", CARDS, dense_frames=33, ratio=4)
    slow = [k for k, f in enumerate(made.frames) if f.role == "slow"]
    assert slow == list(range(0, 33, 4)) and made.attributes["slow_frames"] == 9
    crossed = plan("slow_fast_cross_attention_plan", CARDS)
    roles = [f.role for f in crossed.frames]
    assert (len(roles), roles.count("slow")) == (128, 64)
    assert crossed.tokens == math.ceil(128 / 4) * 16 and crossed.attributes["attended_tokens"] == 64 * 144
    with pytest.raises(PlanError, match="must not exceed"):
        plan("slow_fast_cross_attention_plan", CARDS, fast_frames=8, slow_frames=9)


# -- segments and cubes -------------------------------------------------------------------------------------------------


def test_all_hard_cuts_are_among_the_lowest_likenesses() -> None:
    inputs = film([4.0, 7.0, 3.0, 9.0, 5.0, 6.0, 8.0, 4.0, 5.0, 6.0, 3.0])  # 10 cuts in 60 s
    made = plan("temporal_dynamic_context", inputs)
    assert len(made.segments) == 25 and set(inputs.cuts_s) <= set(first_frames(made))
    exact = plan("temporal_dynamic_context", inputs, boundaries=10, static_per="segment")
    assert boundary_prf(first_frames(exact)[1:], inputs.cuts_s, 0.5).f1 == 1.0
    static = [f.segment for f in exact.frames if f.role == "static"]
    assert static == list(range(11)), "exactly one static frame per segment"
    chunked = plan("temporal_dynamic_context", inputs, boundaries=10)
    lengths = [s.frames for s in chunked.segments]
    assert chunked.attributes["static_frames"] == sum(math.ceil(n / 8) for n in lengths)
    assert plan("temporal_dynamic_context", film([25.0])).segments.__len__() == 25, "few frames: each its own segment"
    shifted = [t + 1.0 for t in first_frames(exact)[1:]]
    assert boundary_prf(shifted, inputs.cuts_s, 0.5).f1 == 0.0, "planted: boundaries a second late"


def test_identical_frames_still_part_by_index() -> None:
    made = plan("temporal_dynamic_context", STILL)
    assert first_frames(made) == [float(k) for k in range(25)], "ties are broken by index"


def test_a_still_is_one_cube_and_cuts_open_cubes_up_to_the_cap() -> None:
    assert plan("density_cubes", STILL).attributes["cubes"] == 1
    sixty = plan("density_cubes", CARDS, max_cubes=60)
    assert sixty.attributes["cubes"] == 60 and sixty.tokens == 60 * 64
    noise = film([1.0] * 100)
    assert plan("density_cubes", noise).attributes["cubes"] == 1 + 19, "K = max(round(n / 5) - 1, 1)"
    burst = plan("density_cubes", film([30.0, 1.0, 1.0, 1.0, 27.0]))
    assert first_frames(burst) == [0.0, 30.0, 31.0, 32.0, 33.0]


# -- query -------------------------------------------------------------------------------------------------------------


def test_the_needle_is_kept_at_every_budget_and_the_cap_is_met_exactly() -> None:
    inputs = film([1.0] * 60, needle_s=33.0)
    for budget in (1, 2, 31, 500, 9000):
        made = plan("text_conditioned_balanced_tokens", inputs, budget_tokens=budget)
        assert 33.0 in made.times_s
        assert made.tokens == min(budget, len(made.frames) * 299)
    uniform = plan("uniform", inputs, frames=16)
    assert not any(33.0 <= t < 34.0 for t in uniform.times_s), "planted: frames that do not follow the query"


def test_copies_of_one_frame_are_merged() -> None:
    made = plan("text_conditioned_balanced_tokens", film([10.0], needle_s=4.0))
    assert (len(made.frames), made.attributes["merged"]) == (1, 9)
    with pytest.raises(PlanError, match="follows a query"):
        plan("text_conditioned_balanced_tokens", film([10.0]))


def test_search_finds_a_second_of_an_hour_that_evenly_spaced_frames_miss() -> None:
    found = []
    for seed, needle_s in enumerate((611.0, 1804.0, 3007.0)):
        inputs = film([3600.0], 1.0, needle_s=needle_s, seed=seed)
        made = plan("tstar_keyframe_search", inputs)
        assert made.attributes["looked_at"] <= 360
        found.append(temporal_prf(made.times_s, [needle_s], 5.0).f1)
        assert temporal_prf(plan("uniform", inputs, frames=8).times_s, [needle_s], 5.0).f1 <= 0.05
    assert np.mean(found) >= 0.5


def test_the_clips_that_are_read_cover_the_evidence() -> None:
    inputs = film([1.0] * 60, needle_s=33.0, evidence=(Span(33.0, 34.0),))
    made = plan("memory_propagated_clip_stream", inputs, clip=8, selected=2)
    assert made.attributes["evidence_clips"] == [4] and 4 in made.attributes["selected_clips"]
    assert made.tokens == 2 * 64, "as many slots whatever the length"
    assert [s.frames for s in made.segments] == [8] * 7 + [4]


# -- chunks, banks and pools --------------------------------------------------------------------------------------------


def test_only_the_last_chunk_is_padded() -> None:
    made = plan("chunked_multigranular", film([20.5], 2.0))
    assert made.attributes["chunks"] == math.ceil(41 / 16) == len(made.segments)
    assert made.attributes["mask"] == [True] * 9 + [False] * 7 and made.attributes["padding"] == 7
    tiles = plan("chunked_multigranular", picture(1280, 720)).attributes["tiles"]
    area = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in tiles[:-1])
    assert len(tiles) > 2 and tiles[-1] == [0.0, 0.0, 1.0, 1.0] and area == pytest.approx(1.0)


def test_sliding_clips_start_every_eight_frames() -> None:
    inputs = film([4.5])  # 45 frames
    ends = {}
    for tail in ("drop", "keep", "shift"):
        made = plan("sliding_clip_16x8", inputs, tail=tail)
        clips = made.attributes["clips"]
        assert [first for first, _ in clips[:4]] == [0, 8, 16, 24]
        assert all(past - first == 16 for first, past in clips[:4])
        ends[tail] = (clips[-1], len(made.frames), made.attributes["left_over"])
    assert ends == {"drop": ([24, 40], 40, 5), "keep": ([32, 45], 45, 0), "shift": ([29, 45], 45, 0)}


def test_the_bank_is_never_exceeded_and_its_log_replays_to_the_survivors() -> None:
    inputs = film([0.9, 5.0, 1.0, 8.0, 2.0, 13.1], 4.0)
    made = plan("frame_carrier_stream", inputs, fps=4, bank=6)
    log = made.attributes["evictions"]
    assert len(made.frames) == 6 == made.tokens and len(log) == made.attributes["seen"] - 6
    kept = survivors(made.attributes["seen"], log)
    assert [k / 4 for k in kept] == list(made.times_s)
    assert scenes_met(made, inputs) == 1.0, "the most redundant goes first"
    forged = [{**log[0], "frame": log[1]["frame"]}, *log[1:]]
    with pytest.raises(ValueError, match="not in the bank"):
        survivors(made.attributes["seen"], forged)


def test_doubling_the_pool_halves_the_tokens() -> None:
    tokens = [plan("temporal_pool_reduction", CARDS, pool_t=t).tokens for t in (1, 2, 4, 8)]
    assert tokens[0] == 128 * 299 and [tokens[0] / t for t in tokens] == [1, 2, 4, 8]
    odd = plan("temporal_pool_reduction", CARDS, frames=10, pool_t=4, pool_s=2)
    assert odd.tokens == 3 * math.ceil(299 / 2)
    tested = plan("temporal_pool_reduction", CARDS, frames=10, stride=3)
    assert [k for k, f in enumerate(tested.frames) if f.role == "slow"] == [0, 3, 6, 9]


def test_a_picture_is_a_video_of_itself() -> None:
    made = plan("progressive_static_video", picture())
    assert [(f.t_s, f.role, f.tokens) for f in made.frames] == [(0.0, "still", 64)] * 4
    moving = plan("progressive_static_video", CARDS)
    assert len(set(moving.times_s)) == len(moving.frames) == 60 and {f.tokens for f in moving.frames} == {64}


def test_segments_have_a_picture_and_a_stack_of_neighbours() -> None:
    made = plan("temporal_segment_rgb_flow", film([9.0]), segments=3)
    assert [(s.start_s, s.end_s, s.frames) for s in made.segments] == [(0.0, 3.0, 11), (3.0, 6.0, 11), (6.0, 9.0, 11)]
    assert [f.role for f in made.frames[:11]] == ["rgb"] + ["snippet"] * 10
    assert np.allclose(np.diff(made.times_s[:11]), 0.1)
    stages = [len(plan("frame_curriculum", CARDS, stage=k).frames) for k in range(3)]
    assert stages == [1, 4, 8] and len(plan("frame_curriculum", picture()).frames) == 1


# -- sizes and tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (360, 640), (200, 150), (3000, 500)])
def test_resolution_on_demand_keeps_the_shape_and_the_limits(size: tuple[int, int]) -> None:
    made = plan("ondemand_resolution_1x_16x", film([10.0], width=size[0], height=size[1]))
    width, height = made.frames[0].width, made.frames[0].height
    assert width % 64 == height % 64 == 0 and width * height <= 480 * 480
    scale = (
        min(1.0, 480 / math.sqrt(size[0] * size[1]))
        if math.prod(size) > 288 * 288
        else 288 / math.sqrt(math.prod(size))
    )
    assert abs(width - size[0] * scale) < 64 and abs(height - size[1] * scale) < 64, "within one unit of 64 px"
    assert made.frames[0].tokens == math.ceil(width // 16 * (height // 16) / 4)
    long = plan("ondemand_resolution_1x_16x", film([200.0], 2.0))
    assert (len(long.frames), long.frames[0].pool) == (256, 16)
    assert plan("ondemand_resolution_1x_16x", picture(4000, 3000)).attributes["compression"] == 1
    assert fitted(64, 64, 288, 480, 64) == (256, 256)


def qwen_tokens(frames: int, width: int, height: int) -> int:
    """Tokens of Qwen2.5-VL's processor for a video, stated again from its published formula."""
    most = max(min(602112, 90316800 / frames * 2), int(100352 * 1.05))
    wide, high = round(width / 28) * 28, round(height / 28) * 28
    if wide * high > most:
        beta = math.sqrt(width * height / most)
        wide, high = (math.floor(side / beta / 28) * 28 for side in (width, height))
    elif wide * high < 100352:
        beta = math.sqrt(100352 / (width * height))
        wide, high = (math.ceil(side * beta / 28) * 28 for side in (width, height))
    return math.ceil(frames / 2) * (wide // 28) * (high // 28)


def test_predicted_tokens_are_the_processors_within_one_percent() -> None:
    chance = np.random.default_rng(5)
    for _ in range(100):
        width, height, seconds = (int(v) for v in chance.integers((64, 64, 2), (2000, 2000, 300)))
        made = plan("token_budget_columns", film([float(seconds)], 4.0, width=width, height=height, sound=True))
        expected = qwen_tokens(len(made.frames), width, height)
        assert abs(made.tokens - expected) <= 0.01 * expected
        columns = made.attributes["tok"]
        assert columns["dense"] == made.tokens and columns["audio"] == seconds * 25
        assert columns["transform"] <= columns["dense"] and columns["similarity"] <= columns["dense"]
    assert abs(made.tokens * 4 - expected) > 0.01 * expected, "planted: merging forgotten"
    llava = plan("uniform", CARDS, frames=64, cost={"profile": "llava-video-64"})
    assert llava.tokens == 64 * 14 * (14 + 1)
    assert patch_tokens(640, 360, 14, 2, 4) == math.ceil(13 * 23 / 4) and audio_tokens(2.1, 10) == 21


def test_mistakes_in_recipes_are_named() -> None:
    with pytest.raises(PlanError, match="did you mean slow_fast_similarity"):
        configured("slow_fast_similarities")
    with pytest.raises(PlanError, match=r"policy uniform: frame: .*frames"):
        configured("uniform", {"frame": 3})
    with pytest.raises(PlanError, match="more than the budget"):
        plan("uniform", CARDS, budget_tokens=5)
    with pytest.raises(PlanError, match="needs embeddings, frames or signals"):
        plan("density_cubes", replace(CARDS, likeness=None))
