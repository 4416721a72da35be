"""Which kinds a space may be asked for, and which of its numbers are certain enough: the rules of `schemas.scale` with parameters.

A kind says whether it needs a vertical z axis, real metres, or every object labelled. A number is kept while all that it may be
earns nearly the same score; boxes of rendered rooms are exact, so that only their scale counts.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.scale import MOST_SIGMA, MOST_UP_ERROR_DEG, Need, admissible, interval, keeps_number
from ...schemas.space import Space
from .ask import Kind, Number, Solved

EXACT = ("rooms",)
"""Sources whose boxes are known, not measured."""
METRES = {"m": 1.0, "cm": 0.01, "m2": 1.0}
"""Metres (or square metres) of the units that need them."""


class GateRule(BaseModel):
    """What a space must be good for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma: float = Field(
        MOST_SIGMA,
        ge=0,
        description="Greatest standard deviation of log scale at which a predicted scale gives numbers.",
    )
    up_error_deg: float = Field(MOST_UP_ERROR_DEG, ge=0, description="Greatest error of the vertical, degrees.")
    half_width: float = Field(
        0.10, gt=0, description="Greatest half width of what a number may be, as a share of the stated one."
    )
    least_mra: float = Field(0.8, ge=0, le=1, description="Score that both ends of it must earn.")


def why_not(kind: Kind, space: Space, rule: GateRule) -> str:
    """Why this kind is not asked about this space; '' when it may be."""
    if kind.counts and not space.scene["all_labelled"]:
        return "not every object is labelled"
    needs: list[Need] = ["gravity"] if kind.gravity else []
    if kind.scale:
        needs.append("square metres" if kind.area else "metres")
    return admissible(space.scene, needs, most_up_error_deg=rule.up_error_deg, most_sigma=rule.sigma)


def certain(kind: Kind, solved: Solved, space: Space, rule: GateRule) -> bool:
    """Whether a number that needs real metres is certain enough to be stated; all other answers are."""
    reply = solved.reply
    if not kind.scale or not isinstance(reply, Number) or reply.value == 0 or reply.unit not in METRES:
        return True
    unit = METRES[reply.unit]
    place = 0.0 if kind.area or space.scene["source"] in EXACT else None
    low, high = interval(space.scene, float(solved.says) * unit, power=2 if kind.area else 1, place=place)
    return keeps_number(
        reply.value,
        (low / unit, high / unit),
        reply.decimals,
        least_mra=rule.least_mra,
        most_half_width=rule.half_width,
    )
