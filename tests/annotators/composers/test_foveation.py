"""Foveated pictures: the middle bit for bit, ever less detail away from it."""

from itertools import pairwise

import numpy as np
import pytest
from chronotope.annotators.compose.foveation import eccentricity, foveate

NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


def detail(picture: np.ndarray, where: np.ndarray) -> float:
    """Mean power of differences between neighbours: the high half of the spectrum."""
    luma = picture.astype(float).mean(axis=2)
    steps = np.diff(luma, axis=1, append=luma[:, -1:]) ** 2
    return float(steps[where].mean())


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (0.1, 0.8), (0.0, 0.0)])
def test_the_middle_is_unchanged_and_detail_falls_outwards(x: float, y: float) -> None:
    seen, away = foveate(NOISE, x, y, radius=0.12, slope=0.06), eccentricity(160, 120, x, y)
    inside = away <= 0.12 * 200
    assert (seen[inside] == NOISE[inside]).all() and (seen[~inside] != NOISE[~inside]).any()
    rings = [detail(seen, (away > r) & (away <= r + 15) & (away <= 105)) for r in (9, 27, 45, 63, 81)]
    assert all(a > b for a, b in pairwise(rings)) and rings[-1] < rings[0] / 50


def test_a_steeper_slope_blurs_more_and_a_wider_radius_keeps_more() -> None:
    away = eccentricity(160, 120, 0.5, 0.5) > 50
    weak, strong = (detail(foveate(NOISE, 0.5, 0.5, 0.12, slope), away) for slope in (0.02, 0.1))
    assert strong < weak < detail(NOISE, away)
    assert (foveate(NOISE, 0.5, 0.5, 0.9, 0.1) == NOISE).all()


def test_an_even_picture_stays_even_and_points_outside_are_refused() -> None:
    grey = np.full((40, 60, 3), 77, np.uint8)
    assert (foveate(grey, 0.2, 0.2, 0.1, 0.2) == 77).all()
    with pytest.raises(ValueError, match="outside the picture"):
        foveate(grey, 1.0, 0.5, 0.1, 0.1)
