"""One function per verifier: facts of a sample and the text of an answer in, `Check` out.

Each reads the answer (`places.py`, `options.py`, `words.py`) and calls the pure function of `schemas/verifying.py` that
tasks check with. `facts` is the value `reward` of a record of a package's `samples.jsonl`: verifier, truth and the
language that answers are written in. Truths stand there as the language can say them, so that a right answer scores 1
in coarse languages too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...schemas.box import Box
from ...schemas.span import Span
from ...schemas.verifying import (
    Check,
    check_absent,
    check_box,
    check_choice,
    check_mra,
    check_number,
    check_order,
    check_span,
    check_span_box,
    check_spans,
    check_text,
    check_track,
    check_tube,
    tiou_shorter,
)
from .options import read_choice, read_order
from .places import (
    boxes_of,
    names_time,
    read_box,
    read_places,
    read_span,
    read_spans,
    read_track,
    read_tube,
    times_of,
    without_boxes,
)
from .words import denies, read_number, read_text

Facts = Mapping[str, Any]
MIN_IOU = 0.5
"""IoU (or vIoU) from which a place counts as right."""


def tiou(facts: Facts, answer: str) -> Check:
    """One span: ok when both ends are right, score is tIoU."""
    return check_span(read_span(answer, times_of(facts), facts["duration_s"]), _span(facts), facts["tolerance_s"])


def tiou_length_penalised(facts: Facts, answer: str) -> Check:
    """As `tiou`, with the score of a span that is longer than the truth multiplied by truth / answer length."""
    said = read_span(answer, times_of(facts), facts["duration_s"])
    check = check_span(said, _span(facts), facts["tolerance_s"])
    return check if said is None else Check(check.ok, check.reason, tiou_shorter(said, _span(facts)))


def span_set(facts: Facts, answer: str) -> Check:
    """All spans: score is tIoU of the sets. A denial names no span."""
    said = read_spans(answer, times_of(facts), facts["duration_s"])
    if said is None and denies(answer) and not names_time(answer, times_of(facts), facts["duration_s"]):
        said = []
    return check_spans(said, [Span(*s) for s in facts["truth"]], facts["tolerance_s"])


def box_iou(facts: Facts, answer: str) -> Check:
    """One box: score is IoU."""
    return check_box(read_box(answer, boxes_of(facts)), Box(*facts["truth"]), MIN_IOU)


def viou(facts: Facts, answer: str) -> Check:
    """When and where. A truth `{span, box}` rests: score is tIoU x IoU. A truth `{track: [[t, x1, y1, x2, y2] ...]}`
    moves: score is the vIoU at its times; with a `span` beside it the answer names that too, and with `said: places` it
    lists the boxes in order, without times.
    """
    truth, duration_s = facts["truth"], facts["duration_s"]
    if "track" in truth:
        track = {t: Box(*edges) for t, *edges in truth["track"]}
        if facts.get("said") == "places":
            return check_track(read_places(answer, boxes_of(facts)), track, MIN_IOU)
        if "span" in truth:
            tube = read_tube(answer, times_of(facts), boxes_of(facts), duration_s)
            return check_tube(
                tube, (Span(*truth["span"]), track), tolerance_s=facts["tolerance_s"], min_viou=MIN_IOU
            )  # fmt: skip
        return check_track(read_track(answer, times_of(facts), boxes_of(facts), duration_s), track, MIN_IOU)
    box = read_box(answer, boxes_of(facts))
    span = read_span(without_boxes(answer), times_of(facts), duration_s)
    return check_span_box(
        (span, box) if span is not None and box is not None else None,
        (Span(*truth["span"]), Box(*truth["box"])),
        tolerance_s=facts["tolerance_s"],
        min_iou=MIN_IOU,
    )


def choice(facts: Facts, answer: str) -> Check:
    """One option by letter or text: 0 or 1."""
    return check_choice(read_choice(answer, facts["options"]), facts["truth"])


def order(facts: Facts, answer: str) -> Check:
    """All options in order: score is the share of pairs in the right order."""
    return check_order(read_order(answer, facts["options"]), facts["truth"])


def count(facts: Facts, answer: str) -> Check:
    """A number of things: exactly it, 0 or 1."""
    return check_number(read_number(answer, facts["unit"]), facts["truth"])


def mra(facts: Facts, answer: str) -> Check:
    """A measured number: mean relative accuracy over the thresholds 0.5 to 0.95."""
    return check_mra(read_number(answer, facts["unit"]), facts["truth"])


def text(facts: Facts, answer: str) -> Check:
    """Words: score is 1 - word edits / longer length."""
    return check_text(read_text(answer), facts["truth"])


def absent(facts: Facts, answer: str) -> Check:
    """It does not happen: 1 for saying so without naming a time, else 0."""
    if names_time(answer, times_of(facts), facts["duration_s"]):
        return check_absent(False)
    return check_absent(True if denies(answer) else None)


VERIFIERS: dict[str, Callable[[Facts, str], Check]] = {
    f.__name__: f for f in (tiou, span_set, box_iou, viou, choice, order, count, mra, text, absent)
}


def _span(facts: Facts) -> Span:
    start_s, end_s = facts["truth"]
    return Span(start_s, end_s)
