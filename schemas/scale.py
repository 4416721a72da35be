"""What may be asked of a scene whose metres are measured, predicted or no metres at all, and how sure an answer is.

Ratios and orders survive a wrong scale, heights need a vertical z axis, and numbers in metres need a scale that somebody measured.
Errors are carried to the answer: a number is kept only where all that it might be earns nearly the same score, a comparison
only where the intervals are apart, a direction only where it stays in its sector. Nothing is multiplied to look metric.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .geometry.numbers import round_half_up
from .metrics_spatial import mra

Need = Literal["gravity", "metres", "square metres"]
Tier = Literal["exact", "two_source", "model", "judge"]

NEEDS: Mapping[str, tuple[Need, ...]] = {
    "object_count": (),
    "object_size": ("metres",),
    "room_size": ("gravity", "square metres"),
    "obj_abs_dist": ("metres",),
    "obj_rel_dist": (),
    "obj_rel_dir": ("gravity",),
    "appearance_order": (),
    "route_plan": ("gravity",),
    "cam_obj_abs_dist": ("metres",),
    "cam_obj_rel_dist": (),
    "cam_obj_dist_change": ("metres",),
    "obj_obj_lr": (),
    "obj_obj_nf": (),
    "obj_obj_ud": (),
    "obj_obj_above": ("gravity",),
    "cam_displacement": ("metres",),
    "cam_path_length": ("metres",),
    "cam_move_dir": (),
    "cam_rotation": (),
    "agent_position": (),
    "agent_distance": ("metres",),
    "agent_orientation": ("gravity",),
    "agent_existence": (),
    "agent_order": (),
    "agent_quantity": (),
    "agent_obj_dir": ("gravity",),
    "agent_obj_nearer": (),
    "agent_obj_dist": ("metres",),
    "occlusion_restoration": (),
    "distance_comparison": (),
    "azimuth_transfer": ("gravity",),
    "motion": (),
}
"""What each kind of question needs. `obj_obj_ud` is up and down in the picture, `obj_obj_above` in the world."""

MOST_UP_ERROR_DEG = 5.0
MOST_SIGMA = 0.05
MEASURED = ("sensor", "anchored")


def admissible(
    scene: Mapping[str, Any],
    needs: Sequence[Need],
    *,
    most_up_error_deg: float = MOST_UP_ERROR_DEG,
    most_sigma: float = MOST_SIGMA,
) -> str:
    """Why a question with these needs may not be asked of a scene (a row of `scenes`); '' when it may."""
    if "gravity" in needs:
        if scene["world_up"] != "z":
            return "not gravity aligned"
        if scene["up_error_deg"] is None or scene["up_error_deg"] > most_up_error_deg:
            return "gravity too uncertain"
    if "metres" in needs or "square metres" in needs:
        status, sigma = scene["scale_status"], scene["scale_sigma"]
        if status == "unit":
            return "unit scale"
        # the logarithm of an area is twice as uncertain as that of a length
        power = 2 if "square metres" in needs else 1
        if status not in MEASURED and (sigma is None or power * sigma > most_sigma):
            return "scale too uncertain"
    return ""


def approximate(scene: Mapping[str, Any]) -> bool:
    """Whether a number of this scene has to be called approximate: its scale was predicted, not measured."""
    return bool(scene["scale_status"] == "predicted")


def relative_margin(margin_m: float) -> float:
    """A margin in metres as a share of the diagonal of the scene: 0.02 for 0.15 m, 0.03 for 0.30 m, in line with both."""
    return margin_m * 0.02 / 0.15 if margin_m <= 0.15 else 0.01 + margin_m / 15


def margin_in(scene: Mapping[str, Any], margin_m: float, diagonal: float) -> float:
    """A margin in the scene's own units: metres, or a share of its diagonal where there are no metres."""
    return relative_margin(margin_m) * diagonal if scene["scale_status"] == "unit" else margin_m


def place_error(scene: Mapping[str, Any], value: float) -> float:
    """How far a face of a box may be off: 2 cm where measured, else 5 % of the value that is computed from it."""
    return 0.02 if scene["scale_status"] in MEASURED else 0.05 * abs(value)


