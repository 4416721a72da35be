"""Which kinds a space may be asked for: what its scale and its z axis are good for.

Numbers need real metres: measured or anchored ones, or predicted ones whose logarithm is known to a few per cent (they are
then approximate, and the sample says so by a factor). What only compares may be asked at unit scale too. Heights, areas and angles
on the ground need an upright z axis. A number is kept while both ends of its interval still earn a fair score against it.
"""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.space import Space
from .ask import Kind, Number, Solved

MEASURED = ("sensor", "anchored")


class GateRule(BaseModel):
    """What a space must be good for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma: float = Field(
        0.05, ge=0, description="Greatest standard deviation of log scale at which a predicted scale gives numbers."
    )
    up_error_deg: float = Field(5.0, ge=0, description="Greatest error of the vertical, degrees.")
    half_width: float = Field(
        0.10, gt=0, description="Greatest half width of a number's interval (two sigma and the box faces), as a share."
    )
    face_m: float = Field(0.02, ge=0, description="How exact a box face is where depth was measured, metres.")
    face_share: float = Field(0.05, ge=0, description="How exact distances are where it was predicted, as a share.")


def why_not(kind: Kind, space: Space, rule: GateRule) -> str:
    """Why this kind is not asked about this space; '' when it may be."""
    if kind.counts and not space.scene["all_labelled"]:
        return "not every object is labelled"
    if kind.gravity:
        error = space.scene["up_error_deg"]
        if space.scene["world_up"] != "z" or error is None or error > rule.up_error_deg:
            return "not gravity aligned"
    if kind.scale and space.scale_status not in MEASURED:
        if space.scale_status == "unit":
            return "unit scale"
        if space.scale_sigma is None or space.scale_sigma > rule.sigma:
            return "scale too uncertain"
    return ""


def approximate(space: Space) -> bool:
    """Whether metres are predicted: numbers are then told as approximate."""
    return space.scale_status == "predicted"


def too_wide(kind: Kind, solved: Solved, space: Space, rule: GateRule) -> bool:
    """Whether a number's interval is so wide that an answer at its end would not be a good one.

    Scale counts once for lengths and twice for areas; how exact the faces of boxes are counts for distances in metres, unless
    the geometry is exact by construction (a sigma of zero).
    """
    if not kind.scale or not isinstance(solved.reply, Number) or solved.reply.value == 0:
        return False
    power = 2 if solved.reply.unit == "m2" else 1
    sigma = space.scale_sigma or 0.0
    wide = math.expm1(2 * power * sigma)
    if sigma > 0 and power == 1:
        metres = abs(solved.reply.value) * (0.01 if solved.reply.unit == "cm" else 1.0)
        wide += rule.face_m / metres if space.scale_status in MEASURED else rule.face_share
    return wide > rule.half_width
