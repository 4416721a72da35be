"""Pooling the motion of a clip from per-frame numbers, and how an edit changes them: pure functions.

Camera and object motion are measured per frame (table `signals`); a clip has one answer only when its frames
agree. Rates of different kinds are compared by how fast they move the edge of the picture, in frame widths
per second. Whatever is weak, inconsistent or mixed gets no label but a reason: withholding is cheaper than a
wrong answer. An edit (mirror, reverse) maps places linearly and times by scale and offset, so it maps
velocities by arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

CAMERA_LABELS = (
    "pan_left",
    "pan_right",
    "tilt_up",
    "tilt_down",
    "zoom_in",
    "zoom_out",
    "roll_cw",
    "roll_ccw",
    "static",
)
"""Canonical order. Names say what the camera does: rolling clockwise turns the content counter-clockwise."""
OBJECT_LABELS = ("left", "right", "up", "down", "still")
"""Canonical order: the direction in the picture, after the camera's own motion is taken out."""
SIGNAL_COLUMNS = (
    "t_s",
    "contrast",
    "pan",
    "tilt",
    "zoom",
    "roll",
    "inlier_share",
    "residual",
    "residual_area",
    "residual_dx",
    "residual_dy",
    "residual_x1",
    "residual_y1",
    "residual_x2",
    "residual_y2",
)
"""Columns of `signals` that pooling uses."""
EDGE_FRAMES = 2
"""How many unmeasured frames a clip may have at either end: a dissolve, or a cut found a little late."""
_RADIUS = 0.3
"""Mean distance of a pixel from the centre, in frame widths: turns zoom and roll into speeds like pan."""


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of one frame against the one before; units and signs are those of table `signals`."""

    t_s: float
    pan: float
    tilt: float
    zoom: float
    roll: float
    inlier_share: float
    residual: float
    residual_area: float | None
    """None where the camera's part is too uncertain to say what is left."""
    residual_dx: float
    residual_dy: float
    x: float
    """Centre of the region that moves by itself (the picture's centre when nothing does), share of the
    width.
    """
    y: float
    contrast: float

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Motion | None:
        """The motion of a row of `signals`; None when it was not measured (a cut, the first frame)."""
        if row["pan"] is None or row["inlier_share"] is None:
            return None
        box = [row[f"residual_{edge}"] for edge in ("x1", "y1", "x2", "y2")]
        x1, y1, x2, y2 = (0.0, 0.0, 1.0, 1.0) if None in box else box
        area = row["residual_area"]
        return cls(
            t_s=row["t_s"],
            pan=row["pan"],
            tilt=row["tilt"],
            zoom=row["zoom"],
            roll=row["roll"],
            inlier_share=row["inlier_share"],
            residual=row["residual"] or 0.0,
            residual_area=area,
            residual_dx=row["residual_dx"] or 0.0,
            residual_dy=row["residual_dy"] or 0.0,
            x=(x1 + x2) / 2,
            y=(y1 + y2) / 2,
            contrast=row["contrast"] or 0.0,
        )

    def on_screen(self, aspect: float) -> tuple[float, float]:
        """Speed of the region over the screen, and of the background behind it, frame widths per second."""
        x, y, turn = self.x - 0.5, (self.y - 0.5) / aspect, math.radians(self.roll)
        behind = (-self.pan + self.zoom * x - turn * y, self.tilt / aspect + self.zoom * y + turn * x)
        seen = (behind[0] + self.residual_dx, behind[1] + self.residual_dy / aspect)
        return math.hypot(*seen), math.hypot(*behind)


def measured(rows: Sequence[Mapping[str, Any]]) -> list[Motion] | None:
    """The motions of a clip's rows of `signals`, in their order, a few unmeasured ones at the ends left out.

    None when one in the middle is unmeasured, which is what a cut or a flash looks like.
    """
    found = [Motion.from_row(row) for row in rows]
    known = [i for i, m in enumerate(found) if m is not None]
    if not known or known[0] > EDGE_FRAMES or known[-1] < len(found) - 1 - EDGE_FRAMES:
        return None
    motions = [m for m in found[known[0] : known[-1] + 1] if m is not None]
    return motions if len(motions) == known[-1] + 1 - known[0] else None


