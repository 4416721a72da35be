"""Localiser of motion: runs of frames in which camera or things move as a description says, from the numbers in `signals`.

Each measured frame says how the picture moved since the one before, so it stands for that interval. A run goes on while the
asked motion is clearly the greatest, over at most one frame that says otherwise; an unmeasured frame (a cut) or the edge of a
shot ends it. Directions of things are over the ground: what stays in place while the camera pans is followed, or lettering.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.box import Box, box_or_none, iou
from ...schemas.motion import Motion
from ...schemas.span import Span, from_us, span_or_none, to_us
from .asked import Asked
from .proposals import Proposal, best_apart

RADIUS = 0.3
"""Mean distance of a pixel from the centre, frame widths: turns zoom and roll into speeds like pan."""
HIDDEN = -1.0
"""Of a frame in which lettering hides whether a thing moves: it ends no run."""
KNOWN = 0.3
"""Share of a run's frames in which the motion must be seen."""
_AXIS = {
    "pan_left": ("pan", -1), "pan_right": ("pan", 1), "tilt_up": ("tilt", 1), "tilt_down": ("tilt", -1),
    "zoom_in": ("zoom", 1), "zoom_out": ("zoom", -1), "roll_cw": ("roll", -1), "roll_ccw": ("roll", 1),
}  # fmt: skip


