"""What may be asked at which scale, how margins and errors are carried, and what a scale is fitted to."""

import math

import numpy as np
import pytest
from chronotope.schemas.scale import (
    NEEDS,
    admissible,
    agreed_scale,
    angle_sigma_deg,
    approximate,
    confidence,
    fit_scale,
    interval,
    keeps_comparison,
    keeps_direction,
    keeps_number,
    margin_in,
    tier,
)
from s0 import s0, s0_rows, space_from, up_to_scale


def scene(**changes):
    """The row of S0's scene, changed."""
    return {**s0().scene, **changes}


def test_measured_scenes_may_be_asked_everything_and_unit_ones_nothing_in_metres() -> None:
    assert {admissible(scene(), needs) for needs in NEEDS.values()} == {""}
    unit = space_from(up_to_scale(s0_rows())).scene
    asked = {kind for kind, needs in NEEDS.items() if not admissible(unit, needs)}
    assert {"object_count", "obj_rel_dist", "obj_rel_dir", "cam_move_dir", "obj_obj_lr"} <= asked
    assert admissible(unit, NEEDS["obj_abs_dist"]) == admissible(unit, NEEDS["room_size"]) == "unit scale"


@pytest.mark.parametrize(
    ("sigma", "length", "area"), [(0.02, "", ""), (0.04, "", "scale too uncertain"), (0.06, *["scale too uncertain"] * 2), (None, *["scale too uncertain"] * 2)]
)  # fmt: skip
def test_a_predicted_scale_is_good_for_lengths_before_areas(sigma, length, area) -> None:
    found = scene(scale_status="predicted", scale_sigma=sigma)
    assert (admissible(found, NEEDS["obj_abs_dist"]), admissible(found, NEEDS["room_size"])) == (length, area)
    assert approximate(found) and not approximate(scene())


def test_a_leaning_world_has_no_directions_on_the_ground() -> None:
    assert admissible(scene(world_up="unknown"), NEEDS["obj_rel_dir"]) == "not gravity aligned"
    assert admissible(scene(up_error_deg=6.0), NEEDS["obj_rel_dir"]) == "gravity too uncertain"
    assert admissible(scene(up_error_deg=None), NEEDS["room_size"]) == "gravity too uncertain"
    assert admissible(scene(world_up="unknown"), NEEDS["obj_abs_dist"]) == ""


def test_margins_without_metres_are_shares_of_the_room() -> None:
    unit = scene(scale_status="unit", scale_sigma=None)
    assert [margin_in(unit, m, 5.0) for m in (0.15, 0.30)] == pytest.approx([0.10, 0.15])
    assert margin_in(scene(), 0.15, 5.0) == 0.15
    assert margin_in(unit, 0.1, 4.0) == 2 * margin_in(unit, 0.1, 2.0)


def test_numbers_are_kept_only_where_every_value_scores_alike() -> None:
    assert interval(scene(), 1.57) == pytest.approx((1.55, 1.59))
    assert keeps_number(1.6, interval(scene(), 1.57), 1)
    assert not keeps_number(0.2, (0.15, 0.25), 1)
    loose = scene(scale_status="predicted", scale_sigma=0.05)
    assert interval(loose, 2.0) == pytest.approx((1.9 * math.exp(-0.1), 2.1 * math.exp(0.1)))
    assert not keeps_number(2.0, interval(loose, 2.0), 1)
    assert interval(loose, 20.0, power=2, place=0.0) == pytest.approx((20 * math.exp(-0.2), 20 * math.exp(0.2)))


def test_two_lengths_of_one_scale_are_compared_without_its_error() -> None:
    loose = scene(scale_status="predicted", scale_sigma=0.05)
    near, far = (interval(loose, d, shared_scale=True) for d in (1.0, 1.2))
    assert keeps_comparison(near, far) and keeps_comparison(far, near)
    assert not keeps_comparison(interval(loose, 1.0), interval(loose, 1.2))
    assert not keeps_comparison(interval(scene(), 1.0), interval(scene(), 1.03))


def test_directions_keep_ten_degrees_beyond_their_error() -> None:
    assert keeps_direction(10.0) and not keeps_direction(9.9) and not keeps_direction(14, sigma_deg=2.1)
    assert angle_sigma_deg(scene(), [0.5, 5.0]) > angle_sigma_deg(scene(), [5.0, 5.0]) > 0


def test_confidence_and_tier() -> None:
    assert confidence([0.9, None, 0.5]) == pytest.approx(0.45) and confidence([]) == 1.0
    assert tier(scene(), annotated=True, agree=None) == "exact"
    assert tier(scene(scale_status="predicted"), annotated=True, agree=True) == "two_source"
    assert tier(scene(), annotated=False, agree=False) == "model"


def test_a_scale_is_the_median_of_ratios_and_frames_count_not_pixels() -> None:
    draw = np.random.default_rng(0)
    metric = [draw.uniform(1, 4, 500) for _ in range(9)]
    found = [m / 2.5 * np.exp(draw.normal(0, 0.06, 500)) for m in metric]
    found[0][:100], metric[1][:50] = 1000.0, 0.0
    fit = fit_scale(metric, found)
    assert fit is not None and fit.scale == pytest.approx(2.5, rel=0.01) and fit.frames == 9
    assert fit.sigma == pytest.approx(0.06 / 3, rel=0.2)
    assert fit_scale(metric[:2], found[:2]) is None and fit_scale([[0.0]] * 3, [[1.0]] * 3) is None


def test_two_estimates_must_agree_or_there_are_no_metres() -> None:
    def fit(scale: float, sigma: float):
        found = fit_scale([[scale]] * 4, [[1.0]] * 4)
        return None if found is None else type(found)(found.scale, sigma, found.frames, found.pixels)

    agreed = agreed_scale(fit(2.0, 0.01), fit(2.1, 0.02))
    assert (
        agreed is not None and agreed.scale == pytest.approx(2.0) and agreed.sigma == pytest.approx(math.log(1.05) / 2)
    )
    assert agreed_scale(fit(2.0, 0.01), fit(2.3, 0.01)) is None and agreed_scale(fit(2.0, 0.01), None) is None
