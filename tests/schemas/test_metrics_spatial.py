"""Metrics of the spatial benchmarks: exact where public scorers are not, and the values that their papers define."""

import math
from itertools import permutations

import numpy as np
import pytest
from chronotope.schemas.metrics_masks import contour, j_and_f, region
from chronotope.schemas.metrics_spatial import (
    geo_accuracy,
    great_circle_km,
    mra,
    ndtw,
    precision_at_iou,
    same_choice,
    shortest_path_distance,
    task_completed,
    vsi_overall,
    vsti_overall,
)


@pytest.mark.parametrize(
    ("answer", "truth", "le", "lt"),
    [(1.1, 1.0, 0.9, 0.8), (1.2, 1.0, 0.7, 0.6), (1.45, 1.0, 0.2, 0.1), (1.5, 1.0, 0.1, 0.0), (1.0, 1.0, 1.0, 1.0), (2.0, 1.0, 0, 0)],
)  # fmt: skip
def test_mra_is_exact_where_floats_are_not(answer, truth, le, lt) -> None:
    assert (mra(answer, truth), mra(answer, truth, tie="lt")) == (le, lt)
    assert mra(answer * 0.1, truth * 0.1) == le


def test_mra_reads_the_first_word_and_nothing_else() -> None:
    assert mra("1.6 metres", 1.6) == 1.0
    assert mra("about 1.6", 1.6) == mra("", 1.6) == mra(None, 1.6) == mra(float("nan"), 1.6) == mra(0, 0) == 0.0


def test_choices_are_compared_without_a_full_stop() -> None:
    assert (
        same_choice("B.", "B")
        and same_choice("left", "Left")
        and not same_choice("", "B")
        and not same_choice("A", "B")
    )


def test_overall_averages_levels_first() -> None:
    scores = {
        "count": 0.9,
        "object_rel_direction_easy": 0.6,
        "object_rel_direction_medium": 0.3,
        "object_rel_direction_hard": 0.0,
    }
    assert vsi_overall(scores) == pytest.approx(0.6)
    assert vsti_overall(scores) == pytest.approx(0.45)


def test_j_and_f_of_a_moving_disc() -> None:
    y, x = np.mgrid[:120, :160]
    disc = (x - 60) ** 2 + (y - 60) ** 2 < 400
    one_off, far = np.roll(disc, 1, axis=1), np.roll(disc, 80, axis=1)
    assert j_and_f([disc, disc], [disc, disc]) == 1.0 and j_and_f([far], [disc]) == 0.0 == j_and_f([None], [disc])
    assert contour(one_off, disc) == 1.0 and 0.9 < region(one_off, disc) < 1.0
    empty = np.zeros_like(disc)
    assert region(empty, empty) == contour(None, empty) == 1.0 and region(None, disc) == contour(disc, empty) == 0.0
    with pytest.raises(ValueError, match="as many"):
        j_and_f([disc], [])


def test_paths() -> None:
    way = [[0, 0], [1, 0], [2, 0], [2, 1]]
    assert ndtw(way, way) == 1.0
    assert ndtw(way[:-1], way) == pytest.approx(math.exp(-1 / 12))
    assert ndtw(np.asarray(way) + np.array([0, 30]), way) < 1e-4


def test_distance_on_a_graph_is_that_of_the_best_order_of_nodes() -> None:
    draw = np.random.default_rng(0)
    nodes = range(5)
    edges = {a: {b: float(draw.uniform(1, 9)) for b in nodes if b != a and draw.uniform() < 0.6} for a in nodes}
    ways = [w for k in range(4) for w in permutations([n for n in nodes if n not in (0, 4)], k)]
    lengths = [sum(edges[a].get(b, math.inf) for a, b in zip((0, *way), (*way, 4), strict=True)) for way in ways]
    assert shortest_path_distance(edges, 0, 4) == pytest.approx(min(lengths))
    assert shortest_path_distance({0: {}}, 0, 1) == math.inf and shortest_path_distance({}, 3, 3) == 0.0
    assert task_completed({"a": {"b": 1.0}}, "b", "a") and not task_completed({"a": {"b": 1.0}}, "c", "a")


def test_places_on_the_globe() -> None:
    paris, london = (48.8566, 2.3522), (51.5074, -0.1278)
    assert float(great_circle_km(paris, london)) == pytest.approx(343.6, abs=0.5)
    assert float(great_circle_km((0, 179.9), (0, -179.9))) == pytest.approx(22.24, abs=0.01)
    assert geo_accuracy([0.5, 30.0, None, 2400.0]) == {1: 0.25, 25: 0.25, 200: 0.5, 750: 0.5, 2500: 0.75}


def test_precision_counts_the_threshold_itself() -> None:
    assert precision_at_iou([0.5, 0.7, 0.2]) == pytest.approx({0.5: 2 / 3, 0.6: 1 / 3, 0.7: 1 / 3, 0.8: 0, 0.9: 0})
