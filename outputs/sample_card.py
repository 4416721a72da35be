"""Draws one sample as a picture of 1200 px: what it shows, its timeline, question, options, answer, checks, evidence.

`draw_card` draws with whatever frames there are (a medium that is gone leaves grey tiles). All that is long is cut with an ellipsis: the page
beside the pictures has the full text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from ..schemas.sample import BoxAnswer, ChoiceAnswer, OrderAnswer, Sample, SpanBoxAnswer, TubeAnswer
from . import pen as p
from .asked_space import AskedSpace
from .frame_plan import FEATURE_PX, FEATURE_WIDTH_PX, GAP_PX, TILE_PX, FramePlan, fitted, key_spans, tile_width
from .frames_at import FramePicture, FrameWish
from .motion_arrows import TURN_WORDS, draw_motion, motion_of
from .overlays import draw_marks
from .pen import Pen, Rect, both_ends, line_height, wrapped
from .readable import (
    answer_spans,
    answer_words,
    evidence_words,
    options_of_turn,
    readable,
    reasons,
    seconds,
    span_words,
)
from .timeline import Around, axis_of, draw_timeline, stills_of
from .top_view import top_view

WIDTH, MARGIN = 1200, 32
_COLUMN_LEFT, _COLUMN_RIGHT = (MARGIN, 680), (728, WIDTH - MARGIN)
_CAPTION_PX = 34
_PLAN_PX = 400
_TALLEST = 6000
_MOST_TURNS = 16


@dataclass(frozen=True)
class Card:
    """A drawn sample, and where on it the parts are (px)."""

    picture: Image.Image
    places: Mapping[str, Rect] = field(default_factory=dict)
    """`strip`, `timeline`, with a large picture `feature`, and with a scene `plan`."""


Frames = Mapping[tuple[str, FrameWish], FramePicture]
"""Decoded pictures by medium and wish."""


def draw_card(
    sample: Sample, plan: FramePlan, frames: Frames, around: Around, verdict: Mapping[str, Any] | None
) -> Card:
    """The card of a sample. `verdict` is its row of table `verdicts`, None while it was not checked."""
    pen = Pen(Image.new("RGB", (WIDTH, _TALLEST), p.PAPER))
    places: dict[str, Rect] = {}
    y = _draw_header(pen, sample, around, verdict)
    if plan.strip:
        bottom = _draw_strip(pen, y, sample, plan, frames, around)
        places["strip"] = (MARGIN, y, WIDTH - MARGIN, bottom)
        y = bottom + 8
    marks = [w.t_s for w in plan.strip if w.media_id == sample.media[0].media_id]
    bottom = draw_timeline(pen, y, sample, around, marks)
    places["timeline"] = (MARGIN, y, WIDTH - MARGIN, bottom)
    y = bottom + 22
    left = _draw_words(pen, y, sample)
    right = y
    if plan.feature is not None:
        places["feature"] = _draw_feature(pen, y, sample, plan, frames, around)
        right = places["feature"][3] + _CAPTION_PX + 10
    if around.space is not None:
        places["plan"] = _draw_plan(pen, right, around.space)
        right = places["plan"][3] + 14
    right = _draw_reasons(pen, right, sample, verdict)
    bottom = _draw_footer(pen, max(left, right) + 12, sample)
    return Card(pen.picture.crop((0, 0, WIDTH, round(bottom))), places)


# -- parts ----------------------------------------------------------------------------------------------------------


def _draw_header(pen: Pen, sample: Sample, around: Around, verdict: Mapping[str, Any] | None) -> float:
    pen.fill((0, 0, WIDTH, 6), p.ANSWER if verdict and verdict["passed"] else p.WRONG if verdict else p.MUTED)
    x = pen.text(MARGIN, 26, sample.task.replace("_", " "), 30, bold=True) + 18
    for text, ink, tint in (*_check_pill(verdict), (sample.origin, p.MUTED, p.PANEL)):
        x = pen.pill(x, 30, text, 15, ink, tint) + 8
    needs = ", ".join(n.replace("_", " ") for n in sample.needs) or "nothing but words"
    words = f"{footage_words(sample, around)}  ·  needs {needs}"
    pen.text(MARGIN, 68, p.clipped(words, WIDTH - 2 * MARGIN, 16), 16, p.MUTED)
    return 104


def footage_words(sample: Sample, around: Around) -> str:
    """`market.mp4, 12.4-19 s of 61 s`; for a twin also what it was made from."""
    first, axis = sample.media[0], axis_of(sample)
    media = around.media.get(first.media_id, {})
    words = f"{media.get('title') or first.media_id[:12]}, {span_words(axis.start_s, axis.end_s)}"
    if around.edit is not None:
        edit = around.edit
        made = f"{edit['title'] or 'its source'}, {span_words(edit['start_s'], edit['end_s'])}"
        words = f"{span_words(axis.start_s, axis.end_s)} of a twin ({edit['operation']}) of {made}"
    elif media.get("duration_s"):
        words += f" of {seconds(media['duration_s'])} s"
    others = len({m.media_id for m in sample.media}) - 1
    return f"{words}  ·  and {others} more {'medium' if others == 1 else 'media'}" if others else words


def _check_pill(verdict: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    if verdict is None:
        return [("not checked", p.MUTED, p.PANEL)]
    grade = (f"evidence: {str(verdict['evidence_grade']).replace('_', ' ')}", p.ASKED, p.ASKED_TINT)
    if verdict["passed"]:
        return [(f"{verdict['check_status']}, passed", p.ANSWER, p.ANSWER_TINT), grade]
    return [(str(verdict["problem"] or "failed"), p.WRONG, p.WRONG_TINT), grade]


def _draw_strip(pen: Pen, y: float, sample: Sample, plan: FramePlan, frames: Frames, around: Around) -> float:
    """Rows of at most eight pictures with their times; green where they lie in the answer's span, orange in a reason's."""
    columns = len(plan.strip) if not stills_of(sample) else min(max(len(plan.strip), 4), 8)
    columns = min(columns, 8)
    cell = tile_width(columns)
    width, height = fitted(cell, TILE_PX, plan.aspect)
    inks = {p.ANSWER: answer_spans(sample), p.EVIDENCE: key_spans(sample)}
    order = list(sample.answer.order) if isinstance(sample.answer, OrderAnswer) and stills_of(sample) else []
    for i, wanted in enumerate(plan.strip):
        row, column = divmod(i, columns)
        x = MARGIN + column * (cell + GAP_PX) + (cell - width) / 2
        top = y + row * (height + _CAPTION_PX)
        rect = (round(x), round(top), round(x + width), round(top + height))
        _paste(pen, rect, frames.get((wanted.media_id, wanted.wish)))
        draw_marks(pen, rect, wanted.t_s, around.tracks.get(wanted.media_id, ()))
        label = wanted.label
        if i in order:
            label += f" · place {order.index(i) + 1}"
        inside = (ink for ink, spans in inks.items() if any(a <= wanted.t_s < b for a, b in spans))
        ink = next(inside, None) if wanted.media_id == sample.media[0].media_id else None
        _caption(pen, rect, label, ink or p.MUTED)
        if ink:
            pen.frame(rect, ink, 4)
    rows = -(-len(plan.strip) // columns)
    return y + rows * (height + _CAPTION_PX)


def _draw_feature(pen: Pen, y: float, sample: Sample, plan: FramePlan, frames: Frames, around: Around) -> Rect:
    """The large picture with the answer's box or motion; the rectangle of the picture."""
    assert plan.feature is not None
    left = _COLUMN_RIGHT[0]
    width, height = fitted(FEATURE_WIDTH_PX, FEATURE_PX, plan.aspect)
    rect = (left, round(y), left + round(width), round(y) + round(height))
    _paste(pen, rect, frames.get((plan.feature.media_id, plan.feature.wish)))
    draw_marks(pen, rect, plan.feature.t_s, around.tracks.get(plan.feature.media_id, ()), trails=True)
    if isinstance(sample.answer, BoxAnswer | SpanBoxAnswer):
        pen.frame(box_on(rect, sample.answer.box), p.ANSWER, 3, halo=p.PAPER)
    if isinstance(sample.answer, TubeAnswer):
        pen.frame(box_on(rect, sample.answer.middle[1:]), p.ANSWER, 3, halo=p.PAPER)
    motion, label = motion_of(sample), plan.feature.label
    if motion is not None:
        draw_motion(pen, rect, motion)
    if isinstance(motion, str):
        label += f" · {TURN_WORDS[motion]}"
    _caption(pen, rect, label, p.MUTED)
    return rect


