"""Metrics of spans, dense captions, words and boxes: laws that must hold for any input, and hand computations."""

import random

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.metrics import normalise_words, order_accuracy, temporal_prf, word_edits
from chronotope.schemas.metrics_boxes import matched_tracks, on_times, siou, track_tiou
from chronotope.schemas.metrics_captions import DENSE_LEVELS, event_f1, event_prf, soda, word_f1
from chronotope.schemas.metrics_intervals import Share, figure
from chronotope.schemas.metrics_spans import (
    MAP_LEVELS,
    average_precision,
    best_iop,
    best_tiou,
    grounded_accuracy,
    mean_average_precision,
    recall_at_k,
)
from chronotope.schemas.metrics_words import aligned_words, boundary_errors, plain_words
from chronotope.schemas.span import Span, merge, tiou, tiou_sets
from hypothesis import given
from hypothesis import strategies as st

span = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda p: Span(p[0] / 2, (p[0] + p[1]) / 2))
spans = st.lists(span, max_size=6)
some = st.lists(span, min_size=1, max_size=6)
level = st.sampled_from((0.1, 0.3, 0.5, 0.7, 0.9, 1.0))
words = st.lists(st.sampled_from("abcd"), max_size=8)
box = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 4), st.integers(1, 4)).map(
    lambda e: Box(e[0] / 12, e[1] / 12, (e[0] + e[2]) / 12, (e[1] + e[3]) / 12)
)
track = st.dictionaries(st.integers(0, 20).map(lambda k: k / 5), box, max_size=6)


@given(span, span)
def test_tiou_is_symmetric_within_0_and_1_and_1_only_for_the_same_span(a: Span, b: Span) -> None:
    assert tiou(a, b) == tiou(b, a)
    assert 0 <= tiou(a, b) <= 1
    assert (tiou(a, b) == 1) == (a == b)
    assert tiou_sets([a], [b]) == pytest.approx(tiou(a, b))


@given(span, span)
def test_the_hull_as_denominator_gives_the_same_value(a: Span, b: Span) -> None:
    common = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    hull = max(a.end_s, b.end_s) - min(a.start_s, b.start_s)
    assert tiou(a, b) == pytest.approx(common / hull)


@given(spans, some, st.randoms(use_true_random=False))
def test_sets_of_spans_do_not_depend_on_order_or_on_how_they_are_cut(
    a: list[Span], b: list[Span], rng: random.Random
) -> None:
    shuffled = rng.sample(a, len(a))
    assert tiou_sets(shuffled, b) == tiou_sets(a, b) == pytest.approx(tiou_sets(b, a))
    assert tiou_sets(merge(a), b) == pytest.approx(tiou_sets(a, b))
    assert tiou_sets(b, b) == 1