def interval(
    scene: Mapping[str, Any], value: float, *, power: int = 1, place: float | None = None, shared_scale: bool = False
) -> tuple[float, float]:
    """What a value may really be: the error of place, and two standard deviations of the scale.

    `power` is 2 for areas; `place` replaces `place_error` (0 for rendered rooms, whose boxes are exact). With `shared_scale`
    the scale is left out: two lengths of one scene are compared, and both are wrong by the same factor.
    """
    off = place_error(scene, value) if place is None else place
    factor = 1.0 if shared_scale else math.exp(2 * power * float(scene["scale_sigma"] or 0.0))
    low, high = value - off, value + off
    return (low / factor if low > 0 else low * factor, high * factor if high > 0 else high / factor)


def keeps_number(
    answer: float, span: tuple[float, float], decimals: int, *, least_mra: float = 0.8, most_half_width: float = 0.10
) -> bool:
    """Whether everything in the interval, rounded as the answer is, still earns `least_mra` against the stated answer.

    The mean relative accuracy is the strict one, in which an error of exactly 10 % earns 0.8; the interval may be at most
    `most_half_width` of the answer wide on either side, which binds where rounding is coarse.
    """
    if answer == 0:
        return False
    wide = (span[1] - span[0]) / 2 / abs(answer)
    ends = [mra(round_half_up(end, decimals), answer, tie="lt") for end in span]
    return wide <= most_half_width + 1e-9 and min(ends) >= least_mra


def keeps_comparison(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether two intervals are apart, so that their order is sure."""
    return first[1] < second[0] or second[1] < first[0]


def keeps_direction(margin_deg: float, sigma_deg: float = 0.0, least_deg: float = 10.0) -> bool:
    """Whether a direction so far from its sector's boundary stays in it, with two standard deviations and a margin."""
    return margin_deg >= least_deg + 2 * sigma_deg


def angle_sigma_deg(scene: Mapping[str, Any], distances: Sequence[float]) -> float:
    """Standard deviation of an angle between things seen at these distances, from the error of their places (two sigma)."""
    parts = [math.atan2(place_error(scene, d), d) / 2 for d in distances]
    return math.degrees(math.sqrt(math.fsum(p * p for p in parts)))


def confidence(certainties: Iterable[float | None]) -> float:
    """Product of what each contributing step is certain of; None (given, not estimated) takes nothing away."""
    return math.prod(min(1.0, max(0.0, c)) for c in certainties if c is not None)


def tier(scene: Mapping[str, Any], *, annotated: bool, agree: bool | None) -> Tier:
    """How an answer from geometry is verified: annotated or rendered boxes over measured depth are exact; otherwise a second
    source that agrees makes it `two_source`; one alone is a model's word.
    """
    if annotated and scene["scale_status"] == "sensor":
        return "exact"
    return "two_source" if agree else "model"


@dataclass(frozen=True)
class ScaleFit:
    """Units of a reconstruction in metres, `metres = scale * units`, and the standard deviation of its logarithm."""

    scale: float
    sigma: float
    frames: int
    pixels: int


def fit_scale(metric: Sequence[ArrayLike], found: Sequence[ArrayLike], least_frames: int = 3) -> ScaleFit | None:
    """The scale from depths of the same pixels, frame by frame, in metres and in the units of the reconstruction.

    Median of the logarithms of ratios; sigma is 1.4826 MAD over the root of the number of frames, since pixels of one frame err
    together. Pass static and confident pixels only. None for fewer than `least_frames` frames with a positive pair.
    """
    per_frame = []
    for metres, units in zip(metric, found, strict=True):
        m, u = np.asarray(metres, np.float64).ravel(), np.asarray(units, np.float64).ravel()
        known = np.isfinite(m) & np.isfinite(u) & (m > 0) & (u > 0)
        if known.any():
            per_frame.append(np.log(m[known]) - np.log(u[known]))
    if len(per_frame) < max(1, least_frames):
        return None
    every = np.concatenate(per_frame)
    middle = float(np.median(every))
    spread = 1.4826 * float(np.median(np.abs(every - middle)))
    return ScaleFit(math.exp(middle), spread / math.sqrt(len(per_frame)), len(per_frame), len(every))


def agreed_scale(first: ScaleFit | None, second: ScaleFit | None, most_apart: float = 0.10) -> ScaleFit | None:
    """The better of two fits to independent estimates of metres, when they agree within `most_apart`; else None: unit scale.

    Its sigma is at least half of what the two differ by, because that is seen and their own spreads may not show it.
    """
    if first is None or second is None:
        return None
    apart = abs(math.log(first.scale) - math.log(second.scale))
    if apart > math.log1p(most_apart):
        return None
    better = min(first, second, key=lambda fit: (fit.sigma, fit.scale))
    return ScaleFit(better.scale, max(better.sigma, apart / 2), better.frames, better.pixels)
