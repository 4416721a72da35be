"""Directions on the ground: S0's angles, sectors with margins on both sides, and what turning around or mirroring does."""

import numpy as np
import pytest
from chronotope.schemas.geometry.directions import EASY, HARD, LEVELS, MEDIUM, TURNS, corner_votes, ego_angle
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from s0 import s0

places = st.tuples(*[st.integers(-40, 40).map(lambda v: v / 10)] * 2)


def asked(stand: str, face: str, query: str, level: str) -> tuple[str, float, int]:
    """Sector, margin and straying corners."""
    p, o, q = (s0().by_id[name].box for name in (stand, face, query))
    angle = float(ego_angle(p.centre, o.centre, q.centre))
    sectors = LEVELS[level]
    return sectors.name(angle), sectors.margin_deg(angle), corner_votes(p.centre, o.centre, q, sectors)


def test_s0_has_the_directions_of_its_specification() -> None:
    assert asked("sofa", "table", "lamp", "hard") == ("front-left", pytest.approx(20.32, abs=0.01), 0)
    assert asked("sofa", "table", "bin", "hard") == ("front-right", pytest.approx(21.08, abs=0.01), 0)
    assert asked("table", "lamp", "sofa", "hard")[0] == "back-left"
    assert asked("lamp", "tv", "bin", "hard") == ("back-left", pytest.approx(13.16, abs=0.01), 0)


def test_s0_drops_what_is_too_near_a_boundary_on_either_side() -> None:
    assert asked("sofa", "table", "clock", "hard")[1] == pytest.approx(4.99, abs=0.01)
    assert asked("table", "lamp", "sofa", "medium")[1] == pytest.approx(8.13, abs=0.01)
    assert asked("table", "tv", "sofa", "hard")[2] > 2
    assert asked("table", "tv", "sofa", "medium") == ("left", pytest.approx(45.0), 0)


def test_a_test_of_the_upper_side_alone_would_keep_the_clock() -> None:
    angle = 94.986
    one_sided = 90 - angle % 90
    assert one_sided > 10 > HARD.margin_deg(angle)


@given_settings(max_examples=60)
@given(places, places, places)
def test_turning_around_swaps_front_and_back_and_mirroring_left_and_right(p, o, q) -> None:
    stand, face, query = (np.asarray([*v, 0.0]) for v in (p, o, q))
    angle = float(ego_angle(stand, face, query))
    if np.isnan(angle):
        return
    behind = float(ego_angle(stand, 2 * stand - face, query))
    assert (behind - angle) % 360 == pytest.approx(180, abs=1e-6)
    flip = np.array([-1.0, 1.0, 1.0])
    mirrored = float(ego_angle(stand * flip, face * flip, query * flip))
    assert (angle + mirrored + 1e-9) % 360 == pytest.approx(0, abs=1e-6)
    if HARD.margin_deg(angle) > 1e-6:
        ahead, side = HARD.name(angle).split("-")
        assert HARD.name(behind).split("-") == [
            {"front": "back", "back": "front"}[ahead], {"left": "right", "right": "left"}[side],
        ]  # fmt: skip
        assert HARD.name(mirrored) == f"{ahead}-{'left' if side == 'right' else 'right'}"


@given_settings(max_examples=30)
@given(st.floats(0, 360, exclude_max=True), st.sampled_from([EASY, MEDIUM, HARD, TURNS]))
def test_within_its_margin_an_angle_keeps_its_sector(angle, sectors) -> None:
    margin = sectors.margin_deg(angle) - 1e-6
    if margin > 0:
        assert {sectors.name(angle + d) for d in (-margin, 0.0, margin)} == {sectors.name(angle)}


def test_levels_answer_what_their_source_answers() -> None:
    assert [HARD.name(a) for a in (0, 90, 180, 270)] == ["front-left", "back-left", "back-right", "front-right"]
    assert [MEDIUM.name(a) for a in (1, 140, 300)] == ["left", "back", "right"]
    assert EASY.name(180) == "" and EASY.answers == ("left", "right")
    assert [TURNS.name(a) for a in (0, 31, 200, 329, 331)] == ["straight", "left", "back", "right", "straight"]


def test_no_direction_from_a_place_to_itself() -> None:
    angle = float(ego_angle((1, 1, 0), (1, 1, 2), (3, 3, 0)))
    assert np.isnan(angle) and HARD.name(angle) == "" and HARD.margin_deg(angle) == 0
