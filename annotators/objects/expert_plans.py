"""One plan for the features of several experts: which positions of a language model's context each takes (MouSi).

All experts must have looked at the same pictures at the same times; a medium where they did not is an error, not a plan. A grid of tokens may
take a position per token (`own`), per row of the grid (`row`), or one for all (`one`): the source saves SAM's 4,096 positions per
picture so. Positions of the experts follow one another, in the order in which the recipe lists them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.ids import derive_id
from ...schemas.span import to_us

Scheme = Literal["own", "row", "one"]


class Params(BaseParams):
    """Parameters of expert_plans."""

    experts: dict[str, Scheme] = Field(
        min_length=1, description="Producers of frame_features, each with its scheme: own, row or one."
    )
    limit: int = Field(4096, ge=1, description="Positions that all experts of a medium may take together.")


class ExpertPlans(UnitAnnotator[Params]):
    """Writes `expert_plans` of one medium, from the `frame_features` of several producers."""

    name: ClassVar[str] = "expert_plans"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "frame_features")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "frame_features": ("t_s", "frame_hash", "encoder", "revision", "tokens", "dimension")
    }
    writes: ClassVar[tuple[str, ...]] = ("expert_plans",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per expert. Raises `SkipUnit` without features, `ValueError` for experts that saw other pictures, or too many
        positions.
        """
        features = {n: [r for r in rows["frame_features"] if r["producer"] == n] for n in self.params.experts}
        if not any(features.values()):
            raise SkipUnit("no features")
        indices = {name: frame_index(found) for name, found in features.items()}
        if len(set(indices.values())) != 1:
            counts = ", ".join(f"{name} {len(found)}" for name, found in features.items())
            raise ValueError(
                f"the experts did not look at the same pictures ({counts}); give them one frame set and one number of frames"
            )
        first = 0
        made = []
        for name, scheme in self.params.experts.items():
            row = plan_row(name, features[name], scheme, first)
            first += row["budget"]
            made.append(row)
        if first > self.params.limit:
            raise ValueError(
                f"the experts take {first} positions, the limit is {self.params.limit}; take fewer frames, or scheme row or one"
            )
        for row in made:
            yield "expert_plans", {**row, "frame_index": indices[row["expert"]]}


def frame_index(features: Sequence[Mapping[str, Any]]) -> str:
    """Hash of the times and pictures that an expert looked at."""
    return derive_id("frame index", *sorted((to_us(r["t_s"]), str(r["frame_hash"])) for r in features))


def plan_row(expert: str, features: Sequence[Mapping[str, Any]], scheme: Scheme, first: int) -> dict[str, Any]:
    """What an expert takes. Raises `ValueError` for features of several shapes, or a grid that is not square."""
    shapes = {(r["encoder"], r["revision"], r["tokens"], r["dimension"]) for r in features}
    if len(shapes) != 1:
        raise ValueError(f"{expert}: features of {len(shapes)} encoders or shapes; build it again")
    ((encoder, revision, tokens, dimension),) = shapes
    side = math.isqrt(tokens)
    if scheme == "row" and side * side != tokens:
        raise ValueError(f"{expert}: {tokens} tokens are no square grid; use scheme own or one")
    positions = {"own": tokens, "row": side, "one": 1}[scheme]
    return {
        "expert": expert, "encoder": encoder, "revision": revision, "frames": len(features), "tokens": tokens, "dimension": dimension,
        "scheme": scheme, "positions": positions, "first_position": first, "budget": positions * len(features),
        "saved": (tokens - positions) * len(features),
    }  # fmt: skip


def plan_problems(plans: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the plans of one medium: other frame indices, budgets that do not follow, positions that overlap."""
    found = []
    if len({p["frame_index"] for p in plans}) > 1 or len({p["frames"] for p in plans}) > 1:
        found.append("the experts do not share the frame index")
    end = 0
    for plan in sorted(plans, key=lambda p: p["first_position"]):
        if plan["first_position"] != end:
            found.append(f"{plan['expert']} begins at {plan['first_position']}, not at {end}")
        if plan["budget"] != plan["positions"] * plan["frames"]:
            found.append(f"{plan['expert']} takes {plan['budget']} positions, not {plan['positions'] * plan['frames']}")
        if plan["saved"] != (plan["tokens"] - plan["positions"]) * plan["frames"]:
            found.append(f"{plan['expert']} does not save {plan['saved']} positions")
        end = plan["first_position"] + plan["budget"]
    return found


ANNOTATOR = ExpertPlans