@given(some, some, level)
def test_more_candidates_never_lower_recall_and_a_higher_threshold_never_raises_it(
    predicted: list[Span], truth: list[Span], m: float
) -> None:
    at = [recall_at_k([predicted], [truth], k, m) for k in range(1, 7)]
    assert at == sorted(at)
    by_level = [recall_at_k([predicted], [truth], 2, x) for x in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
    assert by_level == sorted(by_level, reverse=True)
    assert recall_at_k([truth], [truth], 1, 1.0) == 1
    assert best_tiou(predicted, truth, None) >= best_tiou(predicted, truth, 1)


@given(spans, some, level)
def test_average_precision_lies_within_0_and_1_is_1_for_the_truth_and_falls_with_the_threshold(
    predicted: list[Span], truth: list[Span], m: float
) -> None:
    score = average_precision(predicted, truth, m)
    assert 0 <= score <= 1
    assert average_precision(truth, truth, m) == 1
    assert score >= average_precision(predicted, truth, 1.0)
    assert average_precision([*predicted, Span(900, 901)], truth, m) == score  # a wrong guess behind all others
    assert mean_average_precision(predicted, truth) == pytest.approx(
        sum(average_precision(predicted, truth, x) for x in MAP_LEVELS) / 10
    )


def test_average_precision_by_hand() -> None:
    truth = [Span(0, 10), Span(20, 30)]
    assert average_precision([Span(50, 60), Span(0, 10), Span(20, 30)], truth, 0.5) == pytest.approx(2 / 3)
    assert average_precision([Span(0, 10), Span(50, 60), Span(20, 30)], truth, 0.5) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision([Span(0, 10), Span(0, 10)], truth, 0.5) == 0.5  # a true span serves one prediction
    assert average_precision([Span(0, 5)], [Span(0, 10)], 0.5) == 1
    assert average_precision([Span(0, 5)], [Span(0, 10)], 0.5, strict_gt=True) == 0


@given(st.lists(st.tuples(st.booleans(), span, span), min_size=1, max_size=6))
def test_a_grounded_answer_is_never_better_than_the_answer_and_a_part_of_the_truth_is_fully_precise(
    items: list[tuple[bool, Span, Span]],
) -> None:
    right, iops = [ok for ok, _, _ in items], [best_iop(p, [t]) for _, p, t in items]
    assert 0 <= grounded_accuracy(right, iops) <= sum(right) / len(right)
    assert all(share >= tiou(p, t) for share, (_, p, t) in zip(iops, items, strict=True))
    assert best_iop(Span(2, 3), [Span(1, 4)]) == 1
    assert best_iop(None, [Span(1, 4)]) == 0


@given(spans, spans, level)
def test_event_precision_of_one_side_is_recall_of_the_other(a: list[Span], b: list[Span], m: float) -> None:
    there, back = event_prf(a, b, m), event_prf(b, a, m)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.f1 == pytest.approx(back.f1)
    assert event_prf(a, a, m).f1 == 1
    precision, recall, f1 = event_f1(a, b)
    assert 0 <= f1 <= 1 and min(precision, recall) - 1e-9 <= f1 <= max(precision, recall) + 1e-9
    assert [event_prf(a, b, x).f1 for x in DENSE_LEVELS] == sorted(
        (event_prf(a, b, x).f1 for x in DENSE_LEVELS), reverse=True
    )


@given(some, some, st.randoms(use_true_random=False))
def test_soda_is_1_for_the_truth_bounded_and_blind_to_the_order_in_which_captions_are_given(
    a: list[Span], b: list[Span], rng: random.Random
) -> None:
    mine = [(s, f"word{i}") for i, s in enumerate(a)]
    theirs = [(s, f"word{i}") for i, s in enumerate(b)]
    score = soda(mine, theirs)
    assert 0 <= score.f1 <= 1
    assert soda(rng.sample(mine, len(mine)), theirs).f1 == pytest.approx(score.f1)
    assert soda(mine, theirs).precision == pytest.approx(soda(theirs, mine).recall)
    assert soda(mine, mine).f1 == pytest.approx(1)
    assert soda([(s, "other") for s in a], theirs).f1 == 0


def test_soda_pairs_in_order_of_time() -> None:
    truth = [(Span(0, 10), "a cat"), (Span(10, 20), "a dog")]
    assert soda([(Span(0, 10), "a dog"), (Span(10, 20), "a cat")], truth, lambda p, t: float(p == t)).f1 == 0
    assert soda([(Span(0, 10), "a cat")], truth, lambda p, t: float(p == t)).f1 == pytest.approx(2 / 3)
    assert word_f1("The cat", "a cat") == 0.5
    assert word_f1("", "") == 1


@given(words, words)
def test_aligned_words_are_equal_in_order_and_cost_what_the_error_rate_counts(a: list[str], b: list[str]) -> None:
    edits, pairs = aligned_words(a, b)
    assert edits == word_edits(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert pairs == sorted(pairs) and len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert max(len(a), len(b)) - len(pairs) <= edits <= max(len(a), len(b))
    assert aligned_words(a, a) == (0, [(i, i) for i in range(len(a))])


def test_boundaries_of_words_that_both_have_are_compared() -> None:
    truth = [("so", Span(0, 0.2)), ("we", Span(0.3, 0.4)), ("go", Span(0.5, 0.9))]
    heard = plain_words([("So,", Span(0.1, 0.2)), ("-", Span(0.25, 0.3)), ("go!", Span(0.5, 1.0))])
    edits, errors = boundary_errors(heard, truth)
    assert edits == 1
    assert errors == pytest.approx([0.1, 0.0, 0.0, 0.1])


@given(track, track)
def test_vious_parts_lie_within_0_and_1_and_a_track_is_like_itself(a: dict[float, Box], b: dict[float, Box]) -> None:
    assert 0 <= siou(a, b) <= 1 and siou(a, b) == pytest.approx(siou(b, a))
    assert 0 <= track_tiou(a, b) <= 1 and track_tiou(a, b) == track_tiou(b, a)
    if a:
        assert siou(a, a) == pytest.approx(1)
        assert track_tiou(a, a) == 1
        assert matched_tracks([b, a], [a]) == [1] or b == a or siou(b, a) == pytest.approx(1)


def test_tracks_find_their_own_and_boxes_move_to_the_nearest_true_time_only() -> None:
    left, right = Box(0, 0, 0.2, 0.2), Box(0.8, 0.8, 1, 1)
    assert matched_tracks([{0.0: right}, {0.0: left}], [{0.0: left}, {0.0: right}, {1.0: left}]) == [1, 0, None]
    moved = on_times({0.04: left, 0.06: right, 0.5: left}, [0.0, 1.0], 0.05)
    assert moved == {0.0: left, 0.06: right, 0.5: left}


@given(st.permutations(list(range(5))), st.lists(st.integers(0, 30).map(float), max_size=5), st.integers(0, 5))
def test_orders_and_times_are_bounded_and_score_1_against_themselves(
    order: list[int], times: list[float], delta: int
) -> None:
    truth = list(range(5))
    assert order_accuracy(order, truth) + order_accuracy(order[::-1], truth) == pytest.approx(1)
    assert temporal_prf(times, times, delta).f1 == 1
    assert temporal_prf(times, [1.0], delta).f1 <= temporal_prf(times, [1.0], delta + 1).f1


@given(st.lists(st.tuples(st.sampled_from("uvw"), st.integers(0, 4)), min_size=1, max_size=12))
def test_a_figure_is_the_mean_lies_in_its_interval_and_does_not_depend_on_order(items: list[tuple[str, int]]) -> None:
    shares = [(medium, Share(part / 4)) for medium, part in items]
    there, back = figure(shares), figure(shares[::-1])
    assert there is not None and there == back
    assert there.value == pytest.approx(sum(p for _, p in items) / 4 / len(items))
    assert (there.low is None) == (there.media == 1)
    if there.low is not None and there.high is not None:
        assert 0 <= there.low <= there.value <= there.high <= 1


def test_macro_and_micro_differ_on_an_unbalanced_set_as_computed_by_hand() -> None:
    shares = [("a", Share(1)), ("a", Share(1)), ("a", Share(1)), ("b", Share(0))]
    micro, macro = figure(shares), figure(shares, macro=True)
    assert micro is not None and macro is not None
    assert (micro.value, macro.value) == (0.75, 0.5)
    assert figure([("a", Share(0, 0))]) is None
    rate = figure([("a", Share(3, 10)), ("b", Share(1, 30))])
    assert rate is not None and rate.value == 0.1


def test_words_are_normalised_before_they_are_counted() -> None:
    assert [w for w, _ in plain_words([("It’s", Span(0, 1))])] == normalise_words("it's")
