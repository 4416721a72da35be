"""How a trainer resizes pictures before its model sees them, and how many visual tokens they become.

A profile chains steps: LLaMA-Factory first shrinks to a number of pixels and the model's own processor then rounds to
its patches. Each step is a pure function of the size, restated from the trainers' sources. Pixels that enlarging adds
show nothing new, so how well something is seen is measured at the smallest size along the chain (`Resized.kept`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_ASPECT = 200
"""Longer pictures are refused by `smart_resize` (qwen-vl-utils, transformers)."""


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Square(_Step):
    """Stretched to a square, whatever its shape (SigLIP and CLIP processors without cropping)."""

    rule: Literal["square"] = "square"
    side_px: int = Field(ge=1, description="Width and height.")


class PadSquare(_Step):
    """Scaled until the longer side fits a square, the rest padded (LLaVA's `pad`)."""

    rule: Literal["pad_square"] = "pad_square"
    side_px: int = Field(ge=1, description="Width and height.")


class FitPixels(_Step):
    """Scaled, keeping its shape, to at most and then at least so many pixels (LLaMA-Factory's `_preprocess_image`)."""

    rule: Literal["fit_pixels"] = "fit_pixels"
    max_pixels: int = Field(ge=1, description="Width times height, at most.")
    min_pixels: int = Field(1, ge=1, description="Width times height, at least.")
    min_side_px: int = Field(1, ge=1, description="A shorter side is stretched to this (28 for the Qwen-VL plugins).")


class SmartResize(_Step):
    """Both sides multiples of `factor_px`, pixels within a range, shape kept nearly (qwen-vl-utils, transformers)."""

    rule: Literal["smart_resize"] = "smart_resize"
    factor_px: int = Field(28, ge=1, description="Patch times spatial merge: 14 x 2 for Qwen2.5-VL.")
    min_pixels: int = Field(ge=1, description="Width times height, at least.")
    max_pixels: int = Field(ge=1, description="Width times height, at most.")
    total_pixels: float | None = Field(
        None, gt=0, description="Pixels of all frames together, two frames counting as one; none: no such budget."
    )
    frame_factor: int = Field(2, ge=1, description="Frames that share their tokens, for total_pixels.")


Step = Annotated[Square | PadSquare | FitPixels | SmartResize, Field(discriminator="rule")]


class TokenRule(_Step):
    """Visual tokens: patches, pooled in space, a mark behind each row, and some frames sharing theirs."""

    patch_px: int = Field(14, ge=1, description="Side of a patch.")
    pool: int = Field(1, ge=1, description="Patches per token along each side, rounded up at the edge.")
    row_end: int = Field(0, ge=0, description="Tokens behind each row (LLaVA's newline).")
    frames: int = Field(1, ge=1, description="Frames that share their tokens.")


@dataclass(frozen=True)
class Resized:
    """A picture as a model gets it."""

    width: int
    height: int
    kept: tuple[float, float]
    """Pixels of the footage's own width and height that are left, at the smallest size along the chain."""


def resized(width: int, height: int, steps: Sequence[Step], frames: int = 1) -> Resized:
    """A `width` x `height` picture after all steps; `frames` of them share the pixel budget of a video.

    Raises ValueError for a picture that the trainer refuses.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width}x{height} px cannot be shown")
    size, content, kept = (width, height), (float(width), float(height)), (float(width), float(height))
    for step in steps:
        new = _apply(step, *size, frames)
        if isinstance(step, PadSquare):
            scale = (step.side_px / max(size), step.side_px / max(size))
        else:
            scale = (new[0] / size[0], new[1] / size[1])
        size, content = new, (content[0] * scale[0], content[1] * scale[1])
        kept = (min(kept[0], content[0]), min(kept[1], content[1]))
    return Resized(*size, kept)


def _apply(step: Step, width: int, height: int, frames: int) -> tuple[int, int]:
    match step:
        case Square(side_px=side) | PadSquare(side_px=side):
            return side, side
        case FitPixels():
            return fit_pixels(width, height, step.max_pixels, step.min_pixels, step.min_side_px)
        case SmartResize():
            most = float(step.max_pixels)
            if step.total_pixels is not None:
                shared = step.total_pixels / max(1, frames) * step.frame_factor
                most = max(min(most, shared), int(step.min_pixels * 1.05))
            return smart_resize(width, height, step.factor_px, step.min_pixels, most)


def fit_pixels(width: int, height: int, max_pixels: int, min_pixels: int = 1, min_side_px: int = 1) -> tuple[int, int]:
    """(width, height) scaled to at most `max_pixels`, then to at least `min_pixels`, cut to whole pixels."""
    if width * height > max_pixels:
        scale = math.sqrt(max_pixels / (width * height))
        width, height = int(width * scale), int(height * scale)
    if 0 < width * height < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        width, height = int(width * scale), int(height * scale)
    return max(width, min_side_px), max(height, min_side_px)


def smart_resize(width: int, height: int, factor_px: int, min_pixels: float, max_pixels: float) -> tuple[int, int]:
    """(width, height) as multiples of `factor_px` with `min_pixels` <= pixels <= `max_pixels`, shape nearly kept.

    A side is never shorter than `factor_px`, so very long pictures may exceed a small `max_pixels`. Raises ValueError for
    a side more than 200 times the other. Source: qwen-vl-utils `vision_process.py`, transformers' Qwen2-VL processor.
    """
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ValueError(f"a picture of {width}x{height} px is longer than {MAX_ASPECT} : 1")
    wide, high = (max(factor_px, round(side / factor_px) * factor_px) for side in (width, height))
    if wide * high > max_pixels:
        too_large = math.sqrt(width * height / max_pixels)  # divided by, as there: rounding decides some sizes
        wide, high = (max(factor_px, math.floor(side / too_large / factor_px) * factor_px) for side in (width, height))
    elif wide * high < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        wide, high = (math.ceil(side * scale / factor_px) * factor_px for side in (width, height))
    return wide, high


def frame_tokens(width: int, height: int, rule: TokenRule, frames: int) -> list[int]:
    """Tokens of each of `frames` pictures of this size, in order; shared ones are dealt out evenly, the first more."""
    rows, columns = (math.ceil(side // rule.patch_px / rule.pool) for side in (height, width))
    group = rows * (columns + rule.row_end)
    dealt: list[int] = []
    for first in range(0, frames, rule.frames):
        members = min(rule.frames, frames - first)
        dealt += [group // members + (i < group % members) for i in range(members)]
    return dealt
