"""The verifying functions: is this answer right, and how nearly. Tasks call them, `outputs/` ships the same
ones as rewards.

Each compares an answer with the truth and returns a `Check`: `ok` is the verdict, `reason` says in words why
not (empty when ok), and `score` in 0..1 is partial credit for a reward. An answer of None was not given or
not readable: never ok, score 0. Nothing here raises for a wrong answer, only for a truth or tolerance that
makes no sense.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .box import Box, iou, viou
from .metrics import is_permutation, normalise_words, order_accuracy, word_edits
from .metrics_spatial import mra
from .span import Span, merge, overlap_s, seconds_text, tiou, tiou_sets, to_us


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one verification; true in an `if` when `ok`."""

    ok: bool
    reason: str
    score: float

    def __bool__(self) -> bool:
        return self.ok


COUNTED = ("", "count", "times", "items")
"""Units of numbers that are counted, not measured: only the exact number is right."""
_UNREAD = Check(False, "no readable answer", 0.0)


def _tolerance_us(tolerance_s: float) -> int:
    if not tolerance_s >= 0:
        raise ValueError(f"tolerance {tolerance_s} s is negative; use 0 or more")
    return to_us(tolerance_s)


def _ends_apart(answer: Span, truth: Span, tolerance_us: int) -> str:
    problems = [
        f"{name} {seconds_text(a)} s instead of {seconds_text(t)} s"
        for name, a, t in (("start", answer.start_s, truth.start_s), ("end", answer.end_s, truth.end_s))
        if abs(to_us(a) - to_us(t)) > tolerance_us
    ]
    return " and ".join(problems)


def check_span(answer: Span | None, truth: Span, tolerance_s: float) -> Check:
    """Both ends within `tolerance_s`; score is tIoU."""
    tolerance_us = _tolerance_us(tolerance_s)
    if answer is None:
        return _UNREAD
    reason = _ends_apart(answer, truth, tolerance_us)
    return Check(not reason, reason, tiou(answer, truth))


def tiou_shorter(answer: Span, truth: Span) -> float:
    """tIoU times |truth| / |answer| where the answer is the longer one: punishes covering too much twice."""
    return tiou(answer, truth) * min(1.0, truth.length_s / answer.length_s)


def check_spans(answer: Sequence[Span] | None, truth: Sequence[Span], tolerance_s: float) -> Check:
    """As many spans as in the truth and, in time order, both ends of each within `tolerance_s`; score is tIoU
    of the sets.

    Two empty sets agree with score 1 ("it does not happen").
    """
    tolerance_us = _tolerance_us(tolerance_s)
    if answer is None:
        return _UNREAD
    if not answer and not truth:
        return Check(True, "", 1.0)
    score = tiou_sets(answer, truth)
    if len(answer) != len(truth):
        return Check(False, f"{len(answer)} spans instead of {len(truth)}", score)
    reasons = [
        f"span {i}: {reason}"
        for i, (a, t) in enumerate(zip(sorted(answer), sorted(truth), strict=True), start=1)
        if (reason := _ends_apart(a, t, tolerance_us))
    ]
    return Check(not reasons, "; ".join(reasons), score)


def check_box(answer: Box | None, truth: Box, min_iou: float) -> Check:
    """IoU of at least `min_iou`; score is the IoU."""
    if answer is None:
        return _UNREAD
    score = iou(answer, truth)
    return Check(score >= min_iou, "" if score >= min_iou else f"IoU {score:.3f}, below {min_iou:g}", score)


def check_span_box(
    answer: tuple[Span, Box] | None, truth: tuple[Span, Box], *, tolerance_s: float, min_iou: float
) -> Check:
    """When and where, for a thing at rest: both ends within `tolerance_s` and IoU of at least `min_iou`.

    Score is tIoU x IoU, which is the vIoU of two resting boxes in continuous time.
    """
    if answer is None:
        return _UNREAD
    when, where = check_span(answer[0], truth[0], tolerance_s), check_box(answer[1], truth[1], min_iou)
    reasons = "; ".join(check.reason for check in (when, where) if not check.ok)
    return Check(not reasons, reasons, when.score * where.score)


def check_track(answer: Mapping[float, Box] | None, truth: Mapping[float, Box], min_viou: float) -> Check:
    """Tracks {t_s: box} with a vIoU of at least `min_viou`; score is the vIoU."""
    if answer is None:
        return _UNREAD
    score = viou(answer, truth)
    return Check(score >= min_viou, "" if score >= min_viou else f"vIoU {score:.3f}, below {min_viou:g}", score)


