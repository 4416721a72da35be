"""Numbers as answers: halves go up in decimal, wrong answers are apart, and equal seeds draw equal ones."""

import pytest
from chronotope.schemas.geometry.numbers import apart, least_gap, mc_numeric, number_text, round_half_up
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"), [(0.95, 1, 1.0), (0.25, 1, 0.3), (2.675, 2, 2.68), (1.5499999999999998, 1, 1.6), (-0.05, 1, -0.1), (0.0499, 1, 0.0), (12.5, 0, 13.0)]
)  # fmt: skip
def test_halves_go_up_whatever_binary_makes_of_them(value, decimals, rounded) -> None:
    assert round_half_up(value, decimals) == rounded


def test_texts_have_the_decimals_that_were_asked_for() -> None:
    assert (number_text(2.0, 1), number_text(199.6), number_text(-0.01, 1)) == ("2.0", "200", "0.0")
    with pytest.raises(ValueError, match="only finite numbers"):
        round_half_up(float("inf"))


@given_settings(max_examples=60)
@given(st.integers(2, 200), st.integers(0, 50))
def test_wrong_numbers_keep_their_distance(tenths, seed) -> None:
    truth = tenths / 10
    drawn = mc_numeric(truth, "pair", seed)
    assert drawn == mc_numeric(truth, "pair", seed)
    if drawn is None:
        return
    assert apart([truth, *drawn]) >= least_gap(truth) - 1e-9
    assert all(0.25 * truth - 0.05 <= d <= 1.75 * truth + 0.05 for d in drawn) and len(set(drawn)) == 3


def test_most_numbers_find_their_options_and_sizes_are_whole() -> None:
    assert sum(mc_numeric(t / 10, "x") is not None for t in range(5, 100)) >= 90
    sizes = mc_numeric(200.0, "sofa", lo=0.4, hi=1.8, decimals=0)
    assert sizes is not None and all(s == int(s) and 80 <= s <= 360 for s in sizes)
    assert mc_numeric(0.0) is None


def test_the_right_answer_has_every_rank_equally_often_as_the_source_does_not() -> None:
    def ranks(balanced: bool) -> list[float]:
        drawn = [(t / 10, mc_numeric(t / 10, "rank", balanced=balanced)) for t in range(10, 400)]
        found = [sum(d < truth for d in wrong) for truth, wrong in drawn if wrong]
        return [found.count(r) / len(found) for r in range(4)]

    assert all(0.17 < share < 0.33 for share in ranks(balanced=True))
    assert sum(ranks(balanced=False)[1:3]) > 0.65
