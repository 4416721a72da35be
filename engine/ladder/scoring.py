"""How a baseline's answer is scored: by the verifying functions that check samples and reward models.

Right means what evaluation means by it: the chosen option, the whole order, tIoU, IoU or vIoU of at least one half, a number with
a mean relative accuracy of at least one half, the same words. The reward is partial credit.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

from ...schemas.box import Box
from ...schemas.metrics import order_accuracy
from ...schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    PartAnswer,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    TubeAnswer,
)
from ...schemas.span import Span
from ...schemas.verifying import (
    Check,
    check_absent,
    check_box,
    check_choice,
    check_mra,
    check_order,
    check_span_box,
    check_spans,
    check_text,
    check_track,
)

GOOD_OVERLAP = 0.5
"""tIoU or IoU from which a span or box counts as right."""


def score(answer: PartAnswer, truth: PartAnswer) -> tuple[float, bool]:
    """(reward 0..1, right) of an answer; (0, False) for one of another kind."""
    match answer, truth:
        case (SpanAnswer() | SpansAnswer() | AbsentAnswer(), AbsentAnswer()):
            return _told(check_absent(isinstance(answer, AbsentAnswer)))
        case (SpanAnswer() | SpansAnswer() | AbsentAnswer(), SpanAnswer() | SpansAnswer()):
            share = check_spans(spans_of(answer), spans_of(truth), 0.0).score
            return share, share >= GOOD_OVERLAP
        case (ChoiceAnswer(index=mine), ChoiceAnswer(index=right)):
            return _told(check_choice(mine, right))
        case (OrderAnswer(order=mine), OrderAnswer(order=right)):
            return _told(check_order(mine, right))
        case (NumberAnswer(value=mine), NumberAnswer(value=right)):
            return _told(check_mra(mine, right))
        case (TextAnswer(text=mine), TextAnswer(text=right)):
            return _told(check_text(mine, right))
        case (BoxAnswer(box=mine), BoxAnswer(box=right)):
            return _told(check_box(Box(*mine), Box(*right), GOOD_OVERLAP))
        case (SpanBoxAnswer() as mine, SpanBoxAnswer() as right):
            both = [(spans_of(a)[0], Box(*a.box)) for a in (mine, right)]
            share = check_span_box(both[0], both[1], tolerance_s=0.0, min_iou=GOOD_OVERLAP).score
            return share, share >= GOOD_OVERLAP
        case (TubeAnswer() as mine, TubeAnswer() as right):
            return _told(check_track(mine.track, right.track, GOOD_OVERLAP))
    return 0.0, False


def spans_of(answer: PartAnswer) -> tuple[Span, ...]:
    """The spans that an answer names; none for "it does not happen"."""
    match answer:
        case (
            SpanAnswer(start_s=start, end_s=end)
            | SpanBoxAnswer(start_s=start, end_s=end)
            | TubeAnswer(start_s=start, end_s=end)
        ):
            return (Span(start, end),)
        case SpansAnswer(spans=spans):
            return tuple(Span(*span) for span in spans)
    return ()


def guess(truth: PartAnswer, options: int) -> float:
    """Expected reward of choosing an option, or an order of the options, at random."""
    if isinstance(truth, OrderAnswer):
        if factorial(len(truth.order)) > 24:
            return 0.5
        orders = list(permutations(truth.order))
        return sum(order_accuracy(order, truth.order) for order in orders) / len(orders)
    return 1 / max(1, options)


def _told(check: Check) -> tuple[float, bool]:
    return check.score, check.ok
