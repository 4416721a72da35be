"""How a baseline's answer is scored: by the verifying functions that check samples and reward models.

Right means what evaluation means by it: the chosen option, the whole order, tIoU or IoU of at least one half, a number
within a tenth, the same words. The reward is partial credit. Numbers are rewarded by mean relative accuracy
(VSI-Bench: the share of the tolerances 50, 45 ... 5 percent that the answer keeps).
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

from ...schemas.box import Box, iou
from ...schemas.metrics import order_accuracy
from ...schemas.sample import (
    AbsentAnswer,
    Answer,
    BoxAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
)
from ...schemas.span import Span
from ...schemas.verifying import check_choice, check_number, check_order, check_spans, check_text

GOOD_OVERLAP = 0.5
"""tIoU or IoU from which a span or box counts as right."""
TOLERANCES = tuple(round(0.5 - 0.05 * i, 2) for i in range(10))
"""Relative tolerances of mean relative accuracy."""


def score(answer: Answer, truth: Answer) -> tuple[float, bool]:
    """(reward 0..1, right) of an answer; (0, False) for one of another kind."""
    match answer, truth:
        case (ChoiceAnswer(index=mine), ChoiceAnswer(index=right)):
            check = check_choice(mine, right)
            return check.score, check.ok
        case (OrderAnswer(order=mine), OrderAnswer(order=right)):
            check = check_order(mine, right)
            return check.score, check.ok
        case (NumberAnswer(value=mine), NumberAnswer(value=right)):
            kept = [check_number(mine, right, rel_tolerance=t).ok for t in TOLERANCES]
            return sum(kept) / len(kept), check_number(mine, right, rel_tolerance=0.1).ok
        case (TextAnswer(text=mine), TextAnswer(text=right)):
            check = check_text(mine, right)
            return check.score, check.ok
        case (BoxAnswer(box=mine), BoxAnswer(box=right)):
            return _overlap(iou(Box(*mine), Box(*right)))
        case (SpanBoxAnswer() as mine, SpanBoxAnswer() as right):
            when = check_spans(spans_of(mine), spans_of(right), 0.0).score
            return _overlap(when * iou(Box(*mine.box), Box(*right.box)))
        case (SpanAnswer() | SpansAnswer() | AbsentAnswer(), SpanAnswer() | SpansAnswer() | AbsentAnswer()):
            return _overlap(check_spans(spans_of(answer), spans_of(truth), 0.0).score)
    return 0.0, False


def spans_of(answer: Answer) -> tuple[Span, ...]:
    """The spans that an answer names; none for "it does not happen"."""
    match answer:
        case SpanAnswer(start_s=start, end_s=end) | SpanBoxAnswer(start_s=start, end_s=end):
            return (Span(start, end),)
        case SpansAnswer(spans=spans):
            return tuple(Span(*span) for span in spans)
    return ()


def guess(truth: Answer, options: int) -> float:
    """Expected reward of choosing an option, or an order of the options, at random."""
    if isinstance(truth, OrderAnswer):
        if factorial(len(truth.order)) > 24:
            return 0.5
        orders = list(permutations(truth.order))
        return sum(order_accuracy(order, truth.order) for order in orders) / len(orders)
    return 1 / max(1, options)


def _overlap(share: float) -> tuple[float, bool]:
    return share, share >= GOOD_OVERLAP