def _draw_plan(pen: Pen, y: float, space: AskedSpace) -> Rect:
    """The room from above, in the right column."""
    left, right = _COLUMN_RIGHT
    drawn = top_view(space, right - left, _PLAN_PX)
    rect = (left, round(y), left + drawn.width, round(y) + drawn.height)
    pen.picture.paste(drawn, (rect[0], rect[1]))
    return rect


def box_on(rect: Rect, box: Sequence[float]) -> Rect:
    """A normalised box on a picture that fills `rect`."""
    x1, y1, x2, y2 = rect
    return (
        x1 + box[0] * (x2 - x1),
        y1 + box[1] * (y2 - y1),
        x1 + box[2] * (x2 - x1),
        y1 + box[3] * (y2 - y1),
    )


def _draw_words(pen: Pen, y: float, sample: Sample) -> float:
    """Question, options and answer in the left column."""
    left, right = _COLUMN_LEFT
    for i, turn in enumerate(sample.turns[:_MOST_TURNS]):
        asked = turn.role == "user"
        y = _heading(pen, left, y, "QUESTION" if asked else "ANSWER", p.ASKED if asked else p.ANSWER)
        lines = both_ends(readable(turn.text, sample), right - left, 21, 9)
        y = pen.lines(left, y, lines, 21) + 10
        words, part = options_of_turn(sample, i)
        if words:
            y = _draw_options(pen, y, part, words)
    kind = sample.answer.kind.replace("_", " and ")
    inset = 32 + p.text_width(kind, 17)
    lines = wrapped(answer_words(sample), right - left - inset - 16, 17, 6)
    size = line_height(17) * len(lines) + 18
    pen.fill((left, y, right, y + size), p.ANSWER_TINT, 8)
    pen.text(left + 16, y + 9, kind, 17, p.ANSWER, bold=True)
    pen.lines(left + inset, y + 9, lines, 17, p.INK)
    return y + size + 8


