"""Metrics against hand computation and brute force."""

from itertools import permutations

import pytest
from chronotope.schemas import metrics
from chronotope.schemas.box import Box
from chronotope.schemas.span import Span
from hypothesis import given
from hypothesis import strategies as st

times = st.lists(st.integers(0, 30).map(float), max_size=6)
words = st.lists(st.sampled_from("abc"), max_size=6)


def test_an_unread_answer_counts_as_zero_in_the_denominator() -> None:
    truth = [Span(0, 10), Span(0, 10)]
    assert metrics.mean_tiou([Span(0, 10), None], truth) == 0.5
    assert metrics.recall_at_1([Span(0, 10), None], truth, 0.5) == 0.5
    assert metrics.viou_scores([None], [{0.0: Box(0, 0, 1, 1)}]) == [0.0]


def test_a_score_on_the_threshold_counts_unless_strict() -> None:
    predicted, truth = [Span(0, 5)], [Span(0, 10)]
    assert metrics.recall_at_1(predicted, truth, 0.5) == 1
    assert metrics.recall_at_1(predicted, truth, 0.5, strict_gt=True) == 0


def test_macro_average_weighs_videos_not_samples() -> None:
    scores, videos = [1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"]
    assert metrics.mean(scores) == 0.75
    assert metrics.macro_by_video(scores, videos) == 0.5


def test_no_samples_and_unequal_lengths_are_errors() -> None:
    with pytest.raises(ValueError, match="nothing to evaluate"):
        metrics.mean_tiou([], [])
    with pytest.raises(ValueError):
        metrics.mean_tiou([None], [])


@given(times, times, st.integers(0, 5).map(float))
def test_temporal_prf_is_the_published_formula(p: list[float], g: list[float], tolerance_s: float) -> None:
    got = metrics.temporal_prf(p, g, tolerance_s)
    hits_p = sum(any(abs(a - b) <= tolerance_s for b in g) for a in p)
    hits_g = sum(any(abs(a - b) <= tolerance_s for b in p) for a in g)
    assert (got.predicted_hits, got.truth_hits) == (hits_p, hits_g)
    if p and g:
        assert got.precision == hits_p / len(p)
        assert got.recall == hits_g / len(g)
    else:
        assert got.f1 == float(not p and not g)


def largest_matching(p: list[float], g: list[float], tolerance_s: float) -> int:
    short, long = sorted((p, g), key=len)
    return max(
        sum(abs(a - b) <= tolerance_s for a, b in zip(short, chosen, strict=True))
        for chosen in permutations(long, len(short))
    )


@given(
    st.lists(st.integers(0, 12).map(float), max_size=5),
    st.lists(st.integers(0, 12).map(float), max_size=5),
    st.integers(0, 3).map(float),
)
def test_greedy_boundary_matching_is_a_largest_one(p: list[float], g: list[float], tolerance_s: float) -> None:
    assert metrics.boundary_prf(p, g, tolerance_s).truth_hits == largest_matching(p, g, tolerance_s)


def test_two_predictions_cannot_share_one_boundary() -> None:
    assert metrics.temporal_prf([1.0, 1.1], [1.0], 0.5).precision == 1
    assert metrics.boundary_prf([1.0, 1.1], [1.0], 0.5).precision == 0.5


def test_a_difference_of_exactly_the_tolerance_is_within_it() -> None:
    assert metrics.boundary_prf([0.3], [0.1], 0.2).f1 == 1
    assert metrics.boundary_prf([0.300002], [0.1], 0.2).f1 == 0


def test_haystack_acceptance_of_the_literature() -> None:
    truth = [100.0, 200.0]
    assert metrics.temporal_prf([t + 5 for t in truth], truth, 5).f1 == 1
    assert metrics.temporal_prf([t + 6 for t in truth], truth, 5).f1 == 0
    assert metrics.temporal_prf([], truth, 5).f1 == 0


@given(st.permutations(range(5)))
def test_order_accuracy_counts_pairs(order: list[int]) -> None:
    truth = list(range(5))
    reverse = order[::-1]
    assert metrics.order_accuracy(order, truth) + metrics.order_accuracy(reverse, truth) == pytest.approx(1)
    assert metrics.kendall_tau(order, truth) == pytest.approx(2 * metrics.order_accuracy(order, truth) - 1)
    assert (metrics.order_accuracy(order, truth) == 1) == (metrics.exact_order(order, truth) == 1)


def test_order_examples() -> None:
    assert metrics.order_accuracy("BACD", "ABCD") == pytest.approx(5 / 6)
    assert metrics.order_accuracy("A", "A") == 1
    for not_an_order in (None, "ABC", "ABCC", "ABCE", "ABCDA"):
        assert metrics.order_accuracy(not_an_order, "ABCD") == 0
        assert metrics.exact_order(not_an_order, "ABCD") == 0


def plain_levenshtein(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, last = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y)))
    return row[-1]