class SeenMotionRule(BaseModel):
    """When a frame moves as asked. Speeds in frame widths per second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_speed: float = Field(0.01, gt=0, description="Least speed of a camera motion.")
    whip_speed: float = Field(0.8, gt=0, description="Speed from which a pan is a whip.")
    min_object_speed: float = Field(0.02, gt=0, description="Least speed of a thing over the ground.")
    min_area: float = Field(0.004, gt=0, description="Least share of the picture that moves by itself.")
    max_area: float = Field(0.45, description="Greatest share: above, it is unclear what is background.")
    min_share: float = Field(0.6, gt=0, le=1, description="Least share that the asked motion has of all motion.")
    min_inliers: float = Field(0.3, description="Least share of the flow that the camera fit explains.")
    static_speed: float = Field(0.008, gt=0, description="Greatest speed of a camera at rest.")
    min_length_s: float = Field(0.2, ge=0, description="Shortest run.")


@dataclass(frozen=True, slots=True)
class Step:
    """The interval that a row of `signals` stands for; `motion` is None across a cut."""

    start_s: float
    end_s: float
    motion: Motion | None
    row_id: str
    lettering: bool = False
    """Whether what moves by itself is writing that is laid over the picture."""
    cut: bool = False
    """Whether a shot begins in it."""


def steps_of(
    signals: Sequence[Mapping[str, Any]], shots: Sequence[Span], writing: Sequence[tuple[Span, Box]] = ()
) -> list[Step]:
    """The steps of a medium, from its rows of `signals` in order of time. `writing` says where lettering stands in the picture:
    what moves against the ground only there is no thing.
    """
    edges = sorted({to_us(s.start_s) for s in shots})
    found, waiting, present = [], sorted(writing, key=lambda w: w[0].start_s, reverse=True), list[tuple[Span, Box]]()
    for a, b in pairwise(signals):
        if b["t_s"] <= a["t_s"]:
            continue
        while waiting and waiting[-1][0].start_s <= b["t_s"]:
            present.append(waiting.pop())
        present = [w for w in present if w[0].end_s > b["t_s"]]
        cut = bisect_right(edges, to_us(b["t_s"])) > bisect_right(edges, to_us(a["t_s"]))
        lettering = _is_lettering(b, [box for _, box in present])
        found.append(Step(a["t_s"], b["t_s"], Motion.from_row(b), str(b["row_id"]), lettering, cut))
    return found


def in_motion(
    query: Asked, steps: Sequence[Step], shots: Sequence[Span], aspect: float, rule: SeenMotionRule, most: int = 5
) -> list[Proposal]:
    """Runs that move as asked, within shots; nothing for a description that names no motion. `aspect`: width / height."""
    if query.camera is None and query.way is None:
        return []
    shares = [_share(query, s, s.motion, aspect, rule) if s.motion else None for s in steps]
    found = _blurs(steps, shots, rule) if query.whip else []
    for first, last in _runs(shares, steps, rule.min_share):
        span = span_or_none(from_us(to_us(steps[first].start_s)), from_us(to_us(steps[last].end_s)))
        values = [v for i in range(first, last + 1) if (v := shares[i] or 0.0) >= 0]
        if span is None or span.length_s < rule.min_length_s or len(values) < KNOWN * (last + 1 - first):
            continue
        steady = math.fsum(values) / len(values)
        sure = 1 - 0.5 ** (len(values) / 2)
        rows = tuple(s.row_id for s in steps[first : last + 1])
        found.append(Proposal(_grown(span, shots, steps[first].end_s - steps[first].start_s), steady * sure, rows))
    return best_apart(found, most)


def _runs(shares: Sequence[float | None], steps: Sequence[Step], least: float) -> list[tuple[int, int]]:
    """(first, last) of runs with a share of at least `least`, over one weak frame, none across a cut or shot edge."""
    runs: list[tuple[int, int]] = []
    first = last = -1
    for i, share in enumerate(shares):
        cut = share is None or steps[i].cut
        good = share is not None and (share >= least or share == HIDDEN)
        if first >= 0 and (cut or (not good and i - last >= 2)):
            runs.append((first, last))
            first = -1
        if good:
            first, last = (i if first < 0 else first), i
    if first >= 0:
        runs.append((first, last))
    return runs


def _grown(span: Span, shots: Sequence[Span], step_s: float) -> Span:
    """A run up to the edge of the shot that holds its centre, where no more than a step and a half is missing: across a cut
    nothing is measured.
    """
    at = bisect_right(shots, span.centre_s, key=lambda s: s.start_s) - 1
    for shot in shots[max(0, at) : at + 1]:
        if shot.contains(span.centre_s):
            start = (
                shot.start_s if abs(span.start_s - shot.start_s) <= 1.5 * step_s else max(span.start_s, shot.start_s)
            )
            end = shot.end_s if abs(span.end_s - shot.end_s) <= 1.5 * step_s else min(span.end_s, shot.end_s)
            return span_or_none(start, end) or span
    return span


def _share(query: Asked, step: Step, m: Motion, aspect: float, rule: SeenMotionRule) -> float:
    """Share (0..1) that the asked motion has of all motion in this frame; 0 where it is too slow, `HIDDEN` where lettering is
    all that is seen to move.
    """
    if m.inlier_share < rule.min_inliers:
        return 0.0
    if query.camera and not query.follows:
        return _camera_share(query, m, aspect, rule)
    if step.lettering:
        return HIDDEN if not query.follows or _camera_share(query, m, aspect, rule) >= rule.min_share else 0.0
    if query.follows and query.way:
        return _followed(query, m, aspect, rule)
    area = m.residual_area or 0.0
    if not rule.min_area <= area <= rule.max_area or _laid_over(m, aspect):
        return 0.0
    return _towards(query.way or "", m.residual_dx, m.residual_dy / aspect, rule.min_object_speed)


def _camera_share(query: Asked, m: Motion, aspect: float, rule: SeenMotionRule) -> float:
    rates = {"pan": m.pan, "tilt": m.tilt / aspect, "zoom": m.zoom * RADIUS, "roll": math.radians(m.roll) * RADIUS}
    total = math.fsum(abs(v) for v in rates.values())
    if query.camera == "static":
        return 1.0 if total <= rule.static_speed else 0.0
    axis, sign = _AXIS[query.camera or ""]
    speed = sign * rates[axis]
    if speed < (rule.whip_speed if query.whip else rule.min_speed) or (speed >= rule.whip_speed and not query.whip):
        return 0.0
    return speed / total


def _followed(query: Asked, m: Motion, aspect: float, rule: SeenMotionRule) -> float:
    """The camera goes one way and something stays in the picture."""
    camera = _camera_share(query, m, aspect, rule)
    if camera == 0 or (m.residual_area or 0.0) < rule.min_area:
        return 0.0
    return camera * _towards(query.way or "", m.residual_dx, m.residual_dy / aspect, rule.min_object_speed)


def _towards(way: str, dx: float, dy: float, least: float) -> float:
    along = {"left": -dx, "right": dx, "up": -dy, "down": dy}[way]
    return along / (abs(dx) + abs(dy)) if along >= least else 0.0


def _laid_over(m: Motion, aspect: float) -> bool:
    seen, behind = m.on_screen(aspect)
    return behind >= 0.018 and seen < 0.2 * behind


def _is_lettering(row: Mapping[str, Any], writing: Sequence[Box]) -> bool:
    if row["residual_x1"] is None or not writing:
        return False
    box = box_or_none(row["residual_x1"], row["residual_y1"], row["residual_x2"], row["residual_y2"])
    return box is not None and any(iou(box, place) >= 0.3 for place in writing)


def _blurs(steps: Sequence[Step], shots: Sequence[Span], rule: SeenMotionRule) -> list[Proposal]:
    """One or two steps in which nothing could be followed, away from cuts: too fast to measure, so that only a guess of the
    direction is left.
    """
    edges = [t for s in shots for t in (s.start_s, s.end_s)]
    found, run = [], list[Step]()
    for step in (*steps, None):
        lost = step is not None and (step.motion is None or step.motion.inlier_share < rule.min_inliers)
        if step is not None and lost:
            run.append(step)
            continue
        if 1 <= len(run) <= 2 and not any(run[0].start_s - 0.1 <= t <= run[-1].end_s + 0.1 for t in edges):
            span = Span(from_us(to_us(run[0].start_s)), from_us(to_us(run[-1].end_s)))
            found.append(Proposal(span, 0.35, tuple(s.row_id for s in run)))
        run = []
    return found
