"""What every policy shares: its parameters, its registration, and the last step from chosen frames to a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.ids import derive_id
from .plan import Indices, Inputs, Plan, PlannedFrame, segment_numbers, tiled
from .tokens import Cost, Costed, costed


class PolicyParams(BaseModel):
    """Parameters that every policy has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_tokens: int | None = Field(None, ge=1, description="Visual tokens at most; null: no budget.")
    cost: Cost = Field(Cost(), description="What a frame costs.")


@dataclass(frozen=True)
class Policy:
    """A policy by name: its row of the list of papers, its parameters and its function."""

    name: str
    row: int | None
    """Row of the list of papers; None for samplers that belong to none."""
    Params: type[PolicyParams]
    plan: Callable[[Inputs, Any], Plan]
    needs: tuple[str, ...] = ()
    """What it cannot do without: likeness, scores, cuts or space."""
    version: int = 1
    """Raise it whenever its plans may change."""

    def params_hash(self, params: PolicyParams) -> str:
        """Hash of policy, version and parameters."""
        return derive_id("policy", self.name, self.version, params.model_dump(mode="json"))


def frame_cost(inputs: Inputs, params: PolicyParams, count: int) -> Costed:
    """What `count` frames of the medium cost by the policy's parameters."""
    return costed(params.cost, inputs.width, inputs.height, count, image=inputs.image)


def planned(
    inputs: Inputs,
    params: PolicyParams,
    indices: Indices,
    *,
    roles: str | Sequence[str] = "frame",
    firsts: Iterable[int] | None = None,
    tokens: Sequence[int] | None = None,
    sizes: Sequence[tuple[int, int]] | None = None,
    pools: int | Sequence[int] = 1,
    attributes: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan that shows frames `indices` of the inputs.

    `firsts` are the places (among the planned frames) where segments begin, None leaves the span undivided; `tokens` and
    `sizes` default to the parameters' cost.
    """
    times = [float(inputs.times_s[i]) for i in indices]
    count = len(times)
    cost = frame_cost(inputs, params, count)
    numbers = segment_numbers(count, firsts) if firsts is not None else [0] * count
    frames = tuple(
        PlannedFrame(
            times[k],
            roles if isinstance(roles, str) else roles[k],
            numbers[k],
            *(sizes[k] if sizes is not None else (cost.width, cost.height)),
            pools if isinstance(pools, int) else pools[k],
            int(tokens[k] if tokens is not None else cost.tokens[k]),
        )
        for k in range(count)
    )
    segments = tiled(inputs, times, firsts) if firsts is not None else ()
    return Plan(frames, segments, params.budget_tokens, dict(attributes or {}))