@given(words, words)
def test_word_edits_are_levenshtein(a: list[str], b: list[str]) -> None:
    assert metrics.word_edits(a, b) == plain_levenshtein(a, b)


def test_word_error_rate_ignores_case_and_punctuation() -> None:
    assert metrics.word_error_rate("Don’t stop -- the CAR!", "don't stop, the car") == 0
    assert metrics.word_error_rate("the red cat sat", "the cat sat down") == 0.5
    assert metrics.word_error_rate("", "two words") == 1
    assert metrics.word_error_rate("", "") == 0
    assert metrics.word_error_rate("noise", "...") == 1


def test_viou_threshold_share() -> None:
    whole, half = Box(0, 0, 1, 1), Box(0, 0, 0.5, 1)
    scores = metrics.viou_scores([{0.0: half}, {0.0: whole}], [{0.0: whole}, {0.0: whole}])
    assert scores == [0.5, 1.0]
    assert metrics.share_at(scores, 0.5) == 1
    assert metrics.share_at(scores, 0.5, strict_gt=True) == 0.5


def test_a_wilson_interval_is_the_published_one_and_honest_at_the_ends() -> None:
    # scipy.stats.binomtest(k, n).proportion_ci(method="wilson") gives the same numbers.
    for k, n, low, high in (
        (8, 10, 0.4902, 0.9433),
        (190, 200, 0.9104, 0.9726),
        (3, 3, 0.4385, 1.0),
        (0, 5, 0.0, 0.4345),
    ):
        assert metrics.wilson_interval(k, n) == pytest.approx((low, high), abs=1e-4)
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no share"):
        metrics.wilson_interval(4, 3)


@given(st.integers(0, 300), st.integers(1, 300))
def test_a_wilson_interval_holds_its_share_and_mirrors(k: int, n: int) -> None:
    k = min(k, n)
    low, high = metrics.wilson_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1 and low < high
    assert metrics.wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low))


def test_kappa_is_agreement_beyond_chance() -> None:
    # Cohen's own kind of table: 20 both yes, 15 both no, 5 and 10 apart; seen 0.7, by chance 0.5.
    first = "y" * 25 + "n" * 25
    second = "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15
    assert metrics.cohens_kappa(first, second) == pytest.approx(0.4)
    assert metrics.cohens_kappa("ynu", "ynu") == 1
    assert metrics.cohens_kappa("yn", "ny") == -1
    assert metrics.cohens_kappa("yy", "yy") is None
    assert metrics.cohens_kappa("", "") is None


def test_a_pair_counts_only_when_both_members_are_right() -> None:
    pairs = {"a": "p", "b": "p", "c": "q", "d": "q", "e": "r", "f": None}
    right = {"a": True, "b": True, "c": True, "d": False, "e": True, "f": False, "g": False}
    assert metrics.pair_accuracy(right, pairs) == 0.5  # r has one member that was tried, f and g belong to no pair
    assert metrics.pair_accuracy({"a": True}, pairs) is None
