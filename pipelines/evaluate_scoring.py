"""How `evaluate` scores: thresholds, strictness, what an unread answer counts, averages; and the habits of known sources by name.

The house's own rules: `>=` at thresholds, unread answers count 0 and stay in the denominator, means over items. A preset
reproduces what a source's own evaluation does where it differs, so that figures compare with published ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .console import UsageError

Unread = Literal["zero", "skip", "whole"]


class Scoring(BaseModel):
    """What a figure means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[float, ...] = Field((0.3, 0.5, 0.7), min_length=1, description="tIoU (or IoU) thresholds.")
    strict_gt: bool = Field(False, description="Count a score only above the threshold, not at it.")
    macro_by_video: bool = Field(False, description="Average within each medium first, then over media.")
    unread: Unread = Field(
        "zero", description="An item without an answer: counts 0, is left out, or means the whole medium."
    )
    recall_k: tuple[int, ...] = Field(
        (5,), description="Numbers of best proposals that recall is given for, besides 1."
    )
    most: int = Field(100, ge=1, description="Proposals of a query that are looked at, best first.")
    tolerance_s: float = Field(
        0.1, ge=0, description="Distance at which a boundary, a word or a box still is at its place."
    )
    delta_s: float = Field(5.0, ge=0, description="Distance at which a frame still shows a moment.")
    iop: float = Field(0.5, ge=0, le=1, description="Intersection over prediction from which an answer is grounded.")


PRESETS: Mapping[str, tuple[dict[str, Any], str]] = {
    "llava_st": ({"strict_gt": True}, "above the threshold, not at it"),
    "llava_st_rec": ({"levels": (0.5,), "unread": "skip"}, "boxes; what cannot be read leaves the denominator"),
    "lita": (
        {"levels": (0.5,), "macro_by_video": True, "unread": "whole"},
        "averages by video; an answer without two times means the whole video",
    ),
    "distime": ({}, "R@1 at .3, .5, .7 and mIoU; dense captioning at .3, .5, .7, .9"),
    "charades_sta": ({}, "R@1 at .3, .5, .7 and mIoU"),
    "activitynet": ({"recall_k": (5,)}, "R@1 and R@5 at .3, .5, .7"),
    "qvhighlights": ({"levels": (0.5, 0.7), "most": 10}, "R@1 at .5, .7; mAP over .5:.95 of ten proposals"),
    "lv_haystack": ({"delta_s": 5.0, "unread": "skip"}, "5 s; empty predictions are left out"),
    "next_gqa": ({"levels": (0.3, 0.5), "iop": 0.5}, "Acc@GQA with IoP >= .5"),
    "vidstg": ({"levels": (0.3, 0.5)}, "vIoU at .3, .5"),
    "v_star": ({"levels": (0.1, 0.3, 0.5, 0.7, 0.9)}, "shares of seconds above .1 ... .9"),
}
"""Settings by source, each with what it does differently."""


def scoring(source: str | None, **given: Any) -> Scoring:
    """The settings of a source (None: the house's), with those that were given by hand over them (None: not given).

    Raises `UsageError` for a source that is not known.
    """
    if source is not None and source not in PRESETS:
        raise UsageError(f"--as {source}: known are {', '.join(PRESETS)}")
    base = dict(PRESETS[source][0]) if source else {}
    return Scoring.model_validate(base | {name: value for name, value in given.items() if value is not None})