def _draw_options(pen: Pen, y: float, sample: Sample, options: Sequence[str]) -> float:
    """The options in canonical order: a tick for the right one, the place in the order for items to sort."""
    left, right = _COLUMN_LEFT
    answer = sample.answer
    for i, (words, option) in enumerate(zip(options, sample.options, strict=True)):
        circle = (left + 2, y + 1, left + 24, y + 23)
        chosen = isinstance(answer, ChoiceAnswer) and answer.index == i
        if isinstance(answer, OrderAnswer) and i in answer.order:
            number = str(answer.order.index(i) + 1)
            pen.draw.ellipse(circle, fill=p.ANSWER)
            pen.text(left + 13 - p.text_width(number, 15) / 2, y + 2, number, 15, p.PAPER, bold=True)
        elif chosen:
            pen.draw.ellipse(circle, fill=p.ANSWER)
            pen.draw.line([(left + 8, y + 12), (left + 12, y + 16), (left + 19, y + 8)], fill=p.PAPER, width=3)
        else:
            pen.draw.ellipse(circle, outline=p.LINE, width=2)
        why = option.distractor_kind or ""
        if option.margin is not None:
            why = f"{why}, margin {option.margin:.2g}".lstrip(", ")
        room = right - left - 38 - (p.text_width(why, 14) + 20 if why else 0)
        lines = wrapped(words, room, 18, 3)
        if why:
            pen.text(right - p.text_width(why, 14), y + 4, why, 14, p.MUTED)
        y = max(pen.lines(left + 38, y + 1, lines, 18, bold=chosen), y + 26) + 4
    return y + 10


