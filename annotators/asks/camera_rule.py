"""Margins of the questions about cameras and single pictures; defaults are VLM-3R's, with the consistency that its wording claims."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PictureRule(BaseModel):
    """When a question about cameras has one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    distance_m: tuple[float, float] = Field(
        (0.2, 10.0), description="Least and greatest distance that is asked for, metres."
    )
    nearest_m: float = Field(0.5, ge=0, description="Least distance of things that are compared, metres.")
    gap_m: float = Field(0.15, ge=0, description="Least gap of distances, and of extents along an axis, metres.")
    change_m: float = Field(0.3, gt=0, description="Least change of a distance that is asked for, metres.")
    aside_m: float = Field(
        0.5, ge=0, description="Least distance on the ground of a thing whose direction is asked for, metres."
    )
    sector_deg: float = Field(10.0, ge=0, description="Least distance of a direction to the next sector, degrees.")
    move_m: tuple[float, float] = Field(
        (1.0, 0.5), description="Least way along the axis of a movement, with four options and with fewer, metres."
    )
    dominance: float = Field(
        1.5, ge=1, description="The axis of a movement or turn leads the others by this factor at least."
    )
    consistent: float = Field(
        0.8, gt=0.5, le=1, description="Least share of the steps between that go the way of the whole movement or turn."
    )
    step_s: float = Field(0.2, ge=0, description="Least time between two cameras of such steps, seconds.")
    still_m: float = Field(0.005, ge=0, description="Steps shorter than this do not count, metres.")
    turn_deg: tuple[float, float] = Field(
        (15.0, 150.0), description="Least and greatest turn that is asked about, degrees."
    )
    hides: float = Field(
        0.1, gt=0, lt=1, description="Least share of the hidden thing's box that the other one's covers."
    )
    hidden: float = Field(0.85, gt=0, lt=1, description="Greatest visibility of what counts as partly hidden.")
    whole: float = Field(0.9, gt=0, le=1, description="Least visibility of what hides it.")
    tolerance_m: float = Field(0.2, ge=0, description="Boxes and points agree within this, metres.")
    tolerance: float = Field(0.10, ge=0, description="Or within this share.")
