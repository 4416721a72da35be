"""`ondemand_resolution_1x_16x` (Oryx): footage at its own shape within limits of size, compressed more the longer it is.

A side limit S means S * S pixels, whatever the shape, and sizes are cut to whole units of 64 px for video and 32 px for
pictures (`Oryx-mllm/Oryx: oryx/mm_utils.py` resize_video and resize_images, `scripts/train_oryx_7b.sh`: 288 to 480 for
video, up to 1536 for pictures). Patches are 16 px. Compression 1x for pictures, 4x for short and 16x for long video is from
the paper; where short ends is ours.
"""

from __future__ import annotations

import math

from pydantic import Field

from .grids import endpoints
from .plan import Inputs, Plan, PlanError
from .policy import PolicyParams, planned
from .tokens import Cost, afford, patch_tokens


class OnDemandParams(PolicyParams):
    """Parameters of ondemand_resolution_1x_16x."""

    cost: Cost = Field(Cost(patch_px=16, merge=1), description="Patches of 16 px; sizes follow the rule here.")
    frames: int = Field(64, ge=1, description="Frames of a short video.")
    long_frames: int = Field(256, ge=1, description="Frames of a long video.")
    long_from_s: float = Field(180.0, gt=0, description="A video of this length is long (ours).")
    min_side_px: int = Field(288, ge=16, description="Least side of a video frame, as the root of its pixels.")
    max_side_px: int = Field(480, ge=16, description="Greatest side of a video frame, likewise.")
    picture_side_px: int = Field(1536, ge=16, description="Greatest side of a picture, likewise.")
    unit_px: int = Field(64, ge=1, description="Sides of video frames are multiples of this.")
    picture_unit_px: int = Field(32, ge=1, description="Sides of pictures are multiples of this.")
    short_pool: int = Field(4, ge=1, description="Compression of short videos.")
    long_pool: int = Field(16, ge=1, description="Compression of long videos.")


def ondemand_resolution_1x_16x(inputs: Inputs, params: OnDemandParams) -> Plan:
    """Evenly spaced frames at their own shape; how many and how much compressed depends on the length."""
    long = not inputs.image and inputs.length_s >= params.long_from_s
    pool = 1 if inputs.image else params.long_pool if long else params.short_pool
    unit = params.picture_unit_px if inputs.image else params.unit_px
    least = 0 if inputs.image else params.min_side_px
    most = params.picture_side_px if inputs.image else params.max_side_px
    if least > most:
        raise PlanError(f"ondemand_resolution_1x_16x: min_side_px {least} is above max_side_px {most}")
    width, height = fitted(inputs.width, inputs.height, least, most, unit)
    each = patch_tokens(width, height, params.cost.patch_px, params.cost.merge, pool)
    wanted = 1 if inputs.image else params.long_frames if long else params.frames
    count = afford(min(wanted, len(inputs.times_s)), params.budget_tokens, lambda n: n * each)
    indices = endpoints(len(inputs.times_s), count)
    return planned(
        inputs,
        params,
        indices,
        tokens=[each] * len(indices),
        sizes=[(width, height)] * len(indices),
        pools=pool,
        attributes={"kind": "picture" if inputs.image else "long" if long else "short", "compression": pool},
    )


def fitted(width: int, height: int, least: int, most: int, unit: int) -> tuple[int, int]:
    """(width, height) with `least`^2 to `most`^2 pixels before both are cut to whole units; a side has at least one unit."""
    pixels = width * height
    scale = 1.0
    if pixels > most * most:
        scale = most / math.sqrt(pixels)
    elif pixels < least * least:
        scale = least / math.sqrt(pixels)
    wide, high = (max(unit, int(side * scale / unit + 1e-9) * unit) for side in (width, height))
    return wide, high