def _draw_reasons(pen: Pen, y: float, sample: Sample, verdict: Mapping[str, Any] | None) -> float:
    """Rationale, check and evidence in the right column."""
    left, right = _COLUMN_RIGHT
    width = right - left
    if sample.rationale:
        y = _heading(pen, left, y, "WHY", p.MUTED)
        shown = reasons(sample)
        for number, step in enumerate(sample.rationale[:7], start=1):
            if number in shown:
                pen.text(left, y, str(number), 16, p.EVIDENCE, bold=True)
            inset = 20 if shown else 0
            y = pen.lines(left + inset, y, wrapped(readable(step, sample), width - inset, 16, 3), 16) + 3
        if len(sample.rationale) > 7:
            y = pen.lines(left, y, [f"and {len(sample.rationale) - 7} more steps"], 16, p.MUTED)
        y += 10
    y = _heading(pen, left, y, "CHECK", p.MUTED)
    if verdict is None:
        y = pen.lines(left, y, ["not checked yet: run chronotope verify"], 16, p.MUTED)
    elif verdict["passed"]:
        y = pen.lines(left, y, wrapped(f"answer follows from the evidence ({verdict['verifier']})", width, 16, 2), 16)
    else:
        words = f"{verdict['problem']}: {verdict['reason'] or ''} ({verdict['verifier']})"
        y = pen.lines(left, y, wrapped(words, width, 16, 5), 16, p.WRONG)
    y = _heading(pen, left, y + 10, "EVIDENCE", p.EVIDENCE)
    for line in evidence_words(sample.evidence)[:8]:
        y = pen.lines(left, y, wrapped(line, width, 16, 3), 16) + 2
    return y


def _draw_footer(pen: Pen, y: float, sample: Sample) -> float:
    pen.fill((MARGIN, y, WIDTH - MARGIN, y + 1), p.LINE)
    parts = [
        f"sample {sample.sample_id}",
        f"wording {sample.wording}",
        f"form {sample.answer_form}",
        f"by {sample.generator}",
        f"recipe {sample.recipe}",
    ]
    if sample.pair_id:
        parts.append(f"pair {sample.pair_id[:8]}")
    pen.text(MARGIN, y + 10, p.clipped("  ·  ".join(parts), WIDTH - 2 * MARGIN, 14), 14, p.MUTED)
    return y + 40


def _heading(pen: Pen, x: float, y: float, text: str, colour: str) -> float:
    pen.text(x, y, text, 13, colour, bold=True)
    return y + 23


# -- pictures -------------------------------------------------------------------------------------------------------


def _paste(pen: Pen, rect: Rect, picture: FramePicture | None) -> None:
    x1, y1, x2, y2 = (round(v) for v in rect)
    if picture is None:
        pen.fill(rect, p.PANEL)
        pen.text(x1 + 10, y1 + 10, p.clipped("no picture", x2 - x1 - 20, 14), 14, p.MUTED)
        return
    shown = Image.fromarray(picture.rgb)
    if shown.size != (x2 - x1, y2 - y1):
        shown = shown.resize((x2 - x1, y2 - y1), Image.Resampling.BICUBIC)
    pen.picture.paste(shown, (x1, y1))


def _caption(pen: Pen, rect: Rect, text: str, colour: str) -> None:
    """A line below a picture: never on it, where it would hide what a sample asks about."""
    x1, _, x2, y2 = rect
    pen.text(x1, y2 + 6, p.clipped(text, x2 - x1, 17), 17, colour, bold=colour != p.MUTED)