@dataclass(frozen=True, slots=True)
class Edit:
    """How an edit maps the source: `t_new = time_scale t + time_offset_s`, box_affine as in table `edits`."""

    time_scale: float
    time_offset_s: float
    box_affine: tuple[float, float, float, float, float, float]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Edit:
        """The mapping of a row of table `edits`. Raises ValueError for a mapping that stops time."""
        a, b, c, d, e, f = row["box_affine"]
        if row["time_scale"] == 0 or a * e - b * d == 0:
            raise ValueError(f"edit {row['operation']}: time or picture collapses; its mapping must be invertible")
        return cls(row["time_scale"], row["time_offset_s"], (a, b, c, d, e, f))

    def time(self, t_s: float) -> float:
        """A time of the source on the edited clock, seconds."""
        return self.time_scale * t_s + self.time_offset_s

    def source_time(self, t_s: float) -> float:
        """A time of the edited medium on the source clock, seconds."""
        return (t_s - self.time_offset_s) / self.time_scale

    def motion(self, m: Motion) -> Motion:
        """The motion of the same frame in the edited medium."""
        a, b, c, d, e, f = self.box_affine
        turns = math.copysign(1.0, a * e - b * d)

        def moved(x: float, y: float) -> tuple[float, float]:
            return (a * x + b * y) / self.time_scale, (d * x + e * y) / self.time_scale

        content_x, content_y = moved(-m.pan, m.tilt)
        dx, dy = moved(m.residual_dx, m.residual_dy)
        return replace(
            m,
            t_s=self.time(m.t_s),
            pan=-content_x,
            tilt=content_y,
            zoom=m.zoom / self.time_scale,
            roll=turns * m.roll / self.time_scale,
            residual=m.residual / abs(self.time_scale),
            residual_dx=dx,
            residual_dy=dy,
            x=a * m.x + b * m.y + c,
            y=d * m.x + e * m.y + f,
        )


class CameraRule(BaseModel):
    """When a clip has one camera motion. Speeds are those of a typical pixel, frame widths per second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_speed: float = Field(default=0.018, gt=0, description="Least mean speed of a motion that counts.")
    min_travel: float = Field(default=0.08, ge=0, description="Least way over the clip, frame widths.")
    static_speed: float = Field(default=0.008, gt=0, description="Greatest mean speed of a camera at rest.")
    min_consistency: float = Field(default=0.85, description="Least |mean| / mean of |rate|: one way throughout.")
    max_second: float = Field(default=0.4, description="Greatest second motion, as a share of the first.")
    min_inliers: float = Field(default=0.5, description="Least mean share of flow that the global fit explains.")
    min_contrast: float = Field(default=8.0, description="Least mean contrast: a flat picture shows no motion.")
    min_frames: int = Field(default=3, ge=2, description="Least number of measured frames.")


class ObjectRule(BaseModel):
    """When a clip has one direction of object motion, or clearly none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_speed: float = Field(default=0.025, gt=0, description="Least mean speed, frame widths per second.")
    min_area: float = Field(default=0.004, gt=0, description="Least share of the picture that moves by itself.")
    max_area: float = Field(default=0.45, description="Greatest: above, it is unclear what is background.")
    min_known: float = Field(
        default=0.6, description="Least share of frames in which it is known what moves; unknown is never still."
    )
    min_moving: float = Field(default=0.7, description="Least share of frames in which something moves.")
    max_still: float = Field(default=0.15, description="Greatest such share of a clip in which nothing moves.")
    min_consistency: float = Field(default=0.85, description="Least |mean| / mean of |velocity|.")
    max_other_axis: float = Field(default=0.4, description="Greatest motion across, as a share of that along.")
    min_coherence: float = Field(default=0.6, description="Least |mean flow| / mean |flow| inside the region.")
    min_on_screen: float = Field(
        default=0.2,
        description="Least speed over the screen, as a share of the background's: what stands still on screen while "
        "the camera moves may be lettering or a logo laid over the picture.",
    )
    max_lettering: float = Field(
        default=0.7, description="Greatest share of such frames; they are left out, above it the clip is."
    )
    min_inliers: float = Field(default=0.45, description="Least mean share of flow that the global fit explains.")
    still_inliers: float = Field(default=0.8, description="The same when the answer is that nothing moves.")
    min_contrast: float = Field(default=8.0, description="Least mean contrast: a flat picture shows no motion.")
    min_frames: int = Field(default=3, ge=2, description="Least number of measured frames.")


