"""Relevance of narrations by their classes, windows by the gaps of narrations, and metrics of graded retrieval."""

import numpy as np
import pytest
from chronotope.schemas.metrics_retrieval import both_ways, mean_average_precision, ndcg
from chronotope.schemas.relevance import mean_gap, narration_window, relevance, relevance_rows
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

FOUR = [
    (("open",), ("drawer",)),
    (("open",), ("door",)),
    (("close", "open"), ("drawer", "knife")),
    (("wash",), ("plate",)),
]
MATRIX = [[1, 0.5, 0.5, 0], [0.5, 1, 0.25, 0], [0.5, 0.25, 1, 0], [0, 0, 0, 1]]

words = st.lists(st.sampled_from("abcde"), unique=True, max_size=3).map(lambda w: tuple(sorted(w)))


def dense(rows) -> np.ndarray:
    """The matrix of sparse rows."""
    out = np.zeros((len(rows), len(rows)))
    for i, (others, values) in enumerate(rows):
        out[i, others] = values
    return out


def test_four_captions_give_the_matrix_computed_by_hand() -> None:
    np.testing.assert_allclose(dense(relevance_rows(FOUR)), MATRIX)
    assert relevance((("walk",), ()), (("walk",), ())) == 1.0 and relevance((("walk",), ()), (("run",), ())) == 0.0


@given_settings(max_examples=40)
@given(st.lists(st.tuples(words, words), min_size=1, max_size=6))
def test_the_sparse_matrix_is_symmetric_with_ones_and_equals_the_definition(signatures) -> None:
    found = dense(relevance_rows(signatures))
    np.testing.assert_allclose(found, found.T)
    for i, a in enumerate(signatures):
        assert found[i, i] == (1.0 if any(a) else 0.0)
        np.testing.assert_allclose(found[i], [relevance(a, b) for b in signatures], atol=1e-9)


def test_a_window_is_wide_where_narrations_are_sparse_and_stays_in_the_film() -> None:
    gap = mean_gap([2.0, 4.0, 10.0])
    assert gap == 4.0 and mean_gap([3.0]) is None is mean_gap([])
    window = narration_window(4.0, gap, 2.0, 60.0)
    assert window is not None and (window.start_s, window.end_s) == (3.0, 5.0)
    start, end = narration_window(0.2, 4.0, 2.0, 60.0), narration_window(59.9, 4.0, 2.0, 60.0)
    assert start is not None and end is not None and (start.start_s, end.end_s) == (0.0, 60.0)
    assert narration_window(70.0, 4.0, 2.0, 60.0) is None


def test_a_perfect_ranking_scores_one_and_a_reversed_one_less() -> None:
    best = np.asarray(MATRIX, float)
    assert both_ways(best, MATRIX) == pytest.approx(
        dict.fromkeys(["map", "map_v2t", "map_t2v", "ndcg", "ndcg_v2t", "ndcg_t2v"], 1.0)
    )
    assert ndcg(-best, MATRIX) < 0.6 and mean_average_precision(-best, MATRIX) < 0.6


def test_retrieval_metrics_by_hand() -> None:
    relevant = [[1.0, 0.5, 0.0]]
    scores = [[0.1, 0.9, 0.5]]
    gain, most = 0.5 + 0.0, 1.0 + 0.5 / np.log2(3)
    assert ndcg(scores, relevant) == pytest.approx(gain / most)
    assert mean_average_precision(scores, relevant) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="one shape"):
        ndcg([[1, 2]], [[1]])
