"""Margins of the questions about a room; defaults are VSI-Bench's, where its generator has one side too few both are tested."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RoomRule(BaseModel):
    """When a question about a room has one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counted: tuple[int, int] = Field((2, 12), description="Fewest and most objects of a label that are counted.")
    distance_m: float = Field(
        0.2, ge=0, description="Least distance of two things whose distance is asked for, metres."
    )
    nearest_m: float = Field(0.15, ge=0, description="Least distance of the nearest of several things, metres.")
    gap_m: float = Field(0.15, ge=0, description="Distances that are compared differ by more than this, metres.")
    gap_large_m: float = Field(0.30, ge=0, description="The same in a large room, or one of unknown area, metres.")
    large_m2: float = Field(40.0, gt=0, description="Area from which a room is large, square metres.")
    pair_m: tuple[float, float] = Field(
        (0.30, 5.0), description="Least and greatest distance on the ground of the three places of a direction, metres."
    )
    sector_deg: float = Field(
        10.0, ge=0, description="Least distance of a direction to the next sector, on either side."
    )
    corners: int = Field(2, ge=0, le=8, description="Corners of the queried box in another sector, at most.")
    order_gap_s: float = Field(1.0, ge=0, description="Least time between two first appearances, seconds.")
    ordered: int = Field(4, ge=3, le=6, description="Things whose first appearance is put in order.")
    order_as: Literal["choice", "order"] = Field(
        "choice", description="choice: one of four orders, as VSI-Bench asks; order: the things are put in order."
    )
    tolerance_m: float = Field(0.1, ge=0, description="Boxes and points agree within this, metres.")
    tolerance: float = Field(0.10, ge=0, description="Or within this share.")
    step_m: float = Field(0.10, gt=0, description="Grid on which a route's standing places are looked for, metres.")
    body_m: float = Field(0.20, ge=0, description="Half the width of who walks a route, metres.")
    tall_m: float = Field(1.8, gt=0, description="Things above this height are walked under, metres.")
    leg_m: tuple[float, float] = Field((0.6, 8.0), description="Shortest and longest leg of a route, metres.")
    turns: tuple[int, int] = Field((2, 3), description="Fewest and most turns of a route.")
    turn_deg: float = Field(10.0, ge=0, description="Least distance of a turn to the next class of turns, degrees.")