@dataclass(frozen=True, slots=True)
class Pooled:
    """A clip's label, or None and the reason; `scores` says how much speaks for each label: 1 for the winner, below 0
    when the measured motion goes the other way.
    """

    label: str | None
    reason: str
    speed: float = 0.0
    consistency: float = 0.0
    scores: Mapping[str, float] | None = None

    @property
    def margin(self) -> float:
        """Lead of the winner over the runner-up, 0..1."""
        if self.label is None or not self.scores:
            return 0.0
        return 1.0 - max(score for label, score in self.scores.items() if label != self.label)


def pool_camera(motions: Sequence[Motion], aspect: float, rule: CameraRule) -> Pooled:
    """The camera motion of a clip; `aspect` is width / height of the picture."""
    weak = _too_little(motions, rule.min_frames, rule.min_contrast, rule.min_inliers)
    if weak:
        return Pooled(None, weak)
    rates = {
        "pan": [m.pan for m in motions],
        "tilt": [m.tilt / aspect for m in motions],
        "zoom": [m.zoom * _RADIUS for m in motions],
        "roll": [math.radians(m.roll) * _RADIUS for m in motions],
    }
    mean = {name: _mean(values) for name, values in rates.items()}
    size = {name: _mean([abs(v) for v in values]) for name, values in rates.items()}
    first = max(size, key=lambda name: (size[name], name))
    second = max(v for name, v in size.items() if name != first)
    speed = abs(mean[first])
    consistency = speed / size[first] if size[first] > 0 else 1.0
    if size[first] <= rule.static_speed:
        if min(m.inlier_share for m in motions) < rule.min_inliers:
            return Pooled(None, "the camera rests, but may have jumped where the fit is weak")
        scores = {label: _along(label, mean) / rule.min_speed for label in CAMERA_LABELS[:-1]} | {"static": 1.0}
        return Pooled("static", "", speed, consistency, scores)
    if speed < rule.min_speed:
        return Pooled(None, f"the camera moves too little to name it ({speed:.3f} frame widths/s)")
    if consistency < rule.min_consistency:
        return Pooled(None, f"the camera does not move one way throughout (consistency {consistency:.2f})")
    if second > rule.max_second * speed:
        return Pooled(None, f"the camera moves in two ways at once ({second:.3f} beside {speed:.3f})")
    travel = speed * _seconds(motions)
    if travel < rule.min_travel:
        return Pooled(None, f"the camera travels too little ({travel:.3f} frame widths)")
    scores = {label: _along(label, mean) / speed for label in CAMERA_LABELS[:-1]}
    scores["static"] = min(1.0, rule.static_speed / speed)
    return Pooled(max(scores, key=lambda label: scores[label]), "", speed, consistency, scores)