def check_tube(
    answer: tuple[Span, Mapping[float, Box]] | None,
    truth: tuple[Span, Mapping[float, Box]],
    *,
    tolerance_s: float,
    min_viou: float,
) -> Check:
    """When and where, for a thing that moves: both ends within `tolerance_s` and a vIoU of at least `min_viou`.

    Score is the vIoU at the times of the boxes (VidSTG): a span that is too long or too short costs its boxes.
    """
    if answer is None:
        return _UNREAD
    when, where = check_span(answer[0], truth[0], tolerance_s), check_track(answer[1], truth[1], min_viou)
    reasons = "; ".join(check.reason for check in (when, where) if not check.ok)
    return Check(not reasons, reasons, where.score)


def check_absent(answer: bool | None) -> Check:
    """The truth is that it does not happen; `answer` says whether that was said. Score is 0 or 1."""
    if answer is None:
        return _UNREAD
    return Check(answer, "" if answer else "something was named that does not happen", float(answer))


def check_choice(answer: Hashable | None, truth: Hashable) -> Check:
    """The right option, by index in canonical order or by any other key; score is 0 or 1."""
    if answer is None:
        return _UNREAD
    if answer == truth:
        return Check(True, "", 1.0)
    return Check(False, f"chose {answer!r} instead of {truth!r}", 0.0)


def check_order(answer: Sequence[Hashable] | None, truth: Sequence[Hashable]) -> Check:
    """The whole order right; score is the share of pairs in the right order."""
    if answer is None:
        return _UNREAD
    if not is_permutation(answer, truth):
        return Check(False, f"{list(answer)!r} is not an order of the {len(truth)} items", 0.0)
    if list(answer) == list(truth):
        return Check(True, "", 1.0)
    return Check(False, f"order {list(answer)!r} instead of {list(truth)!r}", order_accuracy(answer, truth))


def check_number(
    answer: float | None, truth: float, *, rel_tolerance: float = 0.0, abs_tolerance: float = 0.0
) -> Check:
    """|answer - truth| <= max(abs_tolerance, rel_tolerance * |truth|), both in one unit; score is 0 or 1."""
    if not (rel_tolerance >= 0 and abs_tolerance >= 0 and math.isfinite(truth)):
        raise ValueError(f"tolerances {rel_tolerance}, {abs_tolerance} or truth {truth} make no sense")
    if answer is None or not math.isfinite(answer):
        return _UNREAD
    allowed = max(abs_tolerance, rel_tolerance * abs(truth))
    if abs(answer - truth) <= allowed or math.isclose(abs(answer - truth), allowed, rel_tol=1e-9):
        return Check(True, "", 1.0)
    return Check(False, f"{answer:g} instead of {truth:g} (within {allowed:g})", 0.0)


def check_mra(answer: float | None, truth: float, *, min_score: float = 0.5) -> Check:
    """Mean relative accuracy of a measured number (VSI-Bench): the share of the thresholds 0.5, 0.55 ... 0.95 with
    |answer - truth| / |truth| <= 1 - threshold; ok from `min_score` on. A truth of 0 is met by 0 only.
    """
    if not math.isfinite(truth):
        raise ValueError(f"truth {truth} is no number")
    if answer is None or not math.isfinite(answer):
        return _UNREAD
    score = mra(answer, truth) if truth else float(answer == 0)
    reason = "" if score >= min_score else f"{answer:g} instead of {truth:g} (mean relative accuracy {score:g})"
    return Check(not reason, reason, score)


def check_text(answer: str | None, truth: str, *, max_word_errors: int = 0) -> Check:
    """The same words after `normalise_words`, up to `max_word_errors` edits; score is 1 - edits / longer
    length.
    """
    if answer is None:
        return _UNREAD
    said, meant = normalise_words(answer), normalise_words(truth)
    edits = word_edits(said, meant)
    score = 1 - edits / max(len(said), len(meant), 1)
    if edits <= max_word_errors:
        return Check(True, "", score)
    return Check(False, f"{edits} word edits between {' '.join(said)!r} and {' '.join(meant)!r}", score)


def check_in_window(spans: Sequence[Span], window: Span, *, tolerance_s: float = 0.0) -> Check:
    """No span leaves `window` by more than `tolerance_s`; score is the share of their time inside it."""
    tolerance_us = _tolerance_us(tolerance_s)
    reasons = [
        f"{seconds_text(span.start_s)}..{seconds_text(span.end_s)} s leaves the window "
        f"{seconds_text(window.start_s)}..{seconds_text(window.end_s)} s"
        for span in spans
        if to_us(window.start_s) - to_us(span.start_s) > tolerance_us
        or to_us(span.end_s) - to_us(window.end_s) > tolerance_us
    ]
    disjoint = merge(spans)
    total_s = math.fsum(span.length_s for span in disjoint)
    inside_s = math.fsum(overlap_s(span, window) for span in disjoint)
    return Check(not reasons, "; ".join(reasons), min(1.0, inside_s / total_s) if total_s else 1.0)