def pool_object(motions: Sequence[Motion], aspect: float, rule: ObjectRule) -> Pooled:
    """The direction in which what moves by itself moves, over a clip; `aspect` is width / height."""
    weak = _too_little(motions, rule.min_frames, rule.min_contrast, rule.min_inliers)
    if weak:
        return Pooled(None, weak)
    areas = [(m, m.residual_area) for m in motions if m.residual_area is not None]
    if len(areas) < rule.min_known * len(motions):
        return Pooled(None, "the camera's part is too uncertain to say what moves by itself")
    free = [(m, area) for m, area in areas if area < rule.min_area or not _laid_over(m, aspect, rule)]
    if len(free) < (1 - rule.max_lettering) * len(areas):
        return Pooled(None, "it stands still on screen while the camera moves: perhaps lettering")
    areas = free
    moving = [m for m, area in areas if area >= rule.min_area]
    weights = [area for _, area in areas if area >= rule.min_area]
    share = len(moving) / len(areas) if areas else 1.0
    unknown = sum(m.residual_area is None for m in motions)
    if len(moving) + unknown <= rule.max_still * (len(areas) + unknown):
        if _mean([m.inlier_share for m, _ in areas]) < rule.still_inliers:
            return Pooled(None, "nothing moves, but the global fit explains too little to be sure")
        scores = dict.fromkeys(OBJECT_LABELS[:-1], share / rule.min_moving) | {"still": 1.0}
        return Pooled("still", "", 0.0, 1.0 - share, scores)
    if share < rule.min_moving:
        return Pooled(None, f"something moves only in {share:.0%} of the clip")
    area = _mean(weights)
    if area > rule.max_area:
        return Pooled(None, f"{area:.0%} of the picture move: no telling what is background")
    xs, ys = [m.residual_dx for m in moving], [m.residual_dy / aspect for m in moving]
    x, y = _mean(xs, weights), _mean(ys, weights)
    speed = math.hypot(x, y)
    size = _mean([math.hypot(a, b) for a, b in zip(xs, ys, strict=True)], weights)
    flow = _mean([m.residual for m in moving], weights)
    consistency = speed / size if size > 0 else 0.0
    along, across = (abs(x), abs(y)) if abs(x) >= abs(y) else (abs(y), abs(x))
    if along < rule.min_speed:
        return Pooled(None, f"it moves too slowly to name a direction ({along:.3f} frame widths/s)")
    if consistency < rule.min_consistency:
        return Pooled(None, f"it does not move one way throughout (consistency {consistency:.2f})")
    if across > rule.max_other_axis * along:
        return Pooled(None, "it moves diagonally")
    if flow > 0 and size < rule.min_coherence * flow:
        return Pooled(None, f"parts of it move different ways (coherence {size / flow:.2f})")
    scores = {"left": -x, "right": x, "up": -y, "down": y}
    scores = {label: v / along for label, v in scores.items()} | {"still": 1.0 - share}
    return Pooled(max(scores, key=lambda label: scores[label]), "", speed, consistency, scores)


def _laid_over(m: Motion, aspect: float, rule: ObjectRule) -> bool:
    """Whether what moves against the background stands still on screen: lettering, a logo (or a followed
    thing).
    """
    seen, behind = m.on_screen(aspect)
    return behind >= rule.min_speed and seen < rule.min_on_screen * behind


_ALONG = {
    "pan_left": ("pan", -1),
    "pan_right": ("pan", 1),
    "tilt_up": ("tilt", 1),
    "tilt_down": ("tilt", -1),
    "zoom_in": ("zoom", 1),
    "zoom_out": ("zoom", -1),
    "roll_cw": ("roll", -1),
    "roll_ccw": ("roll", 1),
}


def _along(label: str, mean: Mapping[str, float]) -> float:
    name, sign = _ALONG[label]
    return sign * mean[name]


def _too_little(motions: Sequence[Motion], frames: int, contrast: float, inliers: float) -> str:
    if len(motions) < frames:
        return f"only {len(motions)} measured frames"
    if _mean([m.contrast for m in motions]) < contrast:
        return "the picture is flat"
    share = _mean([m.inlier_share for m in motions])
    if share < inliers:
        return f"the camera's part cannot be told apart (inlier share {share:.2f})"
    return ""


def _mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    if weights is None:
        return math.fsum(values) / len(values)
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / math.fsum(weights)


def _seconds(motions: Sequence[Motion]) -> float:
    """Time that the measured frames span, each standing for the interval before it."""
    first, last = motions[0].t_s, motions[-1].t_s
    return abs(last - first) * len(motions) / (len(motions) - 1)
